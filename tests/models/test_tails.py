"""Scales that keep levels for values beyond the training data, and samples far from all others."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.models.scales import learn_scale
from tensorspin.models.tails import far_samples, inner_knots, tail_scale


def scaled(X, at, weights=None):
    X, at = (np.asarray(each, dtype=float).reshape(-1, 1) for each in (X, at))
    return tail_scale(X, weights).knots.scale(at).ravel()


def normal(n, seed=0):
    return np.random.default_rng(seed).standard_normal(n)


@pytest.mark.parametrize("n", [20, 100, 1000, 20000])
@pytest.mark.parametrize("seed", range(5))
def test_the_training_range_is_inner_and_six_deviations_are_outermost(n, seed):
    X = normal(n, seed)
    np.testing.assert_allclose(scaled(X, [X.min(), X.max()]), [0.2, 0.8])
    below, above = scaled(X, [X.mean() - 6 * X.std(), X.mean() + 6 * X.std()])
    assert below < 0.03 and above > 0.97


def test_six_deviations_of_even_and_of_skewed_values_are_beyond_the_range():
    rng = np.random.default_rng(0)
    X = rng.random(300)
    np.testing.assert_array_equal(scaled(X, [0.5 - 6 * 0.29, 0.5 + 6 * 0.29]), [0, 1])
    X = rng.exponential(size=100)
    assert scaled(X, [1 - 6]) == 0 and scaled(X, [X.max() + 1]) > 0.8


def test_constant_columns_have_the_middle_level_and_all_else_is_outermost():
    for value in (5.0, 0.0, -1e300, 1e-300, np.finfo(float).max):
        assert scaled([value] * 9, [value]) == 0.5
    np.testing.assert_array_equal(scaled([5] * 9, [4.9, 5, 5.1]), [0, 0.5, 1])
    assert 0.4 < scaled([0.3] * 9, [0.1 + 0.2])[0] < 0.6  # what differs by rounding alone


def test_columns_of_few_values_keep_them_apart():
    np.testing.assert_allclose(scaled([0, 1] * 50, [0, 1]), [0.2, 0.8])
    np.testing.assert_allclose(scaled([0] * 99 + [1], [0, 1]), [0.2, 0.8])
    levels = scaled([1, 2, 3, 3, 3, 4, 5] * 9, [1, 2, 3, 4, 5])
    np.testing.assert_allclose(np.diff(levels), 0.15)


def test_a_heavy_tail_gets_more_room_than_a_light_one():
    light, heavy = np.linspace(-1, 1, 201), np.linspace(-1, 1, 201) ** 9 * 100
    room = {}
    for name, X in (("light", normal(20000)), ("heavy", heavy)):
        scale, known = tail_scale(X[:, None], None), learn_scale("range", X[:, None], None)
        room[name] = (scale.high - known.high) / (known.high - known.low)
    assert room["heavy"] == pytest.approx(0.55) and room["light"] < 0.25
    assert scaled(light, [3]) == 1


def test_a_few_samples_far_from_all_others_are_found():
    X = np.c_[normal(200), normal(200, 1)]
    X[:10, 1] += 12
    X[10, 0] = -1e200
    found = far_samples(X, None, most=0.1)
    assert set(range(11)) <= set(np.flatnonzero(found)) and found.sum() < 13
    # A third of the samples is no exception, but a part of the data.
    X[:66, 1] = 40 + normal(66)
    assert not far_samples(X[:, 1:], None, most=0.1).any()


def test_the_share_of_far_samples_is_that_of_their_weights():
    X = np.r_[np.linspace(-1, 1, 90), [50.0] * 10][:, None]
    weights = np.r_[np.ones(90), np.full(10, 2.0)]
    assert far_samples(X, None, most=0.1).sum() == 10
    assert not far_samples(X, weights, most=0.1).any()
    repeated = np.repeat(X, weights.astype(int), axis=0)
    assert far_samples(repeated, None, most=0.3).sum() == 20
    np.testing.assert_array_equal(far_samples(X, weights, most=0.3), X[:, 0] == 50)


@pytest.mark.filterwarnings("error")
def test_odd_columns_have_no_far_samples_and_raise_no_warning():
    most = np.finfo(float).max
    X = np.array([[1.0, 0, -most], [1, 0, 0], [1, 0, most], [1, 1, -most], [1, 0, most]])
    assert not far_samples(X[:, :2], None, most=0.1).any()
    assert np.isfinite(tail_scale(X, None).knots.values).all()
    assert far_samples(X, None, most=0.1).sum() <= 1
    gaps = np.array([[np.nan, 1.0], [np.nan, 2], [np.nan, np.nan], [np.nan, 3]])
    assert not far_samples(gaps, None, most=0.1).any()
    assert tail_scale(gaps, None).knots.values[0, 1] == 0
    assert not far_samples(np.zeros((4, 0)), None, most=0.1).any()


def test_categories_lie_between_the_outer_levels():
    for count in (1, 2, 7):
        values, positions = inner_knots(count)
        place = np.interp(np.arange(count), values, positions)
        assert place.min() >= 0.2 and place.max() <= 0.8
