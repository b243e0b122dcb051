"""Byte stuffing (COBS) for a stream of bytes; the gateware of `tensorspin.contract.wire.frames`.

A frame is a body in which zeros have been replaced, and a zero after it, the delimiter. The body
is cut into *blocks*, one for each of its zeros and one for its end; each block is preceded by its
*code*, the number of bytes from there to the next code.
"""

from amaranth import Module, Mux, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.wire.frames import DELIMITER, MAX_BODY

from .packet import PacketByte

INVALID_CODE = 0xFF
"""Code of a block of 254 bytes without a zero, which COBS has a special rule for. No body is that
long, so a frame with this code is damaged."""


class BodyByte(data.Struct):
    """One byte of a body, or the end of a frame.

    Members
    -------
    data : 8
        The byte; meaningless at the end.
    end : 1
        The end of the frame: all bytes of the body have come before.
    damaged : 1
        At the end: the frame was not one that `tensorspin.contract.wire.frames.encode` makes.
    """

    data: 8
    end: 1
    damaged: 1


class COBSDecoder(wiring.Component):
    """Takes the stuffing out of frames.

    Bytes of a damaged frame come out up to the place where the damage shows; what follows is
    swallowed up to the delimiter, at which `BodyByte.damaged` is set. Empty frames (several
    delimiters in a row) give no output at all, so a sender may send delimiters at any time.

    Ports
    -----
    frames : In(stream of 8)
        Bytes of the line.
    bodies : Out(stream of BodyByte)
        Bytes of bodies, each body followed by its end.

    Latency: 1 cycle, or 2 if `staged`; one byte a cycle.

    Parameters
    ----------
    staged : bool, default=False
        Whether registers cut the long paths, for FPGAs whose logic is slow.
    """

    frames: In(stream.Signature(8))
    bodies: Out(stream.Signature(BodyByte))

    def __init__(self, staged: bool = False):
        self._staged = staged
        super().__init__()

    def elaborate(self, platform):
        m = Module()

        valid, byte = self.frames.valid, self.frames.payload
        is_one, is_invalid = byte == 1, byte == INVALID_CODE
        started = Signal()  # a byte of this frame has come
        block_left = Signal(8)  # bytes of the block that have not come yet; 0: a code is next
        # Bytes that the body may still have. The receiver relies on that limit, which a faulty
        # sender could exceed.
        room = Signal(range(MAX_BODY + 1), init=MAX_BODY)
        damaged = Signal()

        is_delimiter = Signal()
        is_code = Signal(init=self._staged)
        is_fault = Signal()
        emits = Signal()
        if self._staged:
            # What is asked of a byte is known when it leaves the register.
            valid = Signal()
            byte = Signal(8)
            is_one = Signal()
            is_invalid = Signal()
            with m.If(self.frames.ready):
                m.d.sync += [
                    valid.eq(self.frames.valid),
                    byte.eq(self.frames.payload),
                    is_delimiter.eq(self.frames.payload == DELIMITER),
                    is_one.eq(self.frames.payload == 1),
                    is_invalid.eq(self.frames.payload == INVALID_CODE),
                ]
        else:
            m.d.comb += [is_delimiter.eq(byte == DELIMITER), is_code.eq(block_left == 0)]
        no_room, is_empty = room == 0, room == MAX_BODY
        if self._staged:
            no_room = Signal()
            is_empty = Signal(init=1)
        with m.If(is_delimiter):
            m.d.comb += emits.eq(started)
        with m.Else():
            # The first code of a frame only gives a length; each other code also stands for the
            # zero that was before its block.
            with m.If(~is_code | started):
                m.d.comb += [is_fault.eq(no_room), emits.eq(~damaged & ~is_fault)]
            with m.If(is_code & is_invalid):
                m.d.comb += [is_fault.eq(1), emits.eq(0)]

        # `ready` does not depend on the byte that is offered, so that it is valid early in the
        # cycle.
        m.d.comb += self.frames.ready.eq(~self.bodies.valid | self.bodies.ready)
        with m.If(self.frames.ready):
            m.d.sync += [
                self.bodies.valid.eq(valid & emits),
                self.bodies.payload.data.eq(Mux(is_code, 0, byte)),
                self.bodies.payload.end.eq(is_delimiter),
                self.bodies.payload.damaged.eq(damaged | ~is_code | is_empty),
            ]
        with m.If(valid & self.frames.ready):
            with m.If(is_delimiter):
                m.d.sync += [
                    started.eq(0),
                    block_left.eq(0),
                    room.eq(MAX_BODY),
                    damaged.eq(0),
                ]
            with m.Else():
                m.d.sync += [
                    started.eq(1),
                    block_left.eq(Mux(is_code, byte, block_left) - 1),
                    damaged.eq(damaged | is_fault),
                ]
                with m.If(emits):
                    m.d.sync += room.eq(room - 1)
            if self._staged:
                with m.If(is_delimiter):
                    m.d.sync += [is_code.eq(1), no_room.eq(0), is_empty.eq(1)]
                with m.Else():
                    m.d.sync += is_code.eq(Mux(is_code, is_one, block_left == 1))
                    with m.If(emits):
                        m.d.sync += [no_room.eq(room == 1), is_empty.eq(0)]

        return m


class COBSEncoder(wiring.Component):
    """Stuffs bodies, one after the other, into frames.

    The code of a block is the number of bytes up to the next zero, so it is known only after the
    block. Therefore a body is collected in a buffer first. Each zero, and the end, sets the code of
    the block before it; the place of the zero itself becomes that of the next block's code.

    Ports
    -----
    bodies : In(stream of PacketByte)
        Bodies; at most `tensorspin.contract.wire.frames.MAX_BODY` bytes up to `last`.
    frames : Out(stream of 8)
        Bytes for the line.

    Latency: a body of n bytes is taken within n cycles, the first byte of its frame is valid 3
    cycles after the last one was taken, and n + 2 bytes leave in as many cycles; if `staged`,
    within 2 n cycles, and 4 cycles. The next body is taken after the delimiter has left. Resources:
    110 LUTs and one 4 Kbit block RAM (iCE40).

    Parameters
    ----------
    staged : bool, default=False
        Whether registers cut the long paths, for FPGAs whose logic is slow.
    """

    bodies: In(stream.Signature(PacketByte))
    frames: Out(stream.Signature(8))

    def __init__(self, staged: bool = False):
        self._staged = staged
        super().__init__()

    def elaborate(self, platform):
        m = Module()

        m.submodules.buffer = buffer = memory.Memory(shape=8, depth=MAX_BODY + 1, init=[])
        write = buffer.write_port()
        read = buffer.read_port()

        # Place 0 of the buffer is for the first code, so the body begins at 1.
        code_position = Signal(range(MAX_BODY + 1))
        position = Signal(range(MAX_BODY + 2), init=1)
        read_position = Signal.like(position, init=0)
        byte, is_last = self.bodies.payload.data, self.bodies.payload.last
        valid, ready, is_zero = self.bodies.valid, 1, byte == 0
        if self._staged:
            valid = Signal()
            byte = Signal(8)
            is_last = Signal()
            is_zero = Signal()
            ready = ~valid
            m.d.sync += [
                valid.eq(self.bodies.valid & self.bodies.ready),
                byte.eq(self.bodies.payload.data),
                is_last.eq(self.bodies.payload.last),
                is_zero.eq(self.bodies.payload.data == 0),
            ]
        m.d.comb += read.addr.eq(read_position)

        def set_code() -> None:
            # The memory has one write port: in this cycle nothing else is written, since the byte
            # is a zero, which needs no place besides that of a code, or there is none.
            m.d.comb += [
                write.en.eq(1),
                write.addr.eq(code_position),
                write.data.eq(position - code_position),
            ]

        with m.FSM(name="cobs_encoder"):
            with m.State("COLLECT"):
                m.d.comb += self.bodies.ready.eq(ready)
                with m.If(valid):
                    m.d.sync += position.eq(position + 1)
                    with m.If(is_zero):
                        set_code()
                        m.d.sync += code_position.eq(position)
                    with m.Else():
                        m.d.comb += [
                            write.en.eq(1),
                            write.addr.eq(position),
                            write.data.eq(byte),
                        ]
                    with m.If(is_last):
                        m.next = "LAST CODE"
            with m.State("LAST CODE"):
                set_code()
                m.next = "FETCH"
            with m.State("FETCH"):
                m.d.comb += read.en.eq(1)
                m.d.sync += read_position.eq(1)
                m.next = "SEND"
            with m.State("SEND"):
                m.d.comb += [
                    self.frames.valid.eq(1),
                    self.frames.payload.eq(read.data),
                    read.en.eq(self.frames.ready),
                ]
                with m.If(self.frames.ready):
                    m.d.sync += read_position.eq(read_position + 1)
                    with m.If(read_position == position):
                        m.next = "DELIMITER"
            with m.State("DELIMITER"):
                m.d.comb += [self.frames.valid.eq(1), self.frames.payload.eq(DELIMITER)]
                m.d.sync += [code_position.eq(0), position.eq(1), read_position.eq(0)]
                with m.If(self.frames.ready):
                    m.next = "COLLECT"

        return m
