# amaranth: UnusedElaboratable=no

"""The packet receiver takes no frame without a valid CRC, and no byte of one gets out."""

import pytest
from amaranth.hdl import Assert, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from tensorspin.contract.wire.frames import CRC, HEADER, MAX_BODY
from tensorspin.contract.wire.packets import PacketType, RejectReason
from tensorspin_gateware.link import receiver
from tensorspin_gateware.link.cobs import BodyByte
from tensorspin_gateware.link.packet import SEQUENCE_BITS, PacketByte
from tests.support.selection import slow_after

from ..support.proof import Model, Mutant, Probes, variant

SIZE = 256
"""Bytes of the buffer, the least that a receiver takes; only widths depend on it."""

SMALL = 4
"""Bytes of the buffer of mutants, so small that it overflows within the cycles of a proof."""


class Frame:
    """The frame that is coming in: how many bytes of it there have been, and its header."""

    def __init__(self, m: Module, byte, is_byte, is_end) -> None:
        self.count = count = Signal(range(MAX_BODY + 2))
        self.kind, self.sequence, self.length = header = [
            Signal(8, name=name) for name in ("kind", "sequence_number", "length")
        ]
        with m.If(is_byte):
            m.d.sync += count.eq(count + 1)
            for index, field in enumerate(header):
                with m.If(count == index):
                    m.d.sync += field.eq(byte)
        with m.If(is_end):
            m.d.sync += count.eq(0)

    def is_complete(self):
        """Whether there have been as many bytes as the length in the header asks for."""
        return (self.count >= HEADER.size) & (self.count == HEADER.size + self.length + CRC.size)


class Acceptance(wiring.Component):
    """The receiver with any bytes and any pauses: its verdicts, and which bytes become visible.

    Whether the CRC matches is left open; `test_crc` proves when it does. What is proved here is
    that the CRC is computed from all bytes of a frame and no others, and that no frame is accepted
    without a match.

    Parameters
    ----------
    module : module
        `tensorspin_gateware.link.receiver`, or a variant of it.
    size : int
        Size of the buffer in bytes.
    inductive : bool
        Assert what holds inside of the receiver, too.
    staged : bool
        Prove the form with registers on its paths. Space that was read is free a cycle later then.
    """

    def __init__(self, module, size: int, inductive: bool, staged: bool = False) -> None:
        self._dut = module.PacketReceiver(size, staged)
        self._staged = staged
        self._size = size
        self._inductive = inductive
        position = size.bit_length()
        probed = {
            "body": ("dut.bodies__payload", BodyByte),
            "body_valid": ("dut.bodies__valid", 1),
            "room": ("dut.decoder.room", range(MAX_BODY + 1)),
            "started": ("dut.decoder.started", 1),
            "block_left": ("dut.decoder.block_left", 8),
            "ended": ("dut.ended", 1),
            "reason": ("dut.reason", range(max(RejectReason) + 1)),
            "overflowed": ("dut.overflowed", 1),
            "frame_position": ("dut.frame_position", position),
            "write_position": ("dut.write_position", position),
            "read_position": ("dut.read_position", position),
            "write_enable": ("dut.write__en", 1),
            "write_data": ("dut.write__data", PacketByte),
            "full": ("dut.full", 1),
            "match": ("dut.match_detected", 1),
            "crc_begin": ("dut.crc_reset", 1),
            "crc_valid": ("dut.crc.valid", 1),
            "crc_data": ("dut.crc.data", 8),
            "header_left": ("dut.header_left", range(HEADER.size + 1)),
            "payload_left": ("dut.payload_left", signed(9)),
            "is_hello": ("dut.is_hello", 1),
            "sequence": ("dut.sequence", SEQUENCE_BITS),
            "in_session": ("dut.in_session", 1),
            "intact": ("dut.intact", 1),
            "in_sequence": ("dut.in_sequence", 1),
        }
        if staged:
            probed |= {
                "is_stored": ("dut.is_stored", 1),
                "ends_payload": ("dut.ends_payload", 1),
                "next_position": ("dut.next_position", position),
                "frame_is_full": ("dut.frame_is_full", 1),
                "settled": ("dut.settled", 1),
                "empty": ("dut.empty", 1),
                "is_code": ("dut.decoder.is_code", 1),
                "no_room": ("dut.decoder.no_room", 1),
                "is_empty": ("dut.decoder.is_empty", 1),
            }
        self.probes = Probes(
            {name: path for name, (path, _) in probed.items()}, ["dut.match_detected"]
        )
        super().__init__(
            {name: In(shape) for name, (_, shape) in probed.items()}
            | {"data": In(8), "valid": In(1), "ready": In(1), "taken": In(1)}
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.dut = dut = self._dut
        m.d.comb += [
            dut.rx.payload.eq(self.data),
            dut.rx.valid.eq(self.valid),
            dut.requests.ready.eq(self.ready),
            dut.reject.taken.eq(self.taken),
        ]
        is_byte = Signal()
        is_end = Signal()
        m.d.comb += [
            is_byte.eq(self.body_valid & ~self.body.end),
            is_end.eq(self.body_valid & self.body.end),
        ]
        frame = Frame(m, self.body.data, is_byte, is_end)

        # 1. The verdict, in the cycle after the end of the frame: what it must be, from the rules.
        judged, right = Signal(), Signal()
        hello, number = Signal(), Signal(SEQUENCE_BITS)
        session, expected = Signal(), Signal(SEQUENCE_BITS)
        m.d.sync += [
            judged.eq(is_end),
            right.eq(self.match & ~self.body.damaged & frame.is_complete()),
            hello.eq(frame.kind == PacketType.HELLO),
            number.eq(frame.sequence),
        ]
        lost = Signal()  # a byte of the frame found no room
        fits, accepted = Signal(), Signal()
        m.d.comb += [
            fits.eq(hello | (session & (number == expected))),
            accepted.eq(self.ended & (self.reason == 0)),
            Assert(accepted == (judged & right & fits & ~lost)),
            Assert(dut.reject.expected == expected),
            Assert(dut.rx.ready),
            Assert((self.crc_begin == is_end) & (self.crc_valid == is_byte)),
            Assert(self.crc_data == self.body.data),
        ]
        # 2. What is stored: header and payload, each byte with the mark of the last one.
        freed = self.read_position
        if self._staged:
            freed = Signal.like(self.read_position)
            m.d.sync += freed.eq(self.read_position)
        kept = Signal()
        held = Signal.like(self.write_position)
        m.d.comb += [
            kept.eq((frame.count < HEADER.size) | (frame.count < HEADER.size + frame.length)),
            Assert(self.write_enable == (is_byte & kept & ~self.full)),
            held.eq(self.write_position - freed),
            Assert(self.full == (held == self._size)),
        ]
        with m.If(judged):
            m.d.sync += lost.eq(0)
        with m.If(is_byte & kept & self.full):
            m.d.sync += lost.eq(1)
        with m.If(self.write_enable):
            ends_header = (frame.count == HEADER.size - 1) & (self.body.data == 0)
            ends_payload = frame.count == HEADER.size + frame.length - 1
            m.d.comb += [
                Assert(self.write_data.data == self.body.data),
                Assert(
                    self.write_data.last
                    == Mux(frame.count < HEADER.size, ends_header, ends_payload)
                ),
            ]
        with m.If(accepted):
            m.d.sync += [session.eq(1), expected.eq(number + 1)]

        # 3. Where it is stored: each byte behind the one before. The reader sees what is before
        # `frame_position`, which moves behind a frame that was accepted, and only then; after a
        # rejected frame writing goes on from there.
        was_accepted, was_rejected, was_written = Signal(), Signal(), Signal()
        visible = Signal.like(self.frame_position)
        written = Signal.like(self.write_position)
        m.d.sync += [
            was_accepted.eq(accepted),
            was_rejected.eq(self.ended & ~accepted),
            was_written.eq(self.write_enable),
            visible.eq(self.frame_position),
            written.eq(self.write_position),
        ]
        m.d.comb += Assert(self.frame_position == Mux(was_accepted, written, visible))
        with m.If(was_rejected):
            m.d.comb += Assert(self.write_position == self.frame_position)
        with m.Else():
            m.d.comb += Assert(self.write_position == (written + was_written)[: len(written)])

        # 4. The reject: it has the newest reason, from the verdict until it is taken.
        pending = Signal()
        reason = Signal.like(self.reason)
        with m.If(self.ended & ~accepted):
            m.d.sync += [pending.eq(1), reason.eq(self.reason)]
        with m.Elif(self.taken):
            m.d.sync += pending.eq(0)
        m.d.comb += Assert(dut.reject.pending == pending)
        with m.If(pending):
            m.d.comb += Assert(dut.reject.reason == reason)
        with m.If(judged & ~right):
            m.d.comb += Assert(self.reason == RejectReason.DAMAGED)
        with m.If(judged & right & ~session & ~hello):
            m.d.comb += Assert(self.reason == RejectReason.NO_SESSION)
        with m.If(judged & right & session & ~fits):
            m.d.comb += Assert(self.reason == RejectReason.SEQUENCE)
        with m.If(judged & right & fits & lost):
            m.d.comb += Assert(self.reason == RejectReason.OVERFLOW)

        for counter, counted in (
            (dut.counters.damaged, RejectReason.DAMAGED),
            (dut.counters.out_of_sequence, RejectReason.SEQUENCE),
            (dut.counters.overflows, RejectReason.OVERFLOW),
        ):
            before, counts = Signal.like(counter), Signal()
            m.d.sync += [before.eq(counter), counts.eq(self.ended & (self.reason == counted))]
            if self._staged:
                soon = counts
                counts = Signal()
                m.d.sync += counts.eq(soon)
            m.d.comb += Assert(counter == (before + counts)[: len(counter)])

        if self._inductive:
            body_bytes = frame.count + is_byte
            header_bytes = Mux(frame.count < HEADER.size, frame.count, HEADER.size)
            behind = frame.count - HEADER.size
            m.d.comb += [
                Assert(self.ended == judged),
                Assert(self.overflowed == lost),
                Assert(self.header_left == HEADER.size - header_bytes),
                Assert(self.in_session == session),
            ]
            if self._staged:
                width = len(held)
                m.d.comb += [
                    Assert(held <= self._size),
                    Assert((self.frame_position - self.read_position)[:width] <= held),
                    Assert((self.frame_position - freed)[:width] <= held),
                    Assert((self.read_position - freed)[:width] == ~self.settled),
                    Assert(self.empty == (visible == freed)),
                    Assert(self.frame_is_full == ((visible - freed)[:width] == self._size)),
                    Assert(~(judged & is_end)),
                    Assert(self.is_stored == kept),
                    Assert(self.next_position == (self.write_position + 1)[: len(held)]),
                    Assert(self.is_code == (self.block_left == 0)),
                    Assert(self.no_room == (self.room == 0)),
                    Assert(self.is_empty == (self.room == MAX_BODY)),
                ]
            with m.If(~self.started):
                m.d.comb += Assert((self.room == MAX_BODY) & (self.block_left == 0))
            with m.If(~is_end):
                m.d.comb += Assert(self.room == MAX_BODY - body_bytes)
            with m.Else():
                m.d.comb += [
                    Assert(~self.started),
                    Assert(frame.count <= MAX_BODY),
                    Assert(self.body.damaged | (frame.count != 0)),
                ]
            with m.If(frame.count > 0):
                m.d.comb += Assert(self.is_hello == (frame.kind == PacketType.HELLO))
            with m.If(frame.count > 1):
                m.d.comb += Assert(self.sequence == frame.sequence)
            with m.If(frame.count >= HEADER.size):
                m.d.comb += Assert(self.payload_left == frame.length - behind)
                if self._staged:
                    m.d.comb += Assert(self.ends_payload == (self.payload_left == 1))
            with m.If(judged):
                m.d.comb += [
                    Assert(self.intact == right),
                    Assert(~right | (self.is_hello == hello)),
                    Assert(~right | (self.sequence == number)),
                    Assert(self.in_sequence == (self.sequence == expected)),
                ]
        return m


ACCEPTANCE_MUTANTS = {
    "CRC not checked": Mutant("& crc.match_detected", "& (crc.match_detected | body.end)"),
    "CRC never begins anew": Mutant("crc_reset.eq(is_end)", "crc_reset.eq(0)"),
    "damage ignored": Mutant("~body.damaged", "1"),
    "length not checked": Mutant("& (payload_left == -CRC.size)", ""),
    "longer than said": Mutant("payload_left == -CRC.size", "payload_left <= -CRC.size"),
    "no session needed": Mutant("~in_session & ~is_hello", "~in_session & is_hello"),
    "any number": Mutant("~in_sequence & ~is_hello", "0"),
    "rejected bytes stay": Mutant("write_position.eq(frame_position)", "overflowed.eq(0)"),
    "other bytes stored": Mutant("write.data.data.eq(body.data)", "write.data.data.eq(~body.data)"),
    "nothing stored": Mutant("write.en.eq(stores & ~full)", "write.en.eq(0)"),
    "last byte not stored": Mutant("(payload_left > 0)", "(payload_left > 1)"),
    "end on another byte": Mutant("payload_left == 1\n", "payload_left == 2\n"),
    "accepted bytes stay hidden": Mutant(
        "frame_position.eq(write_position),", "frame_position.eq(frame_position),"
    ),
    "last byte stays hidden": Mutant(
        "frame_position.eq(write_position),", "frame_position.eq(write_position - 1),"
    ),
    "overflow ignored": Mutant("overflowed.eq(1)", "overflowed.eq(0)"),
    "overflow remembered": Mutant(
        "m.d.sync += overflowed.eq(0)", "m.d.sync += overflowed.eq(overflowed)"
    ),
    "no reject": Mutant("self.reject.pending.eq(1)", "self.reject.pending.eq(0)"),
    "reject not taken": Mutant("self.reject.pending.eq(0)", "self.reject.pending.eq(1)"),
    "reject of another reason": Mutant("self.reject.reason.eq(reason)", "self.reject.reason.eq(0)"),
    "all rejects counted as damage": Mutant("(reason == counted)", "(reason != 0)"),
    "visible at once": Mutant(
        "m.d.sync += overflowed.eq(0)", "m.d.sync += frame_position.eq(write_position)"
    ),
}
LATE_MUTANTS = {"any number", "overflow remembered"}
"""Mutants whose fault shows in the second frame only, for which the solver takes minutes."""


@pytest.mark.parametrize("staged", [False, True])
def test_accepts_only_what_is_right(staged, tmp_path):
    harness = Acceptance(receiver, SIZE, inductive=True, staged=staged)
    assert Model(harness, tmp_path).is_proved(cycles=2)


STAGED_MUTANTS = {
    "CRC stored": Mutant("m.d.sync += is_stored.eq(0)", "pass"),
    "no payload stored": Mutant("m.If(is_byte & write.data.last)", "m.If(is_byte)"),
    "next frame not stored": Mutant("m.d.sync += is_stored.eq(1)", "pass"),
    "full too late": Mutant("next_position == end_position", "write_position == end_position"),
    "full after a rejected frame": Mutant("returns & frame_is_full & settled", "returns & settled"),
    "ends too early": Mutant("payload_left == 2,", "payload_left == 3,"),
    "a byte too many": Mutant("body.data == 1)\n", "body.data == 2)\n"),
    "full though read": Mutant("frame_is_full & settled", "frame_is_full"),
    "full for ever": Mutant("stays & is_full & settled", "stays & is_full"),
    "damage ignored": Mutant("rejected.eq(~intact |", "rejected.eq("),
    "no session needed": Mutant("(~in_session | (sequence", "((sequence"),
    "any number": Mutant("| (sequence != expected))", ")"),
    "overflow ignored": Mutant("unexpected | overflowed)", "unexpected)"),
    "next place of the frame": Mutant("next_position.eq(frame_position + 1)", "overflowed.eq(0)"),
}


@pytest.mark.parametrize("name", slow_after(2, STAGED_MUTANTS))
def test_wrong_register_is_refuted(name, tmp_path):
    mutated = variant(receiver, STAGED_MUTANTS[name])
    harness = Acceptance(mutated, SIZE, inductive=True, staged=True)
    assert not Model(harness, tmp_path).is_proved(cycles=2)


@pytest.mark.parametrize(
    "name",
    [
        *slow_after(3, [name for name in ACCEPTANCE_MUTANTS if name not in LATE_MUTANTS]),
        *(pytest.param(name, marks=pytest.mark.long) for name in sorted(LATE_MUTANTS)),
    ],
)
def test_wrong_acceptance_is_refuted(name, tmp_path):
    mutated = variant(receiver, ACCEPTANCE_MUTANTS[name], MAX_BODY=SMALL)
    # Enough cycles for a HELLO and a frame behind it.
    assert not Model(Acceptance(mutated, SMALL, inductive=False), tmp_path).holds(cycles=26)
