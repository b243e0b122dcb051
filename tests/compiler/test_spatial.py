"""Programs for spatial engines: what they are loaded with, and how good the answers are."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris

from tensorspin import MPSClassifier, MPSRegressor, TTNClassifier
from tensorspin.compiler.spatial import SpatialProgram, check_shape, spatial_size
from tensorspin.compiler.spatial_widths import agreement, choose_widths
from tensorspin.contract.spatial.size import TreeNode
from tensorspin.errors import ShapeError
from tensorspin.golden.spatial import GoldenSpatial

X, Y = load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def tree():
    return TTNClassifier(4, n_repeats=1, epochs=20, random_state=0).fit(X, Y).quantize()


@pytest.fixture(scope="module")
def chain():
    return MPSClassifier(3, n_repeats=1, epochs=20, random_state=0).fit(X, Y).quantize()


def values(results):
    return results.scores * 2.0 ** -results.exponents[:, np.newaxis].astype(float)


@pytest.mark.parametrize("model", ["tree", "chain"])
def test_scores_mean_what_those_of_a_contractor_mean(model, request):
    program = request.getfixturevalue(model)
    expected = values(program.run_golden(X))
    errors = []
    for value_bits in (18, 14, 10):
        engine = SpatialProgram(program, spatial_size(program, value_bits=value_bits))
        found = values(GoldenSpatial(engine.size, engine.parameters).run(program.levels(X)))
        errors.append(float(np.abs(found - expected).max() / np.abs(expected).max()))
    assert errors[0] < 0.002
    assert errors == sorted(errors)
    assert np.mean(engine.predict(X) == program.predict(X)) > 0.95


def test_nothing_is_saturated(tree):
    engine = SpatialProgram(tree, spatial_size(tree, value_bits=12))
    levels = np.random.default_rng(0).integers(0, 256, (5000, 4))
    found = GoldenSpatial(engine.size, engine.parameters).run(levels)
    assert 2**12 < np.abs(found.scores).max() < 2**15 - 1


def test_shapes(tree, chain):
    size = spatial_size(tree)
    assert size.tree == (TreeNode(0, 1, 4), TreeNode(2, 3, 4), TreeNode(4, 5, 3))
    # A feature on the left of a vector changes sides, with its weights.
    assert all(not size.is_feature(n.left) or size.is_feature(n.right) for n in size.tree)
    check_shape(tree, size, "the engine")
    with pytest.raises(ShapeError, match=r"4 features .*not the program's 4 features of"):
        check_shape(chain, size, "the engine")
    with pytest.raises(ShapeError, match="the engine runs networks of"):
        SpatialProgram(chain, size)


def test_regressors():
    data = np.random.default_rng(0).random((200, 2))
    target = data @ [1, 2]
    program = MPSRegressor(2, epochs=20, random_state=0).fit(data, target).quantize()
    engine = SpatialProgram(program, spatial_size(program))
    assert agreement(program, engine.predict(data), target) > 0.98
    assert choose_widths(program, data, target, weight_bits=8)[0] < 18


def test_widths_are_chosen_by_accuracy(tree):
    value_bits, weight_bits = choose_widths(tree, X, Y)
    needed = np.mean(tree.predict(X) == Y) - 0.005

    def accuracy(values, weights):
        size = spatial_size(tree, value_bits=values, weight_bits=weights)
        return np.mean(SpatialProgram(tree, size).predict(X) == Y)

    assert accuracy(value_bits, weight_bits) >= needed
    assert value_bits == 8 or accuracy(value_bits - 1, 8) < needed
    assert weight_bits == 3 or accuracy(value_bits, weight_bits - 1) < needed
    assert choose_widths(tree, X, Y, value_bits=17, weight_bits=7) == (17, 7)


def test_images_are_the_same_each_time(tree):
    images = {SpatialProgram(tree, spatial_size(tree)).image for _ in range(2)}
    assert len(images) == 1


def test_a_tree_of_too_many_features():
    data = np.random.default_rng(0).random((20, 70))
    program = TTNClassifier(2, n_repeats=1, epochs=1, random_state=0).fit(data, [0, 1] * 10)
    with pytest.raises(ShapeError, match="fits no spatial engine: inputs must be 1 to 64, not 70"):
        spatial_size(program.quantize())
