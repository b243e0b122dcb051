"""Gateware of `tensorspin.contract.wire.cobs`: byte stuffing as bytes come and go."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.wire.cobs import DELIMITER, MAX_BODY

from .packet import PacketByte

INVALID_CODE = 0xFF
"""Code of a block of 254 bytes without a zero; no body is that long."""


class BodyByte(data.Struct):
    """One byte of a body, or the end of a frame.

    Attributes
    ----------
    data : 8
        Meaningless at the end.
    end : 1
        All bytes of the body have come before.
    damaged : 1
        At the end: the frame was not one that `tensorspin.contract.wire.cobs.encode` makes.
    """

    data: 8
    end: 1
    damaged: 1


class COBSDecoder(wiring.Component):
    """Takes the stuffing out of frames.

    Latency: 1 cycle; one byte a cycle. Bytes of a damaged frame come out up to the fault; what
    follows is swallowed up to the delimiter. Empty frames (delimiters in a row) make no output at
    all.

    Ports
    -----
    frames : In(stream of 8)
    bodies : Out(stream of BodyByte)
    """

    frames: In(stream.Signature(8))
    bodies: Out(stream.Signature(BodyByte))

    def elaborate(self, platform):
        m = Module()

        byte = self.frames.payload
        started = Signal()  # the frame is not empty
        block_left = Signal(8)  # bytes of the block that have not come yet
        room = Signal(range(MAX_BODY + 1), init=MAX_BODY)
        damaged = Signal()

        is_delimiter = Signal()
        is_code = Signal()
        is_fault = Signal()
        emits = Signal()
        m.d.comb += [is_delimiter.eq(byte == DELIMITER), is_code.eq(block_left == 0)]
        with m.If(is_delimiter):
            m.d.comb += emits.eq(started)
        with m.Else():
            # The first code of a frame stands for nothing, each other one for a zero before it.
            with m.If(~is_code | started):
                m.d.comb += [is_fault.eq(room == 0), emits.eq(~damaged & ~is_fault)]
            with m.If(is_code & (byte == INVALID_CODE)):
                m.d.comb += [is_fault.eq(1), emits.eq(0)]

        # Whether a byte is taken does not depend on it: so ready is early.
        m.d.comb += self.frames.ready.eq(~self.bodies.valid | self.bodies.ready)
        with m.If(self.frames.ready):
            m.d.sync += [
                self.bodies.valid.eq(self.frames.valid & emits),
                self.bodies.payload.data.eq(Mux(is_code, 0, byte)),
                self.bodies.payload.end.eq(is_delimiter),
                self.bodies.payload.damaged.eq(damaged | ~is_code | (room == MAX_BODY)),
            ]
        with m.If(self.frames.valid & self.frames.ready):
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

        return m


class COBSEncoder(wiring.Component):
    """Stuffs one body after the other.

    A code counts the bytes up to the next zero, so it is known only later than its place: the
    body is collected in a buffer, and each zero (and the end) sets the code of the block
    before it. The body's own zeros become codes in the same place.

    Latency: a body of n bytes comes in within n cycles, the first byte is valid 3 cycles after the
    last one came in, and n + 2 bytes leave in as many cycles. The next body is taken after the
    delimiter has left.

    Resources: 110 LUTs, one 4 Kbit block RAM (iCE40).

    Ports
    -----
    bodies : In(stream of PacketByte)
        At most `tensorspin.contract.wire.cobs.MAX_BODY` bytes up to `last`.
    frames : Out(stream of 8)
    """

    bodies: In(stream.Signature(PacketByte))
    frames: Out(stream.Signature(8))

    def elaborate(self, platform):
        m = Module()

        m.submodules.buffer = buffer = memory.Memory(shape=8, depth=MAX_BODY + 1, init=[])
        write = buffer.write_port()
        read = buffer.read_port()

        code_position = Signal(range(MAX_BODY + 1))
        position = Signal(range(MAX_BODY + 2), init=1)
        read_position = Signal.like(position, init=0)
        byte = self.bodies.payload.data
        m.d.comb += read.addr.eq(read_position)

        def set_code():
            m.d.comb += [
                write.en.eq(1),
                write.addr.eq(code_position),
                write.data.eq(position - code_position),
            ]

        with m.FSM(name="cobs_encoder"):
            with m.State("COLLECT"):
                m.d.comb += self.bodies.ready.eq(1)
                with m.If(self.bodies.valid):
                    m.d.sync += position.eq(position + 1)
                    with m.If(byte == 0):
                        set_code()
                        m.d.sync += code_position.eq(position)
                    with m.Else():
                        m.d.comb += [
                            write.en.eq(1),
                            write.addr.eq(position),
                            write.data.eq(byte),
                        ]
                    with m.If(self.bodies.payload.last):
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
