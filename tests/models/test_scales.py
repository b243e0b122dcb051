"""Scales learnt in fit: what they are, where values fall, and the same on host, board and file."""

from __future__ import annotations

import pickle
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris, load_wine
from sklearn.utils.estimator_checks import (
    check_dict_unchanged,
    check_estimators_nan_inf,
    check_fit_idempotent,
    check_methods_sample_order_invariance,
)

from tensorspin import MPSClassifier, MPSRegressor, NetworkProgram
from tensorspin.compiler.scaling import scale_features
from tensorspin.models import MPSAnomalyDetector
from tensorspin.models.scales import MOST_KNOTS, SCALINGS, Scale, learn_scale, with_margin

from ..support.estimators import CLASSIFIERS, ESTIMATORS, quick, tensors_of

LEARNT = [scaling for scaling in SCALINGS if scaling != "range"]


def scaled(scaling, X, weights=None, at=None):
    """Scale samples by what is learnt from them."""
    X = np.asarray(X, dtype=float)
    scale = learn_scale(scaling, X, weights)
    assert (scale.low <= scale.high).all()
    at = X if at is None else np.asarray(at, dtype=float)
    return scale_features(at, scale.low, scale.high, scale.knots)


def column(*values):
    return np.array(values, dtype=float)[:, None]


# What is learnt


def test_percentiles_and_deviations():
    X = np.random.default_rng(0).normal(size=(400, 5)) * [1, 1e3, 1e-8, 1e150, 1] + [0, 0, 1, 0, 7]
    percentiles = learn_scale("percentile", X, None)
    for found, percent in ((percentiles.low, 1), (percentiles.high, 99)):
        expected = np.percentile(X, percent, axis=0, method="averaged_inverted_cdf")
        np.testing.assert_array_equal(found, expected)
    standard = learn_scale("standard", X, None)
    np.testing.assert_allclose(standard.low, X.mean(axis=0) - 3 * X.std(axis=0), rtol=1e-9)
    np.testing.assert_allclose(standard.high, X.mean(axis=0) + 3 * X.std(axis=0), rtol=1e-9)
    spread = learn_scale("range", X, None)
    np.testing.assert_array_equal((spread.low, spread.high), (X.min(axis=0), X.max(axis=0)))


def test_levels_of_quantiles_are_about_equally_frequent():
    X = np.random.default_rng(0).lognormal(sigma=3, size=(4000, 2))
    levels = np.rint(scaled("quantile", X) * 255)
    np.testing.assert_allclose(
        [np.mean(levels <= level) for level in (50, 127, 200)],
        np.array([50.5, 127.5, 200.5]) / 256,
        atol=0.02,
    )
    linear = np.rint(scaled("range", X) * 255)
    assert np.mean(linear < 8) > 0.9, "which is why quantiles are there"
    assert learn_scale("quantile", X, None).knots.values.shape == (2, MOST_KNOTS)


@pytest.mark.parametrize("scaling", ["percentile", "quantile"])
def test_an_outlier_leaves_the_levels_to_the_others(scaling):
    X = column(*np.arange(300.0), 1e9)
    inner = scaled(scaling, X)[3:-4]
    assert inner.max() - inner.min() > 0.9
    assert np.ptp(scaled("range", X)[:-1]) < 1e-6


@pytest.mark.parametrize("scaling", SCALINGS)
def test_constant_columns_become_zero(scaling):
    for value in (0, 3, 0.1, -1e300, 1e-310):
        X = np.full((7, 1), value)
        at = [[value], [value - 1], [value + 1], [np.inf], [-np.inf]]
        assert scaled(scaling, X, at=at).ravel().tolist() == [0] * 5
    assert scaled(scaling, [[2, 3]]).tolist() == [[0, 0]]  # a single sample


@pytest.mark.parametrize("scaling", SCALINGS)
def test_columns_of_two_values_are_told_apart(scaling):
    for ones in (1, 5, 50, 99, 995, 999):
        X = (np.arange(1000) < ones).astype(float)[:, None]
        found = scaled(scaling, X)
        distance = found[0, 0] - found[-1, 0]
        assert distance > 0.15 if scaling == "standard" else distance == 1


def test_few_integers_get_levels_by_their_frequency():
    X = np.repeat([0, 1, 2, 3], [50, 25, 20, 5])[:, None].astype(float)
    knots = learn_scale("quantile", X, None).knots
    assert knots.values.tolist() == [[0, 1, 2, 3]]
    ranks = np.array([25, 62.5, 85, 97.5])
    np.testing.assert_allclose(knots.positions[0], (ranks - 25) / 72.5)
    # All distinct values have distinct levels, and most zeros don't take the other values' levels.
    zeros = np.concatenate([np.zeros(600), np.random.default_rng(0).random(400)])[:, None]
    assert len(np.unique(np.rint(scaled("quantile", zeros) * 255))) > 100


@pytest.mark.parametrize("scaling", LEARNT)
def test_large_numbers_overflow_nowhere(scaling):
    most = np.finfo(float).max
    found = scaled(scaling, column(-most, -most / 2, 0, most / 2, most)).ravel()
    assert np.isfinite(found).all() and (np.diff(found) > 0).all()
    np.testing.assert_allclose(found[2], 0.5)


def test_the_order_of_samples_does_not_matter():
    X = np.array([0.0, -0.0, 1, -0.0, 0.0, 2])[:, None]
    for scaling in LEARNT:
        one, two = learn_scale(scaling, X, None), learn_scale(scaling, X[::-1], None)
        for name in ("low", "high"):
            first, second = getattr(one, name), getattr(two, name)
            assert first.tobytes() == second.tobytes(), "zero has two signs"


# Weights


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("factor", [1, 0.1, 1e-300, 1e300])
def test_weights_count_as_repetitions(scaling, factor):
    rng = np.random.default_rng(0)
    X = np.stack([rng.normal(size=150), rng.integers(0, 4, 150)], axis=1)
    weights = rng.integers(1, 5, 150)
    one = learn_scale(scaling, X, weights * factor)
    two = learn_scale(scaling, np.repeat(X, weights, axis=0), None)
    np.testing.assert_allclose(one.low, two.low, rtol=1e-12)
    np.testing.assert_allclose(one.high, two.high, rtol=1e-12)
    if scaling == "quantile":
        np.testing.assert_allclose(one.knots.values, two.knots.values, rtol=1e-12)
        np.testing.assert_allclose(one.knots.positions, two.knots.positions, atol=1e-12)


@pytest.mark.parametrize("scaling", LEARNT)
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_samples_of_weight_zero_and_equal_weights_change_nothing(kind, scaling):
    X, y = data_for(kind)
    kept = np.arange(len(X)) % 3 > 0
    outliers = np.where(kept[:, None], X, X * 100)
    one = quick(kind, scaling=scaling).fit(X[kept], y[kept])
    for two in (
        quick(kind, scaling=scaling).fit(outliers, y, sample_weight=kept),
        quick(kind, scaling=scaling).fit(X[kept], y[kept], np.full(kept.sum(), 0.3)),
    ):
        for a, b in zip(tensors_of(one), tensors_of(two), strict=True):
            np.testing.assert_array_equal(a, b)


# Estimators, programs, files


def data_for(kind):
    X, y = load_diabetes(return_X_y=True) if kind is MPSRegressor else load_wine(return_X_y=True)
    return X[::2].copy(), y[::2]


@cache
def fitted(kind, scaling):
    X, y = data_for(kind)
    X[:, 2], X[:, 3] = 5.5, X[:, 3] > np.median(X[:, 3])
    model = quick(kind, scaling=scaling).fit(X, y)
    return model, model.quantize(), X, y


def host_levels(model, X):
    """Return what the estimator itself computes with, rounded to levels."""
    return np.rint(model._scaled(np.asarray(X, dtype=np.float64)) * 255)


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_the_same_levels_on_host_board_and_in_files(kind, scaling, tmp_path):
    model, program, X, _ = fitted(kind, scaling)
    path = tmp_path / "model.npz"
    program.save(path)
    loaded = NetworkProgram.load(path)
    again = pickle.loads(pickle.dumps(model)).quantize()
    outside = np.concatenate([X, X * 3 - 20])
    with model.deploy("golden://ulx3s_85f") as on_board:
        for dtype in (np.float64, np.float32, np.float16):
            samples = outside.astype(dtype)
            expected = host_levels(model, samples)
            for each in (program, loaded, again):
                np.testing.assert_array_equal(each.levels(samples), expected)
            predictions = on_board.predict(samples)
            np.testing.assert_array_equal(predictions, loaded.predict(samples))
    assert program.clip and (program.knots is not None) == (scaling == "quantile")


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(SCALINGS),
    st.one_of(
        *(
            nps.arrays(
                dtype,
                (4, 13),
                elements=st.floats(allow_nan=False, allow_infinity=False, width=width),
            )
            for dtype, width in ((np.float64, 64), (np.float32, 32), (np.float16, 16))
        )
    ),
)
def test_any_number_has_the_same_level_on_host_and_board_and_levels_rise(scaling, samples):
    model, program, _, _ = fitted(MPSClassifier, scaling)
    levels = program.levels(samples)
    np.testing.assert_array_equal(levels, host_levels(model, samples))
    order = np.argsort(samples, axis=0, kind="stable")
    ordered = np.take_along_axis(levels.astype(int), order, axis=0)
    assert (np.diff(ordered, axis=0) >= 0).all()


@given(
    st.sampled_from(SCALINGS),
    nps.arrays(
        float,
        st.tuples(st.integers(1, 80), st.integers(1, 2)),
        elements=st.one_of(
            st.floats(allow_nan=False, allow_infinity=False), st.integers(-3, 3).map(float)
        ),
    ),
    st.booleans(),
)
def test_any_training_samples_are_scaled_in_order(scaling, X, weighted):
    weights = np.arange(1.0, len(X) + 1) if weighted else None
    found = scaled(scaling, X, weights)
    assert np.all((found >= 0) & (found <= 1))
    for values, results in zip(X.T, found.T):
        assert np.all(np.diff(results[np.argsort(values, kind="stable")]) >= 0)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_missing_values_and_infinities_are_refused(scaling):
    model, program, X, y = fitted(MPSClassifier, scaling)
    for value in (np.nan, np.inf, -np.inf):
        bad = X.copy()
        bad[1, 4] = value
        with pytest.raises(ValueError, match="NaN|infinity"):
            model.predict(bad)
        with pytest.raises(ValueError, match="NaN|infinity"):
            clone(model).fit(bad, y)
        with pytest.raises(ValueError, match="feature 4 of sample 1 is .*; it must be finite"):
            program.levels(bad)


@pytest.mark.parametrize("scaling", LEARNT)
@pytest.mark.parametrize(
    "check",
    [
        check_estimators_nan_inf,
        check_fit_idempotent,
        check_dict_unchanged,
        check_methods_sample_order_invariance,
    ],
)
def test_scikit_learn_checks_that_scales_concern(scaling, check):
    check("MPSClassifier", MPSClassifier(4, epochs=2, scaling=scaling, random_state=0))


def test_the_default_is_the_range():
    X, y = data_for(MPSClassifier)
    default, named = (
        quick(MPSClassifier, **given).fit(X, y) for given in ({}, {"scaling": "range"})
    )
    assert default.scaling == "range" and default.feature_knots_ is None
    for a, b in zip(tensors_of(default), tensors_of(named), strict=True):
        np.testing.assert_array_equal(a, b)


# Trainings that go on


@pytest.mark.parametrize("scaling", LEARNT)
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_the_first_training_fixes_the_scale(kind, scaling):
    X, y = data_for(kind)
    known = {"classes": np.unique(y)} if kind in CLASSIFIERS else {}
    model = quick(kind, scaling=scaling).partial_fit(X, y, **known)
    before = model.quantize().levels(X)
    model.partial_fit(X * 3, y)
    np.testing.assert_array_equal(model.quantize().levels(X), before)
    model.set_params(warm_start=True).fit(X * 3, y)
    np.testing.assert_array_equal(model.quantize().levels(X), before)
    model.set_params(scaling="range")
    for go_on in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=f"scaling must stay '{scaling}' while a training"):
            go_on(X, y)
    model.set_params(warm_start=False, scaling="range").fit(X, y)
    assert model.feature_knots_ is None
    one_value = np.tile(X[:1], (len(X), 1))
    with pytest.raises(ValueError, match="every feature has one value only"):
        quick(kind, scaling=scaling).partial_fit(one_value, y, **known)


def test_an_estimator_of_an_earlier_version_has_a_linear_scale():
    model, program, X, _ = fitted(MPSClassifier, "range")
    state = model.__getstate__()
    older = {name: state[name] for name in state.keys() - {"scaling", "feature_knots_"}}
    again = MPSClassifier.__new__(MPSClassifier)
    again.__setstate__(older)
    assert again.scaling == "range"
    np.testing.assert_array_equal(again.quantize().levels(X), program.levels(X))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


# What is refused


@pytest.mark.parametrize("kind", ESTIMATORS)
@pytest.mark.parametrize("scaling", [None, "minmax", 3, True, ["range"], np.array(["range"])])
def test_other_scales_are_refused(kind, scaling):
    X, y = data_for(kind)
    told = (
        '"percentile", "standard", "quantile" or "tails", not '
        if kind is MPSAnomalyDetector
        else 'scaling must be "range", "percentile", "standard" or "quantile", not '
    )
    with pytest.raises(ValueError, match=told):
        quick(kind, scaling=scaling).fit(X, y)


@pytest.mark.parametrize("scaling", LEARNT)
def test_a_promised_range_excludes_a_learnt_scale(scaling):
    X, y = data_for(MPSClassifier)
    told = rf'feature_range=\(0, 1\) promises the limits that scaling="{scaling}" would learn'
    with pytest.raises(ValueError, match=told):
        quick(MPSClassifier, scaling=scaling, feature_range=(0, 1)).fit(X, y)
    arrays = np.zeros(X.shape[1]), np.ones(X.shape[1])
    with pytest.raises(ValueError, match="^feature_range promises the limits"):
        quick(MPSClassifier, scaling=scaling, feature_range=arrays).fit(X, y)


@pytest.mark.parametrize("scaling", LEARNT)
def test_tiny_samples(scaling):
    for X, y in (([[0, 1], [1, 0]], [0, 1]), ([[5, 1], [5, 1]], [0, 1])):
        model = quick(MPSClassifier, scaling=scaling).fit(X, y)
        np.testing.assert_array_equal(model.quantize().levels(X), host_levels(model, X))


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_a_margin_widens_the_range_that_is_learnt(kind):
    X, y = load_iris(return_X_y=True)
    X = np.column_stack([X, np.ones(len(X))])
    low, high = X.min(axis=0), X.max(axis=0)
    model = quick(kind, feature_margin=1 / 3).fit(X, y)
    np.testing.assert_allclose(model.feature_minimum_, low - (high - low) / 3)
    np.testing.assert_allclose(model.feature_maximum_, high + (high - low) / 3)
    levels = model.quantize().levels(np.stack([low, high]))
    assert levels[:, :4].tolist() == [[51] * 4, [204] * 4]
    promised = quick(kind, feature_range=(0, 9), feature_margin=1 / 3).fit(X, y)
    assert promised.feature_minimum_.tolist() == [0] * 5


def test_margins_of_ranges_that_nearly_overflow():
    narrow = Scale(np.array([-1.7e308, 1e308, 3.0]), np.array([1.7e308, 1.7e308, 3.0]))
    wide = with_margin(narrow, 10)
    largest = np.finfo(float).max
    assert wide.low.tolist() == [-largest, -largest, 3]
    assert wide.high.tolist() == [largest, largest, 3]


@pytest.mark.parametrize("margin", [-0.1, 11, np.nan, np.inf, "1", None, True])
def test_wrong_margins(margin):
    with pytest.raises(
        ValueError, match="feature_margin must be a finite number from 0 to 10, not"
    ):
        quick(MPSAnomalyDetector, feature_margin=margin).fit(np.ones((9, 2)))


@pytest.mark.parametrize("kind", ESTIMATORS)
@pytest.mark.parametrize("scaling", SCALINGS)
def test_a_margin_around_every_scale(kind, scaling, tmp_path):
    X, y = load_iris(return_X_y=True)
    X = np.column_stack([X, np.ones(len(X))])
    plain, wide = (
        quick(kind, scaling=scaling, feature_margin=margin, epochs=1).fit(X, y)
        for margin in (0, 1 / 3)
    )
    inside = np.clip((wide._scaled(X)[:, :4] - 0.2) / 0.6, 0, 1)
    np.testing.assert_allclose(inside, plain._scaled(X)[:, :4], atol=1e-12)
    assert not wide._scaled(X)[:, 4].any()
    far = np.array([[-1e9] * 4 + [1], [1e9] * 4 + [1]])
    assert wide._scaled(far)[:, :4].tolist() == [[0] * 4, [1] * 4]
    program = wide.quantize()
    program.save(tmp_path / "model.npz")
    expected = np.rint(wide._scaled(X) * 255)
    for each in (program, NetworkProgram.load(tmp_path / "model.npz")):
        np.testing.assert_array_equal(each.levels(X), expected)
