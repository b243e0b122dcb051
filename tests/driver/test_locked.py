"""Boards that run only what was locked with their key."""

from __future__ import annotations

import dataclasses

import pytest

from tensorspin import Board
from tensorspin.compiler.locking import lock_program, new_lock_key
from tensorspin.contract.contractor.lock import Header, LockKey, check_cycles
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.engine import EngineKind
from tensorspin.contract.wire.packets import (
    ACTIVATE,
    MEMORY,
    OFFSET,
    READ_COUNT,
    SIGNED,
    PacketType,
    Status,
    pack_memory,
)
from tensorspin.driver.selftest import selftest
from tensorspin.driver.selftest.result import Verdict
from tensorspin.driver.transports import open_transport, parse_virtual
from tensorspin.errors import DeviceError, LockedError, TensorspinError, TransportError
from tensorspin.golden.device import GoldenDevice
from tensorspin.trust import Fault, inject, scrub

from ..support.doubles import (
    ROW,
    CableTransport,
    assert_answers,
    golden_board,
    golden_transport,
    with_checks,
)
from ..support.loaded_programs import chain_program, golden_answers, random_levels

KEY = LockKey(bytes(range(16)), minimum=2)
PLAIN = chain_program(5)
PROGRAM = lock_program(PLAIN, KEY, 2)
LEVELS = random_levels(6, 5)
LOCKED_ROW = with_checks(lock=1)


@pytest.fixture(params=[0, 1], ids=["unsigned", "signed"])
def row(request):
    return with_checks(lock=1, signature=request.param, table_parity=request.param)


@pytest.fixture
def device(row):
    return GoldenDevice(row, lock=KEY)


@pytest.fixture
def board(device, row):
    return golden_board(device, row)


def test_a_locked_program_runs_and_needs_no_key(board):
    assert board.load(PROGRAM, verify=True) is None
    assert_answers(board.run(LEVELS), golden_answers(PLAIN, LEVELS))
    other = lock_program(chain_program(3, 2, 8, seed=3), KEY, 9)
    board.load(other, self_test=True)
    levels = random_levels(3, 3)
    assert_answers(board.run(levels), golden_answers(other, levels))


def test_a_program_that_is_there_is_checked_and_not_sent_again(device, row):
    first = golden_board(device, row)
    first.load(PROGRAM)
    second = golden_board(device, row)
    told = []
    second.load(PROGRAM, verify=True, progress=lambda *done: told.append(done))
    assert not told
    assert_answers(second.run(LEVELS), golden_answers(PLAIN, LEVELS))
    # A bit that has flipped since is found by the tag.
    device.memories[MemorySpace.PROGRAM][9] ^= 1
    third = golden_board(device, row)
    third.load(PROGRAM, verify=True, progress=lambda *done: told.append(done))
    assert told
    assert_answers(third.run(LEVELS), golden_answers(PLAIN, LEVELS))


@pytest.mark.parametrize(
    "program",
    [
        lock_program(PLAIN, LockKey(bytes(16)), 2),
        lock_program(PLAIN, LockKey(KEY.key), 1),
        dataclasses.replace(PROGRAM, lock=dataclasses.replace(PROGRAM.lock, version=3)),
        dataclasses.replace(chain_program(5, seed=1), lock=PROGRAM.lock),
    ],
    ids=["another key", "downgrade", "another version", "another program"],
)
def test_what_was_not_locked_with_the_key_is_refused_and_cleared(device, board, program):
    board.load(PROGRAM)
    for _ in range(2):
        with pytest.raises(LockedError, match="is locked, and has refused the program") as caught:
            board.load(program, force=True)
        assert caught.value.status == Status.DENIED
        assert not board.status().active
        assert not any(any(memory) for memory in device.memories.values())
        with pytest.raises(TensorspinError, match="no program is loaded"):
            board.run(LEVELS)
    board.load(PROGRAM)
    assert_answers(board.run(LEVELS), golden_answers(PLAIN, LEVELS))


def test_a_program_without_a_tag_is_refused_before_anything_is_sent(board):
    board.load(PROGRAM)
    lock = PROGRAM.lock
    size = board.info.contractor
    kept = tuple(tag for tag in lock.tags if tag[1] != bool(size.signature))
    for program in (PLAIN, dataclasses.replace(PLAIN, lock=dataclasses.replace(lock, tags=kept))):
        with pytest.raises(LockedError, match="adds it with tensorspin lock MODEL --key FILE"):
            board.load(program)
        assert board.status().active
    assert_answers(board.run(LEVELS), golden_answers(PLAIN, LEVELS))


def test_a_tag_does_no_harm_on_other_boards():
    board = golden_board()
    board.load(PROGRAM, verify=True)
    assert_answers(board.run(LEVELS), golden_answers(PLAIN, LEVELS))


def test_a_board_without_its_key_runs_nothing(row):
    device = GoldenDevice(row)
    with pytest.raises(LockedError):
        golden_board(device, row).load(PROGRAM)
    with pytest.raises(ValueError, match="has no locked contractor that takes a key"):
        GoldenDevice(ROW, lock=KEY)


def test_nobody_reads_or_flips_anything(board):
    board.load(PROGRAM)
    for space in MemorySpace:
        payload = pack_memory(space, 0) + READ_COUNT.pack(1)
        with pytest.raises(DeviceError) as caught:
            board._open_session.request(PacketType.READ, payload)
        assert caught.value.status is Status.BAD_ADDRESS
    with pytest.raises(TensorspinError, match="it is locked, and its memory cannot be read"):
        inject(board, Fault(MemorySpace.PROGRAM, 20, 0))
    with pytest.raises(TensorspinError, match="it is locked, and checks its memory itself"):
        scrub(board)
    assert_answers(board.run(LEVELS), golden_answers(PLAIN, LEVELS))


def test_the_line_is_measured_and_the_rest_of_the_self_test_skipped(board):
    report = board.link_test(0.1)
    assert report.from_device > 10_000
    found = {each.name: each.verdict for each in selftest(board)}
    assert found["memories"] is found["contractor"] is Verdict.SKIP
    assert found["echo"] is found["throughput"] is Verdict.PASS


def test_a_board_that_restarts_while_it_is_loaded_is_loaded_again(device, row):
    """The first tag is refused since the memories were lost, and nobody blames the program."""
    board = golden_board(device, row)
    exchange = board._session.exchange
    restarted = []

    def restarting(requests, **options):
        yield from exchange(requests, **options)
        if not restarted:
            restarted.append(True)
            device.restart()

    board._session.exchange = restarting
    board.load(PROGRAM)
    assert restarted
    assert_answers(board.run(LEVELS), golden_answers(PLAIN, LEVELS))


def test_lost_replies_do_no_harm(device, row):
    """A cut at any byte of the load; the next load finds the board as it is."""
    for cut in range(50, 2200, 143):
        transport = CableTransport(golden_transport(device, row), cut)
        board = Board.over(transport, timeout=0.1)
        with pytest.raises(TensorspinError):
            board.load(PROGRAM, force=True)
            transport.broken = True
            board.status()
        transport.mend()
        board.load(PROGRAM)
        assert_answers(board.run(LEVELS), golden_answers(PLAIN, LEVELS))


# The device itself


def load(engine, program=PROGRAM, table=True):
    size = engine.size
    image = program.image(8, bool(size.signature))
    engine.write(MemorySpace.PROGRAM, 0, image + bytes(-len(image) % 16))
    if table:
        engine.write(MemorySpace.TABLE, 0, program.table_bytes())


def activation(engine, program=PROGRAM, **changes) -> bytes:
    signed = bool(engine.size.signature)
    image = program.image(8, signed)
    header = Header(
        5 | SIGNED * signed,
        program.digest(8, signed),
        2,
        -(-len(image) // 16),
        program.lock.version,
    )
    return header._replace(**changes).pack() + program.lock.tag(8, signed)


def run(engine) -> Status:
    reply = engine.execute(PacketType.RUN, OFFSET.pack(0) + bytes(5), 0)
    return engine.finish()[0].status if reply is None else reply[0]


@pytest.fixture
def engine(device):
    return device.engines[EngineKind.CONTRACTOR]


def activate(engine, payload) -> Status:
    return engine.execute(PacketType.ACTIVATE, payload, 0)[0]


def test_an_activation_may_be_repeated_and_a_write_ends_it(engine):
    load(engine)
    for _ in range(3):
        assert activate(engine, activation(engine)) is run(engine) is Status.OK
    header = Header.unpack(activation(engine)[:16])
    assert engine.spent == 0  # by the RUN
    activate(engine, activation(engine))
    assert engine.spent == check_cycles(engine.size, header, granted=True)
    engine.write(MemorySpace.PROGRAM, 1, bytes(engine.memories[MemorySpace.PROGRAM][1:2]))
    assert run(engine) is Status.NO_MODEL
    assert activate(engine, activation(engine)) is run(engine) is Status.OK


def test_repeated_writes_are_harmless(engine):
    load(engine)
    load(engine)
    engine.write(MemorySpace.PROGRAM, 3, bytes(engine.memories[MemorySpace.PROGRAM][3:9]))
    assert activate(engine, activation(engine)) is run(engine) is Status.OK


@pytest.mark.parametrize("place", range(0, 32, 3))
def test_each_byte_of_header_and_tag_counts(engine, place):
    load(engine)
    payload = bytearray(activation(engine))
    payload[place] ^= 1 << place % 8
    if place == 0:
        payload[0] ^= 3
    assert activate(engine, bytes(payload)) is Status.DENIED
    assert run(engine) is Status.NO_MODEL
    assert not any(any(memory) for memory in engine.memories.values())
    assert activate(engine, activation(engine)) is Status.DENIED  # it is gone


@pytest.mark.parametrize("kind", ["flip", "swap", "truncate", "table", "behind"])
def test_each_byte_of_the_memories_counts(engine, kind):
    load(engine)
    program = engine.memories[MemorySpace.PROGRAM]
    if kind == "flip":
        program[17] ^= 128
    elif kind == "swap":
        program[16:32], program[32:48] = program[32:48], program[16:32]
    elif kind == "truncate":
        program[-(-len(PROGRAM.image(8)) // 16) * 16 - 24 :] = bytes(1)
    elif kind == "table":
        engine.memories[MemorySpace.TABLE][1023] ^= 1
    else:
        program[-1] ^= 1
    expected = Status.OK if kind == "behind" else Status.DENIED
    assert activate(engine, activation(engine)) is expected


def test_requests_of_other_lengths_and_features_change_nothing(engine):
    load(engine)
    assert activate(engine, activation(engine)) is Status.OK
    for payload, status in (
        (ACTIVATE.pack(5, 1), Status.BAD_LENGTH),
        (activation(engine) + b"x", Status.BAD_LENGTH),
        (activation(engine, features=0), Status.BAD_FEATURE_COUNT),
        (activation(engine, features=1025), Status.BAD_FEATURE_COUNT),
    ):
        assert activate(engine, payload) is status
        assert run(engine) is Status.OK


# URLs


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "boards.key"
    new_lock_key(path, 3)
    return path


def test_a_golden_board_is_locked_with_a_file(key_file):
    from tensorspin.compiler.locking import read_lock_key

    url = f"golden://icebreaker?lock={key_file}"
    with Board.open(url) as board:
        assert board.url == url and board.info.contractor.lock
        board.load(lock_program(PLAIN, read_lock_key(key_file), 3))
        assert_answers(board.run(LEVELS), golden_answers(PLAIN, LEVELS))
        with pytest.raises(LockedError):
            board.load(PLAIN)


def test_wrong_urls_are_refused(key_file, tmp_path):
    for url, message in (
        ("golden://icebreaker?lock=/nowhere/x", "there is no such file"),
        (f"golden://icebreaker?lock={tmp_path}", "it is a folder"),
        (f"golden://icebreaker_annealer?lock={key_file}", "has no contractor, which alone"),
        (f"golden://icebreaker?key={key_file}", "and others lock=FILE, not 'key="),
    ):
        with pytest.raises(TransportError, match=message):
            open_transport(url).close()
    _, board, query = parse_virtual(f"golden://icebreaker?lock={key_file}")
    assert board.key_file == str(key_file) and query == ""
    assert MEMORY.size == 4
