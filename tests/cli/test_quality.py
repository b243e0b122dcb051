"""How good predictions are."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.cli.quality import (
    as_numbers,
    class_lines,
    inlier_label,
    number_lines,
    outlier_lines,
)


def values(lines):
    return {line.member: line.value for line in lines}


def test_classes():
    (line,) = class_lines(["a", "b", "b"], ["a", "b", "a"], "float")
    assert (line.name, line.text) == ("accuracy, float", "66.67%")


def test_numbers():
    found = values(number_lines([1.0, 2.0, 4.0], [1, 2, 3], "quantised"))
    assert found["root_mean_square_error_quantised"] == pytest.approx(3**-0.5)
    assert found["r2_quantised"] == pytest.approx(0.5)
    assert values(number_lines([1.0, 2.0], [3, 3]))["r2"] is None


def test_outliers():
    likelihoods = [-1, -9, -2, -8]
    assert values(outlier_lines(likelihoods, -5, [])) == {"outliers": 0.5}
    found = values(outlier_lines(likelihoods, -5, ["ok", "bad", "ok", "ok"]))
    assert found["auc"] == 1.0
    assert found["outliers_found"] == {"found": 1, "labelled": 1, "false_alarms": 1}
    assert values(outlier_lines(likelihoods, -5, ["ok"] * 4))["auc"] is None


@pytest.mark.parametrize(
    ("labels", "inlier"),
    [
        ([1, -1, -1], 1),
        ([0, 1, 1], 0),
        ([0], 0),
        (["Normal", "attack", "attack"], "Normal"),
        (["x", "y", "y"], "y"),
        ([3, 3, 5], 3),
    ],
)
def test_what_is_no_outlier(labels, inlier):
    assert inlier_label(np.array(labels)) == inlier


def test_targets_that_are_words():
    assert as_numbers(["1", "2.5"], "x").tolist() == [1, 2.5]
    with pytest.raises(
        ValueError, match="here: no number is 'a'; choose another column with --target"
    ):
        as_numbers(["1", "a"], "here")
