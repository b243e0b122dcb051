"""Accuracy under attack, and the warning that gradients may be hidden."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.driver.board import Board
from tensorspin.trust import Settings
from tensorspin.trust.auditing.robustness import robustness
from tensorspin.trust.judges import judge_of
from tensorspin.trust.subject import Subject

from ...support import audited

SETTINGS = Settings(eps_linf=(0.05, 0.1), eps_l2=(0.1,), steps=10, restarts=3, queries=60)


@pytest.fixture
def board():
    with Board.open("golden://icebreaker") as board:
        yield board


def measured(name, board, settings=SETTINGS):
    program, X, y = audited.ALL[name]()
    subject = Subject(program, X)
    board.load(program)
    return robustness(subject, judge_of(program, y), settings, board)


def test_accuracy_falls_with_strength_and_is_the_boards(board):
    found, moved = measured("classifier", board)
    assert found["warnings"] == [] and found["clean"].value > 0.9
    for attack in found["attacks"]:
        values = [row["device"].value for row in attack["strengths"]]
        assert values == sorted(values, reverse=True) and values[-1] < found["clean"].value
        assert all(row["device"].low <= row["device"].value for row in attack["strengths"])
    program, X, y = audited.classifier()
    right = np.mean(program.predict(moved[1]) == y)
    assert found["attacks"][0]["strengths"][1]["device"].value == right
    assert found["attacks"][0]["steps"] == 10 and found["attacks"][2]["queries"] == 60


@pytest.mark.parametrize("name", ["classifier", "regressor", "detector"])
def test_a_hidden_gradient_is_called_out(board, monkeypatch, name):
    def nothing(self, X, judge):
        return np.zeros_like(X)

    monkeypatch.setattr(Subject, "gradient", nothing)
    found, _ = measured(name, board)
    assert any("gradients may be hidden" in warning for warning in found["warnings"])


def test_what_cannot_be_attacked_says_why(board):
    program, X, y = audited.classifier()
    subject, judge = Subject(program, X), judge_of(program, y)
    subject.movable[:] = False
    found, moved = robustness(subject, judge, SETTINGS, board)
    assert not found["applies"] and "no column" in found["why"] and moved is None
