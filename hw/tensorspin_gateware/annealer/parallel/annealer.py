"""The Ising engine that compares all spins in one cycle: its parts, and the loop that joins them.

A *turn* is what one replica does in one trip through the loop: its last flip is added to the local
fields, the fields are compared with random thresholds, and the first spin that accepts becomes its
next flip, whose row of couplings is read. The loop is many cycles long, and a turn begins in each
cycle: as many replicas as the loop has cycles keep all of it busy.
"""

from __future__ import annotations

from amaranth import Module, Mux, Signal, Value
from amaranth.lib import data, wiring

from tensorspin.contract.annealer.image import SIGNED_RUN
from tensorspin.contract.annealer.segments import bank_rows
from tensorspin.contract.annealer.size import AnnealerSize, Moving

from ...primitives import Family
from ...primitives.accumulate import Operation
from ..common.check import begin_check, has_flag
from ..common.delay import delay, delay_fields
from ..common.interface import (
    AnnealerSignature,
    index_bits,
    spin_bits,
    step_layout,
    update_layout,
    updates_layout,
)
from ..common.ports import forward
from ..common.run import count_cycles
from .energies import Energies
from .memories import Memories
from .results import ReplicaResults
from .search import Search
from .segment_turns import SegmentTurns
from .segments import SegmentEnergies, Segments, SegmentSearch
from .spins import READ, Spins
from .tempering import Tempering
from .thresholds import Thresholds
from .turns import FOUND, Turns


class Annealer(wiring.Component):
    """Anneals `size.replicas` replicas at once, with at most one flip of a spin a cycle.

    `tensorspin.contract.annealer` has the order of its work, and `MIN_REPLICAS` in
    `tensorspin.contract.annealer.size` a table that tells what happens in which cycle of a turn.

    Parameters
    ----------
    size : AnnealerSize
        Size of an annealer without windows.
    family : Family, default=Family.BEHAVIOURAL
        FPGA family, for its carry chains and registers.
    standby : bool, default=False
        Whether the port `awake` is there. Nothing reads it: no memory of this build can stand by.

    Ports
    -----
    All members of `AnnealerSignature`, seen from the annealer: what is Out there is In here.

    Latency: `tensorspin.golden.annealer.metropolis` counts the cycles of a run, exactly.

    Resources, as routed by nextpnr for an ECP5 with link and router, thresholds of 8 bits, 16
    replicas and the ring, but not tempering:

    - 256 spins, couplings of 4 bits, fields of 12: 19,360 LUTs, 76 a spin, 12,894 registers, 43
      block RAMs;
    - 160 spins, couplings of 8 bits, fields of 16, thresholds of 13: 16,263 LUTs, 101 a spin,
      11,944 registers, 54 block RAMs;
    - 1,000 spins, couplings of 2 bits, fields of 11: 62,252 LUTs, 62 a spin, 39,400 registers, 136
      block RAMs.

    The LUTs include two for each slice that writes distributed RAM, which nothing else can use.
    """

    def __init__(
        self,
        size: AnnealerSize,
        family: Family = Family.BEHAVIOURAL,
        standby: bool = False,
    ) -> None:
        self._size = size
        self._family = family
        super().__init__(AnnealerSignature(standby, size.signature).flip())

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        several = size.flips > 1
        m.submodules.turns = turns = (SegmentTurns if several else Turns)(size)
        m.submodules.thresholds = thresholds = Thresholds(size, self._family)
        m.submodules.spins = spins = (Segments if several else Spins)(size, self._family)
        m.submodules.search = search = (SegmentSearch if several else Search)(size)
        m.submodules.energies = energies = (SegmentEnergies if several else Energies)(size)
        m.submodules.results = results = ReplicaResults(size, self._family)
        # The row must meet its replica's next turn: `FOUND` cycles of this turn are over when the
        # search has the row's index, and the next turn adds the row `READ` cycles after it begins.
        m.submodules.memories = memories = Memories(
            size, size.replicas + READ - FOUND, self._family
        )
        cycle = count_cycles(m, self.start, self.running)

        next_step = memories.step
        if size.tempering:
            # With tempering, the probabilities of a turn are chosen in the cycle before it, far
            # from the memory's output. The memory has the next step long before it is taken, so
            # a register costs no time.
            next_step = Signal(step_layout(size))
            m.d.sync += next_step.eq(memories.step)

        running: Value = turns.running
        if size.signature:
            cut = self.start | self.stop | memories.run_written
            ran = begin_check(m, running, cut, has_flag(memories.parameters, SIGNED_RUN))
            m.d.comb += [
                memories.check.eq(ran & ~running),
                memories.stop_check.eq(cut),
                self.corrupt.eq(memories.corrupt),
            ]
            running = running | ran | memories.checking
        m.d.comb += [
            self.running.eq(running),
            self.step.eq(turns.current_step),
            self.ready.eq(memories.ready),
            self.memory.read_data.eq(results.data),
        ]
        forward(m, self.memory, memories, "space", "address", "write_enable", "write_data")
        m.d.comb += [
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
        ]
        forward(m, memories, thresholds, "seed", "seed_enable", "seed_first")
        forward(m, turns, thresholds, "run", "move", "slot")
        m.d.comb += [
            thresholds.ring.eq(turns.step.ring),
            # In a step that moves all replicas, neighbours on the ring move at the same time, so
            # the ring must hold no spin.
            thresholds.ring_clear.eq(turns.step.moving == Moving.ALL),
        ]
        forward(m, turns, spins, "slot", "active", "cursor")
        forward(m, thresholds, spins, "thresholds", "holds")
        # A best state is copied in the turn after the one in which its energy was found, when the
        # memory gives it once more. The first best state is the initial one, whatever its energy.
        m.d.comb += spins.keep.eq(energies.keep | turns.second)
        forward(m, spins, search, "accept", "negative", "considered")
        forward(m, turns, energies, "slot", "zero")
        m.d.comb += energies.initial.eq(turns.initial & turns.run)
        forward(m, spins, energies, "flipped")
        m.d.comb += [
            results.address.eq(self.memory.address),
            results.cycles.eq(cycle),
            results.energy.eq(energies.energy),
            results.best_energy.eq(energies.best),
        ]
        forward(m, spins, results, "state", "best")
        if size.tempering:
            m.submodules.tempering = tempering = Tempering(size)
            forward(m, turns, tempering, "slot", "ahead", "run")
            m.d.comb += [
                tempering.reset.eq(turns.fills),
                tempering.next_step.eq(turns.upcoming),
                tempering.begin.eq(turns.exchange),
                tempering.exchange.eq(turns.step.exchange),
                tempering.energy.eq(energies.energy),
                tempering.word.eq(thresholds.word),
                tempering.rank_word.eq(memories.rank_word),
                memories.rank_index.eq(tempering.rank_index),
                thresholds.probabilities.eq(tempering.probabilities),
                # Exchanges read energies while a run is under way, the host when it is over.
                energies.read_slot.eq(Mux(turns.run, tempering.energy_slot, turns.slot)),
                results.rank.eq(tempering.rank),
            ]
        else:
            m.d.comb += [
                thresholds.probabilities.eq(turns.step.probabilities),
                energies.read_slot.eq(turns.slot),
                # Without a ladder the host reads a replica's number in the place of its rank.
                results.rank.eq(turns.slot),
            ]
        if several:
            m.d.comb += search.together.eq(memories.parameters.together[0])
            forward(m, spins, energies, "change")
            self._close_segments(m, turns, search, spins, energies, memories)
        else:
            self._close_loop(m, turns, search, spins, energies, memories)
        return m

    def _close_loop(
        self,
        m: Module,
        turns: Turns,
        search: Search,
        spins: Spins,
        energies: Energies,
        memories: Memories,
    ) -> None:
        """Make the row and the update of the replica's next turn from what the search has found."""
        size = self._size
        fill = turns.fill
        flip = Signal()
        index = Signal.like(fill.row)
        m.d.comb += [
            flip.eq(search.found | fill.flip),
            index.eq(Mux(fill.offset | fill.flip, fill.row, search.spin)),
        ]
        # The found spin's sign, which tells whether to add or subtract its row, comes one cycle
        # after its number; all else waits for it here.
        late = delay_fields(
            m, 1, flip=flip, clear=fill.clear, offset=fill.offset, found=search.found
        )
        update = Signal(update_layout(size))
        m.d.comb += [
            update.flip.eq(late.flip),
            update.spin.eq(delay(m, index[: len(search.spin)], 1)),
        ]
        with m.If(late.clear):
            m.d.comb += update.operation.eq(Operation.CLEAR)
        # A spin that turns from -1 to +1 adds its row to the other spins' fields, one that turns
        # from +1 to -1 subtracts it. Initial states are reached from all spins positive.
        with m.Elif(late.offset | (late.found & search.spin_negative)):
            m.d.comb += update.operation.eq(Operation.ADD)
        with m.Elif(late.flip):
            m.d.comb += update.operation.eq(Operation.SUBTRACT)
        # `Spins` wants the update one cycle before its replica's turn; one cycle went into `late`.
        update = data.View(update.shape(), delay(m, update, size.replicas - FOUND - 2))
        m.d.comb += [
            memories.row_index.eq(index),
            spins.row.eq(memories.row),
            spins.update.eq(update),
            energies.update.eq(data.View(update.shape(), delay(m, update, 1))),
        ]

    def _close_segments(
        self,
        m: Module,
        turns: SegmentTurns,
        search: SegmentSearch,
        spins: Segments,
        energies: SegmentEnergies,
        memories: Memories,
    ) -> None:
        """Do what `_close_loop` does, with a row and a flip for each segment."""
        size, fill = self._size, turns.fill
        rows = (fill.banks & fill.offset.replicate(size.flips)) | fill.flips
        update = Signal(updates_layout(size))
        late = delay_fields(m, 1, clear=fill.clear, flips=fill.flips, found=search.found)
        m.d.comb += update.clear.eq(late.clear)
        for segment in range(size.flips):
            spin = search.spin.word_select(segment, spin_bits(size))
            index = memories.row_index.word_select(segment, index_bits(size))
            own = update.segments[segment]
            added = late.found[segment] & search.spin_negative[segment]
            m.d.comb += [
                # In a bank without a flip the row after the last is read, which is zero.
                index.eq(
                    Mux(rows[segment], fill.row, Mux(search.found[segment], spin, bank_rows(size)))
                ),
                own.flip.eq(late.found[segment] | late.flips[segment]),
                own.subtract.eq(own.flip & ~added),
                own.spin.eq(delay(m, index, 1)),
                memories.subtract[segment].eq(own.subtract),
            ]
        update = data.View(update.shape(), delay(m, update, size.replicas - FOUND - 2))
        m.d.comb += [
            spins.row.eq(memories.row),
            spins.update.eq(update),
            energies.update.eq(data.View(update.shape(), delay(m, update, 1))),
        ]
