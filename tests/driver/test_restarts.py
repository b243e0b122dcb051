"""A device that restarts at the worst moment, and expects the next number by chance."""

import numpy as np
import pytest

from tensorspin.driver.board import Board
from tensorspin.errors import DeviceError, LinkError

from ..support.doubles import assert_answers, golden_board, golden_transport
from ..support.faults import FaultRates, FaultyTransport
from ..support.loaded_programs import golden_answers, random_levels
from ..support.restarts import PROGRAM, RestartingDevice

LEVELS = random_levels(5)


def requests_of_a_load(verify):
    device = RestartingDevice()
    with golden_board(device) as board:
        board.load(PROGRAM, verify=verify)
    return device.executed


@pytest.mark.parametrize("replies_get_out", [True, False])
@pytest.mark.parametrize(
    ("verify", "restart"),
    [(verify, n) for verify in (False, True) for n in range(1, requests_of_a_load(verify))],
)
def test_restart_at_every_point_of_a_load(verify, restart, replies_get_out):
    device = RestartingDevice({restart}, replies_get_out)
    with golden_board(device) as board:
        board.load(PROGRAM, verify=verify)
        assert_answers(board.run(LEVELS), golden_answers(PROGRAM, LEVELS))


@pytest.mark.parametrize("point", range(1, 9))
def test_restart_while_a_program_already_there_is_verified(point):
    device = RestartingDevice()
    with golden_board(device) as board:
        board.load(PROGRAM)
        device.restarts = {device.executed + point}
        board.load(PROGRAM, verify=True)
        assert_answers(board.run(LEVELS), golden_answers(PROGRAM, LEVELS))


def test_restart_after_activation_is_noticed():
    device = RestartingDevice({requests_of_a_load(False)})
    with golden_board(device) as board:
        board.load(PROGRAM)
        with pytest.raises(DeviceError, match="load the program again"):
            board.run(LEVELS)
        board.load(PROGRAM)
        assert_answers(board.run(LEVELS), golden_answers(PROGRAM, LEVELS))


def test_restart_when_activation_was_not_acknowledged():
    device = RestartingDevice({requests_of_a_load(False)}, replies_get_out=False)
    with golden_board(device) as board:
        board.load(PROGRAM)
        assert_answers(board.run(LEVELS), golden_answers(PROGRAM, LEVELS))


@pytest.mark.parametrize("seed", range(30))
def test_restarts_on_a_bad_line(seed):
    """Right answers or an error, and never half a program."""
    rng = np.random.default_rng(seed)
    restarts = set(rng.integers(1, 200, 6))
    device = RestartingDevice(restarts, replies_get_out=bool(seed % 2))
    transport = FaultyTransport(golden_transport(device), FaultRates(0.005, 0.01), seed)
    try:
        with Board.over(transport) as board:
            board.load(PROGRAM)
            assert_answers(board.run(LEVELS), golden_answers(PROGRAM, LEVELS))
    except (DeviceError, LinkError):
        pass
    transport.heal()
    device.restarts = ()
    with Board.over(transport) as board:
        board.load(PROGRAM)
        assert_answers(board.run(LEVELS), golden_answers(PROGRAM, LEVELS))


def test_load_after_a_restart(board_after_restart):
    board_after_restart.load(PROGRAM)
    assert_answers(board_after_restart.run(LEVELS), golden_answers(PROGRAM, LEVELS))


@pytest.mark.parametrize("ask", [Board.status, Board.link_test])
def test_whoever_notices_that_the_program_is_lost(board_after_restart, ask):
    with pytest.raises(DeviceError, match="load the program again"):
        ask(board_after_restart)
    assert board_after_restart.program is None
    assert not board_after_restart.status().active


@pytest.fixture
def board_after_restart():
    device = RestartingDevice()
    with golden_board(device) as board:
        board.load(PROGRAM)
        device.restart()
        yield board


@pytest.mark.parametrize("period", range(3, 8))
def test_device_that_restarts_all_the_time(period):
    with golden_board(RestartingDevice(range(period, 10_000, period))) as board:
        with pytest.raises((DeviceError, LinkError), match="[Cc]heck its power supply"):
            board.load(PROGRAM)
        assert board.program is None
