"""Loading and running programs, and every way to get it wrong."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest

from tensorspin.compiler.network_program import NetworkProgram
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.device.boards import find_board
from tensorspin.contract.device.engines import Engines
from tensorspin.contract.engine import EngineKind
from tensorspin.contract.wire.packets import Status
from tensorspin.driver.board import Board
from tensorspin.errors import (
    CapacityError,
    DeviceError,
    LinkError,
    ProtocolVersionError,
    TensorspinError,
)
from tensorspin.golden.device import GoldenDevice

from ..support.doubles import ROW, CableTransport, assert_answers, golden_board, golden_transport
from ..support.loaded_programs import chain_program, golden_answers, random_levels

PROGRAM = chain_program()
LEVELS = random_levels(50)


@pytest.fixture
def device():
    return GoldenDevice(ROW)


@pytest.fixture
def board(device):
    with golden_board(device) as board:
        yield board


# Opening and closing


def test_open_by_url():
    with Board.open("golden://icebreaker") as board:
        assert board.info == find_board("icebreaker").description(b"golden\0\0")
        assert board.url == "golden://icebreaker"
        assert repr(board) == "<Board golden://icebreaker (icebreaker)>"
    assert repr(board) == "<Board golden://icebreaker (closed)>"


def test_use_after_close(board):
    board.close()
    board.close()
    uses = (board.status, board.link_test, lambda: board.load(PROGRAM), lambda: board.run(LEVELS))
    for use in uses:
        with pytest.raises(TensorspinError, match="the board at golden://icebreaker is closed"):
            use()


def test_seconds_are_those_of_the_board(board):
    start = board.seconds
    board.status()
    assert 30 < (board.seconds - start) / ROW.byte_seconds < 100
    board.close()
    with pytest.raises(TensorspinError, match="is closed"):
        board.seconds  # noqa: B018


def test_not_picklable_and_shared_by_copies(board):
    with pytest.raises(TypeError, match="holds an open port and can't be pickled; pass its URL"):
        pickle.dumps(board)
    assert copy.deepcopy({"board": board})["board"] is board


# Loading


@pytest.mark.parametrize("verify", [False, True])
def test_load_writes_both_memories(board, device, verify):
    board.load(PROGRAM, verify=verify)
    for space, image in zip(MemorySpace, (PROGRAM.image(8), PROGRAM.table_bytes())):
        assert device.memories[space][: len(image)] == image
    status = board.status()
    assert (status.active, status.digest) == (True, PROGRAM.digest(8))
    assert board.program is PROGRAM


def test_the_same_program_is_not_sent_again(board, device):
    board.load(PROGRAM)
    frames = board._session.line.statistics.frames
    board.load(PROGRAM)
    assert board._session.line.statistics.frames == frames + 1
    with golden_board(device) as other:
        other.load(chain_program())
        assert other._session.line.statistics.frames == 1
        assert_answers(other.run(LEVELS), golden_answers(PROGRAM, LEVELS))


def test_force_sends_it_again(board, device):
    board.load(PROGRAM)
    device.memories[MemorySpace.TABLE][:] = bytes(len(device.memories[MemorySpace.TABLE]))
    device.engines[EngineKind.CONTRACTOR]._program = None
    board.load(PROGRAM)
    assert not np.array_equal(board.run(LEVELS).scores, golden_answers(PROGRAM, LEVELS).scores)
    board.load(PROGRAM, force=True)
    assert_answers(board.run(LEVELS), golden_answers(PROGRAM, LEVELS))


def test_verify_looks_at_a_program_already_there(board, device):
    board.load(PROGRAM)
    device.memories[MemorySpace.TABLE][77] ^= 1
    board.load(PROGRAM, verify=True)
    assert_answers(board.run(LEVELS), golden_answers(PROGRAM, LEVELS))


def test_memory_that_does_not_hold(device):
    class Forgetful(GoldenDevice):
        def _write(self, payload):
            answer = super()._write(payload)
            self.memories[MemorySpace.PROGRAM][5] = 0x5A
            return answer

    with golden_board(Forgetful(ROW)) as board:
        with pytest.raises(DeviceError, match="lost what was written to it, 3 times"):
            board.load(PROGRAM, verify=True)
        assert board.program is None
        assert not board.status().active


def test_too_large():
    size = dataclasses.replace(ROW.contractor, features=16)
    with golden_board(row=dataclasses.replace(ROW, engines=Engines(size))) as board:
        board.load(PROGRAM)
        with pytest.raises(CapacityError, match="20 needed, the device holds 16"):
            board.load(chain_program(n_features=20))
        assert board.status().active, "refused before anything was sent"
        assert board.program is PROGRAM


def test_progress_of_a_load(board):
    seen = []
    board.load(PROGRAM, progress=lambda *state: seen.append(state))
    total = len(PROGRAM.image(8)) + len(PROGRAM.table_bytes())
    assert seen[-1] == (total, total)
    assert seen == sorted(seen)


@pytest.mark.parametrize("cut", [*range(5, 1520, 60)])
def test_load_that_fails_leaves_the_board_empty(device, cut):
    transport = CableTransport(golden_transport(device))
    old = chain_program(seed=1)
    with Board.over(transport) as board:
        board.load(old)
        transport.bytes_left = cut
        with pytest.raises(LinkError):
            board.load(PROGRAM)
        transport.mend()
        with Board.over(transport) as again:
            status = again.status()
            if status.active:
                assert status.digest == old.digest(8)
                assert cut < 300, "the first WRITE had not arrived"
            else:
                assert board.program is None
                with pytest.raises(TensorspinError, match="no program is loaded on golden://"):
                    board.run(LEVELS)
            again.load(PROGRAM)
            assert_answers(again.run(LEVELS), golden_answers(PROGRAM, LEVELS))


@pytest.mark.parametrize("number", range(0, 256, 5))
def test_restart_while_loading_never_leaves_half_a_program(device, number):
    """For any number that the session is at: a restarted device expects 0, which may be next."""
    program = chain_program(n_features=40, seed=number)
    with golden_board(device) as board:
        for _ in range(number):
            board.status()
        restarts = [number % 7]

        def progress(done, total):
            restarts[0] -= 1
            if restarts[0] == 0:
                device.restart()

        board.load(program, progress=progress)
        levels = random_levels(3, 40)
        assert_answers(board.run(levels), golden_answers(program, levels))


def test_restart_just_before_activation(device):
    with golden_board(device) as board:
        restarts = []

        def progress(done, total):
            if done == total and not restarts:
                restarts.append(done)
                device.restart()

        board.load(PROGRAM, progress=progress)
        assert restarts
        assert_answers(board.run(LEVELS), golden_answers(PROGRAM, LEVELS))


# Running


@pytest.mark.parametrize(
    ("features", "outputs", "bond", "samples"),
    [(2, 1, 1, 40), (8, 3, 4, 200), (31, 10, 8, 40), (300, 2, 3, 10), (1024, 5, 2, 4)],
)
def test_answers_are_those_of_the_golden_model(board, features, outputs, bond, samples):
    program = chain_program(features, outputs, bond)
    board.load(program)
    levels = random_levels(samples, features)
    result = board.run(levels)
    assert_answers(result, golden_answers(program, levels))
    assert_answers(board.run(levels), result)
    assert board._session.line.statistics.resent == 0
    assert board.status().overflows == 0


def test_dtypes_and_shapes(board):
    board.load(PROGRAM)
    result = board.run(LEVELS)
    assert (result.scores.dtype, result.scores.shape) == (np.int16, (50, 3))
    assert (result.exponents.dtype, result.exponents.shape) == (np.uint16, (50,))
    assert (result.classes.dtype, result.classes.shape) == (np.int64, (50,))
    assert (result.cycles.dtype, result.cycles.shape) == (np.int64, (50,))


def test_no_samples(board):
    board.load(PROGRAM)
    result = board.run(np.empty((0, 8), dtype=np.uint8))
    assert result.scores.shape == (0, 3)
    assert result.classes.shape == (0,)


def test_other_integers_and_layouts(board):
    board.load(PROGRAM)
    expected = golden_answers(PROGRAM, LEVELS)
    assert_answers(board.run(LEVELS.astype(np.int64)), expected)
    assert_answers(board.run(np.asfortranarray(LEVELS)), expected)
    assert_answers(board.run(LEVELS.tolist()), expected)


@pytest.mark.parametrize(
    ("levels", "error", "message"),
    [
        (LEVELS[:, :7], ValueError, r"must have shape \(n, 8\), .* not \(50, 7\)"),
        (LEVELS[0], ValueError, r"not \(8,\); for one sample, levels\[np.newaxis\]"),
        (LEVELS[None], ValueError, r"not \(1, 50, 8\)"),
        (LEVELS / 255, TypeError, r"must be integers 0..255, not float64"),
        (LEVELS > 3, TypeError, r"must be integers 0..255, not bool"),
        (np.full((2, 8), -1), ValueError, r"must be 0..255; sample 0, feature 0 has -1"),
        (np.arange(8)[None] * 37, ValueError, r"must be 0..255; sample 0, feature 7 has 259"),
    ],
)
def test_bad_levels(board, levels, error, message):
    board.load(PROGRAM)
    with pytest.raises(error, match=message):
        board.run(levels)
    assert_answers(board.run(LEVELS), golden_answers(PROGRAM, LEVELS))


def test_run_without_program(board):
    with pytest.raises(TensorspinError, match="no program is loaded .*: call load first"):
        board.run(LEVELS)


def test_progress_of_a_run(board):
    board.load(PROGRAM)
    seen = []
    board.run(LEVELS, progress=lambda *state: seen.append(state))
    assert seen == [(done, 50) for done in range(1, 51)]


@pytest.mark.parametrize("at", [1, 20, 49])
@pytest.mark.parametrize("number", [0, 60, 190, 230])
def test_restart_while_running(board, device, at, number):
    for _ in range(number):
        board.status()
    board.load(PROGRAM)
    levels = random_levels(200)

    def progress(done, total):
        if done == at:
            device.restart()

    with pytest.raises(DeviceError, match="load the program again") as caught:
        board.run(levels, progress=progress)
    assert caught.value.status is Status.NO_MODEL
    assert board.program is None
    board.load(PROGRAM)
    assert_answers(board.run(levels), golden_answers(PROGRAM, levels))


def test_program_of_somebody_else_is_noticed(board, device):
    """Two hosts at one device, as through a network server."""
    board.load(PROGRAM)
    with golden_board(device) as other:
        other.load(chain_program(seed=3))
        for _ in range(100):
            other.status()
    with pytest.raises(DeviceError, match="loaded by somebody else"):
        board.run(LEVELS)


def test_cable_cut_while_running(device):
    transport = CableTransport(golden_transport(device))
    with Board.over(transport) as board:
        board.load(PROGRAM)
        transport.bytes_left = 500
        with pytest.raises(LinkError, match="lost the device"):
            board.run(LEVELS)
        transport.mend()
        assert_answers(board.run(LEVELS), golden_answers(PROGRAM, LEVELS))


def test_device_that_replies_with_other_scores(board, monkeypatch):
    board.load(PROGRAM)
    monkeypatch.setattr(NetworkProgram, "n_outputs", 4)
    with pytest.raises(LinkError, match="replied to RUN of sample 0 with 14 bytes instead of 16"):
        board.run(LEVELS)


# The line


def test_link_test_leaves_the_program_alone(board, device):
    board.load(PROGRAM)
    before = {space: bytes(memory) for space, memory in device.memories.items()}
    report = board.link_test(0.5)
    assert {space: bytes(memory) for space, memory in device.memories.items()} == before
    assert board.status().active
    # The model of the line: 10 bits a byte, short of headers.
    assert 0.8 * ROW.baud / 10 < report.to_device < ROW.baud / 10
    assert 0.8 * ROW.baud / 10 < report.from_device < ROW.baud / 10
    assert 30 < report.round_trip / ROW.byte_seconds < 100
    assert report.statistics.resent == 0
    assert report.line == f"{ROW.baud} baud, modelled"
    assert "kB/s" in str(report)
    assert_answers(board.run(LEVELS), golden_answers(PROGRAM, LEVELS))


@pytest.mark.parametrize("seconds", [0, -1, 3601, float("nan"), float("inf")])
def test_link_test_of_no_time_or_without_end(board, seconds):
    with pytest.raises(ValueError, match=f"more than 0 and at most 3600, not {seconds:g}"):
        board.link_test(seconds)


def test_link_test_of_a_device_without_engines(board):
    # `DeviceDescription` of another version may list engines that this one does not know.
    board._drivers = {}
    with pytest.raises(TensorspinError, match=r"golden://icebreaker .* lists no engine.*configure"):
        board.link_test(0.1)


# Exceptions


@pytest.mark.parametrize(
    "error",
    [
        CapacityError("features", 2, 1, "merge some"),
        DeviceError("refused", Status.NO_MODEL),
        LinkError("lost"),
        ProtocolVersionError("other", 2, 1),
    ],
)
def test_exceptions_survive_pickling(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)
