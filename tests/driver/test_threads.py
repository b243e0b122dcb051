"""Several threads on one board: they wait their turn."""

from __future__ import annotations

from contextlib import suppress
from threading import Event, Thread

import numpy as np
import pytest

from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.annealer.steps import schedule
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.boards import BoardSpec
from tensorspin.contract.device.engines import Engines
from tensorspin.driver.board import Board
from tensorspin.driver.transports.golden import GoldenTransport
from tensorspin.errors import TensorspinError

from ..support.annealer_boards import SIZE
from ..support.doubles import ROW, assert_answers
from ..support.loaded_programs import chain_program, golden_answers, random_levels

PROGRAM = chain_program()
LEVELS = random_levels(3)
PROBLEM = IsingProblem(SIZE, np.array([[0, 2], [2, 0]]), np.array([1, -3]))
STEPS = schedule([4.0, 1.0], 5, SIZE)

PAUSE = 0.2
"""Seconds in which another thread would have used the board, if it could."""


@pytest.fixture
def board():
    contractor = ROW.engines.require(ContractorSize)
    row = BoardSpec("test", "a test's", 10_000_000, 1_000_000, 4096, Engines(contractor, SIZE))
    with Board.over(GoldenTransport(row)) as board:
        yield board


class Other:
    """A thread that uses the board as soon as it is told to, once."""

    def __init__(self, use):
        self.began, self.done, self.result = Event(), Event(), None
        self._thread = Thread(target=self._run, args=[use], daemon=True)

    def _run(self, use):
        self.began.set()
        with suppress(TensorspinError):
            self.result = use()
        self.done.set()

    def starts(self, *progress):
        """Start in the middle of a call (as its ``progress``), and get time to disturb it."""
        if not self.began.is_set():
            self._thread.start()
            assert not self.done.wait(PAUSE), "the board was used in the middle of a call"

    def ends(self):
        assert self.done.wait(10)
        return self.result


USES = {
    "status": lambda board: board.status(),
    "link_test": lambda board: board.link_test(0.01),
    "load": lambda board: board.load(chain_program(seed=5)),
    "run": lambda board: board.run(LEVELS),
    "anneal": lambda board: board.anneal(PROBLEM, STEPS, 2),
    "close": lambda board: board.close(),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("during", ["load", "run", "anneal"])
def test_a_call_is_over_before_another_thread_uses_the_board(board, during, use):
    board.load(PROGRAM)
    other = Other(lambda: USES[use](board))
    if during == "load":
        board.load(PROGRAM, force=True, progress=other.starts)
    elif during == "run":
        found = board.run(LEVELS, progress=other.starts)
        assert_answers(found, golden_answers(PROGRAM, LEVELS))
    else:
        found = board.anneal(PROBLEM, STEPS, 1, progress=other.starts)
        assert np.array_equal(PROBLEM.energy(found.states), found.energies)
    other.ends()


@pytest.mark.parametrize("ask", [Board.status, lambda board: board.link_test(0.01)])
def test_status_and_link_test_have_the_board_to_themselves(board, monkeypatch, ask):
    other, answer = Other(board.status), board._session.status
    monkeypatch.setattr(board._session, "status", lambda: (other.starts(), answer())[1])
    ask(board)
    monkeypatch.undo()
    assert other.ends() is not None


def test_an_exclusive_block_keeps_load_and_run_together(board):
    other = Other(lambda: board.load(chain_program(seed=5)))
    with board.exclusive():
        board.load(PROGRAM)
        other.starts()
        with board.exclusive():
            found = board.run(LEVELS)
    assert_answers(found, golden_answers(PROGRAM, LEVELS))
    other.ends()
    assert board.program is not PROGRAM


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_error_or_an_interruption_lets_the_others_in(board, error):
    def fail(*_):
        raise error

    for call in (
        lambda: board.load(PROGRAM, force=True, progress=fail),
        lambda: (board.load(PROGRAM), board.run(LEVELS, progress=fail)),
        lambda: board.anneal(PROBLEM, STEPS, 1, progress=fail),
        lambda: in_a_block(board, fail),
    ):
        with pytest.raises(error):
            call()
        other = Other(board.status)
        other._thread.start()
        assert other.ends() is not None


def in_a_block(board, use):
    with board.exclusive():
        use()


def test_closing_waits_and_later_calls_say_that_the_board_is_closed(board):
    board.load(PROGRAM)
    other = Other(board.close)
    assert_answers(board.run(LEVELS, progress=other.starts), golden_answers(PROGRAM, LEVELS))
    other.ends()
    with pytest.raises(TensorspinError, match="is closed"):
        board.run(LEVELS)
