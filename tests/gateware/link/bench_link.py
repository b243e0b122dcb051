"""Compares the link with the host's codec, and with a model of the receiver cycle by cycle."""

from __future__ import annotations

import random
import zlib
from collections import Counter

import cocotb
from cocotb.handle import SimHandleBase

from tensorspin.contract.wire import frames
from tensorspin.contract.wire.frames import (
    CRC,
    MAX_PAYLOAD,
    SEQUENCE_MODULUS,
    FrameSplitter,
    Packet,
)
from tensorspin.contract.wire.packets import REJECT, PacketType, RejectReason
from tests.gateware.bench import bench_parameters

from .agents import Bench, Sink, Source, packet_items, split_packets

COUNTERS = {
    RejectReason.DAMAGED: "damaged",
    RejectReason.SEQUENCE: "out_of_sequence",
    RejectReason.OVERFLOW: "overflows",
}


class ReceiverModel:
    """Model of the receiver: what it must do with the bytes that a source sends, in each cycle."""

    def __init__(self, dut: SimHandleBase, rx: Source, requests: Sink, size: int):
        self.dut = dut
        self.rx = rx
        self.requests = requests
        self.size = size
        self.expected = 0
        self.in_session = False
        self.accepted: list[bytes] = []
        self.rejects = Counter()
        self.pending = None
        self.frame = bytearray()
        self.read_positions: list[int] = []
        self.committed = 0
        self.fetched_bytes = 0
        self.fetched = self.offered = False  # a byte is at the memory's output, at `requests`
        # Staged, a byte passes two registers, and the reader and the check for room look at what
        # was in the cycle before.
        self.staged = bench_parameters()["staged"]
        self.empty = self.settled = True
        self.read_before = 0
        # The byte that was taken in the cycle before, or two cycles before.
        self.decoded = [None] * (1 + self.staged)
        self.verdict = None  # on the frame that ended in the cycle before
        self.take_probability = 0.01
        self.taken = False
        dut.reject__taken.value = 0

    def drive(self) -> None:
        taken = self.pending is not None and self.rx.rng.random() < self.take_probability
        if taken != self.taken:
            self.dut.reject__taken.value = int(taken)
        self.taken = taken

    def observe(self) -> None:
        dut = self.dut
        assert int(dut.reject__expected.value) == self.expected
        assert bool(dut.reject__pending.value) == (self.pending is not None)
        if self.pending is not None:
            assert int(dut.reject__reason.value) == self.pending
        if self.taken:
            self.pending = None
        read_position = self.fetched_bytes
        if self.staged:
            self.read_staged()
        else:
            self.read()
        if self.verdict is not None:
            self.apply(*self.verdict)
            self.verdict = None
        decoded = self.decoded.pop(0)
        if decoded is not None:
            self.take(decoded, self.read_before if self.staged else read_position)
        self.decoded.append(self.rx.last_sent if self.rx.sent else None)
        self.read_before = read_position

    def read(self) -> None:
        free = not self.offered or self.requests.taking
        if free:
            self.offered = self.fetched
        if not self.fetched or free:
            self.fetched = self.fetched_bytes < self.committed
            self.fetched_bytes += self.fetched

    def read_staged(self) -> None:
        free = self.settled and (not self.offered or self.requests.taking)
        reads = free or (self.settled and not self.fetched)
        empty = self.fetched_bytes == self.committed
        moves = reads and not self.empty
        if self.requests.taking:
            self.offered = False
        if free:
            self.offered = self.fetched
        if reads:
            self.fetched = moves
            self.fetched_bytes += moves
        self.empty, self.settled = empty, not moves

    def take(self, byte: int, read_position: int) -> None:
        if byte != frames.DELIMITER:
            self.frame.append(byte)
            self.read_positions.append(read_position)
        elif self.frame:
            body = frames.decode(bytes(self.frame))
            packet = None if body is None else Packet.from_body(body)
            self.verdict = packet, self.judge(packet)
            self.frame.clear()
            self.read_positions.clear()

    def apply(self, packet: Packet | None, reason: RejectReason | None) -> None:
        if reason is not None:
            self.rejects[reason] += 1
            self.pending = reason
            return
        stored = packet.body()[: -CRC.size]
        self.expected = (packet.sequence + 1) % SEQUENCE_MODULUS
        self.in_session = True
        self.accepted.append(stored)
        self.committed += len(stored)

    def judge(self, packet: Packet | None) -> RejectReason | None:
        if packet is None:
            return RejectReason.DAMAGED
        if packet.type != PacketType.HELLO and not self.in_session:
            return RejectReason.NO_SESSION
        if packet.type != PacketType.HELLO and packet.sequence != self.expected:
            return RejectReason.SEQUENCE
        stored = len(packet.body()) - CRC.size
        # Byte n of a body is made from byte n + 1 of its frame, behind the first code.
        for index, read_position in enumerate(self.read_positions[1 : stored + 1]):
            if self.committed + index - read_position == self.size:
                return RejectReason.OVERFLOW
        return None


class Faults:
    """Makes frames, most of them good, and damages the others as a bad line would."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def payload(self) -> bytes:
        rng = self.rng
        length = rng.choice([0, 1, rng.randrange(8), rng.randrange(MAX_PAYLOAD + 1), MAX_PAYLOAD])
        return bytes(rng.choices(rng.choice([range(256), range(2), [0]]), k=length))

    def frame(self, expected: int) -> bytes:
        """Make one frame, mostly undamaged; if a delimiter is lost or added, it is none or two."""
        rng = self.rng
        kind = rng.choice([*PacketType, rng.randrange(256)])
        sequence = expected
        if rng.random() < 0.15:
            sequence = (expected + rng.choice([-2, -1, 1, 2, 128])) % SEQUENCE_MODULUS
        packet = Packet(kind, sequence, self.payload())
        frame = packet.frame()
        match rng.randrange(16):
            case 0:  # a bit flipped
                frame = bytearray(frame)
                frame[rng.randrange(len(frame))] ^= 1 << rng.randrange(8)
            case 1:  # cut
                frame = frame[: rng.randrange(len(frame))]
            case 2:  # begun in the middle
                frame = frame[rng.randrange(len(frame)) :]
            case 3:  # a byte lost
                position = rng.randrange(len(frame))
                frame = frame[:position] + frame[position + 1 :]
            case 4:  # a byte doubled
                position = rng.randrange(len(frame))
                frame = frame[:position] + frame[position:][:1] + frame[position:]
            case 5:  # repeated
                frame = frame * 2
            case 6:  # noise
                frame = bytes(rng.choices(range(256), k=rng.randint(1, 300))) + frame
            case 7:
                frame = bytes(rng.randint(1, 3)) + frame
            case 8:  # the header's length is not that of the payload, though the CRC is right
                body = bytearray(packet.body())
                body[2] ^= 1 << rng.randrange(8)
                covered = bytes(body[: -CRC.size])
                frame = frames.encode(covered + packet_crc(covered))
            case 9:  # too short to be a packet
                frame = frames.encode(packet_crc(b"") if rng.random() < 0.5 else b"\1")
            case 10:  # one byte longer than any body
                covered = bytes([kind, sequence, MAX_PAYLOAD + 1]) + bytes(MAX_PAYLOAD + 1)
                blocks = (covered + packet_crc(covered)).split(b"\0")
                frame = b"".join(bytes([len(block) + 1]) + block for block in blocks) + b"\0"
        return bytes(frame)


def packet_crc(covered: bytes) -> bytes:
    return CRC.pack(zlib.crc32(covered))


def set_up(dut, seed: int):
    rng = random.Random(seed)
    rx = Source(dut, "rx", rng, always_ready=True)
    tx = Sink(dut, "tx", rng)
    requests = Sink(dut, "requests", rng)
    replies = Source(dut, "replies", rng)
    model = ReceiverModel(dut, rx, requests, bench_parameters()["receive_bytes"])
    return rng, rx, tx, requests, replies, model, Bench(dut, rx, tx, requests, replies, model)


async def begin_session(bench: Bench, rx: Source, requests: Sink, model: ReceiverModel) -> None:
    """Make a HELLO after which the receiver expects the sequence number 0."""
    rx.queue.extend(Packet(PacketType.HELLO, SEQUENCE_MODULUS - 1).frame())
    await bench.settle(rx, requests)
    assert model.expected == 0
    requests.items.clear()
    model.accepted.clear()


def check(dut, model: ReceiverModel, requests: Sink) -> None:
    assert split_packets(requests.items) == model.accepted
    for reason, name in COUNTERS.items():
        assert int(getattr(dut, f"counters__{name}").value) == model.rejects[reason] % (1 << 16)


@cocotb.test()
async def every_request_type(dut):
    rng, rx, tx, requests, replies, model, bench = set_up(dut, 1)
    await bench.reset()
    for kind in (*PacketType, 0x7F, REJECT, 0):
        for length in (0, 1, 2, MAX_PAYLOAD):
            packet = Packet(kind, model.expected, rng.randbytes(length))
            rx.queue.extend(packet.frame())
            await bench.settle(rx, requests)
            assert split_packets(requests.items)[-1] == packet.body()[: -CRC.size]
    assert not model.rejects
    check(dut, model, requests)


@cocotb.test()
async def request_latency(dut):
    rng, rx, tx, requests, replies, model, bench = set_up(dut, 2)
    await bench.reset()
    await begin_session(bench, rx, requests, model)
    frame = Packet(PacketType.WRITE, 0, bytes(10)).frame()
    rx.queue.extend(frame)
    await bench.until(lambda: not rx.queue)
    delimiter = bench.cycle
    await bench.until(lambda: requests.items)
    staged = bench_parameters()["staged"]
    assert bench.cycle - delimiter == 5 + 3 * staged
    await bench.until(lambda: len(requests.items) == 13)
    assert bench.cycle - delimiter == 5 + 3 * staged + 12 * (1 + staged)


@cocotb.test()
async def nothing_passes_a_bit_flip(dut):
    rng, rx, tx, requests, replies, model, bench = set_up(dut, 3)
    await bench.reset()
    await begin_session(bench, rx, requests, model)
    frame = Packet(PacketType.READ, 0, bytes([0, 1, 0, 0, 9])).frame()
    for position in range(len(frame)):
        for bit in range(8):
            damaged = bytearray(frame)
            damaged[position] ^= 1 << bit
            rx.queue.extend(damaged + b"\0")
    await bench.settle(rx, requests)
    assert not requests.items
    rx.queue.extend(frame)
    await bench.settle(rx, requests)
    assert len(split_packets(requests.items)) == 1
    check(dut, model, requests)


@cocotb.test()
async def hello_sets_the_sequence(dut):
    rng, rx, tx, requests, replies, model, bench = set_up(dut, 4)
    await bench.reset()
    for kind, sequence, expected in (
        (PacketType.STATUS, 7, 0),
        # After a reset not even the number expected will do.
        (PacketType.STATUS, 0, 0),
        (PacketType.HELLO, 255, 0),
        (PacketType.STATUS, 0, 1),
        (PacketType.HELLO, 41, 42),
        (PacketType.STATUS, 41, 42),
        (PacketType.STATUS, 42, 43),
    ):
        rx.queue.extend(Packet(kind, sequence).frame())
        await bench.settle(rx, requests)
        assert model.expected == expected
    assert model.rejects == {RejectReason.NO_SESSION: 2, RejectReason.SEQUENCE: 1}
    check(dut, model, requests)


@cocotb.test()
async def full_buffer(dut):
    """Fills the buffer to the last byte, then overflows it by one, and goes on afterwards."""
    rng, rx, tx, requests, replies, model, bench = set_up(dut, 5)
    await bench.reset()
    await begin_session(bench, rx, requests, model)
    requests.probability = 0
    # Two bytes more than the buffer's size are held: the reader has fetched them.
    room = model.size + 2
    sequence = 0
    while room:
        length = min(MAX_PAYLOAD, room - 3)
        if 0 < room - 3 - length < 3:
            length -= 3
        rx.queue.extend(Packet(PacketType.WRITE, sequence, rng.randbytes(length)).frame())
        room -= 3 + length
        sequence += 1
    await bench.settle(rx)
    assert not model.rejects
    for _ in range(2):
        rx.queue.extend(Packet(PacketType.STATUS, sequence).frame())
    await bench.settle(rx)
    assert model.rejects == {RejectReason.OVERFLOW: 2}
    requests.probability = 1
    await bench.settle(requests)
    rx.queue.extend(Packet(PacketType.STATUS, sequence).frame())
    await bench.settle(rx, requests)
    assert len(model.accepted) == sequence + 1
    check(dut, model, requests)


@cocotb.test()
async def random_faults(dut):
    rng, rx, tx, requests, replies, model, bench = set_up(dut, 6)
    await bench.reset()
    rx.queue.extend(Packet(PacketType.STATUS, 0).frame())
    await begin_session(bench, rx, requests, model)
    faults = Faults(rng)
    for round in range(bench_parameters()["frames"]):
        if round % 50 == 0:
            rx.probability = rng.choice([0.4, 1])
            requests.probability = (0.1, 0.5, 0.9, 1)[round // 50 % 4]
        rx.queue.extend(faults.frame(model.expected))
        if rng.random() < 0.9:
            await bench.until(lambda: not rx.queue)
    requests.probability = 1
    rx.queue.extend(b"\0")
    await bench.settle(rx, requests)
    assert set(model.rejects) == set(RejectReason)
    assert len(model.accepted) > round // 5
    check(dut, model, requests)


@cocotb.test()
async def replies_to_host(dut):
    rng, rx, tx, requests, replies, model, bench = set_up(dut, 7)
    await bench.reset()
    faults = Faults(rng)
    packets = []
    splitter = FrameSplitter()
    received = []
    for _ in range(40):
        replies.probability = rng.choice([0.3, 1])
        tx.probability = rng.choice([0.3, 1])
        packet = Packet(rng.randrange(256), rng.randrange(256), faults.payload())
        packets.append(packet)
        replies.queue.extend(packet_items(packet.body()[: -CRC.size]))
        await bench.settle(replies, tx, cycles=20)
        received += splitter.feed(bytes(tx.items))
        tx.items.clear()
    await bench.settle(tx, cycles=1000)
    received += splitter.feed(bytes(tx.items))
    assert received == packets
    assert splitter.damaged == 0
