"""The Ising engine with windows: its parts, and how they are joined."""

from __future__ import annotations

from amaranth import Module, Signal, Value
from amaranth.lib import wiring

from tensorspin.contract.annealer.image import SIGNED_RUN
from tensorspin.contract.annealer.size import AnnealerSize

from ...primitives import Family
from ..common.check import begin_check, has_flag
from ..common.delay import delay_fields
from ..common.interface import AnnealerSignature
from ..common.ports import forward
from ..common.run import count_cycles
from .lanes import ACCEPTED, Lanes
from .memories import Memories
from .records import Records
from .results import ReplicaResults
from .search import Search
from .thresholds import Thresholds
from .turns import Turns


class WindowedAnnealer(wiring.Component):
    """Anneals with at most one flip of a spin a turn; a turn takes a cycle for each window in use.

    `tensorspin.contract.annealer.windows` has the order of its work, and a table that tells what
    happens to a window in which cycle.

    Parameters
    ----------
    size : AnnealerSize
        Size of an annealer with windows.
    family : Family, default=Family.BEHAVIOURAL
        FPGA family, for its memories.
    standby : bool, default=False
        Whether the memory of couplings stands by while nobody uses it.

    Ports
    -----
    All members of `AnnealerSignature`, seen from the annealer: what is Out there is In here.

    Latency: `tensorspin.golden.annealer.metropolis` counts the cycles of a run, exactly.

    Resources, as placed by nextpnr for a UP5K, with link and UART: 256 spins, a window of 16,
    couplings of 4 bits, fields of 12, thresholds of 8 and 16 replicas take 4,810 logic cells, 30
    block RAMs and 4 SPRAMs.
    """

    def __init__(
        self,
        size: AnnealerSize,
        family: Family = Family.BEHAVIOURAL,
        standby: bool = False,
    ) -> None:
        self._size = size
        self._family = family
        self._standby = standby
        super().__init__(AnnealerSignature(standby, size.signature).flip())

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        m.submodules.turns = turns = Turns(size)
        m.submodules.thresholds = thresholds = Thresholds(size)
        m.submodules.lanes = lanes = Lanes(size)
        m.submodules.search = search = Search(size)
        m.submodules.records = records = Records(size)
        m.submodules.results = results = ReplicaResults(size)
        m.submodules.memories = memories = Memories(size, self._family, self._standby)
        # The router decides late in a clock cycle whether to start or stop. With these registers
        # its logic and the annealer's need not fit one cycle together. `running` below hides the
        # delay from the router.
        start, stop = Signal(), Signal()
        m.d.sync += [start.eq(self.start), stop.eq(self.stop)]
        cycle = count_cycles(m, start, self.running)
        accepted = delay_fields(m, ACCEPTED, first=turns.first, window=turns.place.window)

        running: Value = turns.running
        if size.signature:
            cut = start | stop | memories.run_written
            ended = begin_check(m, running, cut, has_flag(memories.parameters, SIGNED_RUN))
            m.d.comb += [
                memories.check.eq(ended & ~running),
                memories.stop_check.eq(cut),
                self.corrupt.eq(memories.corrupt),
            ]
            running = running | ended | memories.checking
        m.d.comb += [
            self.running.eq((running | start) & ~stop),
            self.step.eq(turns.current_step),
            self.ready.eq(memories.ready),
            self.memory.read_data.eq(results.data),
        ]
        forward(m, self.memory, memories, "space", "address", "write_enable", "write_data")
        if self._standby:
            # A run's last row is used one cycle after it was read.
            ran = Signal()
            m.d.sync += ran.eq(turns.running)
            m.d.comb += memories.awake.eq(self.awake | turns.running | ran)
        m.d.comb += [
            memories.row_index.eq(turns.row),
            memories.window.eq(turns.place.window),
            memories.step_index.eq(turns.step_index),
            memories.spin.eq(turns.spin),
            turns.start.eq(start),
            turns.stop.eq(stop | memories.run_written),
            turns.parameters.eq(memories.parameters),
            turns.next_step.eq(memories.step),
            turns.states.eq(memories.states),
        ]
        forward(m, records, turns, "progress", "decided", "unfinished")
        m.d.comb += turns.read_place.eq(results.place)
        forward(m, turns, thresholds, "run", "first_window", "last", "ends_round")
        m.d.comb += thresholds.probabilities.eq(turns.step.probabilities)
        forward(m, memories, thresholds, "seed", "seed_enable", "seed_first")
        forward(m, turns, lanes, "run", "place", "first", "turn")
        m.d.comb += [
            lanes.row.eq(memories.row),
            lanes.thresholds.eq(thresholds.thresholds),
            search.first.eq(accepted.first),
            search.window.eq(accepted.window),
        ]
        forward(m, lanes, search, "accept", "negative")
        m.d.comb += [
            records.run.eq(turns.run),
            records.slot.eq(turns.place.slot),
        ]
        forward(m, turns, records, "next_slot", "before_last", "last", "ends_round")
        m.d.comb += records.active.eq(turns.turn.active)
        forward(m, turns, records, "zero", "initial", "begins", "waits")
        m.d.comb += [
            records.subtract.eq(turns.turn.subtract),
            records.flipped.eq(lanes.flipped),
            records.found.eq(search.found),
            records.sweeps.eq(turns.step.sweeps),
            records.refresh.eq(memories.parameters.refresh),
            results.address.eq(self.memory.address),
            results.cycles.eq(cycle),
            results.energy.eq(records.energy),
            results.best_energy.eq(records.best),
        ]
        forward(m, lanes, results, "state", "best")
        return m
