"""What the tree classifier has of its own; `test_classifiers` has what both classifiers do."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import FeatureAgglomeration
from sklearn.datasets import load_digits, load_iris

from tensorspin.models import TTNClassifier

from ..support.estimators import quick, split
from ..support.loaded_programs import cycles_of
from ..support.trees import tree_scores


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


def test_shapes(digits_model):
    model, _, _ = digits_model
    assert model.children_.shape == (63, 2)
    assert len(model.tensors_) == 63
    assert model.tensors_[0].shape == (4, 2, 2)
    assert model.tensors_[-2].shape == (8, 8, 8)
    assert model.tensors_[-1].shape == (10, 8, 8)


@pytest.mark.parametrize("tree", [None, ((3, 1), (0, 2)), (0, (1, (2, 3)))])
def test_scores_equal_the_tree_node_by_node(iris, tree):
    X, y = iris
    model = quick(TTNClassifier, tree=tree).fit(X, y)
    components = model.feature_map_((X - X.min(axis=0)) / np.ptp(X, axis=0))
    expected = [tree_scores(model.children_, model.tensors_, row) for row in components]
    np.testing.assert_allclose(
        model.logits_from_scores(model.scores(X)), model.logits_from_scores(expected)
    )


def test_trees_and_orders(iris):
    X, y = iris
    for options in ({"tree": ((3, 1), (0, 2))}, {"feature_order": [3, 1, 0, 2]}):
        model = quick(TTNClassifier, **options).fit(X, y)
        assert model.children_.tolist() == [[3, 1], [0, 2], [4, 5]]
    agglomerated = FeatureAgglomeration().fit(X).children_
    model = quick(TTNClassifier, epochs=40, tree=agglomerated).fit(X, y)
    np.testing.assert_array_equal(model.children_, agglomerated)
    assert model.score(X, y) > 0.9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tree": ((0, 1), (2, 3)), "feature_order": "morton"}, "give tree or feature_order, not"),
        ({"tree": ((0, 1), 2)}, "tree lacks feature 3"),
        ({"tree": "snake"}, "tree must be made of pairs and of integers, .* not a str"),
        (
            {"feature_order": "spiral"},
            '"mutual_information", "morton" or a permutation .* \'spiral',
        ),
    ],
)
def test_wrong_trees_and_orders(iris, options, message):
    with pytest.raises(ValueError, match=message):
        quick(TTNClassifier, **options).fit(*iris)


def test_a_deep_tree():
    rng = np.random.default_rng(0)
    y = np.arange(200) % 2
    X = rng.random((200, 100)) * 0.8 + 0.2 * y[:, None]
    children = np.stack([np.arange(1, 100), 99 + np.arange(99)], axis=1)
    children[0, 1] = 0
    model = quick(TTNClassifier, tree=children, epochs=16).fit(X, y)
    assert model.score(X, y) > 0.9


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
    assert set(result.cycles) == {cycles_of(program)}
