"""The Born machine: exact normalisation, gradients, detection of outliers, long chains."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score

from tensorspin.models import FeatureMap, MPSAnomalyDetector, born
from tensorspin.models.half_chains import HalfChains

from ..support.estimators import check_gradients, check_not_dependent_on_the_batch
from ..support.networks import random_network

GOLDEN = "golden://icebreaker"


def dependent(x):
    return np.stack([x, 1 - x, np.ones_like(x), x * (1 - x)], axis=-1)


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)


@pytest.fixture(scope="module")
def model(digits):
    X, y = digits
    zeros = X[y == 0]
    return MPSAnomalyDetector(feature_range=(0, 16), epochs=20, random_state=0).fit(zeros[:120])


def every_combination(n_features, values):
    grid = np.meshgrid(*[values] * n_features, indexing="ij")
    return np.stack([axis.ravel() for axis in grid], axis=1)


@pytest.mark.parametrize("feature_map", ["linear", "trigonometric", "polynomial", dependent])
def test_probabilities_of_all_levels_sum_to_one(feature_map):
    X = np.random.default_rng(0).random((50, 2)) ** 2
    model = MPSAnomalyDetector(
        4, feature_map=feature_map, feature_range=(0, 1), epochs=5, random_state=0
    ).fit(X)
    levels = every_combination(2, np.arange(256) / 255)
    for fitted in (model, model.compress(), model.compress(max_bond=1)):
        assert np.exp(fitted.score_samples(levels)).sum() == pytest.approx(1, rel=1e-9)


def test_probabilities_of_a_chain_sum_to_one():
    # Of each level's 64 repetitions one is enough: a table of 4 rows fills the 256 levels.
    rows = np.random.default_rng(1).uniform(-1, 1, (4, 3))
    table = np.repeat(rows, 64, axis=0)
    X = np.random.default_rng(0).random((60, 6))
    model = MPSAnomalyDetector(
        5, feature_map=table, feature_range=(0, 1), epochs=3, random_state=0
    ).fit(X)
    samples = every_combination(6, np.array([20, 100, 150, 230]) / 255)
    total = np.exp(model.score_samples(samples)).sum() * 64.0**6
    assert total == pytest.approx(1, rel=1e-9)


def test_basis_is_orthonormal_over_the_levels():
    for definition, rank in (("linear", 2), ("polynomial", 3), (dependent, 3)):
        table = FeatureMap(definition).table()
        mapped = table @ born.orthonormal_basis(table).T
        np.testing.assert_allclose(mapped.T @ mapped / 256, np.eye(rank), atol=1e-9)


@pytest.mark.parametrize("n_sites", [2, 3, 4, 9])
def test_gradients_of_the_likelihood_equal_finite_differences(n_sites, monkeypatch):
    monkeypatch.setattr(born, "SOFTENING", 0.0)
    rng = np.random.default_rng(n_sites)
    cores, label, position = random_network(rng, n_sites, 3, 4, 1)
    features = rng.standard_normal((5, n_sites, 3))

    def encode(_):
        return features.transpose(1, 0, 2)[chains.sites]

    def run():
        nonlocal chains
        chains = HalfChains.pack(cores, label, position, dtype=np.float64)
        return chains.contract(chains.encode(np.zeros((5, n_sites)), encode))

    def loss():
        return born.negative_log_square(run())[0] + born.log_partition(chains)[0]

    chains = None
    contraction = run()
    _, gradients = born.NegativeLogLikelihood()(chains, contraction, np.arange(5))
    found = chains.unpack(gradients)
    check_gradients([*cores, label], found, loss, rng, abs=1e-6)
    for tensor, gradient in zip([*cores, label], found):
        # Nothing depends on the scale of a tensor.
        assert np.sum(tensor * gradient) == pytest.approx(0, abs=1e-9)


def test_softened_gradient_keeps_the_scale():
    """A common factor of the scores must weigh as in the loss, or the norm would drift away."""
    cores, label, position = random_network(np.random.default_rng(0), 4, 2, 4, 1)
    chains = HalfChains.pack(cores, label, position, dtype=np.float64)
    features = chains.encode(
        np.random.default_rng(1).random((6, 4)), lambda x: np.stack([1 - x, x], axis=-1)
    )
    contraction = chains.contract(features)
    contraction.scores[0, 2] = 0
    loss, gradient = born.negative_log_square(contraction)
    assert np.isfinite(loss) and gradient[0, 2] == 0
    assert np.sum(gradient * contraction.scores) == pytest.approx(-2)


def test_digits(digits, model):
    X, y = digits
    truth = y == 0
    truth[np.flatnonzero(truth)[:120]] = False
    held_out = np.ones(len(y), dtype=bool)
    held_out[np.flatnonzero(y == 0)[:120]] = False
    X, truth = X[held_out], truth[held_out]
    scores = model.score_samples(X)
    auc = roc_auc_score(truth, scores)
    assert auc > 0.99
    np.testing.assert_array_equal(model.decision_function(X), scores - model.offset_)
    np.testing.assert_array_equal(model.predict(X), np.where(scores >= model.offset_, 1, -1))
    with model.deploy(GOLDEN) as deployed:
        on_board = deployed.score_samples(X)
        predicted = deployed.predict(X)
        np.testing.assert_array_equal(deployed.decision_function(X), on_board - model.offset_)
    assert roc_auc_score(truth, on_board) == pytest.approx(auc, abs=0.01)
    assert np.mean(predicted == model.predict(X)) > 0.97
    np.testing.assert_array_equal(predicted, model.quantize().predict(X))
    assert np.median(np.abs(on_board - scores)) < 1


def test_learns_what_belongs_together():
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (400, 1))
    X = np.abs(bits - rng.random((400, 8)) * 0.2)
    model = MPSAnomalyDetector(4, feature_range=(0, 1), random_state=0).fit(X)
    mixed = X.copy()
    mixed[:, :4] = 1 - mixed[:, :4]
    assert model.score_samples(X).mean() > model.score_samples(mixed).mean() + 3
    assert model.loss_curve_[-1] < model.loss_curve_[0]


def test_contamination(digits):
    X, y = digits
    for contamination in (0.05, 0.5):
        model = MPSAnomalyDetector(
            2, contamination=contamination, feature_range=(0, 16), epochs=2, random_state=0
        )
        share = np.mean(model.fit_predict(X[y == 0]) == -1)
        assert share == pytest.approx(contamination, abs=0.01)


@pytest.mark.filterwarnings("error")
def test_amplitude_of_zero_is_finite():
    X = np.array([[0.0, 0.0], [1.0, 1.0]] * 20)
    model = MPSAnomalyDetector(2, epochs=2, random_state=0).fit(X)
    model.cores_ = [np.zeros_like(core) for core in model.cores_]
    assert np.all(np.isfinite(model.score_samples(X)))
    assert np.all(model.score_samples(X) < -1000)
    program = model.quantize()
    results = program.run_golden(X)
    assert not results.scores.any()
    assert np.all(
        np.isfinite(
            program.task.log_likelihood(results.scores, results.exponents, program.log2_scale)
        )
    )


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("feature_map", ["linear", "trigonometric", "polynomial"])
def test_784_sites(feature_map):
    rng = np.random.default_rng(0)
    X = np.clip(rng.random(784) + 0.1 * rng.standard_normal((150, 784)), 0, 1)
    X[:, :300] = 0
    model = MPSAnomalyDetector(
        4, feature_map=feature_map, feature_range=(0, 1), epochs=2, random_state=0
    ).fit(X)
    assert np.all(np.isfinite(model.loss_curve_))
    inside, outside = model.score_samples(X), model.score_samples(rng.random((150, 784)))
    assert inside.min() > outside.max()
    program = model.quantize()
    results = program.run_golden(X)
    on_board = program.task.log_likelihood(results.scores, results.exponents, program.log2_scale)
    assert np.median(np.abs(on_board - inside)) < 10


def test_deterministic_and_independent_of_the_batch(digits):
    X, y = digits
    zeros = X[y == 0]
    one, two = (MPSAnomalyDetector(4, epochs=2, random_state=3).fit(zeros) for _ in "12")
    np.testing.assert_array_equal(one.score_samples(X), two.score_samples(X))
    check_not_dependent_on_the_batch(one.score_samples, X[:10])
    copy = pickle.loads(pickle.dumps(one))
    np.testing.assert_array_equal(copy.score_samples(X), one.score_samples(X))
    assert clone(one).get_params() == one.get_params()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"contamination": 0}, "contamination must be more than 0 and at most 0.5, not 0"),
        ({"contamination": 0.6}, "contamination must be more than 0 and at most 0.5, not 0.6"),
        ({"contamination": np.nan}, "contamination must be more than 0 and at most 0.5, not nan"),
        ({"contamination": "auto"}, "contamination must be a number, not 'auto'"),
        ({"bond_dim": 99}, "bond_dim must be an integer from 2 to 32, not 99"),
    ],
)
def test_wrong_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        MPSAnomalyDetector(**parameters).fit(load_iris().data)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_errors():
    X = load_iris().data
    with pytest.raises(NotFittedError):
        MPSAnomalyDetector().score_samples(X)
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        MPSAnomalyDetector(learning_rate=1e20, random_state=0).fit(X)
