"""What a detector finds by default: outliers, always; and what it is not led astray by."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

from tensorspin.models import MPSAnomalyDetector
from tensorspin.models.recipes import DETECTOR

EARLIER = {
    "feature_map": "linear",
    "feature_margin": 0.0,
    "scaling": "range",
    "learning_rate": 0.005,
    "weight_decay": 0.3,
    "input_noise": 0.1,
}
"""The defaults of earlier versions."""


def draw(kind, n, d, seed):
    rng = np.random.default_rng([seed, n, d])
    if kind == "uniform":
        return rng.random((n, d))
    if kind == "exponential":
        return rng.exponential(size=(n, d))
    X = rng.standard_normal((n, d))
    if kind == "correlated":
        X = X @ (np.eye(d) + np.random.default_rng(d).standard_normal((d, d)) / np.sqrt(d))
    return X


def detector(seed=0, **parameters):
    return MPSAnomalyDetector(random_state=seed, **{"epochs": 15, **parameters})


def outliers(kind, X, d, seed):
    """Return new normal samples, each of which has one feature six deviations off its mean."""
    samples = draw(kind, 60, d, seed + 1000)
    feature = np.random.default_rng(seed).integers(0, d, len(samples))
    rows = np.arange(len(samples))
    off = np.where(rows % 2, 6.0, -6.0) * X.std(axis=0)[feature]
    samples[rows, feature] = X.mean(axis=0)[feature] + off
    return samples


@pytest.mark.parametrize("kind", ["normal", "uniform", "correlated"])
@pytest.mark.parametrize("d", [1, 2, 5, 20, 64])
@pytest.mark.parametrize("n", [20, 100, 300])
def test_one_feature_six_deviations_off_is_an_outlier_always(kind, d, n):
    seed = n + d
    X = draw(kind, n, d, seed)
    model = detector(seed, epochs=8).fit(X)
    samples = outliers(kind, X, d, seed)
    assert (model.predict(samples) == -1).all()
    assert (model.quantize().predict(samples) == -1).all()
    # All others in the middle, and all of them off.
    for off in (*np.eye(d), np.ones(d)):
        samples = X.mean(axis=0) + 6 * X.std(axis=0) * np.stack([off, -off])
        assert (model.predict(samples) == -1).all()


@pytest.mark.parametrize("seed", range(20))
def test_outliers_are_found_whatever_the_seed(seed):
    X = draw("normal", 150, 8, seed)
    model = detector(seed).fit(X)
    assert (model.predict(outliers("normal", X, 8, seed)) == -1).all()


@pytest.mark.parametrize("d", [1, 4])
@pytest.mark.parametrize("n", [20, 400])
def test_skewed_features(d, n):
    X = draw("exponential", n, d, 0)
    samples = np.ones((2 * d, d))
    samples[np.arange(2 * d), np.tile(np.arange(d), 2)] = np.repeat([-5.0, 8.5], d)
    assert (detector().fit(X).predict(samples) == -1).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_middle_is_likelier_than_what_is_far(seed):
    X = draw("normal", 300, 2, seed)
    scores = detector(seed).fit(X).score_samples([[0, 0], [3, 3], [10, 10], [10, 0], [1e9, -1e9]])
    assert scores[0] > scores[1] > scores[2:].max()
    ends = detector(seed).fit(X[:, :1]).score_samples([[0], [2.5], [10], [-10]])
    assert ends[0] > ends[1] > ends[2:].max()


@pytest.mark.parametrize("d", [2, 16])
def test_few_of_new_normal_samples_are_outliers_though_features_are_independent(d):
    for kind in ("normal", "uniform"):
        model = detector(epochs=30).fit(draw(kind, 300, d, 0))
        assert np.mean(model.predict(draw(kind, 400, d, 1)) == -1) < 0.25


@pytest.mark.parametrize("far", [8.0, 1e6])
@pytest.mark.parametrize("d", [2, 16])
def test_outliers_in_the_training_data_do_not_hide_others(far, d):
    X = draw("normal", 400, d, 0)
    X[:20] += far
    model = detector().fit(X)
    assert (model.predict(X[:20]) == -1).all()
    assert np.mean(model.predict(X) == -1) == pytest.approx(0.1, abs=0.01)
    samples = draw("normal", 100, d, 1)
    assert np.mean(model.predict(samples) == -1) < 0.3
    samples[:, 0] = 6.5
    assert (model.predict(samples) == -1).all()


def test_constant_two_valued_and_few_valued_columns():
    rng = np.random.default_rng(0)
    X = np.c_[
        np.full(200, 7.0), rng.integers(0, 2, 200), rng.integers(0, 5, 200), rng.normal(size=200)
    ]
    model = detector().fit(X)
    usual = [7, 1, 2, 0.0]
    assert model.predict([usual]) == [1]
    for feature, value in ((0, 8), (0, -7), (1, 5), (2, 40), (2, -20), (3, 6.5), (3, -6.5)):
        sample = usual.copy()
        sample[feature] = value
        assert model.predict([sample]) == [-1], (feature, value)
    assert detector().fit(np.ones((20, 3))).predict([[1, 1, 1], [1, 1, 2]]).tolist() == [1, -1]


def test_one_feature_has_probabilities_that_sum_to_one():
    X = draw("normal", 200, 1, 0)
    for options in ({}, {"feature_range": (-6, 6)}, {**EARLIER, "feature_range": (-6, 6)}):
        model = detector(**options).fit(X)
        low, high = model.feature_minimum_[0], model.feature_maximum_[0]
        grid = np.linspace(low, high, 256)
        if model.feature_knots_ is not None:
            knots = model.feature_knots_
            grid = np.interp(np.arange(256) / 255, knots.positions[0], knots.values[0])
        for fitted in (model, model.compress(2)):
            assert np.exp(fitted.score_samples(grid[:, None])).sum() == pytest.approx(1, rel=1e-6)
        inside = model.score_samples(X).mean()
        assert inside > model.score_samples(draw("uniform", 200, 1, 0) * 12 - 6).mean()


@pytest.mark.parametrize(("load", "bits"), [(load_breast_cancer, 4), (load_wine, 8)])
def test_better_than_a_forest_also_in_few_bits(load, bits):
    X, y = load(return_X_y=True)
    normal = np.flatnonzero(y == 1)
    train, others = normal[::2], np.r_[normal[1::2], np.flatnonzero(y != 1)]
    truth = y[others] == 1
    model = detector(epochs=50).fit(X[train])
    program = model.quantize(bits)
    results = program.run_golden(X[others])
    on_board = program.task.log_likelihood(results.scores, results.exponents, program.log2_scale)
    forest = IsolationForest(random_state=0).fit(X[train]).decision_function(X[others])
    here = roc_auc_score(truth, model.score_samples(X[others]))
    assert here > roc_auc_score(truth, forest) - 0.01
    assert roc_auc_score(truth, on_board) == pytest.approx(here, abs=0.01 if bits == 8 else 0.02)
    assert program.table.shape[0] == 4  # as many as an iCEBreaker has


def test_what_auto_chooses_and_that_it_is_told():
    X = draw("normal", 100, 3, 0)
    model = detector(epochs=1).fit(X)
    told = model.settled_parameters()
    assert (told["feature_map"], told["scaling"]) == ("damped_bumps", "tails")
    assert (model.scaling_, model.feature_margin_) == ("tails", 0)
    assert model.weight_decay_ == told["weight_decay"] > 1  # independent features
    given = detector(epochs=1, feature_map="bernstein").fit(X)
    assert (given.scaling_, given.feature_margin_) == ("range", pytest.approx(1 / 3))
    choices = DETECTOR(None, 3, MPSAnomalyDetector(feature_margin=0.5).get_params())
    assert (choices["scaling"], choices["feature_map"]) == ("range", "bumps")
    linear = detector(epochs=1, feature_map="linear").fit(X)
    assert linear.feature_margin_ == 0


def test_the_earlier_defaults_can_be_given():
    X = draw("normal", 60, 3, 0)
    model = detector(epochs=2, **EARLIER).fit(X)
    np.testing.assert_array_equal(model.feature_minimum_, X.min(axis=0))
    assert model.feature_knots_ is None and model.weight_decay_ == 0.3
    state = dict(model.__getstate__())
    for new in ("feature_margin", "scaling", "n_repeats", "feature_margin_", "scaling_", "missing"):
        state.pop(new)  # as an earlier version pickled it
    earlier = MPSAnomalyDetector.__new__(MPSAnomalyDetector)
    earlier.__setstate__(state)
    assert (earlier.feature_margin, earlier.scaling) == (0.0, "range")
    np.testing.assert_array_equal(earlier.score_samples(X), model.score_samples(X))
    clone(earlier).fit(X)
    pickle.loads(pickle.dumps(earlier)).quantize()


def test_trainings_that_go_on_keep_what_was_chosen():
    X = draw("normal", 100, 3, 0)
    X[0, 0] = 1e6
    model = detector(epochs=2, warm_start=True).fit(X)
    before = model.feature_knots_, model.weight_decay_
    model.fit(X)
    assert model.feature_knots_ is before[0] and model.weight_decay_ == before[1]
    assert model.predict(X[:1]) == [-1]
    stream = detector()
    for start in range(0, 100, 25):
        stream.partial_fit(X[start : start + 25])
    assert stream.predict([[1e7, 0, 0], [0, 0, 50]]).tolist() == [-1, -1]


def test_words_and_missing_values():
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    frame = pandas.DataFrame(
        {
            "machine": rng.choice(["mill", "lathe", "saw"], 300, p=[0.9, 0.07, 0.03]),
            "heat": rng.normal(size=300),
        }
    )
    frame.loc[::10, "heat"] = np.nan
    frame.loc[0, "heat"] = 1e5
    model = detector(missing="level", contamination=0.05, epochs=50).fit(frame)
    odd = frame.iloc[:3].assign(machine="mill", heat=[0.0, 20.0, np.nan])
    predicted = model.predict(odd)
    assert predicted[0] == 1 and predicted[1] == -1
    np.testing.assert_array_equal(model.quantize().predict(odd), predicted)


@pytest.mark.parametrize("far", [1, 3, 1000])
def test_the_most_likely_sample_of_many_features_but_for_a_few(far):
    X = np.random.default_rng(0).normal(size=(60, 1000))
    detector = MPSAnomalyDetector(bond_dim=2, epochs=1, random_state=0).fit(X)
    sample = X.mean(axis=0)
    assert detector.decision_function([sample]) > 100, "each feature has its most likely value"
    sample[:far] += 6 * X.std(axis=0)[:far]
    assert detector.predict([sample]) == -1 and np.isfinite(detector.score_samples([sample]))
    assert detector.quantize().predict(sample[None]) == -1
