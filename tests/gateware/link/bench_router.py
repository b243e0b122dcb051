"""Holds the router to `tensorspin.golden.device`, with a contractor made of Python."""

from __future__ import annotations

import random
import zlib
from collections import deque
from types import SimpleNamespace
from unittest import mock

import cocotb
import numpy as np

from tensorspin.contract import packets
from tensorspin.contract.boards import Board
from tensorspin.contract.device import ContractorSize
from tensorspin.contract.memory import MemorySpace
from tensorspin.contract.packets import (
    CRC,
    REJECT,
    REPLY,
    DeviceStatus,
    FrameSplitter,
    Packet,
    PacketType,
    RejectReason,
    Status,
)
from tensorspin.golden import device as golden
from tensorspin_gateware.contractor.interface import READ_LATENCY
from tensorspin_gateware.router.reply import COPY_CYCLES
from tests.gateware.bench import bench_parameters

from .agents import Bench, Sink, Source, packet_items, split_packets
from .requests import RequestGenerator


def stub_result(program: bytes, table: bytes, levels: bytes) -> SimpleNamespace:
    """What the stub computes: everything that it is given matters."""
    count = 1 + program[0] % 64
    digests = [zlib.crc32(program[:8] + table[:8] + levels + bytes([k])) for k in range(count)]
    scores = np.array([(digest & 0xFFFF) - (1 << 15) for digest in digests])
    return SimpleNamespace(
        scores=scores,
        exponent=digests[0] >> 16,
        argmax=int(scores.argmax()),
        cycles=3 + program[1] % 200,
    )


def stub_contract(program: bytes, table: np.ndarray, levels: np.ndarray, lanes: int):
    """`tensorspin.golden.contractor.contract` of the stub."""
    results = [stub_result(program, table.tobytes(), bytes(sample)) for sample in levels]
    return SimpleNamespace(
        scores=np.array([result.scores for result in results]),
        exponents=[result.exponent for result in results],
        classes=[result.argmax for result in results],
        cycles=np.array([result.cycles for result in results]),
    )


class Contractor:
    """An agent with the contractor's ports, two feature buffers and no arithmetic."""

    def __init__(self, dut, rng: random.Random, size: ContractorSize) -> None:
        def port(name):
            return getattr(dut, f"contractor__{name}")

        self.rng = rng
        self.size = size
        self.memories = {space: bytearray(size.space_bytes(space)) for space in MemorySpace}
        self.enable = port("fill__enable")
        self.fill_address = port("fill__address")
        self.level = port("fill__level")
        self.start = port("start")
        self.results_ready = port("results__ready")
        self.results_valid = port("results__valid")
        self.results_payload = port("results__payload")
        self.space = port("memory__space")
        self.address = port("memory__address")
        self.write_enable = port("memory__write_enable")
        self.write_data = port("memory__write_data")
        self.read_data = port("memory__read_data")
        self.fill_ready = port("fill_ready")
        self.idle = port("idle")
        self.busy = port("busy")
        self.levels = bytearray(size.features)
        self.count = 0
        self.waiting = None
        self.running = None
        self.cycles_left = 0
        self.words = deque()
        self.valid = False
        self.read_pipeline = deque([0] * READ_LATENCY)
        self.pause = 0.3
        self.overruns = 0

    def in_flight(self) -> int:
        return (self.waiting is not None) + (self.running is not None)

    def drive(self) -> None:
        self.fill_ready.value = int(self.waiting is None)
        self.busy.value = int(self.running is not None)
        self.idle.value = int(not self.in_flight() and not self.words)
        if self.words and not self.valid:
            self.valid = self.rng.random() >= self.pause
        self.results_valid.value = int(self.valid)
        if self.valid:
            last = len(self.words) == 1 or self.words[1] is None
            self.results_payload.value = self.words[0] | last << 16
        self.read_data.value = self.read_pipeline[0]

    def observe(self) -> None:
        in_use = self.in_flight() or self.words
        if self.valid and self.results_ready.value == 1:
            self.words.popleft()
            if self.words and self.words[0] is None:
                self.words.popleft()
            self.valid = False
        if self.running is not None:
            self.cycles_left -= 1
            if self.cycles_left == 0:
                self.emit(self.running)
                self.running = None
        if self.running is None and self.waiting is not None and len(self.words) < 100:
            self.running, self.waiting = self.waiting, None
            self.cycles_left = self.result(self.running).cycles
        if self.enable.value == 1:
            assert self.fill_ready.value == 1
            self.count = int(self.fill_address.value) + 1
            self.levels[self.count - 1] = int(self.level.value)
        if self.start.value == 1:
            assert self.fill_ready.value == 1
            self.waiting = bytes(self.levels[: self.count])
            # A buffer of its own for each sample, with other contents.
            self.levels = bytearray(self.rng.randbytes(self.size.features))
        memory = self.memories[int(self.space.value)]
        address = int(self.address.value)
        if self.write_enable.value == 1:
            assert not in_use
            memory[address] = int(self.write_data.value)
        self.read_pipeline.popleft()
        self.read_pipeline.append(memory[address] if address < len(memory) else 0xEE)

    def result(self, levels: bytes) -> SimpleNamespace:
        return stub_result(*(bytes(self.memories[space]) for space in MemorySpace), levels)

    def emit(self, levels: bytes) -> None:
        result = self.result(levels)
        if self.overruns:
            self.overruns -= 1
            self.words += [0, None]
            return
        self.words += [len(result.scores), *(int(score) & 0xFFFF for score in result.scores)]
        self.words += [result.exponent, result.argmax, result.cycles & 0xFFFF, result.cycles >> 16]
        self.words.append(None)  # separates results


class Device:
    """The router between its agents, and the golden device beside it."""

    def __init__(self, dut, seed: int) -> None:
        parameters = bench_parameters()
        self.dut = dut
        self.size = ContractorSize(**parameters["size"])
        self.rng = random.Random(seed)
        self.source = Source(dut, "requests", self.rng)
        self.sink = Sink(dut, "replies", self.rng)
        self.contractor = Contractor(dut, self.rng, self.size)
        self.bench = Bench(dut, self.source, self.sink, self.contractor)
        for name in ("damaged", "out_of_sequence", "overflows"):
            getattr(dut, f"counters__{name}").value = 0
        dut.reject__pending.value = 0
        board = Board(contractor=self.size, **parameters["board"])
        self.golden = golden.GoldenDevice(board, bytes.fromhex(parameters["build"]))
        # Sessions are the receiver's business; the golden device wants one.
        self.golden.respond(Packet(PacketType.HELLO, packets.SEQUENCE_MODULUS - 1).frame())
        self.sequence = 0
        self.expected = []

    def request(self, kind: int, payload: bytes = b"") -> None:
        packet = Packet(kind, self.sequence, payload)
        self.sequence = (self.sequence + 1) % packets.SEQUENCE_MODULUS
        self.source.queue.extend(packet_items(packet.body()[: -CRC.size]))
        with mock.patch.multiple(
            golden, read_image=lambda program, lanes: (program,), contract=stub_contract
        ):
            answer = self.golden.respond(packet.frame())
        self.expected += FrameSplitter().feed(answer)

    async def replies(self) -> list[Packet]:
        """Replies to all requests so far, in their order."""
        await self.bench.until(lambda: not self.source.queue)
        count = len(self.expected)
        await self.bench.until(
            lambda: sum(item >> 8 for item in self.sink.items) == count, limit=20_000
        )
        for _ in range(30):
            await self.bench.step()
        replies = []
        for data in split_packets(self.sink.items):
            kind, sequence, length = packets.HEADER.unpack_from(data)
            assert len(data) == packets.HEADER.size + length
            replies.append(Packet(kind, sequence, data[packets.HEADER.size :]))
        self.sink.items.clear()
        return replies

    async def check(self) -> list[Packet]:
        """Hold the replies to the golden device's."""
        replies = await self.replies()
        expected, self.expected = self.expected, []
        in_order = {packet.sequence: index for index, packet in enumerate(expected)}
        # Replies to runs come later than replies to features, but neither overtakes its like.
        # Everything else waits for all before it.
        is_result = {
            reply.sequence: reply.type == PacketType.RUN | REPLY and len(reply.payload) > 1
            for reply in replies
        }
        order = [in_order[reply.sequence] for reply in replies]
        for chosen in (True, False):
            part = [i for i, reply in zip(order, replies) if is_result[reply.sequence] == chosen]
            assert part == sorted(part)
        for position, reply in enumerate(replies):
            if reply.type not in (PacketType.RUN | REPLY, PacketType.FEATURES | REPLY):
                assert sorted(order[:position]) == list(range(order[position]))
        for reply in replies:
            assert reply == expected[in_order[reply.sequence]]
        assert len(replies) == len(expected)
        return replies


@cocotb.test()
async def hello_describes_the_device(dut):
    device = Device(dut, 1)
    await device.bench.reset()
    device.request(PacketType.HELLO)
    (reply,) = await device.check()
    assert reply.payload[1:] == device.golden.board.description(device.golden.build).pack()


@cocotb.test()
async def lengths(dut):
    device = Device(dut, 2)
    await device.bench.reset()
    for kind in (*PacketType, 0, 8, 0x7E, 0x80, 0xFE):
        for length in (*range(9), packets.MAX_PAYLOAD):
            device.request(kind, bytes(length))
        device.request(PacketType.STATUS)
        await device.check()


@cocotb.test()
async def refused_write_keeps_the_model(dut):
    device = Device(dut, 3)
    await device.bench.reset()
    device.request(PacketType.ACTIVATE, packets.ACTIVATE.pack(3, 0x12345678))
    device.request(PacketType.WRITE, packets.MEMORY.pack(0xFFFF, 0xFF, 0) + b"\1")
    device.request(PacketType.ACTIVATE, packets.ACTIVATE.pack(0, 1))
    device.request(PacketType.STATUS)
    device.request(PacketType.WRITE, packets.MEMORY.pack(0, 0, 0) + b"\1")
    device.request(PacketType.STATUS)
    device.request(PacketType.RUN, packets.OFFSET.pack(0) + bytes(3))
    replies = await device.check()
    assert DeviceStatus.unpack(replies[3].payload[1:]).digest == 0x12345678
    assert [DeviceStatus.unpack(replies[n].payload[1:]).active for n in (3, 5)] == [True, False]
    assert [reply.payload[0] for reply in replies] == [
        Status.OK,
        Status.BAD_ADDRESS,
        Status.BAD_FEATURE_COUNT,
        Status.OK,
        Status.OK,
        Status.OK,
        Status.NO_MODEL,
    ]


@cocotb.test()
async def samples_in_parts(dut):
    device = Device(dut, 4)
    await device.bench.reset()
    features = device.size.features
    device.request(PacketType.ACTIVATE, packets.ACTIVATE.pack(features, 1))

    def part(kind, offset, count):
        device.request(kind, packets.OFFSET.pack(offset) + device.rng.randbytes(count))

    part(PacketType.FEATURES, 0, 20)
    part(PacketType.FEATURES, 20, 20)
    part(PacketType.RUN, 40, features - 40)
    part(PacketType.FEATURES, 0, 20)
    part(PacketType.RUN, 19, features - 19)  # BAD_OFFSET
    part(PacketType.RUN, 20, features - 20)  # BAD_OFFSET: forgotten
    part(PacketType.FEATURES, 0, 20)
    part(PacketType.FEATURES, 20, features - 20)
    part(PacketType.FEATURES, features, 1)  # BAD_OFFSET: beyond the buffer
    part(PacketType.FEATURES, 0, 20)
    part(PacketType.RUN, 20, features - 21)  # BAD_FEATURE_COUNT
    part(PacketType.RUN, 20, features - 20)  # BAD_OFFSET: forgotten
    part(PacketType.FEATURES, 0, 30)
    part(PacketType.FEATURES, 0, 20)  # starts anew
    part(PacketType.RUN, 20, features - 20)
    device.request(PacketType.ACTIVATE, packets.ACTIVATE.pack(7, 1))
    part(PacketType.RUN, 0, 7)
    device.request(PacketType.STATUS)
    replies = await device.check()
    counted = Status.BAD_OFFSET, Status.BAD_FEATURE_COUNT
    statuses = [reply.payload[0] for reply in replies]
    assert [statuses.count(status) for status in counted] == [4, 1]
    assert DeviceStatus.unpack(replies[-1].payload[1:]).samples == 3


@cocotb.test()
async def random_requests(dut):
    device = Device(dut, 5)
    await device.bench.reset()
    generator = RequestGenerator(device.rng, device.size)
    seen = set()
    for _ in range(bench_parameters()["rounds"]):
        device.source.probability = device.rng.choice([0.5, 1])
        device.sink.probability = device.rng.choice([0.2, 0.5, 1])
        device.contractor.pause = device.rng.choice([0, 0.5])
        for _ in range(40):
            device.request(*generator.next())
        for reply in await device.check():
            seen.add((reply.type & ~REPLY, reply.payload[0]))
        for space, memory in device.golden.memories.items():
            assert device.contractor.memories[space] == memory
    for kind in PacketType:
        assert (kind, Status.OK) in seen
    assert {status for _, status in seen} == set(Status) - {Status.PROGRAM_OVERRUN}


@cocotb.test()
async def program_overrun(dut):
    device = Device(dut, 6)
    await device.bench.reset()
    device.request(PacketType.ACTIVATE, packets.ACTIVATE.pack(1, 0))
    device.contractor.overruns = 1
    for _ in range(2):
        device.request(PacketType.RUN, packets.OFFSET.pack(0) + b"\7")
    device.request(PacketType.STATUS)
    replies = await device.replies()
    assert replies[1] == Packet(PacketType.RUN | REPLY, 1, bytes([Status.PROGRAM_OVERRUN]))
    assert replies[2] == device.expected[2]
    assert DeviceStatus.unpack(replies[3].payload[1:]).samples == 1


class Rejecter:
    """An agent with the receiver's reject and counters."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.pending = deque()
        self.counted = 0

    def drive(self) -> None:
        dut = self.dut
        dut.reject__pending.value = int(bool(self.pending))
        if self.pending:
            dut.reject__reason.value, dut.reject__expected.value = self.pending[0]
        dut.counters__damaged.value = self.counted & 0xFFFF

    def observe(self) -> None:
        self.counted += 1
        if self.dut.reject__taken.value == 1:
            self.pending.popleft()


@cocotb.test()
async def rejects(dut):
    device = Device(dut, 7)
    rejecter = Rejecter(dut)
    device.bench.agents += (rejecter,)
    await device.bench.reset()
    device.request(PacketType.ACTIVATE, packets.ACTIVATE.pack(1, 0))
    device.request(PacketType.WRITE, packets.MEMORY.pack(0, 0, 0) + b"\0\xc7")
    device.request(PacketType.ACTIVATE, packets.ACTIVATE.pack(1, 0))
    device.request(PacketType.RUN, packets.OFFSET.pack(0) + b"\0")
    device.request(PacketType.READ, packets.MEMORY.pack(0, 0, 0) + b"\2")
    await device.bench.until(lambda: len(device.source.queue) == 7)
    # The read waits for the result, the rejects don't.
    rejects = [Packet(REJECT, 0xF0 + reason, bytes([reason])) for reason in RejectReason]
    rejecter.pending.extend((int(reject.payload[0]), reject.sequence) for reject in rejects)
    device.expected[3:3] = rejects
    assert await device.replies() == device.expected


@cocotb.test()
async def counters_are_read_whole(dut):
    """The counter changes in every cycle."""
    device = Device(dut, 8)
    rejecter = Rejecter(dut)
    device.bench.agents += (rejecter,)
    await device.bench.reset()
    dut.counters__out_of_sequence.value = 0x1234
    dut.counters__overflows.value = 0xABCD
    for _ in range(200):
        begin = rejecter.counted
        device.request(PacketType.STATUS)
        (reply,) = await device.replies()
        device.expected.clear()
        status = DeviceStatus.unpack(reply.payload[1:])
        assert begin < status.damaged < rejecter.counted
        assert (status.out_of_sequence, status.overflows) == (0x1234, 0xABCD)


@cocotb.test()
async def latency(dut):
    """The figures of the router's documentation."""
    device = Device(dut, 9)
    bench = device.bench
    await bench.reset()
    for payload, kind, cycles in (
        (b"", PacketType.STATUS, 0),
        (packets.MEMORY.pack(0, 0, 0) + bytes(100), PacketType.WRITE, 104 + 3),
        (packets.MEMORY.pack(0, 0, 0) + b"\1", PacketType.READ, 5 + 3),
    ):
        for _ in range(3):
            await bench.step()
        device.sink.items.clear()
        device.request(kind, payload)
        begin = bench.cycle
        await bench.until(lambda: device.sink.items)
        assert bench.cycle - begin == 1 + 9 + cycles  # 1: the cycle in which the type was taken
        first = bench.cycle
        await bench.until(lambda: device.sink.items[-1] >> 8)
        count = len(device.sink.items)
        assert bench.cycle - first == 3 + (count - 4 and (count - 4) * COPY_CYCLES - 1)


@cocotb.test()
async def cycles_of_samples(dut):
    """What the router's documentation says of samples that come without a pause."""
    features = 64
    device = Device(dut, 10)
    bench = device.bench
    device.contractor.pause = 0
    await bench.reset()
    device.request(PacketType.ACTIVATE, packets.ACTIVATE.pack(features, 0))
    await device.check()
    starts = []

    class Watch:
        def drive(self):
            pass

        def observe(self):
            if dut.contractor__start.value == 1:
                starts.append(bench.cycle)

    bench.agents += (Watch(),)
    for _ in range(2):
        device.request(PacketType.RUN, packets.OFFSET.pack(0) + bytes(features))
    await bench.until(lambda: len(starts) == 2)
    assert starts[1] - starts[0] == features + 14
    # Both results wait, so that one reply follows the other.
    device.sink.probability = 0
    for _ in range(500):
        await bench.step()
    device.sink.probability = 1
    ends = []
    for count in (1, 2):
        await bench.until(lambda count=count: sum(i >> 8 for i in device.sink.items) == count)
        ends.append(bench.cycle)
    reply = len(split_packets(device.sink.items)[1])
    assert ends[1] - ends[0] == reply + 4
    await device.check()
