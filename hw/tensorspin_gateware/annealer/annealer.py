"""The Ising engine."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import data, memory, wiring

from tensorspin.contract.annealer import AnnealerSize
from tensorspin.contract.annealer_image import (
    AnnealerSpace,
    row_bytes,
    step_bytes,
    stride_bits,
)

from ..primitives import Family
from ..primitives.accumulate import Operation
from .couplings import Couplings
from .delay import delay
from .energies import Energies
from .interface import AnnealerSignature, update_layout
from .results import CYCLE_BITS, Results
from .search import Search
from .spins import READ, Spins
from .thresholds import Thresholds
from .turns import FOUND, Turns, parameters_layout


class Annealer(wiring.Component):
    """Anneals as many replicas at once as its loop takes turns, with one flip a cycle at most.

    `tensorspin.contract.annealer` says in which order it works, `MIN_REPLICAS` there in which
    cycle of a turn.

    Parameters
    ----------
    size : AnnealerSize
    family : Family

    Ports
    -----
    As `AnnealerSignature`, seen from the annealer.

    Latency: `tensorspin.golden.annealer` counts it, exactly.
    """

    def __init__(self, size: AnnealerSize, family: Family = Family.BEHAVIOURAL) -> None:
        self._size = size
        self._family = family
        super().__init__(AnnealerSignature().flip())

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        m.submodules.turns = turns = Turns(size)
        m.submodules.thresholds = thresholds = Thresholds(size)
        m.submodules.spins = spins = Spins(size, self._family)
        m.submodules.search = search = Search(size)
        m.submodules.energies = energies = Energies(size)
        m.submodules.results = results = Results(size)
        m.submodules.couplings = couplings = Couplings(
            size, size.replicas + READ - FOUND, self._family
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
            spins.slot.eq(Mux(turns.run, turns.slot, results.slot)),
            spins.active.eq(turns.active),
            spins.cursor.eq(turns.cursor),
            spins.thresholds.eq(thresholds.thresholds),
            spins.keep.eq(energies.keep | turns.second),
            search.accept.eq(spins.accept),
            search.negative.eq(spins.negative),
            search.considered.eq(spins.considered),
            energies.slot.eq(turns.slot),
            energies.initial.eq(turns.initial & turns.run),
            energies.flipped.eq(spins.flipped),
            energies.read_slot.eq(results.slot),
            results.begin.eq(turns.ends),
            results.cycles.eq(cycle),
            results.energy.eq(energies.energy),
            results.best_energy.eq(energies.best),
            results.state.eq(spins.state),
            results.best.eq(spins.best),
        ]
        wiring.connect(m, wiring.flipped(self.results), results.words)
        self._close_loop(m, turns, search, spins, energies, couplings)
        self._connect_bus(m, couplings, steps, parameters, thresholds)
        return m

    def _close_loop(self, m: Module, turns, search, spins, energies, couplings) -> None:
        """From the search's result to the row and the update of the replica's next turn."""
        size = self._size
        # The sign comes a cycle after the rest.
        found = delay(m, Cat(search.found & ~turns.offset, turns.offset, turns.clear), 1)
        update = Signal(update_layout(size))
        m.d.comb += update.flip.eq(found[0])
        with m.If(found[2]):
            m.d.comb += update.operation.eq(Operation.CLEAR)
        with m.Elif(found[1] | (found[0] & search.spin_negative)):
            m.d.comb += update.operation.eq(Operation.ADD)
        with m.Elif(found[0]):
            m.d.comb += update.operation.eq(Operation.SUBTRACT)
        m.d.comb += update.spin.eq(delay(m, search.spin, 1))
        update = data.View(update.shape(), delay(m, update, size.replicas - FOUND - 1))
        m.d.comb += [
            couplings.index.eq(Mux(turns.offset, size.spins + turns.offset_index, search.spin)),
            spins.row.eq(couplings.row),
            spins.update.eq(update),
            energies.update.eq(update),
        ]

    def _connect_bus(self, m: Module, couplings, steps, parameters, thresholds) -> None:
        bus = self.memory
        low = stride_bits(row_bytes(self._size))
        m.d.comb += [
            couplings.write_index.eq(bus.address[low:]),
            couplings.write_byte.eq(bus.address[:low]),
            couplings.write_data.eq(bus.write_data),
            couplings.write_enable.eq(bus.write_enable & (bus.space == AnnealerSpace.COUPLINGS)),
        ]
        write_step = steps.write_port(granularity=8)
        length = step_bytes(self._size)
        low = stride_bits(length)
        m.d.comb += [
            write_step.addr.eq(bus.address[low:]),
            write_step.data.eq(bus.write_data.replicate(length)),
        ]
        with m.If(bus.write_enable & (bus.space == AnnealerSpace.STEPS)):
            m.d.comb += [
                write_step.en[byte].eq(bus.address[:low] == byte) for byte in range(length)
            ]
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
