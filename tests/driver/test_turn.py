"""Turns at a board that several programs use: nothing that was loaded is relied on after a turn."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.driver.board import Board
from tensorspin.driver.transports.golden import GoldenTransport
from tensorspin.driver.turn import Turn
from tensorspin.errors import TensorspinError, TransportError
from tensorspin.golden.device import GoldenDevice

from ..support.anneals import BOTH, check, random_job
from ..support.doubles import assert_answers
from ..support.loaded_programs import chain_program, golden_answers, random_levels

MINE, OTHERS = chain_program(seed=0), chain_program(seed=1)
LEVELS = random_levels(5)


class Shared(GoldenTransport):
    """One of several ways to the same device."""

    users: dict = {}

    def __init__(self, device):
        super().__init__(BOTH, device)
        self.turns, self.taken, self.broken = [], 0, False

    def begin_turn(self):
        if self.broken:
            raise TransportError("the server is gone")
        self.turns.append("begins")
        kept, self.users[self.device] = self.users.get(self.device) is self, self
        return kept

    def end_turn(self):
        self.turns.append("ends")


@pytest.fixture
def device():
    return GoldenDevice(BOTH)


@pytest.fixture
def ways(device):
    return Shared(device), Shared(device)


@pytest.fixture
def boards(ways):
    with Board.over(ways[0]) as one, Board.over(ways[1]) as two:
        yield one, two


def test_each_call_is_one_turn_and_a_block_is_one_too(boards, ways):
    one, _ = boards
    assert ways[0].turns == ["begins", "ends"]  # the greeting
    one.load(MINE)
    assert ways[0].turns == 2 * ["begins", "ends"]
    with one.exclusive():
        one.load(MINE)
        one.run(LEVELS)
        with one.exclusive():
            one.status()
        assert ways[0].turns == [*2 * ["begins", "ends"], "begins"]
    assert ways[0].turns == 3 * ["begins", "ends"]


def test_a_program_is_loaded_again_if_somebody_else_has_loaded_another(boards):
    for _ in range(2):
        for board, program in zip(boards, (MINE, OTHERS)):
            if board.program is None:
                board.load(program)
            assert_answers(board.run(LEVELS), golden_answers(program, LEVELS))
            assert board.program is program


def test_nothing_is_sent_if_somebody_else_has_loaded_the_same(boards, device):
    one, two = boards
    one.load(MINE)
    two.load(MINE)
    loads = []
    device._write = lambda payload, write=device._write: loads.append(1) or write(payload)
    one.run(LEVELS)
    two.run(LEVELS)
    assert not loads


def test_what_was_loaded_to_be_read_back_is_read_back_again(boards, device):
    one, two = boards
    one.load(MINE, verify=True)
    two.load(MINE)
    two._drivers[1].flip_bits([(MemorySpace.PROGRAM, 5, 0)])  # and the digest is still that
    assert_answers(one.run(LEVELS), golden_answers(MINE, LEVELS))


def test_wrong_levels_are_refused_before_a_program_is_loaded_again(boards):
    one, two = boards
    one.load(MINE)
    two.load(OTHERS)
    with pytest.raises(ValueError, match="levels must have shape"):
        one.run(LEVELS[:, :3])
    assert_answers(two.run(LEVELS), golden_answers(OTHERS, LEVELS))


def test_jobs_of_several_users_take_turns(boards):
    one, two = boards
    for seed in range(3):
        check(one, random_job(seed))
        check(two, random_job(seed + 10))
    one.load(MINE)
    check(two, random_job(1))
    assert_answers(one.run(LEVELS), golden_answers(MINE, LEVELS))


def test_a_board_that_is_not_free_keeps_what_the_user_has_loaded(boards, ways):
    one, two = boards
    one.load(MINE)
    two.load(OTHERS)
    ways[0].broken = True
    with pytest.raises(TransportError, match="gone"):
        one.run(LEVELS)
    ways[0].broken = False
    assert one.program is MINE
    assert_answers(one.run(LEVELS), golden_answers(MINE, LEVELS))


def test_a_load_that_fails_for_want_of_a_line_is_tried_again_at_the_next_run(boards, ways):
    one, two = boards
    one.load(MINE)
    two.load(OTHERS)
    read = ways[0].read

    def broken(timeout):
        raise TransportError("cut")

    ways[0].read = broken
    with pytest.raises(TransportError, match="cut"):
        one.run(LEVELS)
    ways[0].read = read
    assert_answers(one.run(LEVELS), golden_answers(MINE, LEVELS))


def test_closing_waits_for_no_turn(boards, ways):
    one, _ = boards
    ways[0].broken = True
    one.close()
    with pytest.raises(TensorspinError, match="closed"):
        one.status()


def test_a_board_gives_its_transport_away(device):
    board = Board.over(Shared(device))
    transport = board.detach()
    with pytest.raises(TensorspinError, match="closed"):
        board.status()
    with pytest.raises(TensorspinError, match="closed"):
        board.detach()
    board.close()
    with Board.over(transport) as again:
        again.load(MINE)
        np.testing.assert_array_equal(again.run(LEVELS).scores, golden_answers(MINE, LEVELS).scores)


def test_a_turn_that_does_not_begin_is_not_entered():
    def fail():
        raise TransportError("not now")

    ends = []
    turn = Turn(fail, lambda: ends.append(1))
    for _ in range(2):
        with pytest.raises(TransportError), turn:
            raise AssertionError("entered")
    assert not ends
    assert turn.lock.acquire(blocking=False)
