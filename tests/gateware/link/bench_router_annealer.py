"""Holds a router with an annealer, and perhaps a contractor, to `tensorspin.golden.device`."""

from __future__ import annotations

import cocotb

from tensorspin.contract.annealer.image import AnnealerSpace
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.device.capabilities import device_requests
from tensorspin.contract.engine import EngineKind
from tensorspin.contract.wire import packets
from tensorspin.contract.wire.packets import REPLY, DeviceStatus, PacketType, Status, pack_memory
from tests.gateware.bench import bench_parameters

from .requests import RequestGenerator
from .router_device import Device


def statuses(replies) -> list[Status]:
    return [Status(reply.payload[0]) for reply in replies]


def device_status(reply) -> DeviceStatus:
    return DeviceStatus.unpack(reply.payload[1:])


def read(device: Device, space: int, count: int) -> None:
    device.request(PacketType.READ, pack_memory(space, 0) + packets.READ_COUNT.pack(count))


@cocotb.test()
async def run_from_start_to_results(dut):
    device = Device(dut, 1)
    annealer = device.annealer
    await device.bench.reset()
    run = device.rng.randbytes(len(annealer.image))
    device.request(PacketType.HELLO)
    device.request(PacketType.WRITE, pack_memory(AnnealerSpace.COUPLINGS, 3) + b"rows")
    device.request(PacketType.ANNEAL, run)
    device.request(PacketType.STATUS)
    device.request(PacketType.WRITE, pack_memory(AnnealerSpace.COUPLINGS, 3) + b"late")
    read(device, AnnealerSpace.RESULTS, 8)
    *_, status, write, busy = await device.check()
    assert device_status(status).annealing
    assert statuses([write, busy]) == [Status.BUSY] * 2
    assert annealer.image == run
    device.end_anneal()
    read(device, AnnealerSpace.RESULTS, 100)
    device.request(PacketType.STATUS)
    results, status = await device.check()
    assert results.payload[1:] == annealer.model.memories[AnnealerSpace.RESULTS][:100]
    assert not device_status(status).annealing
    assert annealer.model.memories[AnnealerSpace.COUPLINGS][3:7] == b"rows"


@cocotb.test()
async def stops_and_starts(dut):
    device = Device(dut, 2)
    annealer = device.annealer
    await device.bench.reset()
    runs = [device.rng.randbytes(len(annealer.image)) for _ in range(2)]
    for run in (*runs, runs[1]):
        device.request(PacketType.ANNEAL, run)
    device.request(PacketType.STATUS)
    device.request(PacketType.HELLO, b"x")  # BAD_LENGTH
    device.request(PacketType.ANNEAL, runs[0][:-1])  # BAD_LENGTH
    device.request(PacketType.ANNEAL)  # BAD_LENGTH
    device.request(PacketType.STATUS)
    replies = await device.check()
    assert (annealer.starts, annealer.image) == (3, runs[1])
    assert device_status(replies[-1]).annealing
    device.request(PacketType.HELLO)
    device.request(PacketType.STATUS)
    replies = await device.check()
    assert not device_status(replies[-1]).annealing
    assert not annealer.running


@cocotb.test()
async def status_tells_the_step(dut):
    device = Device(dut, 3)
    await device.bench.reset()
    device.request(PacketType.ANNEAL, bytes(len(device.annealer.image)))
    await device.check()
    for step in (0, 1, 0x1234, 0xFFFF):
        device.annealer.step = step
        device.request(PacketType.STATUS)
        (reply,) = await device.replies()
        device.expected.clear()
        assert (device_status(reply).annealing, device_status(reply).step) == (True, step)
    device.end_anneal()
    device.request(PacketType.STATUS)
    (reply,) = await device.check()
    assert device_status(reply).step == 0


@cocotb.test()
async def requests_wait_for_clearing(dut):
    """The annealer's stub holds the router to it."""
    device = Device(dut, 4)
    await device.bench.reset()
    device.request(PacketType.STATUS)
    for _ in range(3):
        device.request(PacketType.WRITE, pack_memory(AnnealerSpace.CLEAR, 0) + b"x")
        device.request(PacketType.WRITE, pack_memory(AnnealerSpace.SPARSE, 0) + b"\1\0\0\7\2\7")
    device.request(PacketType.HELLO)
    device.request(PacketType.STATUS)
    before, *_, after = await device.check()
    assert [device_status(reply).cleared for reply in (before, after)] == [False, True]
    assert device.annealer.model.memories[AnnealerSpace.COUPLINGS][:4] == b"\0\7\0\7"


@cocotb.test()
async def directions(dut):
    """What can only be written or only be read; nothing of another engine changes."""
    device = Device(dut, 5)
    await device.bench.reset()
    if device.contractor is not None:
        device.request(PacketType.ACTIVATE, packets.ACTIVATE.pack(1, 1))
    for space in range(16):
        read(device, space, 1)
        if space not in tuple(MemorySpace):
            device.request(PacketType.WRITE, pack_memory(space, 0) + b"x")
    device.request(PacketType.STATUS)
    replies = await device.check()
    assert device_status(replies[-1]).active == (device.contractor is not None)


@cocotb.test()
async def random_requests(dut):
    device = Device(dut, 6)
    await device.bench.reset()
    board = device.golden.board
    generator = RequestGenerator(device.rng, board)
    seen = set()
    for _ in range(bench_parameters()["rounds"]):
        device.source.probability = device.rng.choice([0.5, 1])
        device.sink.probability = device.rng.choice([0.2, 0.5, 1])
        for _ in range(40):
            device.request(*generator.next())
        for reply in await device.check():
            seen.add((reply.type & ~REPLY, reply.payload[0]))
        golden = device.golden.engines[EngineKind.ANNEALER]
        assert device.annealer.model.memories == golden.memories
        assert device.annealer.running == (golden._run is not None)
        if device.annealer.running:
            assert device.annealer.image == golden._run.image
        if device.contractor is not None:
            assert (
                device.contractor.memories == device.golden.engines[EngineKind.CONTRACTOR].memories
            )
        device.end_anneal()
    for kind in device_requests(board.engines):
        assert (kind, Status.OK) in seen
    assert {(PacketType.READ, Status.BUSY), (PacketType.WRITE, Status.BUSY)} <= seen
