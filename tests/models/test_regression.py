"""The regressor: gradients, accuracy, true scale on a board, long chains."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split

from tensorspin.models import BoardClassifier, MPSRegressor
from tensorspin.models.contraction import log_norms
from tensorspin.models.half_chains import HalfChains
from tensorspin.models.losses import squared_error

from ..support.estimators import check_gradients, check_not_dependent_on_the_batch
from ..support.networks import brute_force_scores, random_network

GOLDEN = "golden://icebreaker"


def linear(x):
    return np.stack([1 - x, x], axis=-1)


@pytest.fixture(scope="module")
def diabetes():
    return train_test_split(*load_diabetes(return_X_y=True), test_size=0.3, random_state=0)


@pytest.fixture(scope="module")
def model(diabetes):
    X_train, _, y_train, _ = diabetes
    return MPSRegressor(epochs=20, random_state=0).fit(X_train, y_train)


@pytest.mark.parametrize("n_sites", [2, 3, 9])
def test_gradients_in_true_scale_equal_finite_differences(n_sites):
    rng = np.random.default_rng(n_sites)
    inputs, targets = rng.random((4, n_sites)), rng.standard_normal(4)
    cores, label, position = random_network(rng, n_sites, 2, 4, 1)

    def run():
        chains = HalfChains.pack(cores, label, position, dtype=np.float64)
        contraction = chains.contract(chains.encode(inputs, linear))
        return chains, contraction

    def loss():
        _, contraction = run()
        return squared_error(contraction.scores, log_norms(contraction), targets)[0]

    chains, contraction = run()
    expected = brute_force_scores(cores, label, position, linear(inputs))
    np.testing.assert_allclose(
        contraction.scores[0] * np.exp(log_norms(contraction)), expected[:, 0], rtol=1e-9
    )
    _, score_gradient = squared_error(contraction.scores, log_norms(contraction), targets)
    found = chains.unpack(chains.gradients(contraction, score_gradient))
    check_gradients([*cores, label], found, loss, rng)


@pytest.mark.parametrize("feature_map", ["linear", "polynomial"])
def test_starts_at_ridge_regression(diabetes, feature_map):
    X_train, X_test, y_train, y_test = diabetes
    model = MPSRegressor(
        bond_dim=2, feature_map=feature_map, learning_rate=0, epochs=1, random_state=0
    ).fit(X_train, y_train)
    mapped = [
        model.feature_map_(model._site_inputs(X)).reshape(len(X), -1) for X in (X_train, X_test)
    ]
    expected = Ridge(1.0).fit(mapped[0], y_train).predict(mapped[1])
    np.testing.assert_allclose(model.predict(X_test), expected, rtol=1e-4)


def test_diabetes(diabetes, model):
    X_train, X_test, y_train, y_test = diabetes
    ridge = Ridge(0.01).fit(X_train, y_train).score(X_test, y_test)
    assert model.score(X_test, y_test) > ridge - 0.03


def test_products_of_features():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (1500, 6))
    y = X[:, 0] * X[:, 4] + 0.5 * X[:, 2]
    model = MPSRegressor(4, learning_rate=0.02, input_noise=0, weight_decay=0, random_state=0)
    model.fit(X[:1200], y[:1200])
    assert model.score(X[1200:], y[1200:]) > 0.95
    assert Ridge().fit(X[:1200], y[:1200]).score(X[1200:], y[1200:]) < 0.6


def test_board_returns_the_true_scale(diabetes, model):
    _, X_test, _, y_test = diabetes
    program = model.quantize()
    with model.deploy(GOLDEN) as deployed:
        predicted = deployed.predict(X_test)
        assert deployed.score(X_test, y_test) == r2_score(y_test, predicted)
        np.testing.assert_array_equal(predicted, program.predict(X_test))
    error = np.std(predicted - model.predict(X_test))
    assert error < 0.05 * model.target_scale_
    with pytest.raises(TypeError, match="needs a program for Classification, not for Regression"):
        BoardClassifier(program, "/dev/none").predict(X_test)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("feature_map", ["linear", "polynomial", "trigonometric"])
def test_784_sites(feature_map):
    rng = np.random.default_rng(0)
    X = rng.random((300, 784))
    y = X[:, :20].sum(axis=1)
    model = MPSRegressor(4, feature_map=feature_map, feature_range=(0, 1), epochs=2, random_state=0)
    model.fit(X, y)
    predicted, quantised = model.predict(X), model.quantize().predict(X)
    assert np.all(np.isfinite(predicted)) and np.all(np.isfinite(quantised))
    if feature_map != "trigonometric":  # has no constant combination; see the documentation
        assert model.score(X, y) > 0.5
        assert r2_score(predicted, quantised) > 0.6


def test_deterministic_and_independent_of_the_batch(diabetes):
    X_train, X_test, y_train, _ = diabetes
    one, two = (MPSRegressor(4, epochs=2, random_state=3).fit(X_train, y_train) for _ in "12")
    np.testing.assert_array_equal(one.predict(X_test), two.predict(X_test))
    check_not_dependent_on_the_batch(one.predict, X_test[:10])
    copy = pickle.loads(pickle.dumps(one))
    np.testing.assert_array_equal(copy.predict(X_test), one.predict(X_test))
    assert clone(one).get_params() == one.get_params()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("factor", [1e-300, 1e-9, 1e300])
def test_scale_of_the_target(diabetes, factor):
    X_train, X_test, y_train, _ = diabetes
    model = MPSRegressor(2, epochs=1, random_state=0)
    expected = model.fit(X_train, y_train).predict(X_test)
    scaled = model.fit(X_train, y_train * factor)
    np.testing.assert_allclose(scaled.predict(X_test), expected * factor, rtol=1e-4)
    np.testing.assert_allclose(scaled.quantize().predict(X_test), scaled.predict(X_test), rtol=0.2)


@pytest.mark.parametrize("n_features", [1, 2, 3])
def test_few_features(n_features):
    X = np.random.default_rng(0).random((200, n_features))
    y = X.sum(axis=1)
    assert MPSRegressor(4, epochs=10, random_state=0).fit(X, y).score(X, y) > 0.9


@pytest.mark.parametrize("offset", [1e9, -1e12, 1e14])
def test_targets_far_from_zero(offset):
    X = np.random.default_rng(0).random((200, 2))
    y = np.round(100 * X[:, 0]) + offset
    model = MPSRegressor(bond_dim=4, epochs=5, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.95
    np.testing.assert_allclose(model.quantize().predict(X) - offset, y - offset, atol=20)


def test_constant_target():
    X = np.random.default_rng(0).random((40, 3))
    model = MPSRegressor(2, epochs=2, random_state=0).fit(X, np.full(40, 0.1))
    np.testing.assert_allclose(model.predict(X), 0.1, atol=1e-3)
    assert np.all(np.isfinite(model.quantize().predict(X)))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_errors(diabetes):
    X_train, _, y_train, _ = diabetes
    with pytest.raises(NotFittedError):
        MPSRegressor().predict(X_train)
    with pytest.raises(ValueError, match="bond_dim must be an integer from 2 to 32, not 1"):
        MPSRegressor(1).fit(X_train, y_train)
    with pytest.raises(FloatingPointError, match=r"epoch \d+ is (nan|inf); lower the learning"):
        MPSRegressor(learning_rate=1e20, random_state=0).fit(X_train, y_train)


@pytest.mark.parametrize(
    "y",
    [
        ["a", "b", "a", "b"],
        np.array(["a", "b", "a", "b"]),
        np.array([b"a", b"b", b"a", b"b"]),
        np.array(["a", 1, 2.5, "b"], dtype=object),
        np.array([["a"], ["b"], ["a"], ["b"]]),
    ],
    ids=["list", "array", "bytes", "objects", "column"],
)
def test_words_as_targets_are_refused_by_a_sentence(y):
    X = np.random.default_rng(0).random((4, 3))
    with pytest.raises(ValueError, match=r"y must be numbers, not (str|bytes) such as b?'a'; for"):
        MPSRegressor().fit(X, y)


def test_dates_as_targets_are_refused_by_a_sentence():
    X = np.random.default_rng(0).random((2, 3))
    with pytest.raises(ValueError, match="y must be numbers, not date such as"):
        MPSRegressor().fit(X, np.array(["2020-01-01", "2020-01-02"], dtype="M8[D]"))
