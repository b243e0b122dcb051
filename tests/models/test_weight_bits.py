"""Training for weights of 8 and 4 bits, and what `quantize` makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits, load_iris, load_wine
from sklearn.model_selection import train_test_split

from tensorspin.compiler.network_program import NetworkProgram
from tensorspin.compiler.quantise import quantise_weights
from tensorspin.contract.device.boards import find_board
from tensorspin.errors import CapacityError
from tensorspin.models import MPSClassifier, MPSRegressor, TTNClassifier
from tensorspin.models.descent import round_nodes
from tensorspin.models.half_chains import HalfChains
from tensorspin.models.tree_network import TreeNetwork

from ..support.estimators import CLASSIFIERS, quick
from ..support.networks import random_network
from ..support.trees import random_tree, random_tree_tensors


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return train_test_split(X, y, stratify=y, test_size=0.3, random_state=0)


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("seed", range(5))
def test_padding_has_no_part_in_the_rounding(bits, seed):
    rng = np.random.default_rng(seed)
    cores, label, position = random_network(rng, 7, 5, 2, 3)
    chains = HalfChains.pack(cores, label, position, dtype=np.float64)
    chains.arrays = [round_nodes(array, bits) for array in chains.arrays]
    children = random_tree(rng, 7)
    tensors = random_tree_tensors(rng, children, 2, 4, 3)
    tree = TreeNetwork.pack(children, tensors, dtype=np.float64)
    tree.arrays = [round_nodes(array, bits) for array in tree.arrays]
    found_in_both = [*chains.unpack(), *tree.unpack()]
    for found, tensor in zip(found_in_both, [*cores, label, *tensors], strict=True):
        integers, step = quantise_weights(tensor, bits)
        np.testing.assert_allclose(found, integers * step, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("feature_map", ["linear", "polynomial"])
@pytest.mark.parametrize(("bond_dim", "n_features"), [(4, 4), (2, 4), (4, 3), (4, 2), (4, 1)])
def test_the_program_has_the_weights_of_the_training(
    iris, kind, bits, feature_map, bond_dim, n_features
):
    X, y = iris[0][:, :n_features], iris[1]
    model = quick(kind, weight_bits=bits, feature_map=feature_map, bond_dim=bond_dim).fit(X, y)
    program = model.quantize()
    assert all(node.narrow == (bits == 4) for node in program.nodes)
    for item, integers in zip(model._nodes(), program.weights):
        _, step = quantise_weights(item.weights, bits)
        np.testing.assert_allclose(integers * step, item.weights, atol=1e-6)
    assert program.digest(8) == model.quantize(bits).digest(8)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_four_bits_keep_the_accuracy(digits, kind):
    X_train, X_test, y_train, y_test = digits
    options = {"bond_dim": 8, "epochs": 30, "feature_range": (0, 16)}
    model, plain = (
        quick(kind, **options, weight_bits=bits).fit(X_train, y_train) for bits in (4, None)
    )
    aware = np.mean(model.quantize().predict(X_test) == y_test)
    rounded_after = np.mean(plain.quantize(4).predict(X_test) == y_test)
    assert aware > 0.94
    # Rounding for training samples costs little; to the nearest weights, as before, it costs more.
    in_floats = plain.score(X_test, y_test)
    assert abs(rounded_after - in_floats) <= 0.01
    plain._levels_to_round_for = None
    nearest = np.mean(plain.quantize(4).predict(X_test) == y_test)
    assert nearest <= rounded_after and (kind is TTNClassifier or nearest < in_floats - 0.015)
    # What the estimator predicts is what the program does.
    assert abs(aware - model.score(X_test, y_test)) < 0.01


@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize("bits", [5, 8.0, True, "8", "auto"])
def test_wrong_weight_bits_are_refused(iris, kind, bits):
    with pytest.raises(ValueError, match="weight_bits must be one of 4, 8, None, "):
        quick(kind, weight_bits=bits).fit(*iris)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_auto_fills_the_board(digits, kind):
    X_train, _, y_train, _ = digits
    board = find_board("icebreaker")
    small = quick(kind, epochs=1).fit(X_train[:200], y_train[:200])
    # With room for 8 bits the program is the same as without a board.
    with_room = small.quantize("auto", board="icebreaker")
    assert with_room.digest(8) == small.quantize(8).digest(8)
    model = quick(kind, bond_dim=32, epochs=1, feature_map="polynomial").fit(
        X_train[:100], y_train[:100]
    )
    if kind is TTNClassifier:
        with pytest.raises(CapacityError, match="with weights of 4 bits: "):
            model.quantize("auto", board="icebreaker")
        return
    program = model.quantize("auto", board="icebreaker")
    program.check(board.contractor)
    assert 0 < sum(node.narrow for node in program.nodes) < len(program.nodes)


def test_wrong_arguments_of_quantize_are_refused(iris):
    model = quick(MPSClassifier).fit(*iris)
    with pytest.raises(ValueError, match="weight_bits must be one of 4, 8, None, 'auto', .* 6"):
        model.quantize(6)
    with pytest.raises(ValueError, match="belong together, not weight_bits='auto' and board=None"):
        model.quantize("auto")
    with pytest.raises(ValueError, match="belong together, not weight_bits=4 and board='ice"):
        model.quantize(4, board="icebreaker")
    with pytest.raises(ValueError, match="no board is called 'spam'"):
        model.quantize("auto", board="spam")


def test_every_estimator_can_be_rounded_to_four_bits(iris):
    X, y = iris
    model = MPSRegressor(epochs=3, random_state=0).fit(X, y)
    narrow = model.quantize(4)
    assert all(node.narrow for node in narrow.nodes)
    assert np.corrcoef(narrow.predict(X), model.predict(X))[0, 1] > 0.8


def test_chains_are_rounded_to_four_bits_in_canonical_form(digits):
    X_train, X_test, y_train, y_test = digits
    model = quick(MPSClassifier, bond_dim=8, epochs=30, feature_range=(0, 16))
    model.fit(X_train, y_train)
    model._levels_to_round_for = None  # as in estimators that an earlier version pickled
    program = model.quantize(4)
    as_trained = NetworkProgram.from_nodes(
        model._nodes(),
        model.feature_map_.table(),
        feature_minimum=program.feature_minimum,
        feature_maximum=program.feature_maximum,
        clip=program.clip,
        task=program.task,
        weight_bits=4,
    )
    canonical, other = (np.mean(p.predict(X_test) == y_test) for p in (program, as_trained))
    assert canonical > other


def test_a_network_of_zeros_can_be_rounded_to_four_bits(iris):
    X = iris[0]
    model = MPSRegressor(epochs=1, random_state=0).fit(X, np.full(len(X), 3.0))
    np.testing.assert_allclose(model.quantize(4).predict(X), 3)


@pytest.mark.parametrize("kind", [*CLASSIFIERS, MPSRegressor])
def test_four_bits_of_a_network_that_was_not_trained_for_them(kind):
    regression = kind is MPSRegressor
    X, y = load_diabetes(return_X_y=True) if regression else load_wine(return_X_y=True)
    model = kind(epochs=20, random_state=0).fit(X, y)
    program, wide = model.quantize(4), model.quantize()
    assert all(node.narrow for node in program.nodes)
    if regression:
        assert np.corrcoef(program.predict(X), wide.predict(X))[0, 1] > 0.95
    else:
        assert np.mean(program.predict(X) == wide.predict(X)) > 0.95
    # The levels are those of the program, of some of the samples, and few.
    assert model._levels_to_round_for.dtype == np.uint8
    np.testing.assert_array_equal(model._levels_to_round_for, program.levels(X))
    many = np.tile(X, (10, 1))
    model.set_params(epochs=1).fit(many, np.tile(y, 10))
    assert model._levels_to_round_for.shape == (512, X.shape[1])


def test_missing_values_are_rounded_for_too(iris):
    X, y = iris
    X = np.where(np.random.default_rng(0).random(X.shape) < 0.2, np.nan, X)
    model = MPSClassifier(missing="level", epochs=20, random_state=0).fit(X, y)
    program = model.quantize(4)
    np.testing.assert_array_equal(model._levels_to_round_for, program.levels(X))
    assert np.mean(program.predict(X) == model.predict(X)) > 0.95
