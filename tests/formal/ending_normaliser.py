"""A harness for the proof that lanes and normaliser release each node within a bound.

The environment is any sequencer that keeps to what `ending_sequencer` proves of the real one.
"""

from __future__ import annotations

import types

from amaranth.hdl import Assert, Assume, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.contractor.bound import release_limit
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin_gateware.contractor import lanes, normaliser
from tensorspin_gateware.primitives import Family

from ..support.proof import Mutant, recorded, variant
from .ending_model import Flight, Issue


class NoMultiplier(wiring.Component):
    """In place of a lane's multiplier: what a node's sums are does not decide when it ends."""

    def __init__(self, family: Family) -> None:
        ports = {"left": In(16), "right": In(8), "enable": In(1), "clear": In(1), "total": Out(32)}
        super().__init__(ports)

    def elaborate(self, platform) -> Module:
        return Module()


class NoMemory(wiring.Component):
    """In place of a memory of sums or exponents, whose content decides nothing either."""

    def __init__(self, *, shape, depth: int, **_) -> None:
        self._shape, self._depth = shape, depth
        super().__init__({})

    def read_port(self, **_):
        depth, shape = range(self._depth), self._shape
        return types.SimpleNamespace(
            addr=Signal(depth, name="address"),
            en=Signal(name="enable"),
            data=Signal(shape, name="content"),
        )

    write_port = read_port

    def elaborate(self, platform) -> Module:
        return Module()


_STUBS = types.SimpleNamespace(Memory=NoMemory)


class NormaliserHarness(wiring.Component):
    """Any nodes, issued at any times, through the drain of the lanes and the normaliser.

    What is assumed of the sequencer stands in `Issue`. Asserted are that `release` comes once for
    each node, after its last element, and in time; and that a run is finished two cycles after its
    last node has been released.

    Parameters
    ----------
    size : ContractorSize
    mutant : tuple of (module, Mutant), or None
        A fault of `lanes` or of `normaliser`.
    steady : tuple of (int, int), optional
        Leave no choice, which is easier for the solver: all nodes have one element a block and
        these `outputs` and `last` in their headers, and elements come as soon as they may.
    """

    def __init__(
        self,
        size: ContractorSize,
        mutant: tuple[types.ModuleType, Mutant] | None,
        steady: tuple[int, int] | None = None,
    ) -> None:
        self._size, self._steady = size, steady
        faults = dict([mutant]) if mutant else {}
        lanes_copy = variant(
            lanes, faults.get(lanes), MultiplyAccumulate=NoMultiplier, memory=_STUBS
        )
        normaliser_copy = variant(normaliser, faults.get(normaliser), memory=_STUBS)
        self._lanes_state, self._state = recorded(lanes_copy), recorded(normaliser_copy)
        self._lanes = lanes_copy.Lanes(size.lanes, Family.BEHAVIOURAL, size.latencies)
        self._normaliser = normaliser_copy.Normaliser(size)
        # The signals inside exist from here on.
        self._parts = [self._lanes.elaborate(None), self._normaliser.elaborate(None)]
        names = {"go": 1, "issue": 1, "block_last": 1, "outputs": 6, "last": 1}
        super().__init__({name: In(width) for name, width in names.items()})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.lanes, m.submodules.normaliser = self._parts
        lanes, normaliser = self._lanes, self._normaliser
        run, finished = Signal(), Signal()
        with m.If(finished):
            m.d.sync += run.eq(0)
        with m.Elif(self.go):
            m.d.sync += run.eq(1)
        issue = Issue(m, self, self._size, run, normaliser.release, Assume)
        m.d.comb += [
            finished.eq(normaliser.score_valid & normaliser.score.last),
            lanes.run.eq(run),
            lanes.element.valid.eq(self.issue),
            lanes.element.block_last.eq(self.block_last),
            normaliser.run.eq(run),
            normaliser.header.outputs.eq(self.outputs),
            normaliser.header.last.eq(self.last),
            normaliser.node_first.eq(issue.first),
            normaliser.parity.eq(issue.number),
            normaliser.drain_valid.eq(lanes.drain_valid),
            normaliser.drain_last.eq(lanes.drain_last),
            normaliser.drain.eq(lanes.drain),
        ]
        if self._steady is not None:
            outputs, last = self._steady
            m.d.comb += [
                Assume(self.go & self.block_last & (self.issue == issue.may_issue)),
                Assume((self.outputs == outputs) & (self.last == last)),
            ]
        flight = Flight(m, self._size, issue, run, lanes, self._lanes_state, self._state)
        self._assert_headers(m, issue)
        stages = self._assert_nodes(m, run, issue, flight)
        self._assert_end(m, run, finished, issue, stages)
        self._assert_time(m, issue, flight, stages)
        return m

    def _assert_headers(self, m: Module, issue: Issue) -> None:
        """The normaliser keeps the headers of the nodes that have begun."""
        late = self._state["first"][0] if "first" in self._state else 0
        if "first" in self._state:
            m.d.comb += Assert(late == issue.was_first)
            with m.If(late):
                m.d.comb += Assert(self._state["first_parity"][0] == issue.youngest)
        for parity in range(2):
            kept = self._state[f"node_{parity}"][0]
            known = (kept.outputs == issue.outputs[parity]) & (kept.last == issue.lasts[parity])
            on_its_way = late & (issue.youngest == parity)
            m.d.comb += Assert(~issue.holds(parity) | known | on_its_way)

    def _assert_nodes(self, m: Module, run, issue: Issue, flight: Flight) -> list:
        """Complete nodes are in the lanes, drained, in the normaliser, or behind it, in order."""
        pipeline, state = self._size.latencies, self._state
        drained, running = state["drained"][-1], state["running"][0]
        index, header = state["index"][0], state["node"][0]
        drain_number, number = state["parity"]
        self._delay = delay = list(state["delay"][0]) if "delay" in state else []
        stages = [state[f"stage_{step}"][0] for step in range(pipeline.normalise_write + 1)]
        self._behind = [
            stage.valid & stage.node_end for stage in stages[1 : pipeline.normalise_release + 1]
        ]
        busy, inside = Signal(), Signal(3)
        m.d.comb += [
            busy.eq(Cat(running, *delay).any()),
            inside.eq(flight.finals + drained + busy),
            Assert(_one_at_most([running, *delay])),
            Assert(_one_at_most(self._behind)),
            Assert(issue.complete == inside + sum(self._behind, start=0)),
            Assert(drain_number == issue.number ^ flight.finals[0]),
            Assert(number == issue.number ^ inside[0]),
            Assert(stages[0].valid == running),
            Assert(run | (issue.unreleased == 0)),
            Assert(~running | (index <= header.outputs)),
        ]
        with m.If(Cat(running, *delay[1:]).any()):
            m.d.comb += [
                Assert(header.outputs == issue.outputs[number]),
                Assert(header.last == issue.lasts[number]),
            ]
        for step, (stage, ends) in enumerate(zip(stages[1:], self._behind), 1):
            with m.If(ends):
                m.d.comb += [
                    Assert(stage.scores == issue.lasts[issue.oldest]),
                    # The next node is as far behind as its start takes.
                    Assert(~running | (index + 1 + pipeline.find_shift <= step)),
                    *(Assert(~here | (place + 2 <= step)) for place, here in enumerate(delay)),
                ]
        return stages

    def _assert_end(self, m: Module, run, finished, issue: Issue, stages: list) -> None:
        """A run is finished two cycles after the release of its last node, and not before."""
        after = [Signal(name=f"released_{cycles}_ago") for cycles in (1, 2)]
        release = self._normaliser.release
        m.d.sync += Cat(after).eq(Cat(release & issue.lasts[issue.oldest], after[0]))
        for released, stage in zip(after, stages[-2:]):
            ends = stage.valid & stage.node_end & stage.scores
            m.d.comb += [
                Assert(released == ends),
                Assert(~released | (issue.ended & (issue.unreleased == 0) & run)),
            ]
        m.d.comb += [
            Assert(finished == after[1]),
            Assert(_one_at_most(after)),
            Assert(~finished | (issue.ended & (issue.unreleased == 0) & (issue.recent == 0))),
            Assert(~(run & issue.ended & (issue.unreleased == 0)) | Cat(after).any()),
        ]

    def _assert_time(self, m: Module, issue: Issue, flight: Flight, stages: list) -> None:
        """The longer nothing was issued or released, the further the oldest node has come."""
        pipeline, state = self._size.latencies, self._state
        release = self._normaliser.release
        # Cycles since its last element, at most.
        drained = self._size.lanes + pipeline.issue_to_drain - 1
        first_read = drained + pipeline.find_shift
        place = Mux(state["drained"][-1], drained, flight.age)
        for step, here in enumerate(self._delay, 1):
            place = Mux(here, drained + step, place)
        place = Mux(state["running"][0], first_read + state["index"][0], place)
        outputs = issue.outputs[issue.oldest]
        for step, here in enumerate(self._behind, 1):
            place = Mux(here, first_read + outputs + step, place)
        idle, reached = Signal(10), Signal(10)
        m.d.comb += reached.eq(place)
        with m.If(self.issue | release | (issue.complete == 0)):
            m.d.sync += idle.eq(0)
        with m.Else():
            m.d.sync += idle.eq(idle + 1)
        with m.If(issue.complete != 0):
            m.d.comb += [
                Assert(idle <= reached),
                Assert(idle < release_limit(self._size, 1) + outputs),
            ]
        m.d.comb += Assert(~release | (issue.complete != 0))


def _one_at_most(bits: list):
    """At most one of some bits is high."""
    return sum(bits, start=0) <= 1
