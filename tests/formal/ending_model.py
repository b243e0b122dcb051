"""What the proofs of a run's end know of its nodes: which there are, and where their blocks are."""

from __future__ import annotations

from amaranth.hdl import Array, Assert, Cat, Module, Mux, Signal, Value

from tensorspin.contract.contractor.program import MAX_OUTPUTS
from tensorspin.contract.contractor.size import ContractorSize

BLOCK_BITS = 3
"""Width of the number of a block within its node, for 8 lanes or more."""


def last_block(outputs: Value, lanes: int) -> Value:
    """Number of the last block of a node, from its outputs minus one."""
    return sum(((outputs >= first) for first in range(lanes, MAX_OUTPUTS, lanes)), start=0)


class Issue:
    """Nodes that are issued, and the rules for that: what lanes and normaliser may rely on.

    The rules are assumed in the proof of these, and asserted in that of the sequencer:

    - elements come while a run lasts, and none after those of a last node;
    - blocks end `lanes` cycles apart at least;
    - a node begins when at most one earlier one has not been released;
    - it has as many blocks as its outputs need;
    - its header stays until the cycle after its last element.

    Parameters
    ----------
    m : Module
    ports : wiring.Component
        Has the ports `issue`, `block_last`, `outputs` and `last`.
    size : ContractorSize
    run : Signal
    release : Signal
    rule : type
        `Assume` or `Assert`.

    Attributes
    ----------
    first : Signal
        The element issued in this cycle is the first of its node.
    number : Signal
        Number, modulo 2, of the node that is issued, or is issued next.
    outputs, lasts : Array of Signal
        What the headers of unreleased nodes say, by the parity of their numbers.
    unreleased, complete : Signal
        Number of nodes that have begun and are not released, and of those without further elements.
    oldest, youngest : Signal
        Parity of the oldest complete one, and of the youngest that has begun.
    recent : Signal
        Bit n: an element was issued n + 1 cycles ago. Its weight has not been taken.
    """

    def __init__(self, m: Module, ports, size: ContractorSize, run: Signal, release, rule) -> None:
        self._rule = rule
        self._lanes = lanes = size.lanes
        self.first = first = Signal(name="first")
        self.open = opened = Signal(name="open")
        self.number = number = Signal(name="number")
        self.block = block = Signal(BLOCK_BITS, name="block")
        self.cool = cool = Signal(range(lanes), name="cool")
        self.unreleased = unreleased = Signal(2, name="unreleased")
        self.ended = ended = Signal(name="ended")
        self.was_first, self.was_issued = Signal(name="was_first"), Signal(name="was_issued")
        self.outputs = Array(Signal(6, name=f"outputs_{parity}") for parity in range(2))
        self.lasts = Array(Signal(name=f"last_{parity}") for parity in range(2))
        self.complete, self.oldest = Signal(2, name="complete"), Signal(name="oldest")
        self.youngest = Signal(name="youngest")
        self.done = done = Signal(name="done")
        ends = ports.issue & ports.block_last
        self.may_issue = Signal(name="may_issue")
        may_begin = opened | ((unreleased <= 1) & ~ended)
        m.d.comb += [
            # If elements end blocks.
            self.may_issue.eq(run & may_begin & (cool == 0)),
            first.eq(ports.issue & ~opened),
            done.eq(ends & (block == last_block(ports.outputs, lanes))),
            self.complete.eq(unreleased - opened),
            self.oldest.eq(number ^ self.complete[0]),
            self.youngest.eq(Mux(opened, number, ~number)),
            rule(~ports.issue | run),
            rule(~first | ((unreleased <= 1) & ~ended)),
            rule(~ends | (cool == 0)),
            Assert(unreleased <= 2),
            Assert(unreleased >= opened),
            Assert(opened | (block == 0)),
        ]
        self.recent = Signal(size.latencies.issue_to_weight, name="recent")
        self.was_idle = Signal(init=1, name="was_idle")
        m.d.sync += [
            self.was_idle.eq(~run),
            self.recent.eq(Cat(ports.issue, self.recent)),
            self.was_first.eq(first),
            self.was_issued.eq(ports.issue),
            unreleased.eq(unreleased + first - release),
        ]
        with m.If(cool != 0):
            m.d.sync += cool.eq(cool - 1)
        with m.If(ports.issue):
            m.d.sync += opened.eq(~done)
        with m.If(ends):
            m.d.sync += [block.eq(Mux(done, 0, block + 1)), cool.eq(lanes - 1)]
        with m.If(done):
            m.d.sync += number.eq(~number)
        with m.If(first):
            m.d.sync += [
                self.outputs[number].eq(ports.outputs),
                self.lasts[number].eq(ports.last),
                ended.eq(ports.last),
            ]
        with m.If(~run):
            m.d.sync += [number.eq(0), ended.eq(0), cool.eq(0)]
        self._keep_header(m, ports)

    def _keep_header(self, m: Module, ports) -> None:
        outputs, last = Signal(6, name="outputs_before"), Signal(name="last_before")
        m.d.sync += [outputs.eq(ports.outputs), last.eq(ports.last)]
        youngest = self.youngest
        with m.If(self.open | self.was_issued):
            m.d.comb += [
                self._rule((ports.outputs == outputs) & (ports.last == last)),
                Assert(outputs == self.outputs[youngest]),
                Assert(last == self.lasts[youngest]),
            ]
        m.d.comb += [
            Assert(~self.was_first | (self.was_issued & (self.unreleased != 0))),
            Assert(~self.was_issued | (self.unreleased != 0)),
            Assert(~self.open | (self.block <= self.last_block(youngest))),
            # Only the youngest node can be the last.
            *(
                Assert(~(self.holds(parity) & self.lasts[parity]) | (youngest == parity))
                for parity in range(2)
            ),
            Assert((self.unreleased == 0) | (self.ended == self.lasts[youngest])),
        ]

    def holds(self, parity: int) -> Value:
        """Tell whether the node of a parity has begun and is not released."""
        one = (self.unreleased == 1) & (self.youngest == parity)
        return (self.unreleased == 2) | one

    def last_block(self, parity: Value) -> Value:
        """Give the number of a node's last block."""
        return last_block(self.outputs[parity], self._lanes)


class Flight:
    """Blocks on their way through the lanes, from their last element to their last sum.

    Parameters
    ----------
    m : Module
    size : ContractorSize
    issue : Issue
    run : Signal
    lanes : Lanes
    lanes_state, state : dict of str to list of Signal
        Registers of the lanes and of the normaliser.

    Attributes
    ----------
    finals : Signal
        Number of nodes whose last block has been issued, and not all sums of it have been kept.
    age : Signal
        Cycles since the last element of the oldest of these.
    """

    def __init__(
        self, m: Module, size: ContractorSize, issue: Issue, run, lanes, lanes_state, state
    ) -> None:
        self._lanes, self._issue = size.lanes, issue
        self._lasts = list(lanes_state["last"][0])
        self._draining, self._lane = lanes_state["draining"][0], lanes_state["lane"][-1]
        self.finals, self.age = Signal(3, name="finals"), Signal(10, name="age")
        self._surplus, self._count = state["surplus"][0], state["count"][0]
        # The block that is copied next, the one that drains, and that of the sum at the normaliser.
        self._next = _Block("next")
        self._drains, self._sum = _Block("drains"), _Block("sum")
        self._sum_lane = sum_lane = Signal(range(self._lanes), name="sum_lane")
        upcoming, drains, copy = self._next, self._drains, self._lasts[-1]
        outputs = issue.outputs[upcoming.number]
        final = upcoming.block == last_block(outputs, self._lanes)
        m.d.sync += [*self._sum.follow(drains), sum_lane.eq(self._lane)]
        with m.If(copy):
            m.d.sync += [
                *drains.follow(upcoming),
                drains.outputs.eq(outputs),
                drains.final.eq(final),
                upcoming.block.eq(Mux(final, 0, upcoming.block + 1)),
                upcoming.number.eq(upcoming.number ^ final),
            ]
        with m.If(~run):
            m.d.sync += upcoming.number.eq(0)
        self._assert_lanes(m, lanes)
        self._assert_blocks(m, lanes)
        self._assert_sums(m, lanes, state)

    def _assert_lanes(self, m: Module, lanes) -> None:
        """Blocks are `lanes` cycles apart, and their sums come one after the other."""
        bits, count = self._lasts, self._lanes
        draining, lane, end = self._draining, self._lane, len(self._lasts)
        for place, bit in enumerate(bits):
            nearer = bits[max(0, place - count + 1) : place]
            m.d.comb += Assert(~bit | ~Cat(nearer).any())
            m.d.comb += Assert(~bit | (self._issue.cool >= max(0, count - 1 - place)))
            # A block that drains is at place `end + lane`.
            apart = end - place
            if apart < count:
                m.d.comb += Assert(~(draining & bit) | (lane + apart >= count))
        for place in range(len(self._issue.recent)):
            # The last element of a node ends a block, and nothing follows it.
            ended = self._issue.open | Cat(bits[: place + 1]).any()
            m.d.comb += Assert(ended | ~self._issue.recent[place])
        under_way = draining & (lane != 0)
        m.d.comb += [
            Assert(lane < count),
            Assert(self._sum_lane < count),
            Assert(draining | (lane == 0) | self._issue.was_idle),
            Assert(~draining | (self._issue.cool + end + lane >= count - 1)),
            Assert(~under_way | (lanes.drain_valid & (self._sum_lane == lane - 1))),
            Assert(~under_way | self._sum.equals(self._drains)),
            Assert(under_way | ~lanes.drain_valid | (self._sum_lane == count - 1)),
            Assert(~lanes.drain_valid | (lanes.drain_last == (self._sum_lane == count - 1))),
        ]

    def _assert_blocks(self, m: Module, lanes) -> None:
        """Blocks follow each other as their nodes' outputs say, up to the one that is issued."""
        issue, finals, age = self._issue, 0, 0
        block, number = self._next.block, self._next.number
        for place, bit in reversed(list(enumerate(self._lasts))):
            if place == 0:
                # A node that has just begun has no earlier block.
                fresh = (block == 0) & (number == issue.youngest)
                m.d.comb += Assert(~issue.was_first | fresh)
            final_block = last_block(issue.outputs[number], self._lanes)
            final = bit & (block == final_block)
            m.d.comb += Assert(~bit | (block <= final_block))
            age = Mux((finals == 0) & final, place, age)
            step = Signal(BLOCK_BITS, name=f"block_{place}")
            step_number, step_finals = (
                Signal(name=f"number_{place}"),
                Signal(2, name=f"finals_{place}"),
            )
            step_age = Signal(10, name=f"age_{place}")
            m.d.comb += [
                step.eq(Mux(bit, Mux(final, 0, block + 1), block)),
                step_number.eq(number ^ final),
                step_finals.eq(finals + final),
                step_age.eq(age),
            ]
            block, number, finals, age = step, step_number, step_finals, step_age
        end = len(self._lasts)
        begins = self._draining & (self._lane == 0) & self._drains.final
        at_sum = lanes.drain_valid & ~self._surplus & self._sum.final
        age = Mux(at_sum, end + 1 + self._sum_lane, Mux(begins, end, age))
        m.d.comb += [
            self.finals.eq(finals + begins + at_sum),
            self.age.eq(age),
            Assert((block == issue.block) & (number == issue.number)),
        ]

    def _assert_sums(self, m: Module, lanes, state) -> None:
        """The normaliser counts the sums of a node, and leaves out those behind its outputs."""
        count, surplus, block = self._count, self._surplus, self._sum
        number = state["parity"][0]
        before = block.block * self._lanes
        over = block.final & (before + self._sum_lane > block.outputs)
        begins = self._draining & (self._lane == 0)
        with m.If(lanes.drain_valid):
            m.d.comb += [
                Assert(surplus == over),
                Assert(count == Mux(over, 0, before + self._sum_lane)),
                Assert(number == block.number ^ over),
                Assert(~block.final | (before <= block.outputs)),
                Assert(~block.final | (block.outputs - before < self._lanes)),
                Assert(block.final | (before + self._lanes <= block.outputs)),
                Assert(over | (block.outputs == self._issue.outputs[number])),
            ]
        with m.Else():
            following = Mux(begins, self._drains.block, self._next.block)
            m.d.comb += [Assert(~surplus), Assert(count == following * self._lanes)]
        with m.If(begins):
            drains = self._drains
            m.d.comb += [
                Assert(drains.outputs == self._issue.outputs[drains.number]),
                Assert(~lanes.drain_valid | drains.succeeds(block)),
                Assert(lanes.drain_valid | (drains.number == number)),
            ]
        with m.Elif(lanes.drain_valid & ~self._draining):
            m.d.comb += Assert(self._next.succeeds(block))
        with m.Elif(~self._draining):
            m.d.comb += Assert(self._next.number == number)
        with m.If(self._draining):
            m.d.comb += Assert(self._next.succeeds(self._drains))
            drains = self._drains
            before = drains.block * self._lanes
            m.d.comb += [
                Assert(~drains.final | (before <= drains.outputs)),
                Assert(~drains.final | (drains.outputs - before < self._lanes)),
                Assert(drains.final | (before + self._lanes <= drains.outputs)),
            ]
        if "is_only" not in state:
            return
        first, only, last, end, before_end = (
            state[name][-1] for name in ("is_first", "is_only", "is_last", "last", "before_last")
        )
        outputs = self._issue.outputs[number]
        m.d.comb += Assert(first == (count == 0))
        with m.If(
            Cat(self._lasts[2:]).any()
            | begins
            | (lanes.drain_valid & ~surplus)
            | (self._next.block != 0)
        ):
            m.d.comb += [
                Assert(only == (outputs == 0)),
                Assert(end == outputs),
                Assert(before_end == (outputs - 1)[:6]),
                Assert((count == 0) | (last == (count == outputs))),
            ]


class _Block:
    """A block: its number in its node, its node's number modulo 2 and outputs."""

    def __init__(self, name: str) -> None:
        self.block = Signal(BLOCK_BITS, name=f"{name}_block")
        self.number = Signal(name=f"{name}_number")
        self.outputs = Signal(6, name=f"{name}_outputs")
        self.final = Signal(name=f"{name}_final")

    def follow(self, other: _Block) -> list:
        return [
            getattr(self, name).eq(getattr(other, name))
            for name in ("block", "number", "outputs", "final")
        ]

    def succeeds(self, other: _Block) -> Value:
        """Tell whether this is the number of the block after another, and of its node."""
        block = Mux(other.final, 0, other.block + 1)[:BLOCK_BITS]
        return (self.block == block) & (self.number == other.number ^ other.final)

    def equals(self, other: _Block) -> Value:
        return Cat(
            getattr(self, name) == getattr(other, name)
            for name in ("block", "number", "outputs", "final")
        ).all()
