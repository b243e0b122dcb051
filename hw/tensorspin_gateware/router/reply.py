"""Sends a reply byte by byte, from wherever its bytes come."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from ..contractor.interface import RESULT_WORD
from ..link.packet import SEQUENCE_BITS, PacketByte
from .checks import STATUS_BITS
from .copied import COPY_LATENCY

COPY_CYCLES = COPY_LATENCY + 2
"""Clock cycles from one copied byte to the next: the address is advanced (1 cycle), the byte comes
(`COPY_LATENCY`), the byte is sent (1)."""


class Source(enum.Enum):
    """Reason for the packet that is being sent: a request, a result that is ready, or a reject."""

    REQUEST = 0
    RESULT = 1
    REJECT = 2


class ReplyWriter(wiring.Component):
    """Sends header, status and payload of one reply.

    Latency: the first byte is valid 2 cycles after `start`. Header, status and the words of a
    result take one cycle for each byte. Copied bytes take `COPY_CYCLES` each, the first of them one
    less.

    Parameters
    ----------
    staged : bool, default=False
        Whether registers cut the long paths, for FPGAs whose logic is slow.

    Ports
    -----
    start : In(1)
        Strobe: send a reply. All other inputs must hold from here to `done`.
    type : In(8)
        First byte of the reply.
    length : In(8)
        Length of its payload in bytes.
    sequence : In(SEQUENCE_BITS)
        Its sequence number.
    status : In(STATUS_BITS)
        First byte of its payload.
    has_result : In(1)
        High if the words of `results`, up to the one that is marked as `last`, follow the status.
    has_copy : In(1)
        High if ``length - 1`` copied bytes follow the status.
    results : In(stream of RESULT_WORD)
        Results of the contractor, words of 16 bits.
    copied : In(8)
        Next byte to copy, `COPY_LATENCY` cycles after the cycle of `step`.
    step : Out(1)
        Strobe: `copied` was taken, and its address may be advanced.
    begin : Out(1)
        High when idle, and in the cycle after `step`: the address of the next byte is new.
    done : Out(1)
        Strobe: the last byte is at `replies`, or was there one cycle ago.
    replies : Out(stream of PacketByte)
        The reply's bytes. Registered.
    """

    start: In(1)
    type: In(8)
    length: In(8)
    sequence: In(SEQUENCE_BITS)
    status: In(STATUS_BITS)
    has_result: In(1)
    has_copy: In(1)
    results: In(stream.Signature(RESULT_WORD))
    copied: In(8)
    step: Out(1)
    begin: Out(1)
    done: Out(1)
    replies: Out(stream.Signature(PacketByte))

    def __init__(self, staged: bool = False):
        self._staged = staged
        super().__init__()

    def elaborate(self, platform):
        m = Module()

        # The inputs that are functions of the request.
        kept: Any = self
        if self._staged:
            names = "type", "length", "has_result", "has_copy"
            shapes = {name: len(getattr(self, name)) for name in names}
            kept = Signal(data.StructLayout(shapes), name="kept")
            m.d.sync += [kept[name].eq(getattr(self, name)) for name in names]
        byte = Signal(8)
        last = Signal()
        offered = Signal()
        free = Signal()
        m.d.comb += free.eq(~self.replies.valid | self.replies.ready)
        with m.If(free):
            m.d.sync += [
                self.replies.valid.eq(offered),
                self.replies.payload.data.eq(byte),
                self.replies.payload.last.eq(last),
            ]
        m.d.sync += self.done.eq(free & offered & last)

        high = Signal()  # the low byte of the result's word has been sent, its high byte is next
        left = Signal(8)  # number of bytes to copy
        is_last = left == 1
        if self._staged:
            # A cycle late: `left` changes some cycles before a byte is copied.
            is_last = Signal()
            m.d.sync += is_last.eq(left == 1)
        waited = Signal(range(COPY_LATENCY + 1))  # cycles since the address has changed

        m.d.comb += self.begin.eq(waited == 0)
        with m.FSM(name="reply_writer"):
            with m.State("IDLE"):
                m.d.sync += waited.eq(0)
                with m.If(self.start):
                    m.next = "TYPE"
            with m.State("TYPE"):
                m.d.comb += [byte.eq(kept.type), offered.eq(1)]
                with m.If(free):
                    m.next = "SEQUENCE"
            with m.State("SEQUENCE"):
                m.d.comb += [byte.eq(self.sequence), offered.eq(1)]
                with m.If(free):
                    m.next = "LENGTH"
            with m.State("LENGTH"):
                m.d.comb += [byte.eq(kept.length), offered.eq(1)]
                m.d.sync += left.eq(kept.length - 1)
                with m.If(free):
                    m.next = "STATUS"
            with m.State("STATUS"):
                m.d.comb += [
                    byte.eq(self.status),
                    offered.eq(1),
                    last.eq(~kept.has_result & ~kept.has_copy),
                ]
                with m.If(free):
                    with m.If(kept.has_result):
                        m.next = "RESULT"
                    with m.Elif(kept.has_copy):
                        m.next = "WAIT"
                    with m.Else():
                        m.next = "IDLE"
            with m.State("RESULT"):
                m.d.comb += [
                    byte.eq(self.results.payload.word.word_select(high, 8)),
                    offered.eq(self.results.valid),
                    last.eq(self.results.payload.last & high),
                    self.results.ready.eq(high & free),
                ]
                with m.If(free & offered):
                    m.d.sync += high.eq(~high)
                    with m.If(last):
                        m.next = "IDLE"
            # In these three states `replies.ready` only decides when the machine goes on. So no
            # combinational path leads from it to the addresses of the memories.
            with m.State("WAIT"):
                m.d.sync += waited.eq(waited + 1)
                with m.If(waited == COPY_LATENCY - 1):
                    m.next = "COPY"
            with m.State("COPY"):
                m.d.comb += [byte.eq(self.copied), offered.eq(1), last.eq(is_last)]
                with m.If(free):
                    with m.If(last):
                        m.next = "IDLE"
                    with m.Else():
                        m.next = "STEP"
            with m.State("STEP"):
                m.d.comb += self.step.eq(1)
                m.d.sync += [left.eq(left - 1), waited.eq(0)]
                m.next = "WAIT"

        return m
