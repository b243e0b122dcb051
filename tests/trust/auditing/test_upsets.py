"""What flipped bits cost."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from tensorspin.contract.device.boards import find_board
from tensorspin.trust import Settings, inject
from tensorspin.trust.auditing.upsets import UpsetTrial, coverage, over_time
from tensorspin.trust.faults import Fault
from tensorspin.trust.judges import judge_of
from tensorspin.trust.memory_map import Region

from ...support import audited
from ...support.doubles import UNCHECKED_ROW, golden_board


def trial_on(row):
    program, X, y = audited.classifier()
    with golden_board(row=row) as board:
        board.load(program)
        yield UpsetTrial(board, program, program.levels(X), judge_of(program, y))


@pytest.fixture(scope="module")
def trial():
    """A board that checks nothing of what it reads."""
    yield from trial_on(UNCHECKED_ROW)


@pytest.fixture(scope="module")
def checked():
    """A board that checks all of it."""
    yield from trial_on(find_board("icebreaker"))


def test_a_curve_falls_and_leaves_the_board_as_it_was(trial):
    settings = Settings(flips=(1, 30, 400), trials=4)
    rows = trial.curve(Region.WEIGHTS, settings)["rows"]
    assert [row["flips"] for row in rows] == [1, 30, 400]
    assert all(row["refused"] == 0 for row in rows)  # weights are never noticed
    assert rows[0]["mean"] > 0.9 > 0.7 > rows[2]["mean"] >= rows[2]["worst"]
    right = trial.program.run_golden(audited.classifier()[1])
    found = trial.board.run(trial.levels)
    np.testing.assert_array_equal(found.scores, right.scores)


def test_bits_anywhere_are_refused_now_and_then(trial):
    done = []
    curve = trial.curve(None, Settings(flips=(5, 150), trials=3), lambda: done.append(1))
    assert curve["rows"][1]["refused"] > 0 and len(done) == 6
    again = trial.curve(None, Settings(flips=(5, 150), trials=3))
    assert again == curve


def test_the_worst_bits_cost_what_is_told(trial):
    settings = Settings(faults=30)
    found = trial.worst_bits(settings)
    losses = [each["loss"] for each in found["worst"]]
    assert losses == sorted(losses, reverse=True) and losses[0] > 0.1
    assert found["tried"] == min(120, found["sign_bits"])
    worst = found["worst"][0]
    clean = trial.judge.headline(trial.board.run(trial.levels)).value
    fault = Fault(0, worst["address"], worst["bit"])
    inject(trial.board, fault)
    value = trial.judge.headline(trial.board.run(trial.levels)).value
    inject(trial.board, fault)
    assert clean - value == pytest.approx(worst["loss"])
    assert worst["node"] in trial.program.names


def test_what_is_noticed_is_told_by_region(trial):
    _, X, _ = audited.classifier()
    rows = coverage(trial.board, trial.program, X, trial.used, Settings(faults=25))
    assert [row["region"] for row in rows] == [str(region) for region in Region]
    for row in rows:
        assert sum(row["outcomes"].values()) == row["tried"] == 25
    assert rows[0]["outcomes"]["refused"] > 0  # headers
    assert rows[1]["outcomes"]["refused"] == 0 and rows[1]["noticed_of_harmful"].value == 0


def test_a_board_that_checks_gives_no_wrong_answer(checked):
    rows = checked.curve(Region.WEIGHTS, Settings(flips=(1, 400), trials=2))["rows"]
    assert [row["refused"] for row in rows] == [1, 1] and not any("mean" in row for row in rows)
    found = checked.worst_bits(Settings(faults=5))
    assert found["worst"] and {each["loss"] for each in found["worst"]} == {None}
    _, X, _ = audited.classifier()
    rows = coverage(checked.board, checked.program, X, checked.used, Settings(faults=25))
    corrupt = [row["outcomes"]["found by the board"] for row in rows]
    assert corrupt[:2] == [25, 25] and corrupt[2] + rows[2]["outcomes"]["masked"] == 25
    assert all(row["noticed_of_harmful"].value == 1 for row in rows)


def test_expected_accuracy_is_the_mean_over_the_number_of_upsets():
    curve = {
        "rows": [
            {"flips": 1, "mean": 0.9, "refused": 0.0},
            {"flips": 2, "mean": 0.5, "refused": 0.5},
        ]
    }
    rows = over_time(curve, 1.0, bits=1000, rate=1e-4)
    # Poisson's distribution as the limit of many bits that each flip or not.
    chances = [binom.pmf(k, 10**6, 1e-7) for k in range(3)]
    weights = [chances[0], chances[1], 0.5 * (1 - chances[0] - chances[1])]
    expected = (weights[0] * 1 + weights[1] * 0.9 + weights[2] * 0.5) / sum(weights)
    assert rows[0]["upsets"] == pytest.approx(0.1)
    assert rows[0]["expected"] == pytest.approx(expected, rel=1e-4)
    assert rows[0]["refused"] == pytest.approx(1 - sum(weights), rel=1e-4)
    assert not rows[0]["beyond_what_was_tried"] and rows[2]["beyond_what_was_tried"]


def test_rates_that_flip_everything_are_answered():
    curve = {"rows": [{"flips": 1, "refused": 1.0}]}
    rows = over_time(curve, 1.0, bits=10**6, rate=1.0)
    assert all(row["expected"] is None and row["refused"] == 1 for row in rows)
