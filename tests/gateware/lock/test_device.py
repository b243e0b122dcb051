"""A whole locked device against the golden one: bytes in, bytes out, and cycles of the check."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tensorspin.compiler.locking import lock_program
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.contractor.chaskey import BLOCK_BYTES
from tensorspin.contract.contractor.lock import (
    COMPONENT_BYTES,
    Header,
    LockKey,
    check_cycles,
    covered,
)
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.boards import BoardSpec
from tensorspin.contract.device.engines import Engines
from tensorspin.contract.device.locked import lock_board
from tensorspin.contract.engine import EngineKind
from tensorspin.contract.wire.frames import MAX_PAYLOAD, FrameSplitter, Packet
from tensorspin.contract.wire.packets import (
    ACTIVATE,
    MEMORY,
    OFFSET,
    READ_COUNT,
    SIGNED,
    DeviceStatus,
    PacketType,
    Status,
    pack_memory,
)
from tensorspin.driver.board import Board
from tensorspin.driver.transports.simulated import SimulatedTransport
from tensorspin.errors import LockedError
from tensorspin.golden.device import GoldenDevice
from tensorspin_gateware.accelerator import Accelerator
from tensorspin_gateware.simulation import locked
from tensorspin_gateware.simulation.compilation import compile_simulator
from tests.support.doubles import assert_answers
from tests.support.loaded_programs import chain_program, golden_answers, random_levels
from tests.support.selection import long_after

BUILD = bytes(range(8))
KEY = LockKey(bytes(range(100, 116)), minimum=3)
SIZE = ContractorSize(
    lanes=8, program_words=512, features=128, components=4, slots=2, slot_entries=8
)
ANNEALER = AnnealerSize(
    spins=20,
    coupling_bits=4,
    field_bits=9,
    replicas=11,
    strides=(1, 2, 1),
    offset_rows=5,
    steps=6,
    tempering=1,
)
ENGINES = {
    "long, signed": Engines(replace(SIZE, pipeline=1, signature=1, table_parity=1)),
    "plain": Engines(SIZE),
    "both": Engines(replace(SIZE, groups=2), ANNEALER),
    "sharing": Engines(replace(SIZE, groups=3, single_drain=2)),
}
PLAIN = chain_program(6, seed=2)
PROGRAM = lock_program(PLAIN, KEY, 5)
LEVELS = random_levels(5, 6)


@pytest.fixture(scope="module", params=long_after(1, ENGINES))
def row(request):
    return lock_board(
        BoardSpec(
            name="bench",
            title="Test bench",
            clock_hz=12_000_000,
            baud=1_000_000,
            receive_bytes=1024,
            engines=ENGINES[request.param],
        )
    )


@pytest.fixture(scope="module")
def library(row, tmp_path_factory):
    device = Accelerator(row, BUILD, key_port=True)
    folder = tmp_path_factory.mktemp("simulator")
    return compile_simulator(device, folder, lambda line: None, locked.WRAPPER)


class Pair:
    """The simulated device and the golden one, which are sent the same."""

    def __init__(self, row, library) -> None:
        self.size = row.require_contractor()
        self.golden = GoldenDevice(row, BUILD, KEY)
        self.golden.byte_cycles = 0
        self.virtual = locked.LockedVirtualBoard(library, row.clock_hz, KEY)
        self.sequence = 0
        self.cycles = 0

    @property
    def signed(self) -> bool:
        return bool(self.size.signature)

    def ask(self, kind: int, payload: bytes = b"") -> Packet:
        """Send a request to both, and return the reply, which must be the same."""
        frame = Packet(kind, self.sequence, payload).frame()
        self.sequence = (self.sequence + 1) % 256
        (expected,) = FrameSplitter().feed(self.golden.respond(frame))
        before = self.virtual.cycles
        accepted, data = self.virtual.run(3_000_000, frame, stop_on_delimiter=True)
        self.cycles = self.virtual.cycles - before
        assert accepted == len(frame)
        (reply,) = FrameSplitter().feed(data)
        if kind == PacketType.STATUS:
            reply, expected = (self.without_times(each) for each in (reply, expected))
        assert reply == expected, (reply, expected)
        return reply

    @staticmethod
    def without_times(reply: Packet) -> Packet:
        status = replace(DeviceStatus.unpack(reply.payload[1:]), busy_cycles=0, step=0)
        return replace(reply, payload=reply.payload[:1] + status.pack())

    def status(self, kind: int, payload: bytes = b"") -> int:
        return self.ask(kind, payload).payload[0]

    def write(self, space: int, data: bytes, first: int = 0) -> None:
        step = MAX_PAYLOAD - MEMORY.size
        for at in range(0, len(data), step):
            payload = pack_memory(space, first + at) + data[at : at + step]
            assert self.status(PacketType.WRITE, payload) == Status.OK

    def load(self) -> None:
        image = PROGRAM.image(8, self.signed)
        self.write(MemorySpace.PROGRAM, image + bytes(-len(image) % BLOCK_BYTES))
        self.write(MemorySpace.TABLE, PROGRAM.table_bytes())

    def header(self, **changes: int) -> Header:
        blocks = -(-len(PROGRAM.image(8, self.signed)) // BLOCK_BYTES)
        digest = PROGRAM.digest(8, self.signed)
        header = Header(6 | SIGNED * self.signed, digest, 2, blocks, PROGRAM.lock.version)
        return header._replace(**changes)

    def activate(self, header: Header, tag: bytes | None = None) -> int:
        if tag is None:
            tag = PROGRAM.lock.tag(8, self.signed)
        return self.status(PacketType.ACTIVATE, header.pack() + tag)

    def own_tag(self, header: Header) -> bytes:
        """The right tag of what the golden device holds."""
        memories = self.golden.memories
        table = bytes(memories[MemorySpace.TABLE][: self.size.space_bytes(MemorySpace.TABLE)])
        return KEY.tag(
            header,
            covered(bytes(memories[MemorySpace.PROGRAM]), header.blocks, BLOCK_BYTES),
            covered(table, header.components, COMPONENT_BYTES),
        )

    def run(self) -> int:
        return self.status(PacketType.RUN, OFFSET.pack(0) + LEVELS[0].tobytes())


@pytest.fixture
def pair(row, library):
    pair = Pair(row, library)
    pair.ask(PacketType.HELLO)
    yield pair
    pair.virtual.close()


def test_a_locked_program_is_activated_as_often_as_it_is_asked(pair):
    assert pair.run() == Status.NO_MODEL
    pair.load()
    for _ in range(2):
        assert pair.activate(pair.header()) == pair.run() == Status.OK
        pair.ask(PacketType.STATUS)
    pair.load()  # again, with the same bytes
    assert pair.run() == Status.NO_MODEL
    assert pair.activate(pair.header()) == pair.run() == Status.OK
    pair.ask(PacketType.HELLO)
    assert pair.run() == Status.OK


def test_nothing_is_read(pair):
    pair.load()
    for _ in range(2):
        for space in MemorySpace:
            payload = pack_memory(space, 8) + READ_COUNT.pack(4)
            assert pair.status(PacketType.READ, payload) == Status.BAD_ADDRESS
        assert pair.activate(pair.header()) == pair.run() == Status.OK


def test_a_write_ends_what_was_checked(pair):
    pair.load()
    assert pair.activate(pair.header()) == pair.run() == Status.OK
    held = bytes(pair.golden.memories[MemorySpace.PROGRAM][20:21])
    pair.write(MemorySpace.PROGRAM, bytes([held[0] ^ 1]), 20)
    assert pair.run() == Status.NO_MODEL
    assert pair.activate(pair.header()) == Status.DENIED
    pair.load()
    assert pair.activate(pair.header()) == pair.run() == Status.OK


def test_what_is_refused_is_cleared(pair):
    """The right tag over zeros is taken then: so the simulated memories hold zeros, too."""
    rng = random.Random(1)
    zeros = pair.header(components=0, blocks=0)
    for kind in ("tag", "last byte", "version", "digest", "features", "blocks", "components"):
        pair.load()
        if kind == "version":
            header = pair.header(version=KEY.minimum - 1)
            assert pair.activate(header, pair.own_tag(header)) == Status.DENIED
        elif kind in ("tag", "last byte"):
            tag = bytearray(pair.own_tag(pair.header()))
            tag[15 if kind == "last byte" else rng.randrange(15)] ^= 1 << rng.randrange(8)
            assert pair.activate(pair.header(), bytes(tag)) == Status.DENIED
        else:
            changed = pair.header(**{kind: getattr(pair.header(), kind) ^ 1})
            assert pair.activate(changed) == Status.DENIED
        pair.ask(PacketType.STATUS)
        assert pair.run() == Status.NO_MODEL
        assert pair.activate(zeros, pair.own_tag(zeros)) == Status.OK
        assert not any(any(pair.golden.memories[space]) for space in MemorySpace)


def test_other_requests_change_nothing(pair):
    pair.load()
    assert pair.activate(pair.header()) == Status.OK
    header = pair.header().pack()
    for payload, status in (
        (ACTIVATE.pack(6, 7), Status.BAD_LENGTH),
        (header + bytes(15), Status.BAD_LENGTH),
        (header + bytes(17), Status.BAD_LENGTH),
        (pair.header(features=0).pack() + bytes(16), Status.BAD_FEATURE_COUNT),
        (pair.header(features=129).pack() + bytes(16), Status.BAD_FEATURE_COUNT),
    ):
        assert pair.status(PacketType.ACTIVATE, payload) == status
        assert pair.run() == Status.OK


def test_the_check_takes_the_cycles_of_the_contract(pair):
    pair.load()
    overheads = set()
    for blocks, components in ((1, 1), (3, 2), (7, 0), (0, 1)):
        for right in (True, False):
            # Numbers that count modulo those that there are.
            header = pair.header(components=components | 0x100, blocks=blocks | 0x10000)
            tag = pair.own_tag(header)
            if not right:
                tag = tag[:15] + bytes([tag[15] ^ 1])
            assert pair.activate(header, tag) == (Status.OK if right else Status.DENIED)
            overheads.add(pair.cycles - check_cycles(pair.size, header, right))
    assert len(overheads) == 1, overheads


def test_random_requests(pair):
    rng = random.Random(pair.size.groups)
    seen = set()
    for _ in range(60):
        match rng.randrange(6):
            case 0:
                pair.load()
            case 1:
                data = rng.randbytes(rng.randrange(1, 40))
                pair.write(rng.choice(list(MemorySpace)), data, rng.randrange(400))
            case 2 | 3:
                header = pair.header()
                if rng.random() < 0.5:
                    header = header._replace(
                        blocks=rng.randrange(6),
                        components=rng.randrange(3),
                        version=rng.randrange(2, 6),
                    )
                tag = pair.own_tag(header) if rng.random() < 0.7 else rng.randbytes(16)
                seen.add(pair.activate(header, tag))
            case 4:
                pair.ask(PacketType.STATUS)
            case _:
                # What runs of a program that is none is known only of one that ends.
                if pair.golden.engines[EngineKind.CONTRACTOR]._digest != PROGRAM.digest(8):
                    continue
    assert seen == {Status.OK, Status.DENIED}


def test_the_driver_on_the_gateware(row, library, monkeypatch):
    monkeypatch.setattr(
        locked, "load", lambda board, key: locked.LockedVirtualBoard(library, row.clock_hz, key)
    )
    monkeypatch.setattr("tensorspin.driver.transports.simulated.board_key", lambda url, board: KEY)
    with Board.over(SimulatedTransport(row)) as board:
        board.load(PROGRAM, verify=True)
        assert_answers(board.run(LEVELS), golden_answers(PLAIN, LEVELS, row.contractor))
        for wrong in (PLAIN, lock_program(PLAIN, LockKey(bytes(16)), 5)):
            with pytest.raises(LockedError):
                board.load(wrong, force=True)
        board.load(PROGRAM)
        assert_answers(board.run(LEVELS), golden_answers(PLAIN, LEVELS, row.contractor))
