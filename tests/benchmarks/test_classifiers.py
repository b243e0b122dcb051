"""Sizes of models, against counts by hand."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline

from tensorspin.benchmarks.contractor.classifiers import (
    baselines,
    float_bytes,
    tensor_networks,
    trained_for,
    weight_bytes,
)
from tensorspin.contract.fixed import NARROW_WEIGHT, WEIGHT

X, y = load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def fitted():
    return {title: pipeline.fit(X, y) for title, pipeline in baselines(0).items()}


def test_linear_model(fitted):
    assert float_bytes(fitted["LogisticRegression"]) == 4 * (3 * 4 + 3)


def test_support_vectors(fitted):
    pipeline = fitted["SVC (rbf)"]
    vectors = pipeline[-1].n_support_.sum()
    # Each has 4 features and a coefficient in each of the other 2 classes; 3 pairs of classes.
    assert float_bytes(pipeline) == 4 * (vectors * (4 + 2) + 3)


def test_forest(fitted):
    pipeline = fitted["RandomForestClassifier"]
    trees = [member.tree_ for member in pipeline[-1].estimators_]
    leaves = sum(tree.n_leaves for tree in trees)
    inner = sum(tree.node_count for tree in trees) - leaves
    assert len(trees) == 200
    assert float_bytes(pipeline) == 4 * (4 * inner + 3 * leaves)


def test_perceptron(fitted):
    assert float_bytes(fitted["MLPClassifier (64)"]) == 4 * (4 * 64 + 64 + 64 * 3 + 3)


def test_other_estimators_are_not_guessed():
    with pytest.raises(TypeError, match="DummyClassifier"):
        float_bytes(make_pipeline(DummyClassifier()).fit(X, y))


def test_weights_of_a_program():
    estimator = tensor_networks(0, None, quick=True)["MPSClassifier"]
    estimator.set_params(feature_map="linear", n_repeats=1).fit(X, y)
    program = estimator.quantize()
    # 4 sites: two merged pairs of 2 x 2 levels into a bond of 4, and 3 classes of 4 x 4.
    assert sum(tensor.size for tensor in program.weights) == 2 * 4 * 2 * 2 + 3 * 4 * 4
    assert weight_bytes(program, WEIGHT.width) == 80
    assert weight_bytes(program, NARROW_WEIGHT.width) == 40
    assert float_bytes(estimator) == 320


def test_training_for_narrow_weights():
    estimator = tensor_networks(5, None, quick=True)["MPSClassifier"]
    narrow = trained_for(estimator, NARROW_WEIGHT.width)
    assert narrow.get_params() == estimator.get_params() | {"weight_bits": NARROW_WEIGHT.width}
    assert all(node.narrow for node in narrow.fit(X, y).quantize().nodes)


def test_seeds_make_fits_repeat():
    for make in (lambda: tensor_networks(3, None, quick=True), lambda: baselines(3)):
        for first, second in zip(make().values(), make().values()):
            assert np.array_equal(first.fit(X, y).predict(X), second.fit(X, y).predict(X))
