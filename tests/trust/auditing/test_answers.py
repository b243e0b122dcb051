"""How good answers are, and how far probabilities can be trusted."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import r2_score

from tensorspin.models.deployed import BoardClassifier
from tensorspin.trust.auditing.answers import (
    calibration,
    measures,
    of_device,
    of_floats,
    probabilities,
)
from tensorspin.trust.judges import judge_of
from tensorspin.trust.subject import Subject

from ...support import audited


@pytest.mark.parametrize("name", audited.ALL)
def test_float_and_device_are_nearly_the_same(name):
    program, X, y = audited.ALL[name]()
    judge, subject = judge_of(program, y), Subject(program, X)
    device, floats = of_device(judge, program.run_golden(X)), of_floats(judge, subject)
    if name == "detector":
        usual = ~y
        np.testing.assert_allclose(device[usual], floats[usual], atol=0.3)
    elif name == "regressor":
        np.testing.assert_allclose(device, floats, atol=0.05 * np.std(y))
    else:
        assert np.mean(device == floats) > 0.95


def test_numbers_and_outliers_have_their_own_measures():
    program, X, y = audited.regressor()
    judge = judge_of(program, y)
    found = measures(judge, program.predict(X), 0)
    assert found["R^2"] == pytest.approx(r2_score(y, program.predict(X)))
    assert found["mean absolute error"].value < found["root mean square error"].value
    program, X, y = audited.detector()
    judge = judge_of(program, y)
    found = measures(judge, of_device(judge, program.run_golden(X)), 0)
    assert found["AUROC"] > 0.9 and found["outliers found"].value > 0.5


def test_probabilities_are_those_of_an_estimator_on_a_board():
    program, X, y = audited.classifier()
    judge = judge_of(program, y)
    with BoardClassifier(program, "golden://icebreaker") as on_board:
        expected = on_board.predict_proba(X)
    found = probabilities(judge, program.run_golden(X))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    part = calibration(judge, program.run_golden(X))
    assert sum(each["samples"] for each in part["bins"]) == len(X)
    gaps = [
        each["samples"] * abs(each["confidence"] - each["accuracy"].value)
        for each in part["bins"]
        if each["samples"]
    ]
    assert part["expected_calibration_error"] == pytest.approx(sum(gaps) / len(X))
