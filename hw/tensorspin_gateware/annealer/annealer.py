"""The Ising engine."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import memory, wiring

from tensorspin.contract.annealer import GROUP, MIN_REPLICAS, AnnealerSize
from tensorspin.contract.annealer_image import (
    AnnealerSpace,
    row_bytes,
    step_bytes,
    stride_bits,
)

from .delay import delay
from .energies import Energies
from .interface import AnnealerSignature, groups, update_layout
from .results import CYCLE_BITS, Results
from .search import Search
from .spins import Spins
from .thresholds import Thresholds
from .turns import Turns, parameters_layout


class Annealer(wiring.Component):
    """Anneals as many replicas at once as its loop takes turns, with one flip a cycle at most.

    `tensorspin.contract.annealer` says in which order it works, `MIN_REPLICAS` there in which
    cycle of a turn.

    Parameters
    ----------
    size : AnnealerSize

    Ports
    -----
    As `AnnealerSignature`, seen from the annealer.

    Latency: `tensorspin.golden.annealer` counts it, exactly.
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
        super().__init__(AnnealerSignature().flip())

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        m.submodules.turns = turns = Turns(size)
        m.submodules.thresholds = thresholds = Thresholds(size)
        m.submodules.spins = spins = Spins(size)
        m.submodules.search = search = Search(size)
        m.submodules.energies = energies = Energies(size)
        m.submodules.results = results = Results(size)
        m.submodules.couplings = couplings = memory.Memory(
            shape=8 * row_bytes(size), depth=size.spins + size.offset_rows, init=[]
        )
        m.submodules.steps = steps = memory.Memory(
            shape=8 * step_bytes(size), depth=size.steps, init=[]
        )
        parameters = Signal(parameters_layout())

        cycle = Signal(CYCLE_BITS)
        with m.If(self.start):
            m.d.sync += cycle.eq(1)
        with m.Elif(turns.run):
            m.d.sync += cycle.eq(cycle + 1)

        read_step = steps.read_port()
        m.d.comb += [
            self.idle.eq(~turns.run & ~results.busy),
            turns.start.eq(self.start),
            turns.parameters.eq(parameters),
            read_step.addr.eq(turns.step_index),
            turns.step.eq(read_step.data),
            turns.found.eq(search.found),
            turns.spin.eq(search.spin),
            thresholds.run.eq(turns.run),
            thresholds.probabilities.eq(turns.probabilities),
            spins.run.eq(turns.run),
            spins.slot.eq(Mux(turns.run, turns.slot, results.slot)),
            spins.window.eq(turns.window),
            spins.thresholds.eq(thresholds.thresholds),
            spins.keep.eq(energies.keep | turns.second),
            search.accept.eq(spins.accept),
            search.negative.eq(spins.negative),
            energies.slot.eq(turns.slot),
            energies.initial.eq(turns.initial & turns.run),
            energies.fields.eq(spins.fields),
            energies.read_slot.eq(results.slot),
            results.begin.eq(turns.ends),
            results.cycles.eq(cycle),
            results.energy.eq(energies.energy),
            results.best_energy.eq(energies.best),
            results.state.eq(spins.state),
            results.best.eq(spins.best),
        ]
        wiring.connect(m, wiring.flipped(self.results), results.words)
        self._close_loop(m, turns, search, spins, energies, couplings.read_port())
        self._connect_bus(m, couplings.write_port(granularity=8), steps, parameters, thresholds)
        return m

    def _close_loop(self, m: Module, turns, search, spins, energies, read) -> None:
        """From the search's result to the row and the update of the replica's next turn."""
        size = self._size
        decision = Signal(len(search.spin) + 3)
        index = Signal(range(size.spins + size.offset_rows))
        m.d.comb += [
            index.eq(Mux(turns.offset, size.spins + turns.offset_index, search.spin)),
            decision.eq(
                Cat(
                    search.found & ~turns.offset,
                    turns.offset & turns.clear,
                    search.found & ~turns.offset & ~search.spin_negative,
                    search.spin,
                )
            ),
        ]
        spare = size.replicas - MIN_REPLICAS
        address = delay(m, Cat(search.found | turns.offset, index), 1 + spare)
        m.d.comb += read.addr.eq(address[1:])
        some = delay(m, address[0], 2)
        row = Signal(8 * row_bytes(size))
        held = Signal.like(row)
        m.d.sync += [row.eq(read.data), held.eq(row)]
        with m.If(~some):
            m.d.sync += held.eq(0)

        early = delay(m, decision, 3 + spare)
        flip, clear, subtract, spin = early[0], early[1], early[2], early[3:]
        low = (GROUP - 1).bit_length()
        update = Signal(update_layout(size))
        m.d.sync += [update.clear.eq(clear), update.subtract.eq(subtract)]
        for group in range(groups(size)):
            m.d.sync += update.group[group].eq(flip & (spin[low:] == group))
        for member in range(GROUP):
            m.d.sync += update.member[member].eq(spin[:low] == member)
        m.d.comb += [
            spins.row.eq(held),
            spins.update.eq(update),
            energies.update.eq(update),
        ]

    def _connect_bus(self, m: Module, write_row, steps, parameters, thresholds) -> None:
        bus = self.memory
        write_step = steps.write_port(granularity=8)
        for space, port, length in (
            (AnnealerSpace.COUPLINGS, write_row, row_bytes(self._size)),
            (AnnealerSpace.STEPS, write_step, step_bytes(self._size)),
        ):
            low = stride_bits(length)
            m.d.comb += [
                port.addr.eq(bus.address[low:]),
                port.data.eq(bus.write_data.replicate(length)),
            ]
            with m.If(bus.write_enable & (bus.space == space)):
                m.d.comb += [port.en[byte].eq(bus.address[:low] == byte) for byte in range(length)]
        written = parameters.as_value()
        with m.If(bus.write_enable & (bus.space == AnnealerSpace.RUN)):
            for byte in range(len(written) // 8):
                with m.If(bus.address == byte):
                    m.d.sync += written.word_select(byte, 8).eq(bus.write_data)
        m.d.comb += [
            thresholds.seed_enable.eq(bus.write_enable & (bus.space == AnnealerSpace.SEEDS)),
            thresholds.seed_address.eq(bus.address),
            thresholds.seed.eq(bus.write_data),
        ]
