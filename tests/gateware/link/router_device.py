"""The router between engines made of Python, and the golden device beside it."""

from __future__ import annotations

import random
import zlib
from collections import deque
from dataclasses import replace
from types import SimpleNamespace
from unittest import mock

import numpy as np

from tensorspin.contract.annealer.image import AnnealerSpace, run_bytes
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.contractor.latency import Pipeline
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.engine import EngineKind
from tensorspin.contract.wire.frames import CRC, HEADER, SEQUENCE_MODULUS, FrameSplitter, Packet
from tensorspin.contract.wire.packets import REPLY, DeviceStatus, PacketType, Status
from tensorspin.golden.annealer.device import DeviceAnnealer
from tensorspin.golden.contractor import device as contractor_device
from tensorspin.golden.device import GoldenDevice
from tensorspin_gateware.contractor.interface import READ_LATENCY
from tests.gateware.bench import bench_board, bench_parameters

from .agents import Bench, Sink, Source, packet_items, split_packets


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


def stub_signed(program: bytes) -> bool:
    """Whether the stub finds the signature of what it is given."""
    return program[2] % 4 > 0


def stub_walk(program: bytes, lanes: int, protected: bool) -> SimpleNamespace:
    """What a run reads, for `tensorspin.golden.contractor.device`."""
    signed = stub_signed(program)
    return SimpleNamespace(nodes=program, overrun=False, uncorrectable=False, signed=signed)


class StubContractor:
    """`tensorspin.golden.contractor.contraction.GoldenContractor` of the stub."""

    def __init__(
        self,
        program: bytes,
        weights: None,
        table: np.ndarray,
        lanes: int,
        pipeline: Pipeline,
        protected: bool,
    ) -> None:
        self.memories = program, table.tobytes()

    def run(self, levels: np.ndarray) -> SimpleNamespace:
        results = [stub_result(*self.memories, bytes(sample)) for sample in levels]
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
        self.signed = port("signed") if size.signature else None
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
        corrupt = (
            self.signed is not None
            and self.signed.value == 1
            and not stub_signed(bytes(self.memories[MemorySpace.PROGRAM]))
        )
        if self.overruns or corrupt:
            self.overruns -= not corrupt
            self.words += [0, None]
            return
        self.words += [len(result.scores), *(int(score) & 0xFFFF for score in result.scores)]
        self.words += [result.exponent, result.argmax, result.cycles & 0xFFFF, result.cycles >> 16]
        self.words.append(None)  # separates results


class Annealer:
    """An agent with the annealer's ports: its memories, and runs that never end by themselves."""

    CLEARING = 20
    """Cycles."""

    def __init__(self, dut, rng: random.Random, size: AnnealerSize) -> None:
        def port(name):
            return getattr(dut, f"annealer__{name}")

        self.rng = rng
        self.model = DeviceAnnealer(size)
        self.image = bytearray(run_bytes(size))
        self.written = 0  # bytes of it since the last start
        self.running = False
        self.step = 0
        self.starts = 0
        self.clearing = 0
        self.start = port("start")
        self.stop = port("stop")
        self.running_port = port("running")
        self.step_port = port("step")
        self.ready = port("ready")
        self.space = port("memory__space")
        self.address = port("memory__address")
        self.write_enable = port("memory__write_enable")
        self.write_data = port("memory__write_data")
        self.read_data = port("memory__read_data")
        self.read_pipeline = deque([0] * READ_LATENCY)

    def drive(self) -> None:
        self.running_port.value = int(self.running)
        # The step of an earlier run is nobody's business.
        self.step_port.value = self.step if self.running else self.rng.getrandbits(16)
        self.ready.value = int(not self.clearing)
        self.read_data.value = self.read_pipeline[0]

    def observe(self) -> None:
        self.clearing -= self.clearing > 0
        address = int(self.address.value)
        if self.write_enable.value == 1:
            self.write(int(self.space.value), address, int(self.write_data.value))
        if self.start.value == 1:
            assert self.written == len(self.image)
            self.written = 0
            self.running = True
            self.starts += 1
        elif self.stop.value == 1:
            self.running = False
        results = self.model.memories[AnnealerSpace.RESULTS]
        self.read_pipeline.popleft()
        self.read_pipeline.append(results[address] if address < len(results) else 0xEE)

    def write(self, space: int, address: int, byte: int) -> None:
        assert not self.running and not self.clearing
        if space == AnnealerSpace.RUN:
            self.image[address] = byte
            self.written += 1
            return
        self.model.write(AnnealerSpace(space), address, bytes([byte]))
        if space == AnnealerSpace.CLEAR:
            self.clearing = self.CLEARING


def forgive_timing(
    expected: list[Packet], replies: list[Packet]
) -> tuple[list[Packet], list[Packet]]:
    """Leave out what depends on when a program is found corrupt.

    Samples that come while the first run is under way are run, too, and take their cycles; and what
    is wrong with a RUN is told before that the program is corrupt.
    """
    corrupt = {each.sequence for each in expected if each.payload[:1] == bytes([Status.CORRUPT])}
    refusals = {bytes([status]) for status in (Status.BAD_OFFSET, Status.BAD_FEATURE_COUNT)}

    def forgiven(packet: Packet) -> Packet:
        payload = packet.payload
        if packet.type == PacketType.STATUS | REPLY and payload[0] == Status.OK:
            status = replace(DeviceStatus.unpack(payload[1:]), busy_cycles=0)
            payload = payload[:1] + status.pack()
        elif packet.sequence in corrupt and payload in refusals:
            payload = bytes([Status.CORRUPT])
        return replace(packet, payload=payload)

    return [forgiven(each) for each in expected], [forgiven(each) for each in replies]


class Device:
    """The router between its agents, and the golden device beside it."""

    def __init__(self, dut, seed: int) -> None:
        board = bench_board()
        self.dut = dut
        self.size = board.contractor
        self.rng = random.Random(seed)
        self.source = Source(dut, "requests", self.rng)
        self.sink = Sink(dut, "replies", self.rng)
        self.contractor = self.annealer = None
        if board.contractor is not None:
            self.contractor = Contractor(dut, self.rng, board.contractor)
        if board.annealer is not None:
            self.annealer = Annealer(dut, self.rng, board.annealer)
        engines = [engine for engine in (self.contractor, self.annealer) if engine is not None]
        self.bench = Bench(dut, self.source, self.sink, *engines)
        for name in ("damaged", "out_of_sequence", "overflows"):
            getattr(dut, f"counters__{name}").value = 0
        dut.reject__pending.value = 0
        self.golden = GoldenDevice(board, bytes.fromhex(bench_parameters()["build"]))
        # A run ends when the bench says so.
        self.golden.byte_cycles = 0
        # Sessions are the receiver's business; the golden device wants one.
        self.golden.respond(Packet(PacketType.HELLO, SEQUENCE_MODULUS - 1).frame())
        self.sequence = 0
        self.expected = []

    def request(self, kind: int, payload: bytes = b"") -> None:
        packet = Packet(kind, self.sequence, payload)
        self.sequence = (self.sequence + 1) % SEQUENCE_MODULUS
        self.source.queue.extend(packet_items(packet.body()[: -CRC.size]))
        with (
            mock.patch.multiple(
                contractor_device,
                walk=stub_walk,
                read_image=lambda program, lanes, protected: (program, None),
                cycle_count=lambda program, lanes, latencies, protected: 3 + program[1] % 200,
                is_sound=lambda *program: True,
                GoldenContractor=StubContractor,
            ),
            mock.patch.object(DeviceAnnealer, "_advance", return_value=0),
        ):
            answer = self.golden.respond(packet.frame())
        self.expected += FrameSplitter().feed(answer)

    def end_anneal(self) -> None:
        """The annealer's run is over, if there is one."""
        annealer = self.golden.engines[EngineKind.ANNEALER]
        annealer.stop()
        results = self.rng.randbytes(len(self.annealer.model.memories[AnnealerSpace.RESULTS]))
        for model in (self.annealer.model, annealer):
            model.memories[AnnealerSpace.RESULTS][:] = results
        self.annealer.running = False

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
            kind, sequence, length = HEADER.unpack_from(data)
            assert len(data) == HEADER.size + length
            replies.append(Packet(kind, sequence, data[HEADER.size :]))
        self.sink.items.clear()
        return replies

    async def check(self) -> list[Packet]:
        """Hold the replies to the golden device's."""
        replies = await self.replies()
        expected, self.expected = self.expected, []
        in_order = {packet.sequence: index for index, packet in enumerate(expected)}
        if self.size is not None and self.size.signature:
            expected, replies = forgive_timing(expected, replies)
        # Replies to runs come later than replies to features, but neither overtakes its like.
        # Everything else waits for all before it.
        is_result = {
            reply.sequence: reply.type == PacketType.RUN | REPLY and len(reply.payload) > 1
            for reply in replies
            # This may be either.
            if reply.payload[0] != Status.CORRUPT
        }
        order = [in_order[reply.sequence] for reply in replies]
        for chosen in (True, False):
            part = [i for i, r in zip(order, replies) if is_result.get(r.sequence) == chosen]
            assert part == sorted(part)
        for position, reply in enumerate(replies):
            if reply.type not in (PacketType.RUN | REPLY, PacketType.FEATURES | REPLY):
                assert sorted(order[:position]) == list(range(order[position]))
        for reply in replies:
            assert reply == expected[in_order[reply.sequence]]
        assert len(replies) == len(expected)
        return replies
