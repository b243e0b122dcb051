"""Thresholds of detectors, where many samples have the same likelihood."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.models import MPSAnomalyDetector
from tensorspin.models.threshold import MOST_ROOM, threshold


@pytest.mark.parametrize("weights", [None, np.ones(41)])
def test_a_share_of_the_samples_lies_below(weights):
    likelihoods = np.random.default_rng(0).permutation(np.linspace(-4, 0, 41))
    found = threshold(likelihoods, weights, 0.25)
    assert np.sum(likelihoods < found) == pytest.approx(10, abs=1)
    assert np.abs(likelihoods - found).min() == pytest.approx(0.05), "between two samples"


def test_no_sample_is_at_the_threshold():
    ties = np.array([-9.0, -2.0, -2.0, -2.0, -1.0])
    assert threshold(ties, None, 0.3) == -2 - MOST_ROOM
    assert threshold(ties + np.array([0, 0, 1e-13, -1e-13, 0]), None, 0.5) == pytest.approx(-3)
    assert threshold(ties, np.array([1.0, 1, 0, 1, 1]), 0.3) == -2 - MOST_ROOM
    assert threshold(np.full(4, -1.0), None, 0.1) == -1 - MOST_ROOM


def test_samples_that_are_all_but_impossible_do_not_lower_the_threshold():
    likelihoods = np.append([-1e6, -1e6], np.linspace(-10, 0, 18))
    assert threshold(likelihoods, None, 0.1) == -10 - MOST_ROOM


@pytest.mark.filterwarnings("ignore:features without any value:UserWarning")
@pytest.mark.parametrize("kind", ["constant", "two values", "missing", "words"])
def test_samples_of_few_different_values_are_normal_on_a_board(kind):
    rng = np.random.default_rng(0)
    X, missing = {
        "constant": (np.ones((40, 3)), "refuse"),
        "two values": (rng.integers(0, 2, (40, 1)).astype(float), "refuse"),
        "missing": (np.full((40, 2), np.nan), "level"),
        "words": (np.array([["on"]] * 40, dtype=object), "refuse"),
    }[kind]
    detector = MPSAnomalyDetector(epochs=2, random_state=0, missing=missing)
    detector.fit(X)
    with detector.deploy("golden://ulx3s_25f") as on_board:
        np.testing.assert_array_equal(on_board.predict(X), detector.predict(X))
    assert np.mean(detector.predict(X) == 1) > 0.5
