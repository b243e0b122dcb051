"""What holds for both classifiers: accuracy, ranges of features, determinism, limits, errors."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import MinMaxScaler

from tensorspin.models import MPSClassifier, TTNClassifier

from ..support.estimators import (
    CLASSIFIERS,
    check_not_dependent_on_the_batch,
    quick,
    split,
    tensors_of,
)

MAPS = ["linear", "trigonometric", "polynomial"]


@pytest.fixture(scope="module", params=CLASSIFIERS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def digits_model(kind):
    X_train, X_test, y_train, y_test = split(load_digits, test_size=0.3)
    order = "morton" if kind is TTNClassifier else None
    model = quick(kind, bond_dim=8, feature_order=order, feature_range=(0, 16), epochs=25)
    return model.fit(X_train, y_train), X_test, y_test


def test_digits(kind, digits_model):
    model, X_test, y_test = digits_model
    accuracy = model.score(X_test, y_test)
    assert accuracy > (0.97 if kind is TTNClassifier else 0.96)
    quantised = np.mean(model.quantize().predict(X_test) == y_test)
    assert quantised == pytest.approx(accuracy, abs=0.01 if kind is MPSClassifier else 0.005)


@pytest.mark.parametrize("feature_map", MAPS)
@pytest.mark.parametrize("load", [load_iris, load_wine])
def test_small_data_sets(kind, load, feature_map):
    X_train, X_test, y_train, y_test = split(load)
    model = kind(feature_map=feature_map, random_state=0).fit(X_train, y_train)
    assert model.score(X_test, y_test) > 0.9


def test_two_classes(kind):
    X_train, X_test, y_train, y_test = split(load_breast_cancer)
    names = np.array(["malignant", "benign"])
    epochs = 40 if kind is MPSClassifier else 30
    model = quick(kind, epochs=epochs).fit(X_train, names[y_train])
    assert model.score(X_test, names[y_test]) > 0.93
    decision = model.decision_function(X_test)
    logits = model.logits_from_scores(model.scores(X_test))
    assert decision.shape == (len(X_test),)
    np.testing.assert_array_equal(decision, logits[:, 1] - logits[:, 0])
    np.testing.assert_array_equal(model.predict(X_test), model.classes_[(decision > 0) * 1])


def test_fitted_attributes(digits_model):
    model, X_test, _ = digits_model
    np.testing.assert_array_equal(model.site_features_, np.arange(64))
    np.testing.assert_array_equal(model.feature_maximum_, np.full(64, 16.0))
    for tensor in tensors_of(model):
        assert np.abs(tensor).max() == pytest.approx(127 / 128)
    assert model.n_iter_ == len(model.loss_curve_) == 25
    probabilities = model.predict_proba(X_test)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), model.predict(X_test))


def test_same_seed_same_model(kind, iris):
    one, two = quick(kind).fit(*iris), quick(kind).fit(*iris)
    for a, b in zip(tensors_of(one), tensors_of(two), strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.loss_curve_ == two.loss_curve_
    assert one.loss_curve_ != quick(kind, random_state=1).fit(*iris).loss_curve_


def test_prediction_does_not_depend_on_the_batch(digits_model):
    model, X_test, _ = digits_model
    check_not_dependent_on_the_batch(model.decision_function, X_test[:20])


def test_pickle_and_clone(kind, iris):
    X, y = iris
    options = {"tree": [[0, 1], [2, 3]]} if kind is TTNClassifier else {}
    model = quick(kind, feature_map="polynomial", **options).fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(model.predict_proba(X), copy.predict_proba(X))
    assert clone(model).get_params() == model.get_params()


@pytest.mark.parametrize("n_features", [1, 2, 3])
@pytest.mark.parametrize("bond_dim", [2, 16])
def test_few_features(kind, n_features, bond_dim):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 300)
    X = rng.normal(size=(300, n_features)) + 3 * y[:, None]
    model = quick(kind, bond_dim=bond_dim, epochs=40).fit(X, y)
    assert model.score(X, y) > 0.85
    n_sites = max(n_features, 2)
    assert len(model.site_features_) == n_sites
    # A chain has a tensor a site and the label tensor; a tree has one a node.
    assert len(tensors_of(model)) == (n_sites + 1 if kind is MPSClassifier else n_sites - 1)
    assert np.mean(model.quantize().predict(X) == model.predict(X)) > 0.95


@pytest.mark.filterwarnings("ignore::tensorspin.errors.CapacityWarning")
@pytest.mark.parametrize("feature_map", MAPS)
@pytest.mark.parametrize("n_features", [784, 1024])
def test_many_features(kind, feature_map, n_features):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 400)
    X = rng.random((4, n_features))[y] + 0.2 * rng.standard_normal((400, n_features))
    X = np.clip(X, 0, 1)
    model = quick(kind, bond_dim=8, feature_map=feature_map, feature_range=(0, 1), epochs=6)
    model.fit(X[:300], y[:300])
    assert np.all(np.isfinite(model.loss_curve_))
    assert model.loss_curve_[-1] < 0.5 * model.loss_curve_[0]
    assert np.all(np.isfinite(model.predict_proba(X)))
    assert model.score(X[300:], y[300:]) > 0.7


def test_learnt_range_clips(kind, iris):
    X, y = iris
    model = quick(kind).fit(X, y)
    np.testing.assert_array_equal(model.feature_minimum_, X.min(axis=0))
    beyond = X.max(axis=0)[None]
    np.testing.assert_array_equal(model.scores(beyond), model.scores(beyond + 1000))


def test_promised_range(kind, iris):
    X, y = iris
    model = quick(kind, feature_range=(0, [8, 5, 7, 3])).fit(X, y)
    np.testing.assert_array_equal(model.feature_maximum_, [8, 5, 7, 3])
    wrong = X.copy()
    wrong[7, 2] = 7.5
    message = "feature 2 of sample 7 is 7.5; feature_range promises 0 to 7"
    with pytest.raises(ValueError, match=message):
        model.predict(wrong)
    with pytest.raises(ValueError, match=message):
        clone(model).fit(wrong, y)


def test_rounding_beyond_a_promised_range_is_clipped_alike_on_host_and_board(kind, iris):
    X, y = iris
    scaled = MinMaxScaler().fit_transform(X.astype(np.float32))
    assert scaled.max() > 1  # a rounding step of the scaler
    model = quick(kind, feature_range=(0, 1)).fit(scaled, y)
    inside = np.clip(scaled, 0, 1)
    np.testing.assert_array_equal(model.scores(scaled), model.scores(inside))
    program = model.quantize()
    np.testing.assert_array_equal(program.levels(scaled), program.levels(inside))


@pytest.mark.parametrize(
    ("feature_range", "message"),
    [
        (5, r"feature_range must be None or \(low, high\), .* 5"),
        ((0, 1, 2), "must have 2 entries, .* 3"),
        ((0, 1j), "the high of feature_range must hold real numbers, not complex128"),
        ((np.datetime64("2026-01-01"), 1), "the low of feature_range must hold real numbers, not"),
        ((0, [1, 2]), r"high of feature_range .* \(4,\), .* shape \(2,\)"),
        ((0, [1, 2, 0, 1]), r"of feature 2 must be finite with low below high, .* \(0, 0\)"),
        ((0, np.inf), r"of feature 0 must be finite with low below high, .* \(0, inf\)"),
    ],
)
def test_wrong_feature_range(kind, iris, feature_range, message):
    with pytest.raises(ValueError, match=message):
        quick(kind, feature_range=feature_range).fit(*iris)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_constant_and_huge_features(kind):
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    huge = rng.random(60)
    huge[:2] = np.finfo(float).max * np.array([-1, 1])
    tiny = np.finfo(float).tiny * (2 * y + rng.random(60))
    X = np.stack([np.full(60, 3.0), huge, tiny], axis=1)
    model = quick(kind, epochs=60).fit(X, y)
    assert model.score(X, y) == 1
    np.testing.assert_array_equal(model.scores([[5.0, 0.0, 0.0]]), model.scores([[3.0, 0.0, 0.0]]))


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("bond_dim", 1, "bond_dim must be an integer from 2 to 32, not 1"),
        ("bond_dim", 33, "bond_dim must be an integer from 2 to 32, not 33"),
        ("bond_dim", 4.0, "bond_dim must be an integer from 2 to 32, not 4.0"),
        ("epochs", 0, "epochs must be an integer of at least 1, not 0"),
        ("batch_size", 0, "batch_size must be an integer of at least 1, not 0"),
        ("batch_size", "all", "batch_size must be an integer of at least 1, not 'all'"),
        ("learning_rate", -1, "learning_rate must be a finite number of at least 0, not -1"),
        ("weight_decay", np.nan, "weight_decay must be a finite number of at least 0, not nan"),
        ("input_noise", None, "input_noise must be a finite number of at least 0, not None"),
        ("feature_order", "spiral", '"snake", "strips", "mutual_information".* or a permutation'),
    ],
)
def test_wrong_parameter(kind, iris, parameter, value, message):
    with pytest.raises(ValueError, match=message):
        quick(kind, **{parameter: value}).fit(*iris)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_divergence_names_epoch_and_learning_rate(kind, iris):
    with pytest.raises(FloatingPointError, match=r"epoch \d+ is nan; lower .* now 1e\+30"):
        quick(kind, learning_rate=1e30).fit(*iris)


def test_one_class(kind, iris):
    with pytest.raises(ValueError, match="at least 2 classes are needed, not 1 class: 0"):
        quick(kind).fit(iris[0], np.zeros(150, dtype=int))


def test_not_fitted(kind, iris):
    for method in ("predict", "predict_proba", "decision_function", "scores"):
        with pytest.raises(NotFittedError):
            getattr(quick(kind), method)(iris[0])
    with pytest.raises(NotFittedError):
        quick(kind).quantize()


def test_verbose_reports_on_stderr(kind, iris, capsys):
    quick(kind, verbose=True).fit(*iris)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "3/3" in captured.err
