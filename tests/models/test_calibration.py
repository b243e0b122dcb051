"""Temperatures and the calibration error: `tensorspin.models.calibration`."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from tensorspin.models.calibration import (
    TEMPERATURE_RANGE,
    expected_calibration_error,
    fit_temperature,
)
from tensorspin.models.logits import normalised_logits


def drawn(temperature: float, n_samples: int, seed: int = 0):
    """Return scores, and labels that are drawn with the probabilities of a temperature."""
    rng = np.random.default_rng(seed)
    scores = rng.standard_normal((n_samples, 4)) * rng.uniform(0.1, 100, (n_samples, 1))
    probabilities = softmax(normalised_logits(scores, temperature), axis=1)
    labels = (probabilities.cumsum(axis=1) < rng.random((n_samples, 1))).sum(axis=1)
    return scores, labels, probabilities


@pytest.mark.parametrize("temperature", [1.0, 3.0, 9.0])
def test_temperature_of_the_labels_is_found_whatever_was_expected(temperature):
    scores, labels, _ = drawn(temperature, 20_000)
    for expected in (1.5, 6.0):
        assert fit_temperature(scores, labels, expected) == pytest.approx(temperature, rel=0.06)


def test_weights_are_relative_and_a_weight_of_zero_leaves_out():
    scores, labels, _ = drawn(2.0, 300)
    weights = np.random.default_rng(1).integers(0, 2, 300).astype(float)
    found = fit_temperature(scores, labels, 2.0, weights)
    assert fit_temperature(scores, labels, 2.0, 7 * weights) == pytest.approx(found, rel=1e-4)
    kept = weights > 0
    assert found == pytest.approx(fit_temperature(scores[kept], labels[kept], 2.0), rel=0.05)


def test_few_samples_that_are_all_right_stay_near_what_is_expected():
    scores = np.eye(3)[np.arange(12) % 3]
    found = fit_temperature(scores, np.arange(12) % 3, expected=4.0)
    assert 4.0 < found < 12.0
    many = fit_temperature(np.tile(scores, (500, 1)), np.tile(np.arange(12) % 3, 500), 4.0)
    assert found < many <= TEMPERATURE_RANGE[1]


def test_no_samples_leave_the_expected_temperature():
    assert fit_temperature(np.zeros((0, 3)), np.zeros(0, int), expected=4.0) == 4.0


def test_error_of_true_probabilities_is_small_and_of_wrong_ones_large():
    scores, labels, probabilities = drawn(3.0, 20_000)
    assert expected_calibration_error(probabilities, labels) < 0.015
    certain = softmax(normalised_logits(scores, 12.0), axis=1)
    assert expected_calibration_error(certain, labels) > 0.15


def test_error_is_the_mean_difference_of_each_group():
    # Two groups: 4 predictions with 0.9 of which 3 are right, 1 with 0.6 that is wrong.
    probabilities = [[0.9, 0.1]] * 4 + [[0.4, 0.6]]
    expected = (4 * abs(0.75 - 0.9) + 0.6) / 5
    assert expected_calibration_error(probabilities, [0, 0, 0, 1, 0]) == pytest.approx(expected)
    assert expected_calibration_error([[1.0, 0.0]], [0]) == 0


def test_labels_of_another_number_are_refused():
    with pytest.raises(ValueError, match="one label per sample"):
        expected_calibration_error([[0.5, 0.5]], [0, 1])
