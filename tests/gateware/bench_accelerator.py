"""Compares the whole accelerator with the golden device: bytes in and bytes out."""

from __future__ import annotations

import dataclasses
import random
from unittest import mock

import cocotb
import numpy as np

from tensorspin.contract.annealer.image import (
    SIGNATURE_BYTES,
    AnnealerSpace,
    couplings_image,
    result_bytes,
    row_bytes,
    step_bytes,
    stride_bits,
)
from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.annealer.size import SWEEPS
from tensorspin.contract.annealer.steps import highest_temperature, schedule
from tensorspin.contract.contractor.bound import most_cycles
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.contractor.signature import signature_word
from tensorspin.contract.wire import packets
from tensorspin.contract.wire.frames import MAX_PAYLOAD, SEQUENCE_MODULUS, FrameSplitter, Packet
from tensorspin.contract.wire.packets import REJECT, REPLY, DeviceStatus, PacketType, pack_memory
from tensorspin.golden.annealer.device import DeviceAnnealer
from tensorspin.golden.device import GoldenDevice
from tests.support.random_problems import problem_scripts, random_problem
from tests.support.random_programs import random_program

from .bench import bench_board, bench_parameters
from .link.agents import Bench, Sink, Source


class Host:
    """Sends the same bytes to the accelerator and to the golden device."""

    def __init__(self, dut, rng: random.Random) -> None:
        board = bench_board()
        self.rng = rng
        self.golden = GoldenDevice(board, bytes.fromhex(bench_parameters()["build"]))
        # A run of the annealer ends when the bench says so.
        self.golden.byte_cycles = 0
        self.rx = Source(dut, "rx", rng, always_ready=True)
        self.tx = Sink(dut, "tx", rng)
        self.bench = Bench(dut, self.rx, self.tx)
        self.counts_cycles = board.contractor is None or board.contractor.groups == 1
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
        self.sequence = (self.sequence + 1) % SEQUENCE_MODULUS

    def write(self, space: int, data: bytes, first: int = 0) -> None:
        step = MAX_PAYLOAD - packets.MEMORY.size
        for done in range(0, len(data), step):
            where = pack_memory(space, first + done)
            self.send(PacketType.WRITE, where + data[done : done + step])

    def read(self, space: int, count: int, first: int = 0) -> None:
        step = MAX_PAYLOAD - 1
        for done in range(0, count, step):
            where = pack_memory(space, first + done)
            length = packets.READ_COUNT.pack(min(step, count - done))
            self.send(PacketType.READ, where + length)

    def run(self, levels: bytes) -> None:
        cut = self.rng.randrange(len(levels))
        if cut:
            self.send(PacketType.FEATURES, packets.OFFSET.pack(0) + levels[:cut])
        flag = 0
        if self.golden.board.require_contractor().single_drain and self.rng.random() < 0.5:
            flag = packets.SINGLE
        self.send(PacketType.RUN, packets.OFFSET.pack(cut | flag) + levels[cut:])

    async def check(self) -> None:
        """Send the collected bytes, and compare the answers of accelerator and golden device."""
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

        def replies(answers):
            return {
                answer.sequence: self.comparable(answer)
                for answer in answers
                if answer.type != REJECT
            }

        contractor = self.golden.board.contractor
        most = 3000 if contractor is None else max(3000, most_cycles(contractor))
        for _ in range(0, most, 3000):
            await self.bench.settle(self.rx, self.tx, cycles=3000)
            splitter = FrameSplitter()
            received = splitter.feed(bytes(self.tx.items))
            if len(replies(received)) >= len(replies(expected)):
                break  # else a changed program may compute on, in silence
        assert splitter.damaged == 0
        assert replies(received) == replies(expected)
        # Rejects may be joined, and carry the number expected when they are sent.
        reasons = [
            [answer.payload for answer in answers if answer.type == REJECT]
            for answers in (received, expected)
        ]
        assert set(reasons[0]) <= set(reasons[1])
        assert reasons[0][-1:] == reasons[1][-1:]

    def comparable(self, answer: Packet) -> Packet | DeviceStatus:
        """Return an answer without the numbers that depend on when requests arrive."""
        if answer.type != PacketType.STATUS | REPLY:
            return answer
        status = dataclasses.replace(DeviceStatus.unpack(answer.payload[1:]), step=0)
        if status.annealing:
            # Asked while other frames come behind it, which are judged at once.
            status = dataclasses.replace(status, damaged=0, out_of_sequence=0)
        return status if self.counts_cycles else dataclasses.replace(status, busy_cycles=0)

    async def finish_anneal(self) -> None:
        """Ask the accelerator until its run has ended, and end the golden device's run."""
        splitter = FrameSplitter()
        annealing = True
        while annealing:
            frame = Packet(PacketType.STATUS, self.sequence).frame()
            self.sequence = (self.sequence + 1) % SEQUENCE_MODULUS
            self.golden.respond(frame)
            self.tx.items.clear()
            self.rx.queue.extend(frame)
            await self.bench.settle(self.rx, self.tx, cycles=1000)
            (reply,) = splitter.feed(bytes(self.tx.items))
            annealing = DeviceStatus.unpack(reply.payload[1:]).annealing
        self.golden.cycle += 1e12

    async def anneal(self, rng: np.random.Generator) -> None:
        """Start random runs of the annealer: a long one, with other requests, and a short one."""
        size = self.golden.board.annealer
        problem = random_problem(rng, size)
        temperatures = rng.uniform(0.02, 1, rng.integers(1, size.steps + 1))
        steps = schedule(temperatures * highest_temperature(size), SWEEPS.maximum, size)
        short = schedule(temperatures * highest_temperature(size), int(rng.integers(1, 4)), size)
        self.send(PacketType.WRITE, pack_memory(AnnealerSpace.CLEAR, 0) + b"x")
        for script in problem_scripts(problem):
            self.send(PacketType.WRITE, pack_memory(AnnealerSpace.SPARSE, 0) + script)
        await self.check()
        # The first run is too long to end before the requests that follow.
        for chosen in (steps, short):
            low = stride_bits(step_bytes(size))
            # Only the second run comes to an end, so the first may be longer than jobs may be.
            job = AnnealJob(problem, chosen, int(rng.integers(1 << 30)), int(rng.integers(3)))
            for index, word in enumerate(job.images()[AnnealerSpace.STEPS]):
                where = pack_memory(AnnealerSpace.STEPS, index << low)
                self.send(PacketType.WRITE, where + word)
            if chosen is short and self.rng.random() < 0.5:
                # A device that checks its memories after the run finds that.
                place = size.spins << stride_bits(row_bytes(size))  # in the first offset row
                byte = couplings_image(problem)[size.spins][0]
                where = pack_memory(AnnealerSpace.COUPLINGS, place)
                self.send(PacketType.WRITE, where + bytes([byte ^ 1 << self.rng.randrange(8)]))
            run = job.run_image()
            if size.signature and self.rng.random() < 0.2:
                run = run[:-SIGNATURE_BYTES]  # that of the run before is expected
            self.send(PacketType.ANNEAL, run)
            if chosen is steps:
                self.send(PacketType.STATUS)
                self.send(PacketType.WRITE, pack_memory(AnnealerSpace.COUPLINGS, 0) + b"xyz")
                self.send(PacketType.READ, pack_memory(AnnealerSpace.RESULTS, 0) + b"\4")
                self.send(PacketType.HELLO)
                self.send(PacketType.STATUS)
                # This run never comes to its end, so the golden model need not compute its results,
                # which would take long.
                with mock.patch.object(DeviceAnnealer, "_advance", return_value=0):
                    await self.check()
            else:
                await self.check()
        await self.finish_anneal()
        self.send(PacketType.STATUS)
        await self.check()  # frames behind it would be judged before it is answered
        # Between the blocks there may be anything.
        length = result_bytes(size)
        for replica in range(size.replicas):
            self.read(AnnealerSpace.RESULTS, length, replica << stride_bits(length))

    async def corrupt(self, features: int, activation: bytes) -> None:
        """Flip one or two bits of a byte of the program's first words, and put them right again."""
        place = self.rng.randrange(16)
        byte = self.image[place]
        one, other = self.rng.sample(range(8), 2)
        two = byte ^ 1 << one ^ 1 << other
        for changed in (byte ^ 1 << one, *([two] if self.flags & packets.PROTECTED else []), byte):
            self.send(PacketType.WRITE, pack_memory(MemorySpace.PROGRAM, place) + bytes([changed]))
            # Checked or not, what a run answers is known only of a program that is whole.
            self.send(PacketType.ACTIVATE, activation)
            for _ in range(2):
                self.run(self.rng.randbytes(features))
                await self.check()
            self.send(PacketType.STATUS)
            await self.check()

    def load(self, rng: np.random.Generator) -> int:
        """Load a random program; return its number of features."""
        size = self.golden.board.contractor
        program = random_program(rng, size, most_nodes=6)
        self.flags = packets.SIGNED if size.signature else 0
        if size.protected:
            program = program.as_protected()
            self.flags |= packets.PROTECTED if program.protected else 0
        image = program.image(size.lanes)[: size.space_bytes(MemorySpace.PROGRAM)]
        if size.signature and len(image) >> 3 < size.program_words:
            image += signature_word(image, size.lanes, program.nodes)
        self.image = image
        self.write(MemorySpace.PROGRAM, image)
        self.write(MemorySpace.TABLE, program.table_bytes())
        self.read(MemorySpace.PROGRAM, min(len(image), 500))
        self.read(MemorySpace.TABLE, 500)
        return program.features


@cocotb.test()
async def equals_golden_device(dut):
    parameters = bench_parameters()
    rng = random.Random(parameters["seed"])
    host = Host(dut, rng)
    board = host.golden.board
    numpy_rng = np.random.default_rng(parameters["seed"])
    await host.bench.reset()
    for _ in range(parameters["rounds"]):
        host.send(PacketType.HELLO)
        host.send(PacketType.STATUS)
        await host.check()
        if board.annealer is not None:
            await host.anneal(numpy_rng)
            await host.check()
        if board.contractor is not None:
            features = host.load(numpy_rng)
            host.send(PacketType.RUN, packets.OFFSET.pack(0) + bytes(features))
            digest = rng.getrandbits(32)
            activation = packets.ACTIVATE.pack(features | host.flags, digest)
            host.send(PacketType.ACTIVATE, activation)
            await host.check()
            for _ in range(5):
                for _ in range(3):
                    host.run(rng.randbytes(features))
                await host.check()
            if host.flags:
                await host.corrupt(features, activation)
        host.send(PacketType.STATUS)
        await host.check()
