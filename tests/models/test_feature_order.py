"""In which order the sites read the features."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.metrics import mutual_info_score

from tensorspin.models import MPSClassifier, TTNClassifier
from tensorspin.models.feature_order import (
    BINS,
    check_image_size,
    chosen_order,
    mutual_information,
    mutual_information_order,
    snake_order,
    strip_order,
)

from ..support.estimators import ESTIMATORS, quick


def random_walk(rng, n_samples, n_features):
    """Samples of a chain of features each of which depends on the one before."""
    steps = rng.normal(size=(n_samples, n_features)) * 0.4
    steps[:, 0] = rng.normal(size=n_samples)
    walk = np.cumsum(steps, axis=1)
    return (walk - walk.min(axis=0)) / np.ptp(walk, axis=0)


def test_snake():
    assert snake_order(3, 3).tolist() == [0, 1, 2, 5, 4, 3, 6, 7, 8]
    assert snake_order(2, 3).tolist() == [0, 1, 2, 5, 4, 3]
    steps = np.abs(np.diff(np.array(np.unravel_index(snake_order(5, 4), (5, 4))), axis=1))
    assert np.all(steps.sum(axis=0) == 1)


def test_strips():
    assert strip_order(4, 3).tolist() == [0, 3, 4, 1, 2, 5, 8, 11, 10, 7, 6, 9]
    assert strip_order(3, 3).tolist() == [0, 3, 4, 1, 2, 5, 8, 7, 6]
    for size in ((5, 4), (1, 4), (4, 1)):
        assert sorted(strip_order(*size)) == list(range(size[0] * size[1]))
        np.testing.assert_array_equal(strip_order(*size, strip=1), snake_order(*size))


def test_mutual_information_equals_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    inputs = random_walk(rng, 300, 4)
    inputs[:, 3] = 0.5
    bins = np.minimum((inputs * BINS).astype(int), BINS - 1)
    expected = [[mutual_info_score(a, b) for b in bins.T] for a in bins.T]
    np.testing.assert_allclose(mutual_information(inputs), expected, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_a_shuffled_chain_is_found_again(seed):
    rng = np.random.default_rng(seed)
    inputs = random_walk(rng, 3000, 12)
    shuffle = rng.permutation(12)
    found = shuffle[mutual_information_order(inputs[:, shuffle], rng)]
    assert found.tolist() in (list(range(12)), list(range(12))[::-1])


def test_constant_features_stand_at_the_ends():
    inputs = random_walk(np.random.default_rng(0), 500, 7)
    inputs[:, [1, 3, 4, 6]] = 0
    order = mutual_information_order(inputs, np.random.default_rng(0))
    assert sorted(order[2:5]) == [0, 2, 5]
    assert sorted(order) == list(range(7))


@pytest.mark.parametrize("n_features", [1, 2, 5])
def test_features_that_are_all_constant_or_independent(n_features):
    rng = np.random.default_rng(0)
    for inputs in (np.zeros((10, n_features)), rng.random((10, n_features))):
        assert sorted(mutual_information_order(inputs, rng)) == list(range(n_features))


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_an_order_is_the_same_as_reordered_columns(kind):
    X, y = load_iris(return_X_y=True)
    order = [2, 0, 3, 1]
    # The noise is drawn in the order of the columns.
    ordered = quick(kind, feature_order=order, input_noise=0).fit(X, y)
    reordered = quick(kind, input_noise=0).fit(X[:, order], y)
    np.testing.assert_array_equal(ordered.predict(X), reordered.predict(X[:, order]))
    program, other = ordered.quantize(), reordered.quantize()
    assert program.cycles(8) == other.cycles(8)
    np.testing.assert_array_equal(
        program.run_golden(X).scores, other.run_golden(X[:, order]).scores
    )


@pytest.mark.parametrize("kind", ESTIMATORS)
@pytest.mark.parametrize("order", ["snake", "strips", "mutual_information"])
def test_orders_by_name(kind, order):
    X, y = load_iris(return_X_y=True)
    model = quick(kind, feature_order=order).fit(X, y)
    sites = model.children_[model.children_ < 4] if kind is TTNClassifier else model.site_features_
    if order == "snake":
        assert sites.tolist() == [0, 1, 3, 2]
    assert sorted(sites) == [0, 1, 2, 3]
    again = quick(kind, feature_order=order).fit(X, y)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


@pytest.mark.parametrize("order", [None, "snake", "strips", "mutual_information", [0]])
def test_a_single_feature_has_one_order(order):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 50)
    X = rng.normal(size=(50, 1)) + y[:, None]
    for kind in (MPSClassifier, TTNClassifier):
        model = quick(kind, feature_order=order).fit(X, y)
        np.testing.assert_array_equal(model.site_features_, [0, 0])


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ("spiral", 'None, "snake", "strips", "mutual_information" or a permutation .* \'spiral'),
        ("snake", "square image, but 5 features are not a square number; give"),
        ([0, 1, 2, 3], r"integers 0 to 4 once, not an array of int64 and shape \(4,\)"),
        ([0, 1, 2, 3, 3], "integers 0 to 4 once"),
        ([0.0, 1, 2, 3, 4], "integers 0 to 4 once, not an array of float64"),
        (7, r"integers 0 to 4 once, not an array of int64 and shape \(\)"),
    ],
)
def test_wrong_order(order, message):
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=message):
        chosen_order(order, None, rng.random((9, 5)), rng)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((2, 4), "image_size is 2 x 4, X has 6 features"),
        ((-2, -3), "image_size is -2 x -3, X has 6 features"),
        ((2, 3, 1), r"must be None or \(height, width\), not \(2, 3, 1\)"),
        ((2.0, 3), r"must be None or \(height, width\), not \(2.0, 3\)"),
        (6, r"must be None or \(height, width\), not 6"),
        (None, "square image, but 6 features"),
    ],
)
def test_wrong_image_size(size, message):
    with pytest.raises(ValueError, match=message):
        check_image_size(size, 6)
