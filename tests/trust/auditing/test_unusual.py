"""Samples of another kind."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.models import MPSAnomalyDetector
from tensorspin.trust import Settings
from tensorspin.trust.auditing.unusual import Guard, unusual
from tensorspin.trust.judges import judge_of
from tensorspin.trust.subject import Subject

from ...support import audited


def test_a_guard_has_numbers_of_its_own_for_words():
    program, X, y = audited.words()
    detector = MPSAnomalyDetector(4, epochs=5, missing="level", random_state=0)
    guard = Guard(detector.fit(X[::-1]).quantize(), X)
    subject = Subject(program, X)
    expected = guard.judge.likelihoods(guard.subject.program.run_golden(guard.subject.X))
    np.testing.assert_array_equal(guard.likelihoods(subject.X, subject), expected)
    moved = subject.X.copy()
    moved[:, 0] += 0.3
    rows = np.array([3, 5])
    found = guard.likelihoods(moved[rows], subject, rows)
    np.testing.assert_array_equal(found, guard.likelihoods(moved, subject)[rows])
    found = unusual(subject, judge_of(program, y), guard, Settings())
    assert found["applies"] and found["with_guard"]


def test_more_noise_is_told_better_and_both_scores_are_the_rarer_one():
    program, X, y = audited.detector()
    usual = X[~y]
    guard = Guard(program, usual)
    subject, judge = Subject(program, usual), judge_of(program, np.zeros(len(usual), bool))
    found = unusual(subject, judge, guard, Settings())
    areas = {each["kind"]: each["scores"]["guard"]["auroc"] for each in found["kinds"]}
    assert 0.6 < areas["noise 0.1"] < areas["noise 0.2"] <= 1
    for each in found["kinds"]:  # the guard is the same program
        assert each["scores"]["likelihood"]["auroc"] == each["scores"]["guard"]["auroc"]


def test_a_regressor_has_no_score_of_its_own():
    program, X, y = audited.regressor()
    subject, judge = Subject(program, X), judge_of(program, y)
    found = unusual(subject, judge, None, Settings())
    assert not found["applies"] and "--guard" in found["why"]
    detector = MPSAnomalyDetector(4, epochs=20, random_state=0).fit(X).quantize()
    found = unusual(subject, judge, Guard(detector, X), Settings())
    areas = {each["kind"]: each["scores"]["guard"]["auroc"] for each in found["kinds"]}
    assert areas["noise 0.2"] == pytest.approx(areas["noise 0.2"]) and areas["noise 0.2"] > 0.5
