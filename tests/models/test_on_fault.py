"""Estimators on boards that go wrong: they say so, or load the program again."""

from __future__ import annotations

import pickle
from functools import cache

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris

import tensorspin
from tensorspin import MPSClassifier
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.driver.board import Board
from tensorspin.errors import FaultError, LinkError, TensorspinError
from tensorspin.models import BoardClassifier
from tensorspin.trust import Fault, inject
from tensorspin.trust.memory_map import MemoryMap

from ..support.doubles import UNCHECKED_ROW, golden_board

X, Y = load_iris(return_X_y=True)
WEIGHTS = [Fault(MemorySpace.PROGRAM, address, 7) for address in range(16, 32)]


def longer(program):
    """A bit of the last node's header: it then has an output more, and answers are longer."""
    return Fault(MemorySpace.PROGRAM, int(MemoryMap.of(program, 8).headers[-8]) + 5, 7)


@cache
def model():
    return MPSClassifier(4, epochs=10, random_state=0).fit(X, Y)


@pytest.fixture
def board():
    with golden_board(row=UNCHECKED_ROW) as board:
        yield board


def broken(board, on_fault, faults):
    """An estimator on a board that holds its program with flipped bits."""
    on_board = tensorspin.deploy(model(), board, on_fault=on_fault)
    board.load(on_board.program)
    inject(board, *faults)
    return on_board


@pytest.mark.parametrize("header", [False, True])
def test_a_faulty_board_is_loaded_again_and_answers_rightly(board, header, caplog):
    faults = [longer(model().quantize())] if header else WEIGHTS
    if header:
        with pytest.raises(LinkError, match="replied to RUN"):
            broken(board, None, faults).predict(X)
        board.load(model().quantize(), force=True)
    on_board = broken(board, "reload", faults)
    right = on_board.program.predict(X)
    np.testing.assert_array_equal(on_board.predict(X), right)
    assert "the program is loaded again" in caplog.text
    inject(board, *faults)  # between two tests weights are not looked at
    assert board.status().active


def test_a_faulty_board_raises_and_holds_no_program(board):
    on_board = broken(board, "raise", WEIGHTS)
    with pytest.raises(FaultError, match="answers of its self-test"):
        on_board.predict(X)
    assert not board.status().active
    np.testing.assert_array_equal(on_board.predict(X), on_board.program.predict(X))


def test_nothing_is_noticed_without_being_asked_for(board):
    on_board = broken(board, None, WEIGHTS)
    assert (on_board.run(X).scores != on_board.program.run_golden(X).scores).any()


def test_a_fault_that_stays_is_told(board, monkeypatch):
    on_board = broken(board, "reload", WEIGHTS)
    run = Board.run

    def faulty(self, levels, **more):
        raise FaultError("it took 1 cycle")

    monkeypatch.setattr(Board, "run", faulty)
    with pytest.raises(TensorspinError, match="it took 1 cycle"):
        on_board.predict(X)
    monkeypatch.setattr(Board, "run", run)


def test_the_parameter_is_kept_and_checked():
    on_board = model().deploy("golden://icebreaker", on_fault="reload")
    assert clone(on_board).on_fault == on_board.get_params()["on_fault"] == "reload"
    assert pickle.loads(pickle.dumps(on_board)).on_fault == "reload"
    for deploy in (model().deploy, lambda *a, **k: tensorspin.deploy(model(), *a, **k)):
        with pytest.raises(ValueError, match='on_fault must be None, "raise" or "reload", not 1'):
            deploy("golden://icebreaker", on_fault=1)
    with pytest.raises(ValueError, match="on_fault must be"):
        BoardClassifier(on_board.program, "golden://icebreaker", "retry").predict(X)


def test_estimators_that_were_pickled_before_there_was_such_a_parameter():
    on_board = BoardClassifier(model().quantize(), "golden://icebreaker")
    state = on_board.__getstate__()
    del state["on_fault"]
    old = BoardClassifier.__new__(BoardClassifier)
    old.__setstate__(state)
    with old:
        assert old.predict(X[:1]).tolist() == [0]
