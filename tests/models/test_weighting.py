"""Weights of samples and classes: repeated, left out, refused, and passed on by scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import AdaBoostClassifier, AdaBoostRegressor, BaggingClassifier
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_score

from tensorspin.models import MPSAnomalyDetector, MPSClassifier, MPSRegressor, TTNClassifier
from tensorspin.models.born import negative_log_square
from tensorspin.models.feature_order import mutual_information
from tensorspin.models.half_chains import HalfChains
from tensorspin.models.losses import cross_entropy, squared_error

from ..support.estimators import CLASSIFIERS, ESTIMATORS, quick, tensors_of
from ..support.networks import random_network

FULL_BATCH = {"batch_size": 10_000, "input_noise": 0.0, "epochs": 10}
"""With these parameters nothing of a training depends on the order of the samples."""


def assert_same_tensors(one, two):
    for a, b in zip(tensors_of(one), tensors_of(two), strict=True):
        np.testing.assert_array_equal(a, b)


def data_for(kind):
    """A small data set with integer weights, some of them zero."""
    X, y = load_diabetes(return_X_y=True) if kind is MPSRegressor else load_iris(return_X_y=True)
    X, y = X[::3], y[::3]
    return X, y, np.random.default_rng(0).integers(0, 4, len(X))


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_weights_that_are_all_the_same_change_nothing(kind):
    X, y, _ = data_for(kind)
    unweighted = quick(kind).fit(X, y)
    for weight in (1, 0.3, 1e300):
        weighted = quick(kind).fit(X, y, sample_weight=np.full(len(X), weight))
        assert_same_tensors(unweighted, weighted)
        assert weighted.loss_curve_ == unweighted.loss_curve_


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_a_sample_of_weight_zero_is_left_out(kind):
    X, y, weights = data_for(kind)
    kept = weights > 0
    X[~kept] *= 100  # ranges and means don't see them either
    assert_same_tensors(
        quick(kind).fit(X, y, weights), quick(kind).fit(X[kept], y[kept], weights[kept])
    )
    assert_same_tensors(quick(kind).fit(X, y, kept), quick(kind).fit(X[kept], y[kept]))


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_weights_are_relative(kind):
    X, y, weights = data_for(kind)
    one, two = quick(kind).fit(X, y, weights), quick(kind).fit(X, y, weights * 0.125)
    assert_same_tensors(one, two)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_an_integer_weight_repeats_a_sample(kind):
    X, y, weights = data_for(kind)
    options = {**FULL_BATCH, "learning_rate": 0.002, "weight_decay": 0.3}
    if kind in CLASSIFIERS:
        options["calibration"] = None  # other samples would be held out
    weighted = quick(kind, **options).fit(X, y, sample_weight=weights)
    repeated = quick(kind, **options).fit(X.repeat(weights, axis=0), y.repeat(weights))
    if kind is MPSAnomalyDetector:
        # The likelihoods are large numbers; outliers are the same but near the threshold.
        np.testing.assert_allclose(weighted.score_samples(X), repeated.score_samples(X), rtol=1e-3)
        assert weighted.offset_ == pytest.approx(repeated.offset_, rel=0.02)
    elif kind is MPSRegressor:
        # Training starts from ridge regression, whose penalty repeated samples outweigh more.
        assert weighted.target_mean_ == pytest.approx(repeated.target_mean_)
        assert weighted.target_scale_ == pytest.approx(repeated.target_scale_)
        np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=0.05)
    else:
        np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=2e-3)
    np.testing.assert_allclose(weighted.loss_curve_, repeated.loss_curve_, rtol=0.02, atol=1e-3)


def test_weighted_losses_are_those_of_repeated_samples():
    rng = np.random.default_rng(0)
    weights = np.array([0.5, 1.5, 2.0, 0.0])
    times = np.repeat(np.arange(4), (2 * weights).astype(int))
    scores, labels, targets = rng.normal(size=(3, 4)), np.array([0, 2, 1, 1]), rng.normal(size=4)
    logs = np.zeros(4)

    loss, gradient, slope = cross_entropy(scores, labels, 3.0, 0.1, weights)
    expected, repeated, repeated_slope = cross_entropy(scores[:, times], labels[times], 3.0, 0.1)
    assert loss == pytest.approx(expected)
    assert slope == pytest.approx(repeated_slope)
    np.testing.assert_allclose(gradient, sums(repeated, times))

    loss, gradient = squared_error(scores[:1], logs, targets, weights)
    expected, repeated = squared_error(scores[:1, times], logs[times], targets[times])
    assert loss == pytest.approx(expected)
    np.testing.assert_allclose(gradient, sums(repeated, times))

    chain = HalfChains.pack(*random_network(rng, 4, 2, 3, 1), dtype=np.float64)
    inputs = rng.random((4, 4))

    def contracted(samples):
        return chain.contract(chain.encode(inputs[samples], lambda x: np.stack([1 - x, x], -1)))

    loss, gradient = negative_log_square(contracted(np.arange(4)), weights)
    expected, repeated = negative_log_square(contracted(times))
    assert loss == pytest.approx(expected)
    np.testing.assert_allclose(gradient, sums(repeated, times))


def sums(gradient, times):
    """The gradients of repeated samples, added up for each sample."""
    return np.stack([gradient[:, times == sample].sum(axis=1) for sample in range(4)], axis=1)


def test_weighted_mutual_information_is_that_of_repeated_samples():
    rng = np.random.default_rng(0)
    X, weights = rng.random((30, 4)), rng.integers(0, 3, 30)
    np.testing.assert_allclose(
        mutual_information(X, weights.astype(float)),
        mutual_information(X.repeat(weights, axis=0)),
        atol=1e-5,
    )


@pytest.mark.parametrize("kind", ESTIMATORS)
@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([-1.0] + [1.0] * 149, "must not be negative; that of sample 0 is -1"),
        ([1.0] * 149 + [np.nan], "sample_weight contains NaN"),
        ([1.0] * 149 + [np.inf], "sample_weight contains infinity"),
        ([0.0] * 150, "sample_weight must not be zero for all samples"),
        ([1.0] * 149, r"must have shape \(150,\), one weight per sample, not shape \(149,\)"),
        ([[1.0]] * 150, r"must have shape \(150,\), .* not shape \(150, 1\)"),
        (2.0, r"must have shape \(150,\), one weight per sample, not be 2.0"),
    ],
)
def test_wrong_sample_weight(kind, weights, message):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=message):
        quick(kind).fit(X, y, sample_weight=weights)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_class_weights_multiply_sample_weights(kind):
    X, y, weights = data_for(kind)
    by_class = np.array([0.5, 3.0, 1.0])
    one = quick(kind, class_weight={0: 0.5, 1: 3}).fit(X, y, weights)
    assert_same_tensors(one, quick(kind).fit(X, y, by_class[y] * weights))
    names = np.array(["setosa", "versicolor", "virginica"])
    two = quick(kind, class_weight={"versicolor": 6, "setosa": 1, "virginica": 2})
    assert_same_tensors(one, two.fit(X, names[y], weights))


def test_balanced_class_weights_count_sample_weights():
    X, y, weights = data_for(MPSClassifier)
    sums = np.bincount(y, weights)
    balanced = quick(MPSClassifier, class_weight="balanced").fit(X, y, weights)
    expected = quick(MPSClassifier, class_weight=dict(enumerate(1 / sums))).fit(X, y, weights)
    for a, b in zip(tensors_of(balanced), tensors_of(expected), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_class_of_weight_zero_is_not_predicted():
    X, y = load_iris(return_X_y=True)
    model = quick(MPSClassifier, class_weight={1: 0}, epochs=20).fit(X, y)
    assert model.classes_.tolist() == [0, 1, 2]
    assert 1 not in model.predict(X)


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ("equal", """must be None, a dict or "balanced", not 'equal'"""),
        ([1, 2, 3], r"must be None, a dict or \"balanced\", not \[1, 2, 3\]"),
        ({0: -1}, "class_weight of class 0 must be a finite number of at least 0, not -1"),
        ({0: np.nan}, "class_weight of class 0 must be a finite number of at least 0, not nan"),
        ({0: "much"}, "class_weight of class 0 must be a finite number .*, not 'much'"),
        ({0: 1, 4: 2}, "are not in class_weight"),
        ({0: 0, 1: 0, 2: 0}, "class_weight must not be zero for the classes of all samples"),
    ],
)
def test_wrong_class_weight(class_weight, message):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=message):
        quick(MPSClassifier, class_weight=class_weight).fit(X, y)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_a_rare_class_is_found_with_balanced_weights(kind):
    rng = np.random.default_rng(0)

    def sample(rare, common):
        y = np.repeat([1, 0], [rare, common])
        return rng.normal(size=(len(y), 4)) + 1.2 * y[:, None], y

    X, y = sample(10, 500)
    X_test, y_test = sample(1000, 1000)
    accuracies = [
        balanced_accuracy_score(
            y_test, quick(kind, epochs=15, class_weight=weight).fit(X, y).predict(X_test)
        )
        for weight in (None, "balanced")
    ]
    assert accuracies[0] < 0.7
    assert accuracies[1] > 0.83


def test_ensembles_of_classifiers():
    X, y = load_iris(return_X_y=True)
    X, y = X[::2], y[::2]
    base = quick(MPSClassifier, epochs=25)
    boosted = AdaBoostClassifier(base, n_estimators=3, random_state=0).fit(X, y)
    assert len(boosted.estimators_) == 3
    assert boosted.score(X, y) > 0.85
    bagged = BaggingClassifier(quick(TTNClassifier, epochs=15), n_estimators=3, random_state=0)
    assert bagged.fit(X, y).score(X, y) > 0.85
    weights = np.where(y == 2, 0.5, 1.0)
    calibrated = CalibratedClassifierCV(base, cv=2).fit(X, y, sample_weight=weights)
    assert calibrated.predict_proba(X).shape == (75, 3)
    X, y = load_diabetes(return_X_y=True)
    boosted = AdaBoostRegressor(quick(MPSRegressor), n_estimators=2, random_state=0)
    assert boosted.fit(X, y).score(X, y) > 0.3


def test_searches_and_routing_pass_weights_on():
    X, y = load_iris(return_X_y=True)
    X, y = X[::2], y[::2]
    weights = np.random.default_rng(0).random(75)
    grid = {"class_weight": [None, "balanced"]}
    search = GridSearchCV(quick(MPSClassifier), grid, cv=2).fit(X, y, sample_weight=weights)
    assert_same_tensors(
        search.best_estimator_,
        quick(MPSClassifier, **search.best_params_).fit(X, y, weights),
    )
    with sklearn.config_context(enable_metadata_routing=True):
        model = quick(MPSClassifier).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=False)
        routed = cross_val_score(model, X, y, params={"sample_weight": weights}, cv=2)
        assert routed.shape == (2,)
        model.set_partial_fit_request(classes=True, sample_weight=True)
