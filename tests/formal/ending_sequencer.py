"""A harness for the proof that the sequencer takes the words of any memory in bounded time."""

from __future__ import annotations

import types

from amaranth.hdl import Assert, Assume, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from tensorspin.contract.contractor.bound import LATE_NODES, fetch_limit
from tensorspin.contract.contractor.latency import LONG
from tensorspin.contract.contractor.program import MAX_OPERAND
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin_gateware.contractor import program, sequencer
from tensorspin_gateware.primitives import Family

from ..support.proof import Mutant, recorded, variant
from .ending_model import Issue


class AnyMemory(wiring.Component):
    """In place of the program memory: any word comes from any address."""

    def __init__(self, words: int, lanes: int, family: Family, standby: bool) -> None:
        super().__init__(
            {
                "address": In(ceil_log2(words)),
                "enable": In(1),
                "write": In(lanes),
                "write_data": In(8),
                "read_data": Out(8 * lanes),
                "anything": In(8 * lanes),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.d.comb += self.read_data.eq(self.anything)
        return m


class SequencerHarness(wiring.Component):
    """Any words, through the reader and the sequencer, with any releases of complete nodes.

    Asserted are the rules of `Issue`, on which lanes and normaliser rely, and what
    `tensorspin.contract.contractor.bound` counts with:

    - in each cycle of a run, until the last element, an element is issued; or the sums of the block
      before drain; or the node that is next must wait for a release; or no more than `fetch_limit`
      cycles have passed since an element, a release or the start;
    - each word that is taken is a header or has the weights of two elements at most, and weights
      are taken a fixed time after their elements;
    - a block has at most 4,096 elements, and each has a word;
    - when all words of the memory have been taken, elements of at most `LATE_NODES` nodes are to
      come.

    Parameters
    ----------
    size : ContractorSize
    mutant : tuple of (module, Mutant), or None
        A fault of `program` or of `sequencer`.
    steady : int, optional
        Leave no choice, which is easier for the solver: all words are this one, and a node is
        released when the weights of its last element have been taken.
    """

    def __init__(
        self,
        size: ContractorSize,
        mutant: tuple[types.ModuleType, Mutant] | None,
        steady: int | None = None,
    ) -> None:
        self._size, self._steady = size, steady
        faults = dict([mutant]) if mutant else {}
        memories: list[AnyMemory] = []

        def memory(*arguments) -> AnyMemory:
            memories.append(AnyMemory(*arguments))
            return memories[-1]

        program_copy = variant(program, faults.get(program), ProgramMemory=memory)
        sequencer_copy = variant(sequencer, faults.get(sequencer))
        self._reader_state, self._state = recorded(program_copy), recorded(sequencer_copy)
        self._reader = program_copy.ProgramReader(size, Family.BEHAVIOURAL)
        self._sequencer = sequencer_copy.Sequencer(size)
        # The signals inside exist from here on.
        self._parts = [self._reader.elaborate(None), self._sequencer.elaborate(None)]
        (self._memory,) = memories
        super().__init__(
            {"go": In(1), "stop": In(1), "release": In(1), "anything": In(8 * size.lanes)}
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.reader, m.submodules.sequencer = self._parts
        reader, sequencer = self._reader, self._sequencer
        wiring.connect(m, reader.words, sequencer.words)
        run = Signal()
        ports = types.SimpleNamespace(
            issue=sequencer.element.valid,
            block_last=sequencer.element.block_last,
            outputs=sequencer.header.outputs,
            last=sequencer.header.last,
        )
        issue = Issue(m, ports, self._size, run, self.release, Assert)
        with m.If(self.stop):
            m.d.sync += run.eq(0)
        with m.Elif(self.go):
            m.d.sync += run.eq(1)
        over = issue.ended & (issue.unreleased == 0) & (issue.recent == 0)
        if self._steady is not None:
            soon = (issue.complete != 0) & (issue.recent == 0)
            m.d.comb += [
                Assume(self.go & (self.anything == self._steady)),
                Assume((self.release == soon) & (self.stop == over)),
            ]
        m.d.comb += [
            reader.run.eq(run),
            sequencer.run.eq(run),
            sequencer.overrun.eq(reader.overrun),
            sequencer.release.eq(self.release),
            self._memory.anything.eq(self.anything),
            # What is proved of lanes and normaliser.
            Assume(~self.release | (issue.complete != 0)),
            Assume(~self.stop | over),
            Assert(run | (issue.unreleased == 0)),
            Assert(sequencer.node_first == issue.first),
            Assert(sequencer.parity == issue.number),
        ]
        if self._size.latencies is LONG:
            m.d.comb += reader.ready_next.eq(sequencer.ready_next)
        taken = self._assert_reader(m, run)
        self._assert_words(m, run, issue, taken)
        self._assert_headers(m, run, issue)
        self._assert_elements(m, run, issue)
        self._assert_time(m, run, issue)
        self._assert_late(m, run, issue, taken)
        return m

    def _get(self, *names: str) -> list[Signal]:
        return [self._state[name][0] for name in names]

    def _assert_reader(self, m: Module, run) -> Signal:
        """Words are numbered as they are taken, and those past the memory's end are known."""
        reader, state = self._reader, self._reader_state
        address, fetched, over = (
            state[name][0] for name in ("address", "fetched", "fetched_overrun")
        )
        words = self._size.program_words
        taken = Signal(range(words + 1), name="taken")
        valid, ready = reader.words.valid, reader.words.ready
        with m.If(~run):
            m.d.sync += taken.eq(0)
        with m.Elif(valid & ready & (taken != words)):
            m.d.sync += taken.eq(taken + 1)
        ahead = 1 + ready if self._size.latencies is LONG else 2
        with m.If(run & valid):
            m.d.comb += [
                Assert(fetched),
                Assert(reader.overrun == (taken == words)),
                Assert(over == (taken >= words - 1)),
                Assert((taken == words) | (address == taken + ahead)),
            ]
        with m.Elif(run):
            m.d.comb += [
                Assert(taken == 0),
                Assert(~over & ~reader.overrun),
                Assert(address == fetched),
                *([Assert(ready)] if self._size.latencies is LONG else []),
            ]
        m.d.comb += Assert(taken <= words)
        return taken

    def _assert_words(self, m: Module, run, issue: Issue, taken) -> None:
        """A word is taken for each header, and for one or two elements a fixed time ago."""
        words, element = self._reader.words, self._sequencer.element
        upper, word_done, take_header = self._get("upper", "word_done", "take_header")
        half = Signal(name="half")
        self._due = due = Signal(self._size.latencies.issue_to_weight, name="due")
        m.d.sync += due.eq(Cat(element.valid & word_done, due))
        with m.If(element.valid):
            m.d.sync += half.eq(~word_done)
            m.d.comb += Assert(~(half | element.block_last) | word_done)
        m.d.comb += [
            Assert(upper == half),
            Assert(due == self._get("word_due")[0]),
            Assert((due & ~issue.recent) == 0),
            Assert(~run | ((words.valid & words.ready) == (take_header | due[-1]))),
            Assert(~(take_header & due[-1])),
            Assert(~(run & due.any()) | words.valid),
            Assert(run | (due == 0)),
        ]

    def _assert_headers(self, m: Module, run, issue: Issue) -> None:
        """Two nodes are known of, or to be known next, until the last header has been taken."""
        active, following, turn, first, ended, lasts, load = self._get(
            "active", "following_valid", "header_turn", "first_header", "ended", "last_due", "load"
        )
        due, header = self._due, self._get("following")[0]
        valid = self._reader.words.valid
        known = sum([active, following, *lasts], start=0)
        with m.If(run):
            m.d.comb += [
                Assert(ended | (known + turn + (turn & first) == 2)),
                Assert(~ended | (~turn & (active + following <= 2))),
                Assert(~ended | ~first),
                Assert(first | valid),
                Assert(~first | (turn & ~active & (due == 0) & (lasts == 0))),
                # The second header of a run comes before any element; later ones find a free cycle.
                Assert(~(turn & following) | (~active & (due == 0) & (lasts == 0))),
                Assert(~turn | ~due[-1]),
                Assert(~lasts[0] | ~active),
                # Which header is the last.
                Assert(~following | (header.last == ended)),
                Assert(~(ended & following & active) | ~self._sequencer.header.last),
                Assert(~(active & ~following) | (self._sequencer.header.last == ended)),
                Assert(~(active & following) | ~self._sequencer.header.last),
            ]
            if self._size.latencies is LONG:
                m.d.comb += Assert(~valid | (self._reader.words.ready == (turn | due[-1])))
        for younger, older in zip(lasts, lasts[1:]):
            m.d.comb += Assert(~(younger & older))
        for place in range(len(lasts)):
            m.d.comb += Assert(~lasts[place] | due[place])
            if place:
                m.d.comb += Assert(~lasts[place] | ~due[place - 1])

    def _assert_elements(self, m: Module, run, issue: Issue) -> None:
        """The loops over blocks and elements, and their comparisons a cycle ahead."""
        lanes = self._size.lanes
        element, header = self._sequencer.element, self._sequencer.header
        active, begun, unfinished, left, right, remaining, drain = self._get(
            "active", "begun", "unfinished", "left", "right", "remaining", "drain"
        )
        count = Signal(range(MAX_OPERAND**2 + 1), name="count")
        with m.If(element.valid):
            m.d.sync += count.eq(Mux(element.block_last, 0, count + 1))
        m.d.comb += [
            # What is to be shown: at most `MAX_OPERAND`**2 elements.
            Assert(count < MAX_OPERAND**2),
            Assert(count <= Cat(right, left)),
            Assert(begun == issue.open),
            Assert(unfinished == issue.unreleased),
            Assert(drain == issue.cool),
            Assert(~begun | active),
            Assert(active | ~element.valid),
            Assert(begun | ((left == 0) & (right == 0) & (count == 0))),
        ]
        with m.If(active):
            m.d.comb += [
                Assert(left <= header.left_size),
                Assert(right <= header.right_size),
                Assert(remaining + issue.block * lanes == header.outputs),
            ]
        if self._size.latencies is LONG:
            self._assert_look_ahead(m, run, active, begun, left, right, remaining, drain)

    def _assert_look_ahead(self, m, run, active, begun, left, right, remaining, drain) -> None:
        """The registers of the long pipeline hold what the comparisons in one cycle give."""
        header, state = self._sequencer.header, self._state
        left_last, last_block, single, two, one_left, two_left, stopped = self._get(
            "left_last", "last_block", "single", "two", "one_left", "two_left", "stopped"
        )
        right_last, block_last = state["right_last"][-1], state["block_last"][0]
        may_begin = state["may_begin"][-1]
        with m.If(active):
            for side, index in (("left", left), ("right", right)):
                size = header[f"{side}_size"]
                m.d.comb += [
                    Assert(single[side] == (size == 0)),
                    Assert(two[side] == (size == 1)),
                    Assert(two_left[side] == (size - 2)[: len(size)]),
                    Assert(one_left[side] == (index + 1 == size)),
                ]
            m.d.comb += [
                Assert(left_last == (left == header.left_size)),
                Assert(right_last == (right == header.right_size)),
                Assert(block_last == (left_last & right_last)),
                Assert(last_block == (remaining < self._size.lanes)),
                Assert(stopped == (block_last & (drain != 0))),
                Assert(~run | begun | (may_begin == ~self._must_wait())),
            ]
        with m.Else():
            m.d.comb += Assert(~may_begin)

    def _must_wait(self):
        """Tell whether the node that is next has to wait for a release."""
        unfinished = self._get("unfinished")[0]
        return (unfinished == 2) | ((unfinished == 1) & self._sequencer.header.wait)

    def _assert_time(self, m: Module, run, issue: Issue) -> None:
        """Cycles without an element have one of three reasons."""
        active, following, turn, first, ended, lasts = self._get(
            "active", "following_valid", "header_turn", "first_header", "ended", "last_due"
        )
        issued, limit = self._sequencer.element.valid, fetch_limit(self._size)
        delay = self._size.latencies.issue_to_weight
        gap = Signal(10, name="gap")
        with m.If(~run | issued | self.release):
            m.d.sync += gap.eq(0)
        with m.Else():
            m.d.sync += gap.eq(gap + 1)
        at = 0
        for place, last in enumerate(lasts):
            at = Mux(last, place, at)
        started = self._reader.words.valid + self._reader_state["fetched"][0]
        at = Mux(following, delay + 1, Mux(turn, Mux(first, started, delay), at))
        all_issued = ended & ~active & ~following
        with m.If(run & ~issued & ~all_issued):
            with m.If(~active):
                m.d.comb += [Assert(gap <= at), Assert(gap < limit)]
            with m.Else():
                drains = issue.cool != 0
                waits = ~issue.open & self._must_wait() & (issue.complete != 0)
                m.d.comb += Assert(drains | waits)
        with m.If(run & all_issued):
            m.d.comb += Assert(issue.ended & ~issue.open)
        with m.If(run & issue.ended):
            m.d.comb += Assert(~following & ended & (active == issue.open))

    def _assert_late(self, m: Module, run, issue: Issue, taken) -> None:
        """When all words have been taken, few nodes are to come."""
        active, following, ended = self._get("active", "following_valid", "ended")
        all_taken = taken == self._size.program_words
        late = Signal(range(2 * LATE_NODES), name="late")
        with m.If(~all_taken):
            m.d.sync += late.eq(Mux(self._sequencer.element.valid, ~issue.done, issue.open))
        with m.Elif(issue.first):
            m.d.sync += late.eq(late + 1)
        with m.If(run & all_taken):
            to_come = (active & ~issue.open) + following + (ended == 0)
            m.d.comb += [Assert(late + to_come <= LATE_NODES), Assert(late <= LATE_NODES)]
