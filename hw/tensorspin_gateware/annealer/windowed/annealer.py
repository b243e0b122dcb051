"""The Ising engine with windows."""

from __future__ import annotations

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring

from tensorspin.contract.annealer.size import AnnealerSize

from ...primitives import Family
from ..common.delay import delay
from ..common.interface import CYCLE_BITS, AnnealerSignature
from .lanes import ACCEPTED, Lanes
from .memories import Memories
from .records import Records
from .results import Results
from .search import Search
from .thresholds import Thresholds
from .turns import Turns


class WindowedAnnealer(wiring.Component):
    """Anneals with one flip a turn at most, a turn being a cycle for each window in use.

    `tensorspin.contract.annealer.windows` says in which order it works, and in which cycle of a
    window.

    Parameters
    ----------
    size : AnnealerSize
        With a window.
    family : Family

    Ports
    -----
    As `AnnealerSignature`, seen from the annealer.

    Latency: `tensorspin.golden.annealer.metropolis` counts it, exactly. As placed by nextpnr for a
    UP5K, with
    link and UART, 256 spins, a window of 16, couplings of 4 bits, fields of 12, thresholds of 8 and
    16 replicas take 4,810 logic cells, 30 block RAMs and 4 SPRAMs.
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
        m.submodules.lanes = lanes = Lanes(size)
        m.submodules.search = search = Search(size)
        m.submodules.records = records = Records(size)
        m.submodules.results = results = Results(size)
        m.submodules.memories = memories = Memories(size, self._family)
        # The router's decision to start or stop comes late in its cycle.
        start, stop = Signal(), Signal()
        m.d.sync += [start.eq(self.start), stop.eq(self.stop)]
        cycle = Signal(CYCLE_BITS)
        with m.If(start):
            m.d.sync += cycle.eq(1)
        with m.Elif(self.running):
            m.d.sync += cycle.eq(cycle + 1)
        accepted = delay(m, Cat(turns.first, turns.place.window), ACCEPTED)

        m.d.comb += [
            self.running.eq((turns.running | start) & ~stop),
            self.step.eq(turns.current_step),
            self.ready.eq(memories.ready),
            self.memory.read_data.eq(results.data),
            memories.space.eq(self.memory.space),
            memories.address.eq(self.memory.address),
            memories.write_enable.eq(self.memory.write_enable),
            memories.write_data.eq(self.memory.write_data),
            memories.row_index.eq(turns.row),
            memories.window.eq(turns.place.window),
            memories.step_index.eq(turns.step_index),
            memories.spin.eq(turns.spin),
            turns.start.eq(start),
            turns.stop.eq(stop | memories.run_written),
            turns.parameters.eq(memories.parameters),
            turns.next_step.eq(memories.step),
            turns.states.eq(memories.states),
            turns.progress.eq(records.progress),
            turns.decided.eq(records.decided),
            turns.unfinished.eq(records.unfinished),
            turns.read_place.eq(results.place),
            thresholds.run.eq(turns.run),
            thresholds.first_window.eq(turns.first_window),
            thresholds.last.eq(turns.last),
            thresholds.ends_round.eq(turns.ends_round),
            thresholds.probabilities.eq(turns.step.probabilities),
            thresholds.seed.eq(memories.seed),
            thresholds.seed_enable.eq(memories.seed_enable),
            thresholds.seed_first.eq(memories.seed_first),
            lanes.run.eq(turns.run),
            lanes.place.eq(turns.place),
            lanes.first.eq(turns.first),
            lanes.turn.eq(turns.turn),
            lanes.row.eq(memories.row),
            lanes.thresholds.eq(thresholds.thresholds),
            search.first.eq(accepted[0]),
            search.window.eq(accepted[1:]),
            search.accept.eq(lanes.accept),
            search.negative.eq(lanes.negative),
            records.run.eq(turns.run),
            records.slot.eq(turns.place.slot),
            records.next_slot.eq(turns.next_slot),
            records.before_last.eq(turns.before_last),
            records.last.eq(turns.last),
            records.ends_round.eq(turns.ends_round),
            records.active.eq(turns.turn.active),
            records.zero.eq(turns.zero),
            records.initial.eq(turns.initial),
            records.begins.eq(turns.begins),
            records.waits.eq(turns.waits),
            records.subtract.eq(turns.turn.subtract),
            records.flipped.eq(lanes.flipped),
            records.found.eq(search.found),
            records.sweeps.eq(turns.step.sweeps),
            records.refresh.eq(memories.parameters.refresh),
            results.address.eq(self.memory.address),
            results.cycles.eq(cycle),
            results.energy.eq(records.energy),
            results.best_energy.eq(records.best),
            results.state.eq(lanes.state),
            results.best.eq(lanes.best),
        ]
        return m
