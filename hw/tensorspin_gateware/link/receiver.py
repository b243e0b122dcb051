"""The way from bytes of the line to requests that may be executed."""

from __future__ import annotations

from amaranth import Module, Mux, ResetInserter, Signal, signed
from amaranth.lib import memory, stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from tensorspin.contract.wire.frames import CRC, HEADER, MAX_BODY
from tensorspin.contract.wire.packets import PacketType, RejectReason

from .cobs import COBSDecoder
from .packet import SEQUENCE_BITS, CountersSignature, PacketByte, RejectSignature


class PacketReceiver(wiring.Component):
    """Checks frames, and buffers those that may be executed.

    A frame is written into a ring buffer while it comes in. The reader sees it only after its end,
    if nothing is wrong with it and it has the expected sequence number; otherwise the write
    position goes back to where the frame began. So no byte of a bad frame is ever executed.

    Parameters
    ----------
    receive_bytes : int
        Size of the buffer in bytes; a power of two. The space of a byte is free again once the byte
        has been read. CRCs take no space.
    staged : bool, default=False
        Whether registers cut the long paths, for FPGAs whose logic is slow.

    Ports
    -----
    rx : In(stream of 8)
        Bytes of the line; always ready.
    requests : Out(stream of PacketByte)
        Accepted packets; from a register.
    reject : Out(RejectSignature)
        News of a frame that was not accepted.
    counters : Out(CountersSignature)
        Numbers of frames that were not accepted.

    Latency: the first byte of a request is valid 5 cycles after the delimiter of its frame was
    taken; then one byte a cycle. If `staged`, it is valid after 8 cycles; then one byte every other
    cycle. Resources: three 4 Kbit block RAMs for a buffer of 1024 bytes (iCE40).

    Raises
    ------
    ValueError
        If the buffer is too small for the largest request.
    """

    def __init__(self, receive_bytes: int, staged: bool = False) -> None:
        self._staged = staged
        self.receive_bytes = receive_bytes
        self._address_bits = exact_log2(receive_bytes)
        if receive_bytes < MAX_BODY:
            raise ValueError(
                f"a receive buffer needs {MAX_BODY} bytes to hold any request, not {receive_bytes}"
            )
        super().__init__(
            {
                "rx": In(stream.Signature(8)),
                "requests": Out(stream.Signature(PacketByte)),
                "reject": Out(RejectSignature()),
                "counters": Out(CountersSignature()),
            }
        )

    def elaborate(self, platform):
        m = Module()

        m.submodules.decoder = decoder = COBSDecoder(self._staged)
        # The CRC is reset between frames instead of started with each, as its input `start` would
        # put a multiplexer before the whole register.
        crc_reset = Signal()
        crc = CRC32_ISO_HDLC(data_width=8).create()
        m.submodules.crc = ResetInserter(crc_reset)(crc)
        m.submodules.ring = ring = memory.Memory(
            shape=PacketByte, depth=self.receive_bytes, init=[]
        )
        write = ring.write_port()
        read = ring.read_port()
        wiring.connect(m, wiring.flipped(self.rx), decoder.frames)
        m.d.comb += decoder.bodies.ready.eq(1)

        # With one bit more than an address, a full ring and an empty one have different positions.
        write_position = Signal(self._address_bits + 1)
        read_position = Signal.like(write_position)
        frame_position = Signal.like(write_position)  # where the frame coming in begins

        body = decoder.bodies.payload
        is_byte = Signal()
        is_end = Signal()
        m.d.comb += [
            is_byte.eq(decoder.bodies.valid & ~body.end),
            is_end.eq(decoder.bodies.valid & body.end),
        ]

        # 1. The bytes of the frame, up to the last byte of the payload, go into the ring.

        header_left = Signal(range(HEADER.size + 1), init=HEADER.size)
        # Bytes of the payload that have not come: counted down from the length in the header, and
        # below zero by the bytes of the CRC. The last byte of the header is that length.
        payload_left = Signal(signed(9))
        is_hello = Signal()
        in_session = Signal()  # a HELLO was accepted since the reset
        expected = Signal(SEQUENCE_BITS)
        sequence = Signal(SEQUENCE_BITS)

        stores = Signal()
        full = Signal()
        end_position = read_position ^ (1 << self._address_bits)
        is_stored = (header_left != 0) | (payload_left > 0)
        is_full = write_position == end_position
        ends_payload = payload_left == 1
        if self._staged:
            ends_payload = Signal()
            is_stored = Signal(init=1)
            is_full = Signal()
            settled = Signal(init=1)  # no byte was read in the cycle before
        overflowed = Signal()
        m.d.comb += [
            stores.eq(is_byte & is_stored),
            full.eq(is_full),
            write.addr.eq(write_position),
            write.data.data.eq(body.data),
            write.data.last.eq(
                Mux(header_left == 0, ends_payload, (header_left == 1) & (body.data == 0))
            ),
            write.en.eq(stores & ~full),
            crc_reset.eq(is_end),
            crc.valid.eq(is_byte),
            crc.data.eq(body.data),
        ]
        with m.If(is_byte):
            with m.If(header_left != 0):
                m.d.sync += [header_left.eq(header_left - 1), payload_left.eq(body.data)]
                with m.If(header_left == HEADER.size):
                    m.d.sync += is_hello.eq(body.data == PacketType.HELLO)
                with m.If(header_left == HEADER.size - 1):
                    m.d.sync += sequence.eq(body.data)
            with m.Else():
                m.d.sync += payload_left.eq(payload_left - 1)
        with m.If(stores):
            with m.If(full):
                m.d.sync += overflowed.eq(1)
            with m.Else():
                m.d.sync += write_position.eq(write_position + 1)

        # 2. The verdict on the frame, in the cycle after its end. That is in time for the next
        # frame, whose first code gives no byte of a body.

        ended = Signal()
        intact = Signal()
        in_sequence = Signal()
        reason = Signal(range(max(RejectReason) + 1))
        m.d.sync += [
            ended.eq(is_end),
            intact.eq(
                ~body.damaged
                & crc.match_detected
                & (header_left == 0)
                & (payload_left == -CRC.size)
            ),
            in_sequence.eq(sequence == expected),
        ]
        with m.If(is_end):
            m.d.sync += header_left.eq(HEADER.size)
        with m.If(~intact):
            m.d.comb += reason.eq(RejectReason.DAMAGED)
        with m.Elif(~in_session & ~is_hello):
            m.d.comb += reason.eq(RejectReason.NO_SESSION)
        with m.Elif(~in_sequence & ~is_hello):
            m.d.comb += reason.eq(RejectReason.SEQUENCE)
        with m.Elif(overflowed):
            m.d.comb += reason.eq(RejectReason.OVERFLOW)
        is_accepted = reason == 0
        if self._staged:
            # The same, with most of it known a cycle ago.
            unexpected, rejected = Signal(), Signal()
            m.d.sync += unexpected.eq(~is_hello & (~in_session | (sequence != expected)))
            m.d.comb += rejected.eq(~intact | unexpected | overflowed)
            is_accepted = ~rejected

        with m.If(self.reject.taken):
            m.d.sync += self.reject.pending.eq(0)
        m.d.comb += self.reject.expected.eq(expected)
        with m.If(ended):
            m.d.sync += overflowed.eq(0)
            with m.If(is_accepted):
                # A HELLO is accepted with any sequence number, and sets the one that is expected
                # next.
                m.d.sync += [
                    frame_position.eq(write_position),
                    expected.eq(sequence + 1),
                    in_session.eq(1),
                ]
            with m.Else():
                m.d.sync += [
                    write_position.eq(frame_position),
                    self.reject.pending.eq(1),
                    self.reject.reason.eq(reason),
                ]
        if self._staged:
            # What the next byte is asked is answered before it comes; but space that is read is
            # free a cycle later. `frame_is_full`: the ring would be full, were it written from
            # `frame_position` on.
            frame_is_full = Signal()
            m.d.sync += frame_is_full.eq(frame_position == end_position)
            with m.If(is_byte):
                ends = Mux(header_left == 0, payload_left == 2, body.data == 1)
                m.d.sync += ends_payload.eq(ends)
            with m.If(is_byte & write.data.last):
                m.d.sync += is_stored.eq(0)
            with m.If(is_end):
                m.d.sync += is_stored.eq(1)
            next_position = Signal.like(write_position, init=1)
            returns, moves, stays = Signal(), Signal(), Signal()
            m.d.comb += [
                returns.eq(ended & rejected),
                moves.eq(~returns & stores & ~full),
                stays.eq(~returns & ~moves),
            ]
            with m.If(returns):
                m.d.sync += next_position.eq(frame_position + 1)
            with m.Elif(moves):
                m.d.sync += next_position.eq(next_position + 1)
            # Equations, of which Yosys makes no enables: these would be the longest paths.
            m.d.sync += [
                is_full.eq(
                    (returns & frame_is_full & settled)
                    | (moves & (next_position == end_position))
                    | (stays & is_full & settled)
                ),
                overflowed.eq(~ended & (overflowed | (stores & full))),
            ]
        for counter, counted in (
            (self.counters.damaged, RejectReason.DAMAGED),
            (self.counters.out_of_sequence, RejectReason.SEQUENCE),
            (self.counters.overflows, RejectReason.OVERFLOW),
        ):
            counts = ended & (reason == counted)
            if self._staged:
                strobe = Signal(name=f"counts_{counted.name.lower()}")
                m.d.sync += strobe.eq(counts)
                counts = strobe
            m.d.sync += counter.eq(counter + counts)

        # 3. The reader. A byte passes the memory's output register, and one more, since the output
        # of a block RAM is valid late in its cycle. The byte's space is free once it is in the
        # first.

        empty = Signal(init=self._staged)
        fetched = Signal()
        free = Signal()
        at_end = read_position == frame_position
        takes = ~self.requests.valid | self.requests.ready
        fetches = ~fetched
        if self._staged:
            # Whether there is another byte is known a cycle after one was read. Till then none is.
            m.d.sync += [empty.eq(at_end), settled.eq(~read.en | empty)]
            takes, fetches = takes & settled, fetches & settled
            with m.If(self.requests.ready):
                m.d.sync += self.requests.valid.eq(0)
        else:
            m.d.comb += empty.eq(at_end)
        m.d.comb += [
            free.eq(takes),
            read.addr.eq(read_position),
            read.en.eq(fetches | free),
        ]
        with m.If(read.en):
            m.d.sync += [fetched.eq(~empty), read_position.eq(read_position + ~empty)]
        with m.If(free):
            m.d.sync += [self.requests.valid.eq(fetched), self.requests.payload.eq(read.data)]

        return m
