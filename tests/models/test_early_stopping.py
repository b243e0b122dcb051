"""Training that ends when held-out samples are predicted no better."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.metrics import accuracy_score, r2_score

from tensorspin.models import MPSAnomalyDetector, MPSClassifier, MPSRegressor, descent, optimiser
from tensorspin.models.early_stopping import EarlyStopping, Score, split

from ..support.estimators import CLASSIFIERS, ESTIMATORS, quick


def data_for(kind):
    X, y = load_diabetes(return_X_y=True) if kind is MPSRegressor else load_iris(return_X_y=True)
    return X, y


def held_out(model, X, y):
    """The samples that a fitted estimator did not train on."""
    labels = y if isinstance(model, tuple(CLASSIFIERS)) else None
    seed = model._training_state.split_seed
    _, held = split(len(X), model.validation_fraction, labels, seed)
    return held


@pytest.mark.parametrize("kind", ESTIMATORS)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_best_tensors_are_kept(kind, weighted):
    X, y = data_for(kind)
    weights = np.random.default_rng(0).random(len(X)) if weighted else None
    model = quick(
        kind, early_stopping=True, epochs=40, n_iter_no_change=4, validation_fraction=0.3
    ).fit(X, y, sample_weight=weights)
    assert model.n_iter_ == len(model.loss_curve_) == len(model.validation_scores_)
    assert model.best_validation_score_ >= max(model.validation_scores_)
    held = held_out(model, X, y)
    w = None if weights is None else weights[held]
    if kind is MPSAnomalyDetector:
        score = np.average(model.score_samples(X[held]), weights=w)
    elif kind is MPSRegressor:
        score = r2_score(y[held], model.predict(X[held]), sample_weight=w)
    else:
        score = accuracy_score(y[held], model.predict(X[held]), sample_weight=w)
    assert score == pytest.approx(model.best_validation_score_, rel=1e-6)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_training_ends_when_nothing_improves(kind):
    X, y = data_for(kind)
    options = {"early_stopping": True, "epochs": 60, "n_iter_no_change": 3}
    model = quick(kind, **options, tol=1e6).fit(X, y)  # nothing is an improvement
    assert model.n_iter_ == 6  # the learning rate falls in the last three
    assert quick(kind, **options, tol=0.0, learning_rate=0).fit(X, y).n_iter_ == 6
    options["epochs"] = 4
    assert quick(kind, **options, tol=1e6).fit(X, y).n_iter_ == 4


def test_patience_tolerance_and_nan():
    scores = iter([0.5, 0.55, 0.52, 0.551, np.nan, 0.8, 0.79, 0.8, 0.7])
    watch = EarlyStopping(lambda network: Score(*2 * [next(scores)]), patience=3, tolerance=0.01)
    watch.begin(None)
    assert [watch.improves(None) for _ in range(5)] == [True, False, True, False, True]
    assert not watch.finished
    assert watch.best == 0.8
    assert [watch.improves(None) for _ in range(3)] == [False] * 3
    assert watch.finished
    assert len(watch.scores) == 8


def test_a_rising_likelihood_is_an_improvement():
    found = iter([(0.5, -9), (0.6, -8), (0.6, -7), (0.5, -6), (0.6, -6.5), (0.5, -5), (0.5, -6)])
    watch = EarlyStopping(lambda network: Score(*next(found)), patience=2, tolerance=0.01)
    watch.begin(None)
    assert [watch.improves(None) for _ in range(4)] == [True, True, False, True]
    assert not watch.finished
    assert [watch.improves(None) for _ in range(2)] == [False, False]
    assert not watch.finished  # the likelihood was at its best one epoch ago
    assert watch.best == 0.6
    assert watch.scores == [0.6, 0.6, 0.5, 0.6, 0.5, 0.5]


def test_the_learning_rate_falls_before_the_training_ends(monkeypatch):
    X, y = load_iris(return_X_y=True)
    rates = []

    def half_cosine(progress):
        rates.append(progress)
        return optimiser.half_cosine(progress)

    monkeypatch.setattr(descent, "half_cosine", half_cosine)
    options = {"early_stopping": True, "epochs": 60, "n_iter_no_change": 3, "tol": 1e6}
    quick(MPSClassifier, **options).fit(X, y)
    updates = 3 * int(np.ceil(135 / 16))
    np.testing.assert_allclose(rates, np.arange(1, updates + 1) / updates)


def test_early_stopping_saves_epochs_and_hardly_accuracy():
    X, y = load_digits(return_X_y=True)
    model = quick(MPSClassifier, bond_dim=8, feature_range=(0, 16), epochs=60, early_stopping=True)
    model.fit(X[:800], y[:800])
    assert model.n_iter_ < 60
    assert model.score(X[800:], y[800:]) > 0.88


@pytest.mark.parametrize("bits", [None, 4])
@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_rounded_tensors_are_those_of_the_best_epoch(kind, bits):
    X, y = load_iris(return_X_y=True)
    model = quick(kind, weight_bits=bits, early_stopping=True, epochs=12, n_iter_no_change=12)
    model.fit(X, y)
    held = held_out(model, X, y)
    assert model.score(X[held], y[held]) == model.best_validation_score_
    if bits:
        assert np.mean(model.quantize().predict(X) == model.predict(X)) > 0.97


def test_the_validation_share_is_stratified_and_seeded():
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    training, held = split(100, 0.2, labels, 3)
    assert np.bincount(labels[held]).tolist() == [12, 6, 2]
    assert sorted([*training, *held]) == list(range(100))
    np.testing.assert_array_equal(held, split(100, 0.2, labels, 3)[1])
    assert not np.array_equal(held, split(100, 0.2, labels, 4)[1])
    assert len(split(25, 0.1, None, 0)[1]) == 3


def test_a_warm_start_validates_with_the_same_samples():
    X, y = load_iris(return_X_y=True)
    model = quick(MPSClassifier, early_stopping=True, warm_start=True).fit(X, y)
    seed, scores = model._training_state.split_seed, model.validation_scores_
    model.fit(X, y)
    assert model._training_state.split_seed == seed
    assert model.validation_scores_[: len(scores)] == scores
    assert len(model.validation_scores_) == 2 * len(scores)
    best = model.best_validation_score_
    # The network that a training goes on from is kept if nothing is better.
    model.set_params(learning_rate=1.0, n_iter_no_change=2).fit(X, y)
    assert model.best_validation_score_ >= best
    held = held_out(model, X, y)
    assert model.score(X[held], y[held]) == model.best_validation_score_
    model.set_params(early_stopping=False, warm_start=False, learning_rate=0.01).fit(X, y)
    assert not hasattr(model, "validation_scores_")
    assert not hasattr(model, "best_validation_score_")


def test_the_ranges_are_those_of_all_samples():
    X, y = load_iris(return_X_y=True)
    model = quick(MPSClassifier, early_stopping=True).fit(X, y)
    np.testing.assert_array_equal(model.feature_maximum_, X.max(axis=0))


def test_progress_shows_the_score(capsys):
    X, y = load_iris(return_X_y=True)
    model = quick(MPSClassifier, early_stopping=True, verbose=True).fit(X, y)
    line = capsys.readouterr().err
    assert f"validation score {model.validation_scores_[-1]:.4f}" in line
    assert f"best {model.best_validation_score_:.4f}" in line


@pytest.mark.parametrize(
    ("kind", "n_samples", "share", "message"),
    [
        (MPSRegressor, 10, 0.1, "at least 2 samples to validate .* leaves 1 and 9 of n_samples=10"),
        (MPSAnomalyDetector, 4, 0.9, "1 to train, .*validation_fraction=0.9 leaves 4 and 0"),
        (MPSClassifier, 51, 0.1, "at least 2 samples of each class, .*; class 1 has 1"),
        (MPSClassifier, 150, 0.01, "a sample of each of the 3 classes to train and to validate"),
    ],
)
def test_too_few_samples_to_validate(kind, n_samples, share, message):
    X, y = load_iris(return_X_y=True)
    model = quick(kind, early_stopping=True, validation_fraction=share)
    with pytest.raises(ValueError, match=message):
        model.fit(X[:n_samples], y[:n_samples])


@pytest.mark.parametrize("kind", ESTIMATORS)
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("early_stopping", 1, "early_stopping must be True or False, not 1"),
        ("warm_start", "yes", "warm_start must be True or False, not 'yes'"),
        ("validation_fraction", 0, "validation_fraction must be a number between 0 and 1, not 0"),
        ("validation_fraction", 1.0, "must be a number between 0 and 1, not 1.0"),
        ("validation_fraction", np.nan, "must be a number between 0 and 1, not nan"),
        ("n_iter_no_change", 0, "n_iter_no_change must be an integer of at least 1, not 0"),
        ("n_iter_no_change", 1.5, "n_iter_no_change must be an integer of at least 1, not 1.5"),
        ("tol", -1e-3, "tol must be a finite number of at least 0, not -0.001"),
        ("tol", None, "tol must be a finite number of at least 0, not None"),
    ],
)
def test_wrong_parameters(kind, name, value, message):
    with pytest.raises(ValueError, match=message):
        quick(kind, **{name: value}).fit(*data_for(kind))
