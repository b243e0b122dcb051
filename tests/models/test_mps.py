"""The classifier: accuracy, limits, scaling, determinism, long chains."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import train_test_split

from tensorspin.models import MPSClassifier

from ..support.networks import brute_force_scores


def split(load, **options):
    X, y = load(return_X_y=True)
    return train_test_split(X, y, stratify=y, random_state=0, **options)


def quick(**parameters):
    return MPSClassifier(**{"bond_dim": 4, "epochs": 3, "random_state": 0, **parameters})


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def digits_model():
    X_train, X_test, y_train, y_test = split(load_digits, test_size=0.3)
    model = MPSClassifier(bond_dim=8, feature_range=(0, 16), epochs=25, random_state=0)
    return model.fit(X_train, y_train), X_test, y_test


def test_digits(digits_model):
    model, X_test, y_test = digits_model
    assert model.score(X_test, y_test) > 0.96


@pytest.mark.parametrize("feature_map", ["linear", "trigonometric", "polynomial"])
def test_iris(feature_map):
    X_train, X_test, y_train, y_test = split(load_iris)
    model = MPSClassifier(feature_map=feature_map, random_state=0).fit(X_train, y_train)
    assert model.score(X_test, y_test) > 0.9


def test_two_classes():
    X_train, X_test, y_train, y_test = split(load_breast_cancer)
    names = np.array(["malignant", "benign"])
    model = quick(epochs=40).fit(X_train, names[y_train])
    assert model.score(X_test, names[y_test]) > 0.93
    decision, logits = (
        model.decision_function(X_test),
        model.logits_from_scores(model.scores(X_test)),
    )
    assert decision.shape == (len(X_test),)
    np.testing.assert_array_equal(decision, logits[:, 1] - logits[:, 0])
    np.testing.assert_array_equal(model.predict(X_test), model.classes_[(decision > 0) * 1])


def test_fitted_attributes(digits_model):
    model, X_test, _ = digits_model
    assert model.label_position_ == 32
    assert len(model.cores_) == 64
    assert model.cores_[0].shape == (1, 2, 2)
    assert model.cores_[31].shape == model.cores_[32].shape == (8, 2, 8)
    assert model.cores_[-1].shape == (2, 2, 1)
    assert model.label_tensor_.shape == (10, 8, 8)
    np.testing.assert_array_equal(model.site_features_, np.arange(64))
    np.testing.assert_array_equal(model.feature_maximum_, np.full(64, 16.0))
    for tensor in [*model.cores_, model.label_tensor_]:
        assert np.abs(tensor).max() == pytest.approx(127 / 128)
    assert model.n_iter_ == len(model.loss_curve_) == 25
    probabilities = model.predict_proba(X_test)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), model.predict(X_test))
    entropies = model.entanglement_entropy()
    assert entropies.shape == (64,)
    assert np.all((entropies >= 0) & (entropies <= 3))


def test_scores_equal_brute_force(iris):
    X, y = iris
    model = quick().fit(X, y)
    components = model.feature_map_((X - X.min(axis=0)) / np.ptp(X, axis=0))
    expected = brute_force_scores(
        model.cores_, model.label_tensor_, model.label_position_, components[:20]
    )
    np.testing.assert_allclose(
        model.logits_from_scores(model.scores(X[:20])), model.logits_from_scores(expected)
    )


def test_eight_bit_weights_suffice(digits_model):
    model, X_test, y_test = digits_model
    rounded = pickle.loads(pickle.dumps(model))
    rounded.cores_ = [np.rint(core * 128) / 128 for core in model.cores_]
    rounded.label_tensor_ = np.rint(model.label_tensor_ * 128) / 128
    assert rounded.score(X_test, y_test) > model.score(X_test, y_test) - 0.01


def test_same_seed_same_model(iris):
    X, y = iris
    one, two = quick().fit(X, y), quick().fit(X, y)
    for a, b in zip(one.cores_, two.cores_):
        np.testing.assert_array_equal(a, b)
    assert one.loss_curve_ == two.loss_curve_
    other = quick(random_state=1).fit(X, y)
    assert one.loss_curve_ != other.loss_curve_


def test_prediction_does_not_depend_on_the_batch(digits_model):
    model, X_test, _ = digits_model
    one_by_one = np.concatenate([model.decision_function(row[None]) for row in X_test[:20]])
    np.testing.assert_allclose(model.decision_function(X_test)[:20], one_by_one, rtol=1e-9)


def test_pickle_and_clone(iris):
    X, y = iris
    model = quick(feature_map="polynomial").fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(model.predict_proba(X), copy.predict_proba(X))
    assert clone(model).get_params() == model.get_params()


@pytest.mark.parametrize("n_features", [1, 2, 3])
@pytest.mark.parametrize("bond_dim", [2, 16])
def test_few_features(n_features, bond_dim):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 300)
    X = rng.normal(size=(300, n_features)) + 3 * y[:, None]
    model = MPSClassifier(bond_dim=bond_dim, epochs=40, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.85
    assert len(model.cores_) == len(model.site_features_) == max(n_features, 2)


@pytest.mark.parametrize("feature_map", ["linear", "trigonometric", "polynomial"])
def test_784_sites(feature_map):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 400)
    X = np.clip(rng.random((4, 784))[y] + 0.2 * rng.standard_normal((400, 784)), 0, 1)
    model = MPSClassifier(
        bond_dim=8, feature_map=feature_map, feature_range=(0, 1), epochs=6, random_state=0
    ).fit(X[:300], y[:300])
    assert np.all(np.isfinite(model.loss_curve_))
    assert model.loss_curve_[-1] < 0.5 * model.loss_curve_[0]
    assert np.all(np.isfinite(model.predict_proba(X)))
    assert model.score(X[300:], y[300:]) > 0.7


def test_learnt_range_clips(iris):
    X, y = iris
    model = quick().fit(X, y)
    np.testing.assert_array_equal(model.feature_minimum_, X.min(axis=0))
    beyond = X.max(axis=0)[None]
    np.testing.assert_array_equal(model.scores(beyond), model.scores(beyond + 1000))


def test_promised_range(iris):
    X, y = iris
    model = quick(feature_range=(0, [8, 5, 7, 3])).fit(X, y)
    np.testing.assert_array_equal(model.feature_maximum_, [8, 5, 7, 3])
    wrong = X.copy()
    wrong[7, 2] = 7.5
    message = "feature 2 of sample 7 is 7.5; feature_range promises 0 to 7"
    with pytest.raises(ValueError, match=message):
        model.predict(wrong)
    with pytest.raises(ValueError, match=message):
        clone(model).fit(wrong, y)


@pytest.mark.parametrize(
    ("feature_range", "message"),
    [
        (5, r"feature_range must be None or \(low, high\), .* 5"),
        ((0, 1, 2), "must have 2 entries, .* 3"),
        ((0, [1, 2]), r"high of feature_range .* \(4,\), .* shape \(2,\)"),
        ((0, [1, 2, 0, 1]), r"of feature 2 must be finite with low below high, .* \(0, 0\)"),
        ((0, np.inf), r"of feature 0 must be finite with low below high, .* \(0, inf\)"),
    ],
)
def test_wrong_feature_range(iris, feature_range, message):
    with pytest.raises(ValueError, match=message):
        quick(feature_range=feature_range).fit(*iris)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_constant_and_huge_features():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    huge = rng.random(60)
    huge[:2] = np.finfo(float).max * np.array([-1, 1])
    tiny = np.finfo(float).tiny * (2 * y + rng.random(60))
    X = np.stack([np.full(60, 3.0), huge, tiny], axis=1)
    model = quick(epochs=30).fit(X, y)
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
    ],
)
def test_wrong_parameter(iris, parameter, value, message):
    with pytest.raises(ValueError, match=message):
        quick(**{parameter: value}).fit(*iris)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_divergence_names_epoch_and_learning_rate(iris):
    with pytest.raises(FloatingPointError, match=r"epoch \d+ is nan; lower .* now 1e\+30"):
        quick(learning_rate=1e30).fit(*iris)


def test_one_class(iris):
    with pytest.raises(ValueError, match="at least 2 classes are needed, not 1 class: 0"):
        quick().fit(iris[0], np.zeros(150, dtype=int))


def test_not_fitted(iris):
    for method in ("predict", "predict_proba", "decision_function", "scores"):
        with pytest.raises(NotFittedError):
            getattr(quick(), method)(iris[0])
    with pytest.raises(NotFittedError):
        quick().entanglement_entropy()


def test_verbose_reports_on_stderr(iris, capsys):
    quick(verbose=True).fit(*iris)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "3/3" in captured.err
