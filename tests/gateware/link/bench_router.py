"""Holds the router to `tensorspin.golden.device`, with a contractor made of Python."""

from __future__ import annotations

from collections import deque

import cocotb

from tensorspin.contract.device.capabilities import device_requests
from tensorspin.contract.device.engines import Engines
from tensorspin.contract.wire import packets
from tensorspin.contract.wire.frames import MAX_PAYLOAD, Packet
from tensorspin.contract.wire.packets import (
    REJECT,
    REPLY,
    DeviceStatus,
    PacketType,
    RejectReason,
    Status,
)
from tensorspin_gateware.router.reply import COPY_CYCLES
from tests.gateware.bench import bench_parameters

from .agents import split_packets
from .requests import RequestGenerator
from .router_device import Device


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
    for kind in (*PacketType, 0, max(PacketType) + 1, 0x7E, 0x80, 0xFE):
        for length in (*range(9), MAX_PAYLOAD):
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
    generator = RequestGenerator(device.rng, device.golden.board)
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
    for kind in device_requests(Engines(device.size)):
        assert (kind, Status.OK) in seen
    missing = {Status.PROGRAM_OVERRUN, Status.BUSY, Status.DENIED}
    if not device.size.signature:
        missing.add(Status.CORRUPT)
    assert {status for _, status in seen} == set(Status) - missing


@cocotb.test(skip=not bench_parameters()["signature"])
async def corrupt_program(dut):
    """Only a model that was activated as signed is checked, and then until it is loaded anew."""
    device = Device(dut, 11)
    await device.bench.reset()
    statuses = []
    ok, corrupt, gone = Status.OK, Status.CORRUPT, Status.NO_MODEL
    signed = packets.SIGNED
    write = PacketType.WRITE, packets.MEMORY.pack(2, 0, 0)
    for byte, features, expected in (
        (4, 1, ok),  # not signed, and nobody asks
        (4, 1 | signed, corrupt),
        (None, 1, ok),
        (None, 1 | signed, corrupt),
        (None, 0 | signed, corrupt),  # refused, so it stays corrupt
        (1, None, gone),
        (None, 1 | signed, ok),
        (None, 1, ok),
    ):
        if byte is not None:
            device.request(write[0], write[1] + bytes([byte]))
        if features is not None:
            device.request(PacketType.ACTIVATE, packets.ACTIVATE.pack(features, 5))
        await device.check()
        for _ in range(2):
            device.request(PacketType.RUN, packets.OFFSET.pack(0) + b"\7")
            (reply,) = await device.check()
            assert reply.payload[0] == expected
        device.request(PacketType.STATUS)
        (reply,) = await device.check()
        statuses.append(DeviceStatus.unpack(reply.payload[1:]))
    assert [status.corrupted for status in statuses] == [0, 1, 1, 2, 2, 2, 2, 2]
    assert [status.active for status in statuses] == [True, False, True, *3 * [False], True, True]


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
    staged = bench_parameters()["staged"]
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
        begin, begun = bench.cycle, 1  # the cycle in which the type was taken
        waits = (4 if payload else 1) * staged
        await bench.until(lambda: device.sink.items)
        assert bench.cycle - begin == begun + 9 + cycles + waits
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
    assert starts[1] - starts[0] == features + 14 + 4 * bench_parameters()["staged"]
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
