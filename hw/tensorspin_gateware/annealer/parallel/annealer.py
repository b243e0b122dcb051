"""The Ising engine."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring

from tensorspin.contract.annealer.size import AnnealerSize, Moving

from ...primitives import Family
from ...primitives.accumulate import Operation
from ..common.delay import delay
from ..common.interface import CYCLE_BITS, AnnealerSignature, step_layout, update_layout
from .energies import Energies
from .memories import Memories
from .results import Results
from .search import Search
from .spins import READ, Spins
from .tempering import Tempering
from .thresholds import Thresholds
from .turns import FOUND, Turns


class Annealer(wiring.Component):
    """Anneals as many replicas at once as its loop takes turns, with one flip a cycle at most.

    `tensorspin.contract.annealer.size` says in which order it works, `MIN_REPLICAS` there in which
    cycle of a turn.

    Parameters
    ----------
    size : AnnealerSize
    family : Family

    Ports
    -----
    As `AnnealerSignature`, seen from the annealer.

    Latency: `tensorspin.golden.annealer.metropolis` counts it, exactly. As routed by nextpnr for
    an ECP5, with
    link and router, thresholds of 8 bits, 16 replicas and the ring, but not tempering:

    - 256 spins, couplings of 4 bits, fields of 12: 19,360 LUTs, 76 a spin, 12,894 registers, 43
      block RAMs;
    - 1,000 spins, couplings of 2 bits, fields of 11: 62,252 LUTs, 62 a spin, 39,400 registers, 136
      block RAMs.

    The LUTs include two for each slice that writes distributed RAM, which nothing else can use.
    """

    def __init__(self, size: AnnealerSize, family: Family = Family.BEHAVIOURAL) -> None:
        self._size = size
        self._family = family
        super().__init__(AnnealerSignature().flip())

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        m.submodules.turns = turns = Turns(size)
        m.submodules.thresholds = thresholds = Thresholds(size, self._family)
        m.submodules.spins = spins = Spins(size, self._family)
        m.submodules.search = search = Search(size)
        m.submodules.energies = energies = Energies(size)
        m.submodules.results = results = Results(size, self._family)
        m.submodules.memories = memories = Memories(
            size, size.replicas + READ - FOUND, self._family
        )
        cycle = Signal(CYCLE_BITS)
        with m.If(self.start):
            m.d.sync += cycle.eq(1)
        with m.Elif(self.running):
            m.d.sync += cycle.eq(cycle + 1)

        next_step = memories.step
        if size.tempering:
            # Read long before it is taken. From there it is far to the probabilities of a turn.
            next_step = Signal(step_layout(size))
            m.d.sync += next_step.eq(memories.step)

        m.d.comb += [
            self.running.eq(turns.running),
            self.step.eq(turns.current_step),
            self.ready.eq(memories.ready),
            self.memory.read_data.eq(results.data),
            memories.space.eq(self.memory.space),
            memories.address.eq(self.memory.address),
            memories.write_enable.eq(self.memory.write_enable),
            memories.write_data.eq(self.memory.write_data),
            turns.start.eq(self.start),
            turns.stop.eq(self.stop | memories.run_written),
            turns.parameters.eq(memories.parameters),
            memories.step_index.eq(turns.step_index),
            turns.next_step.eq(next_step),
            memories.spin.eq(turns.spin),
            turns.states.eq(memories.states),
            turns.found.eq(search.found),
            turns.found_spin.eq(search.spin),
            turns.read_slot.eq(results.slot),
            thresholds.seed.eq(memories.seed),
            thresholds.seed_enable.eq(memories.seed_enable),
            thresholds.seed_first.eq(memories.seed_first),
            thresholds.run.eq(turns.run),
            thresholds.move.eq(turns.move),
            thresholds.slot.eq(turns.slot),
            thresholds.ring.eq(turns.step.ring),
            thresholds.ring_clear.eq(turns.step.moving == Moving.ALL),
            spins.slot.eq(turns.slot),
            spins.active.eq(turns.active),
            spins.cursor.eq(turns.cursor),
            spins.thresholds.eq(thresholds.thresholds),
            spins.holds.eq(thresholds.holds),
            spins.keep.eq(energies.keep | turns.second),
            search.accept.eq(spins.accept),
            search.negative.eq(spins.negative),
            search.considered.eq(spins.considered),
            energies.slot.eq(turns.slot),
            energies.zero.eq(turns.zero),
            energies.initial.eq(turns.initial & turns.run),
            energies.flipped.eq(spins.flipped),
            results.address.eq(self.memory.address),
            results.cycles.eq(cycle),
            results.energy.eq(energies.energy),
            results.best_energy.eq(energies.best),
            results.state.eq(spins.state),
            results.best.eq(spins.best),
        ]
        if size.tempering:
            m.submodules.tempering = tempering = Tempering(size)
            m.d.comb += [
                tempering.slot.eq(turns.slot),
                tempering.ahead.eq(turns.ahead),
                tempering.run.eq(turns.run),
                tempering.reset.eq(turns.fills),
                tempering.next_step.eq(turns.upcoming),
                tempering.begin.eq(turns.exchange),
                tempering.exchange.eq(turns.step.exchange),
                tempering.energy.eq(energies.energy),
                tempering.word.eq(thresholds.word),
                tempering.rank_word.eq(memories.rank_word),
                memories.rank_index.eq(tempering.rank_index),
                thresholds.probabilities.eq(tempering.probabilities),
                energies.read_slot.eq(Mux(turns.run, tempering.energy_slot, turns.slot)),
                results.rank.eq(tempering.rank),
            ]
        else:
            m.d.comb += [
                thresholds.probabilities.eq(turns.step.probabilities),
                energies.read_slot.eq(turns.slot),
                results.rank.eq(turns.slot),
            ]
        self._close_loop(m, turns, search, spins, energies, memories)
        return m

    def _close_loop(self, m: Module, turns, search, spins, energies, memories) -> None:
        """From the search's result to the row and the update of the replica's next turn."""
        size = self._size
        fill = turns.fill
        flip = Signal()
        index = Signal.like(fill.row)
        m.d.comb += [
            flip.eq(search.found | fill.flip),
            index.eq(Mux(fill.offset | fill.flip, fill.row, search.spin)),
        ]
        # The sign comes a cycle after the rest.
        late = delay(m, Cat(flip, fill.clear, fill.offset, search.found), 1)
        late_flip, clear, offset, found = late
        update = Signal(update_layout(size))
        m.d.comb += [
            update.flip.eq(late_flip),
            update.spin.eq(delay(m, index[: len(search.spin)], 1)),
        ]
        with m.If(clear):
            m.d.comb += update.operation.eq(Operation.CLEAR)
        with m.Elif(offset | (found & search.spin_negative)):
            m.d.comb += update.operation.eq(Operation.ADD)
        with m.Elif(late_flip):
            m.d.comb += update.operation.eq(Operation.SUBTRACT)
        update = data.View(update.shape(), delay(m, update, size.replicas - FOUND - 2))
        m.d.comb += [
            memories.row_index.eq(index),
            spins.row.eq(memories.row),
            spins.update.eq(update),
            energies.update.eq(data.View(update.shape(), delay(m, update, 1))),
        ]
