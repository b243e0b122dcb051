"""Holds the whole accelerator to the golden device, bytes in and bytes out."""

from __future__ import annotations

import dataclasses
import random

import cocotb
import numpy as np

from tensorspin.contract import packets
from tensorspin.contract.boards import Board
from tensorspin.contract.device import ContractorSize
from tensorspin.contract.memory import MemorySpace
from tensorspin.contract.packets import (
    MAX_PAYLOAD,
    REJECT,
    REPLY,
    DeviceStatus,
    FrameSplitter,
    Packet,
    PacketType,
)
from tensorspin.golden.device import GoldenDevice
from tests.random_programs import random_program

from .bench import bench_parameters
from .link.agents import Bench, Sink, Source


class Host:
    """Sends the same bytes to the accelerator and to the golden device."""

    def __init__(self, dut, rng: random.Random) -> None:
        parameters = bench_parameters()
        board = Board(**parameters["board"] | {"contractor": ContractorSize(**parameters["size"])})
        self.rng = rng
        self.golden = GoldenDevice(board, bytes.fromhex(parameters["build"]))
        self.rx = Source(dut, "rx", rng, always_ready=True)
        self.tx = Sink(dut, "tx", rng)
        self.bench = Bench(dut, self.rx, self.tx)
        self.groups = board.contractor.groups
        self.sequence = 0
        self.data = bytearray()

    def send(self, kind: int, payload: bytes = b"") -> None:
        frame = Packet(kind, self.sequence, payload).frame()
        if self.rng.random() < 0.1:
            # The line damages a frame, and the host sends it once more.
            damaged = bytearray(frame)
            damaged[self.rng.randrange(len(frame) - 1)] ^= 1 << self.rng.randrange(8)
            self.data += damaged
        self.data += frame
        # A device counts what comes while a STATUS waits for its turn.
        if kind != PacketType.STATUS and self.rng.random() < 0.1:
            self.data += frame  # repeated, out of sequence
        self.sequence = (self.sequence + 1) % packets.SEQUENCE_MODULUS

    def write(self, space: MemorySpace, data: bytes) -> None:
        step = MAX_PAYLOAD - packets.MEMORY.size
        for address in range(0, len(data), step):
            where = packets.MEMORY.pack(address & 0xFFFF, address >> 16, space)
            self.send(PacketType.WRITE, where + data[address : address + step])

    def read(self, space: MemorySpace, count: int) -> None:
        step = MAX_PAYLOAD - 1
        for address in range(0, count, step):
            where = packets.MEMORY.pack(address & 0xFFFF, address >> 16, space)
            length = packets.READ_COUNT.pack(min(step, count - address))
            self.send(PacketType.READ, where + length)

    def run(self, levels: bytes) -> None:
        cut = self.rng.randrange(len(levels))
        if cut:
            self.send(PacketType.FEATURES, packets.OFFSET.pack(0) + levels[:cut])
        self.send(PacketType.RUN, packets.OFFSET.pack(cut) + levels[cut:])

    async def check(self) -> None:
        """Send what is to be sent, and compare the answers."""
        data, self.data = bytes(self.data), bytearray()
        self.tx.items.clear()
        self.tx.probability = self.rng.choice([0.3, 1])
        expected = []
        held = 0
        for frame in data.split(b"\0")[:-1]:
            # As a host does: no more than the receive buffer holds without a reply.
            held += len(frame)
            if held > self.golden.board.receive_bytes:
                await self.bench.settle(self.rx, self.tx, cycles=2000)
                held = len(frame)
            # A fault that looks like a delimiter cuts a frame in two, here as there.
            expected += FrameSplitter().feed(self.golden.respond(frame + b"\0"))
            self.rx.queue.extend(frame + b"\0")
            if self.rng.random() < 0.3:
                await self.bench.settle(self.rx, self.tx, cycles=2000)
        await self.bench.settle(self.rx, self.tx, cycles=3000)
        splitter = FrameSplitter()
        received = splitter.feed(bytes(self.tx.items))
        assert splitter.damaged == 0

        def replies(answers):
            return {
                answer.sequence: self.comparable(answer)
                for answer in answers
                if answer.type != REJECT
            }

        assert replies(received) == replies(expected)
        # Rejects may be joined, and carry the number expected when they are sent.
        reasons = [
            [answer.payload for answer in answers if answer.type == REJECT]
            for answers in (received, expected)
        ]
        assert set(reasons[0]) <= set(reasons[1])
        assert reasons[0][-1:] == reasons[1][-1:]

    def comparable(self, answer: Packet) -> Packet | DeviceStatus:
        """The answer, without the one figure that depends on when samples arrive."""
        if answer.type != PacketType.STATUS | REPLY or self.groups == 1:
            return answer
        return dataclasses.replace(DeviceStatus.unpack(answer.payload[1:]), busy_cycles=0)


@cocotb.test()
async def equals_golden_device(dut):
    parameters = bench_parameters()
    rng = random.Random(parameters["seed"])
    host = Host(dut, rng)
    size = host.golden.board.contractor
    numpy_rng = np.random.default_rng(parameters["seed"])
    await host.bench.reset()
    for _ in range(parameters["programs"]):
        host.send(PacketType.HELLO)
        host.send(PacketType.STATUS)
        await host.check()
        program = random_program(numpy_rng, size, most_nodes=6)
        image = program.image(size.lanes)[: size.space_bytes(MemorySpace.PROGRAM)]
        host.write(MemorySpace.PROGRAM, image)
        host.write(MemorySpace.TABLE, program.table_bytes())
        await host.check()
        host.read(MemorySpace.PROGRAM, min(len(image), 500))
        host.read(MemorySpace.TABLE, 500)
        host.send(PacketType.RUN, packets.OFFSET.pack(0) + bytes(program.features))
        digest = rng.getrandbits(32)
        host.send(PacketType.ACTIVATE, packets.ACTIVATE.pack(program.features, digest))
        await host.check()
        for _ in range(5):
            for _ in range(3):
                host.run(rng.randbytes(program.features))
            await host.check()
        host.send(PacketType.STATUS)
        await host.check()
