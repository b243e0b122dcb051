# amaranth: UnusedElaboratable=no

"""A reply is its header, its status and what was asked for: each byte once, in order."""

import pytest
from amaranth.hdl import Array, Assert, Assume, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In

from tensorspin.contract.wire.frames import HEADER
from tensorspin_gateware.contractor.interface import RESULT_WORD
from tensorspin_gateware.link.packet import SEQUENCE_BITS
from tensorspin_gateware.router import reply
from tensorspin_gateware.router.checks import STATUS_BITS
from tensorspin_gateware.router.copied import COPY_LATENCY
from tests.support.selection import slow_after

from ..support.proof import Model, Mutant, Probes, hold_while_stalled, unchanging, variant

BEFORE = HEADER.size + 1
"""Bytes up to the status, which comes before results and what is copied."""
INPUTS = {
    "type": 8,
    "length": 8,
    "sequence": SEQUENCE_BITS,
    "status": STATUS_BITS,
    "has_result": 1,
    "has_copy": 1,
}
"""What holds from `start` to `done`, and its widths."""
STATES = ("IDLE", "TYPE", "SEQUENCE", "LENGTH", "STATUS", "RESULT", "WAIT", "COPY", "STEP")
"""In the order in which the component names them, which is how they are numbered."""
COUNT = 9
"""Bits enough to count the bytes of any reply."""
SHORT = 2
"""Latency of what is copied, for mutants: a fault shows in fewer cycles."""
BOUND = 18
"""Cycles of a reply with two copied bytes, which are as late, and of the beginning of another."""


class Replies(wiring.Component):
    """Any replies, one after the other, and the byte at any one position of each.

    What the writer copies is anything until the address has held for `latency` cycles.

    Parameters
    ----------
    mutant : Mutant or None
    latency : int
        `COPY_LATENCY`, or a smaller one.
    inductive : bool
        Assert what holds inside of the writer, too.
    """

    def __init__(
        self, mutant: Mutant | None, latency: int, inductive: bool, staged: bool = False
    ) -> None:
        self._latency = latency
        self._inductive = inductive
        self._dut = variant(reply, mutant, COPY_LATENCY=latency).ReplyWriter(staged)
        probed = {
            "state": ("dut.reply_writer_state", range(len(STATES))),
            "high": ("dut.high", 1),
            "left": ("dut.left", 8),
            "waited": ("dut.waited", range(latency + 1)),
        }
        self.probes = Probes({name: path for name, (path, _) in probed.items()})
        super().__init__(
            {name: In(shape) for name, (_, shape) in probed.items()}
            | {name: In(shape) for name, shape in INPUTS.items()}
            | {
                "start": In(1),
                "results": In(stream.Signature(RESULT_WORD)),
                "copied": In(8),
                "ready": In(1),
                "position": In(COUNT),
                "expected": In(8),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        latency = self._latency
        copy_cycles = latency + reply.COPY_CYCLES - COPY_LATENCY
        m.submodules.dut = dut = self._dut
        wiring.connect(m, wiring.flipped(self.results), dut.results)
        for name in (*INPUTS, "start", "copied"):
            m.d.comb += getattr(dut, name).eq(getattr(self, name))
        m.d.comb += dut.replies.ready.eq(self.ready)
        hold_while_stalled(m, Assume, self.results, "results")
        hold_while_stalled(m, Assert, dut.replies, "replies")
        for name in ("position", "expected"):
            unchanging(m, getattr(self, name), name)

        busy = Signal()
        m.d.sync += busy.eq(self.start | (busy & ~dut.done))
        m.d.comb += Assume(~(self.start & busy))
        m.d.comb += Assume(~(self.has_result & self.has_copy))
        m.d.comb += Assume(~self.has_copy | (self.length > 1))
        for name in INPUTS:
            value = getattr(self, name)
            before = Signal.like(value, name=f"{name}_before")
            m.d.sync += before.eq(value)
            with m.If(busy):
                m.d.comb += Assume(value == before)

        # What comes in: words of the result, copied bytes.
        words, copies = Signal(COUNT), Signal(8)
        settled = Signal(range(latency + 1))
        ended = Signal()
        with m.If(self.start):
            m.d.sync += [words.eq(0), copies.eq(0), settled.eq(0), ended.eq(0)]
        with m.Else():
            with m.If(self.results.valid & self.results.ready):
                m.d.sync += [words.eq(words + 1), ended.eq(self.results.payload.last)]
            with m.If(dut.step):
                m.d.sync += [copies.eq(copies + 1), settled.eq(0)]
            with m.Elif(settled != latency):
                m.d.sync += settled.eq(settled + 1)
        place = (self.position - BEFORE)[:COUNT]
        word = self.results.payload.word
        with m.If(self.results.valid & (words == place >> 1)):
            m.d.comb += Assume(word.word_select(place[0], 8) == self.expected)
        with m.If((copies == place) & (settled == latency)):
            m.d.comb += Assume(self.copied == self.expected)
        # The reply's length, of which the words' number is a part, has 8 bits.
        m.d.comb += Assume(words < 1 << 7)
        m.d.comb += Assert(~self.results.ready | (busy & self.has_result & ~ended))
        m.d.comb += Assert(~dut.step | (busy & self.has_copy))

        # What comes out; a byte that waits to be taken has been looked at already.
        stalled = Signal()
        appears = Signal()
        index = Signal(COUNT)
        m.d.sync += stalled.eq(dut.replies.valid & ~dut.replies.ready)
        m.d.comb += appears.eq(dut.replies.valid & ~stalled)
        with m.If(self.start):
            m.d.sync += index.eq(0)
        with m.Elif(appears):
            m.d.sync += index.eq(index + 1)
        header = Array((self.type, self.sequence, self.length, self.status))
        last = Signal()
        with m.If(self.has_result):
            m.d.comb += last.eq(ended)
        with m.Else():
            m.d.comb += last.eq(index == BEFORE - 1 + Mux(self.has_copy, self.length - 1, 0))
        with m.If(appears):
            payload = dut.replies.payload
            m.d.comb += Assert(busy)
            with m.If(index < BEFORE):
                m.d.comb += Assert(payload.data == header[index[:2]])
            with m.Elif(index == self.position):
                m.d.comb += Assert(payload.data == self.expected)
            m.d.comb += Assert(payload.last == last)
        m.d.comb += Assert(dut.done == (appears & dut.replies.payload.last))
        # Where the address is new, and only there: `CopySource` takes a word of the status then.
        with m.If(busy & (index + appears < BEFORE)):
            m.d.comb += Assert(dut.begin)
        with m.If(busy & (copies != 0)):
            m.d.comb += Assert(dut.begin == (settled == 0))

        # It goes on.
        idle = Signal(range(copy_cycles + 2))
        waits = stalled | (self.has_result & (index >= BEFORE) & ~self.results.valid)
        with m.If(~busy | appears | waits):
            m.d.sync += idle.eq(0)
        with m.Elif(idle <= copy_cycles):
            m.d.sync += idle.eq(idle + 1)
        m.d.comb += Assert(idle < copy_cycles)

        if self._inductive:
            self._assert_inside(m, busy, index, appears, words, ended, copies, settled, idle)
        return m

    def _assert_inside(self, m, busy, index, appears, words, ended, copies, settled, idle):
        """What the writer's registers have to do with the bytes in and out."""
        latency = self._latency

        def is_in(*names):
            return self.state.matches(*(STATES.index(name) for name in names))

        sent = index + appears
        m.d.comb += Assert(self.state < len(STATES))
        m.d.comb += Assert(is_in("IDLE") == (~busy | self._dut.done))
        m.d.comb += Assert(busy | (self.waited == 0))
        m.d.comb += Assert((settled <= latency) & (self.waited <= latency))
        for count, name in enumerate(STATES[1 : BEFORE + 1]):
            with m.If(is_in(name)):
                m.d.comb += Assert((sent == count) & (words == 0) & (copies == 0))
                m.d.comb += Assert((self.waited == 0) & ~self.high & ~ended)
        with m.If(is_in("STATUS")):
            m.d.comb += Assert(self.left == (self.length - 1)[:8])
        with m.If(is_in("RESULT")):
            m.d.comb += Assert(self.has_result & (sent == BEFORE + 2 * words + self.high))
            m.d.comb += Assert(~ended & (copies == 0))
        with m.Else():
            m.d.comb += Assert(~self.high)
        with m.If(is_in("WAIT", "COPY", "STEP")):
            m.d.comb += Assert(self.has_copy)
            m.d.comb += Assert(self.left == (self.length - 1 - copies)[:8])
            m.d.comb += Assert((self.left != 0) & (self.left < self.length))
            m.d.comb += Assert(sent == BEFORE + copies + is_in("STEP"))
            m.d.comb += Assert(~is_in("STEP") | (self.left != 1))
        with m.If(is_in("WAIT")):
            m.d.comb += Assert(self.waited < latency)
            m.d.comb += Assert(settled >= self.waited)
            m.d.comb += Assert((copies == 0) | (settled == self.waited))
            m.d.comb += Assert((idle <= self.waited) | appears)
        with m.If(is_in("COPY", "STEP")):
            m.d.comb += Assert((self.waited == latency) & (settled == latency))
        with m.If(is_in("COPY")):
            m.d.comb += Assert(idle <= latency)
        with m.If(is_in("STEP")):
            m.d.comb += Assert(appears)


MUTANTS = {
    "a byte is lost at a stall": Mutant(
        "free.eq(~self.replies.valid | self.replies.ready)", "free.eq(1)"
    ),
    "sequence number for type": Mutant("byte.eq(kept.type)", "byte.eq(self.sequence)"),
    "no length": Mutant('m.next = "LENGTH"', 'm.next = "STATUS"'),
    "high byte first": Mutant("word_select(high, 8)", "word_select(~high, 8)"),
    "word taken at its low byte": Mutant("ready.eq(high & free)", "ready.eq(free)"),
    "end at the low byte": Mutant(
        "last.eq(self.results.payload.last & high)", "last.eq(self.results.payload.last)"
    ),
    "status is the end": Mutant("last.eq(~kept.has_result & ~kept.has_copy)", "last.eq(1)"),
    "one byte too few": Mutant("left.eq(kept.length - 1)", "left.eq(kept.length - 2)"),
    "copied too early": Mutant("waited == COPY_LATENCY - 1", "waited == COPY_LATENCY - 2"),
    "no step": Mutant('m.next = "STEP"', 'm.next = "WAIT"'),
    "word of a status torn": Mutant("left.eq(left - 1), waited.eq(0)", "left.eq(left - 1)"),
    "begins late": Mutant("self.begin.eq(waited == 0)", "self.begin.eq(waited == 1)"),
    "done at each byte": Mutant("done.eq(free & offered & last)", "done.eq(free & offered)"),
    "never done": Mutant("done.eq(free & offered & last)", "done.eq(0)"),
    "waits for ever": Mutant('m.next = "COPY"', 'm.next = "WAIT"'),
    "result invented": Mutant("offered.eq(self.results.valid)", "offered.eq(1)"),
}


def test_sends_each_byte_once(tmp_path):
    assert Model(Replies(None, COPY_LATENCY, inductive=True), tmp_path).is_proved(cycles=2)


def test_a_register_before_the_last_byte_changes_nothing(tmp_path):
    assert Model(Replies(None, SHORT, inductive=False, staged=True), tmp_path).holds(BOUND)


def test_a_late_register_is_refuted(tmp_path):
    mutant = Mutant("is_last.eq(left == 1)", "is_last.eq(left == 2)")
    assert not Model(Replies(mutant, SHORT, inductive=False, staged=True), tmp_path).holds(BOUND)


@pytest.mark.parametrize("name", slow_after(2, MUTANTS))
def test_mutant_is_refuted(name, tmp_path):
    assert not Model(Replies(MUTANTS[name], SHORT, inductive=False), tmp_path).holds(BOUND)
