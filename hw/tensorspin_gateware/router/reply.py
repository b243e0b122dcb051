"""Sends a reply, byte by byte."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..contractor.interface import RESULT_WORD
from ..link.packet import SEQUENCE_BITS, PacketByte
from .checks import STATUS_BITS
from .copied import COPY_LATENCY

COPY_CYCLES = COPY_LATENCY + 2
"""Cycles from one copied byte to the next: the address goes on, the byte comes, it is sent."""


class ReplyWriter(wiring.Component):
    """Header, status and payload of a reply, from wherever they come.

    Latency: the first byte is valid 2 cycles after `start`. Header, status and the words of a
    result take one cycle for each byte, copied bytes `COPY_CYCLES`, the first one less.

    Ports
    -----
    start : In(1)
        Strobe; all other inputs hold from here to `done`.
    type, length : In(8)
    sequence : In(SEQUENCE_BITS)
    status : In(STATUS_BITS)
    has_result, has_copy : In(1)
        The words of `results` up to `last`, or ``length - 1`` copied bytes, follow the status.
    results : In(stream of RESULT_WORD)
    copied : In(8)
        Next byte to copy, `COPY_LATENCY` cycles after the cycle of `step`.
    step : Out(1)
        Strobe: `copied` was taken.
    begin : Out(1)
        Asserted when idle, and in the cycle after `step`.
    done : Out(1)
        Strobe: the last byte is at `replies`, or was a cycle ago.
    replies : Out(stream of PacketByte)
        Registered.
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

    def elaborate(self, platform):
        m = Module()

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

        high = Signal()  # the low byte of the result's word has been sent
        left = Signal(8)  # bytes to copy
        waited = Signal(range(COPY_LATENCY + 1))  # cycles since the address changed

        m.d.comb += self.begin.eq(waited == 0)
        with m.FSM(name="reply_writer"):
            with m.State("IDLE"):
                m.d.sync += waited.eq(0)
                with m.If(self.start):
                    m.next = "TYPE"
            with m.State("TYPE"):
                m.d.comb += [byte.eq(self.type), offered.eq(1)]
                with m.If(free):
                    m.next = "SEQUENCE"
            with m.State("SEQUENCE"):
                m.d.comb += [byte.eq(self.sequence), offered.eq(1)]
                with m.If(free):
                    m.next = "LENGTH"
            with m.State("LENGTH"):
                m.d.comb += [byte.eq(self.length), offered.eq(1)]
                m.d.sync += left.eq(self.length - 1)
                with m.If(free):
                    m.next = "STATUS"
            with m.State("STATUS"):
                m.d.comb += [
                    byte.eq(self.status),
                    offered.eq(1),
                    last.eq(~self.has_result & ~self.has_copy),
                ]
                with m.If(free):
                    with m.If(self.has_result):
                        m.next = "RESULT"
                    with m.Elif(self.has_copy):
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
            # No decision of these waits for `replies` but that to go on.
            with m.State("WAIT"):
                m.d.sync += waited.eq(waited + 1)
                with m.If(waited == COPY_LATENCY - 1):
                    m.next = "COPY"
            with m.State("COPY"):
                m.d.comb += [byte.eq(self.copied), offered.eq(1), last.eq(left == 1)]
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
