"""The classifier: accuracy, trees, limits, determinism, many features, boards."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import FeatureAgglomeration
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import train_test_split

from tensorspin.models import TTNClassifier

from ..support.trees import tree_scores


def split(load, **options):
    X, y = load(return_X_y=True)
    return train_test_split(X, y, stratify=y, random_state=0, **options)


def quick(**parameters):
    return TTNClassifier(**{"bond_dim": 4, "epochs": 3, "random_state": 0, **parameters})


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def digits_model():
    X_train, X_test, y_train, y_test = split(load_digits, test_size=0.3)
    model = TTNClassifier(
        bond_dim=8, feature_order="morton", feature_range=(0, 16), epochs=25, random_state=0
    )
    return model.fit(X_train, y_train), X_test, y_test


def test_digits(digits_model):
    model, X_test, y_test = digits_model
    accuracy = model.score(X_test, y_test)
    assert accuracy > 0.97
    quantised = np.mean(model.quantize().predict(X_test) == y_test)
    assert quantised == pytest.approx(accuracy, abs=0.005)


@pytest.mark.parametrize("feature_map", ["linear", "trigonometric", "polynomial"])
@pytest.mark.parametrize("load", [load_iris, load_wine])
def test_small_data_sets(load, feature_map):
    X_train, X_test, y_train, y_test = split(load)
    model = TTNClassifier(feature_map=feature_map, random_state=0).fit(X_train, y_train)
    assert model.score(X_test, y_test) > 0.9


def test_two_classes():
    X_train, X_test, y_train, y_test = split(load_breast_cancer)
    names = np.array(["malignant", "benign"])
    model = quick(epochs=30).fit(X_train, names[y_train])
    assert model.score(X_test, names[y_test]) > 0.93
    assert model.decision_function(X_test).shape == (len(X_test),)


def test_fitted_attributes(digits_model):
    model, X_test, _ = digits_model
    assert model.children_.shape == (63, 2)
    assert len(model.tensors_) == 63
    assert model.tensors_[0].shape == (4, 2, 2)
    assert model.tensors_[-2].shape == (8, 8, 8)
    assert model.tensors_[-1].shape == (10, 8, 8)
    np.testing.assert_array_equal(model.site_features_, np.arange(64))
    for tensor in model.tensors_:
        assert np.abs(tensor).max() == pytest.approx(127 / 128)
    assert model.n_iter_ == len(model.loss_curve_) == 25
    probabilities = model.predict_proba(X_test)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), model.predict(X_test))


@pytest.mark.parametrize("tree", [None, ((3, 1), (0, 2)), (0, (1, (2, 3)))])
def test_scores_equal_the_tree_node_by_node(iris, tree):
    X, y = iris
    model = quick(tree=tree).fit(X, y)
    components = model.feature_map_((X - X.min(axis=0)) / np.ptp(X, axis=0))
    expected = [tree_scores(model.children_, model.tensors_, row) for row in components]
    np.testing.assert_allclose(
        model.logits_from_scores(model.scores(X)), model.logits_from_scores(expected)
    )


def test_trees_and_orders(iris):
    X, y = iris
    assert quick(tree=((3, 1), (0, 2))).fit(X, y).children_.tolist() == [[3, 1], [0, 2], [4, 5]]
    assert quick(feature_order=[3, 1, 0, 2]).fit(X, y).children_.tolist() == [
        [3, 1],
        [0, 2],
        [4, 5],
    ]
    agglomerated = FeatureAgglomeration().fit(X).children_
    model = quick(epochs=40, tree=agglomerated).fit(X, y)
    np.testing.assert_array_equal(model.children_, agglomerated)
    assert model.score(X, y) > 0.9
    with pytest.raises(ValueError, match="give tree or feature_order, not both"):
        quick(tree=((0, 1), (2, 3)), feature_order="morton").fit(X, y)
    with pytest.raises(ValueError, match="tree lacks feature 3"):
        quick(tree=((0, 1), 2)).fit(X, y)


def test_same_seed_same_model(iris):
    X, y = iris
    one, two = quick().fit(X, y), quick().fit(X, y)
    for a, b in zip(one.tensors_, two.tensors_):
        np.testing.assert_array_equal(a, b)
    assert one.loss_curve_ == two.loss_curve_
    assert one.loss_curve_ != quick(random_state=1).fit(X, y).loss_curve_


def test_prediction_does_not_depend_on_the_batch(digits_model):
    model, X_test, _ = digits_model
    one_by_one = np.concatenate([model.decision_function(row[None]) for row in X_test[:20]])
    np.testing.assert_allclose(model.decision_function(X_test)[:20], one_by_one, rtol=1e-9)


def test_pickle_and_clone(iris):
    X, y = iris
    model = quick(feature_map="polynomial", tree=[[0, 1], [2, 3]]).fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(model.predict_proba(X), copy.predict_proba(X))
    assert clone(model).get_params() == model.get_params()


@pytest.mark.parametrize("n_features", [1, 2, 3])
@pytest.mark.parametrize("bond_dim", [2, 16])
def test_few_features(n_features, bond_dim):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 300)
    X = rng.normal(size=(300, n_features)) + 3 * y[:, None]
    model = TTNClassifier(bond_dim=bond_dim, epochs=40, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.85
    assert len(model.tensors_) == max(n_features, 2) - 1
    assert np.mean(model.quantize().predict(X) == model.predict(X)) > 0.95


@pytest.mark.parametrize("feature_map", ["linear", "trigonometric", "polynomial"])
@pytest.mark.parametrize("n_features", [784, 1024])
def test_many_features(feature_map, n_features):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 400)
    X = rng.random((4, n_features))[y] + 0.2 * rng.standard_normal((400, n_features))
    X = np.clip(X, 0, 1)
    model = TTNClassifier(
        bond_dim=8, feature_map=feature_map, feature_range=(0, 1), epochs=6, random_state=0
    ).fit(X[:300], y[:300])
    assert np.all(np.isfinite(model.loss_curve_))
    assert model.loss_curve_[-1] < 0.5 * model.loss_curve_[0]
    assert np.all(np.isfinite(model.predict_proba(X)))
    assert model.score(X[300:], y[300:]) > 0.7


def test_a_deep_tree():
    rng = np.random.default_rng(0)
    y = np.arange(200) % 2
    X = rng.random((200, 100)) * 0.8 + 0.2 * y[:, None]
    children = np.stack([np.arange(1, 100), 99 + np.arange(99)], axis=1)
    children[0, 1] = 0
    model = quick(tree=children, epochs=16).fit(X, y)
    assert model.score(X, y) > 0.9


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_constant_features():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    X = np.stack([np.full(60, 3.0), y + 0.3 * rng.random(60), rng.random(60)], axis=1)
    model = quick(epochs=60).fit(X, y)
    assert model.score(X, y) == 1
    np.testing.assert_array_equal(model.scores([[5.0, 0.0, 0.0]]), model.scores([[3.0, 0.0, 0.0]]))


def test_promised_range(iris):
    X, y = iris
    model = quick(feature_range=(0, 8)).fit(X, y)
    wrong = X.copy()
    wrong[7, 2] = 8.5
    with pytest.raises(ValueError, match="feature 2 of sample 7 is 8.5; feature_range promises 0"):
        model.predict(wrong)


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("bond_dim", 1, "bond_dim must be an integer from 2 to 32, not 1"),
        ("bond_dim", 33, "bond_dim must be an integer from 2 to 32, not 33"),
        ("epochs", 0, "epochs must be an integer of at least 1, not 0"),
        ("batch_size", "all", "batch_size must be an integer of at least 1, not 'all'"),
        ("learning_rate", -1, "learning_rate must be a finite number of at least 0, not -1"),
        (
            "feature_order",
            "spiral",
            '"snake", "strips", "mutual_information", "morton" or a permutation .* \'spiral\'',
        ),
        ("tree", "snake", "tree must be made of pairs and of integers, .* not a str"),
    ],
)
def test_wrong_parameter(iris, parameter, value, message):
    with pytest.raises(ValueError, match=message):
        quick(**{parameter: value}).fit(*iris)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_divergence_names_epoch_and_learning_rate(iris):
    with pytest.raises(FloatingPointError, match=r"epoch \d+ is nan; lower .* now 1e\+30"):
        quick(learning_rate=1e30).fit(*iris)


def test_not_fitted(iris):
    for method in ("predict", "predict_proba", "decision_function", "scores"):
        with pytest.raises(NotFittedError):
            getattr(quick(), method)(iris[0])
    with pytest.raises(NotFittedError):
        quick().quantize()


@pytest.mark.parametrize("url", ["golden://icebreaker", "sim://icebreaker"])
def test_boards_give_the_golden_scores(digits_model, url):
    model, X_test, _ = digits_model
    program = model.quantize()
    X = X_test[:40]
    golden = program.run_golden(X)
    with model.deploy(url) as deployed:
        assert np.array_equal(deployed.predict(X), program.predict(X))
        result = deployed.last_run_
    assert np.array_equal(result.scores, golden.scores)
    assert np.array_equal(result.exponents, golden.exponents)
    assert set(result.cycles) == {program.cycles(8)}
