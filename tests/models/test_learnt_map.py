"""The feature map that is trained with the network: its gradients, and what becomes of it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_iris

from tensorspin.compiler import NetworkProgram
from tensorspin.models import (
    EnsembleClassifier,
    FeatureMap,
    MPSAnomalyDetector,
    MPSClassifier,
    MPSRegressor,
    TTNClassifier,
    from_tensors,
    kernel,
)
from tensorspin.models.half_chains import HalfChains
from tensorspin.models.learnt_map import LearntMap
from tensorspin.models.learnt_network import LearntNetwork
from tensorspin.models.losses import SquaredError, cross_entropy
from tensorspin.models.missing import feature_map
from tensorspin.models.tree_network import TreeNetwork
from tensorspin.models.tree_tensors import node_shapes

from ..support.estimators import check_gradients, quick, tensors_of
from ..support.networks import random_network
from ..support.pipelines import GOLDEN

LEARNING = [MPSClassifier, MPSRegressor, TTNClassifier]
X, Y = load_iris(return_X_y=True)

WAVE = np.random.default_rng(1).random((200, 2))
"""Samples of two classes that no network of one site a feature tells apart by monotone maps."""
WAVE_CLASSES = (np.cos(2 * np.pi * WAVE).sum(axis=1) > 0).astype(int)


def learning(kind, **parameters):
    return quick(kind, **{"feature_map": "learnt", "local_dim": 3, **parameters})


# The map


@pytest.mark.parametrize("local_dim", [None, 2, 3, 8])
def test_it_begins_as_the_bernstein_map(local_dim):
    learnt, start = LearntMap(local_dim), FeatureMap("bernstein", local_dim)
    np.testing.assert_allclose(learnt.table(), start.table(), atol=1e-12)
    np.testing.assert_allclose(learnt.constant, start.constant, atol=1e-9)
    x = np.random.default_rng(0).random((3, 5))
    assert learnt(x).shape == (3, 5, start.local_dim) and learnt(np.float32(x)).dtype == np.float32


def test_with_missing_values_it_begins_as_the_map_of_these():
    learnt, start = (feature_map(name, 3, "level") for name in ("learnt", "bernstein"))
    np.testing.assert_allclose(learnt.table(), start.table(), atol=1e-12)
    x = np.array([[0.2, np.nan], [np.nan, 1.0]])
    np.testing.assert_allclose(learnt(x), start(x), atol=1e-12)
    np.testing.assert_allclose(
        learnt.trained(2 * learnt.start).table()[-1], np.minimum(2 * start.missing, 1)
    )


def test_no_component_exceeds_the_limit_of_a_board():
    rng = np.random.default_rng(0)
    for _ in range(20):
        learnt = LearntMap(4).trained(3 * rng.standard_normal((8, 4)))
        assert np.abs(learnt.table()).max() <= 1 + 1e-12


@pytest.mark.parametrize("local_dim", [1, 9, 2.5, True])
def test_its_number_of_components_is_checked(local_dim):
    with pytest.raises(ValueError, match="'learnt' must be an integer from 2 to 8, not"):
        learning(MPSClassifier, local_dim=local_dim).fit(X, Y)


def test_where_nothing_is_trained_it_is_refused():
    with pytest.raises(ValueError, match="detector must be a fixed one.*to chance"):
        MPSAnomalyDetector(feature_map="learnt").fit(X)
    tensors = [np.ones((4, 2)), np.ones((2, 3, 2)), np.ones((2, 4))]
    with pytest.raises(ValueError, match="'learnt' has no values before"):
        from_tensors(tensors, label=1, feature_map="learnt", classes=["a", "b", "c"])


# Gradients


def _network(kind, rng, local_dim):
    if kind == "tree":
        # Leaf 4 is a child of the root: its layer has a leaf and a node.
        children = np.array([[0, 1], [2, 3], [5, 6], [4, 7]])
        shapes = node_shapes(children, local_dim, 5, 3)
        tensors = [rng.standard_normal(shape) for shape in shapes]
        return tensors, lambda: TreeNetwork.pack(children, tensors, dtype=np.float64)
    cores, label, position = random_network(rng, 5, local_dim, 4, 3)
    tensors = [*cores, label]
    return tensors, lambda: HalfChains.pack(tensors[:-1], tensors[-1], position, dtype=np.float64)


@pytest.mark.parametrize("local_dim", [2, 4])
@pytest.mark.parametrize("kind", ["chain", "tree"])
def test_gradients_equal_finite_differences(kind, local_dim):
    rng = np.random.default_rng(3)
    tensors, pack = _network(kind, rng, local_dim)
    learnt = LearntMap(local_dim)
    coefficients = 0.9 * rng.uniform(-1, 1, learnt.start.shape)
    inputs, labels = rng.random((6, 5)), np.array([0, 2, 1, 2, 1, 0])

    def contracted():
        network = LearntNetwork(pack(), coefficients)
        return network, network.contract(network.encode(inputs, learnt.basis))

    def loss():
        return cross_entropy(contracted()[1].scores, labels, 3.0)[0]

    network, contraction = contracted()
    _, score_gradient, _ = cross_entropy(contraction.scores, labels, 3.0)
    gradient, *arrays = network.gradients(contraction, score_gradient)
    found = [gradient, *network.network.unpack(arrays)]
    check_gradients([coefficients, *tensors], found, loss, rng, probes=6, rel=1e-5, abs=1e-8)


def test_gradients_of_a_regressor_know_its_scale():
    rng = np.random.default_rng(4)
    cores, label, position = random_network(rng, 4, 3, 3, 1)
    learnt = LearntMap(3)
    coefficients = 0.9 * rng.uniform(-1, 1, learnt.start.shape)
    inputs, error = rng.random((6, 4)), SquaredError(rng.standard_normal(6))

    def computed():
        chains = HalfChains.pack(cores, label, position, dtype=np.float64)
        network = LearntNetwork(chains, coefficients)
        return error(network, network.contract(network.encode(inputs, learnt.basis)), np.arange(6))

    found = computed()[1][0]
    check_gradients([coefficients], [found], lambda: computed()[0], rng, probes=12)


def test_beyond_the_limit_only_what_leads_back_counts():
    rng = np.random.default_rng(5)
    cores, label, position = random_network(rng, 4, 2, 3, 3)
    coefficients = rng.choice([-1.2, 1.2], (8, 2))
    chains = HalfChains.pack(cores, label, position, dtype=np.float64)
    inputs, score_gradient = rng.random((6, 4)), rng.standard_normal((3, 6))
    found = []
    for values in (coefficients, 0.999 * np.sign(coefficients)):
        network = LearntNetwork(chains, values)
        contraction = network.contract(network.encode(inputs, LearntMap(2).basis))
        found.append(network.gradients(contraction, score_gradient)[0])
    back = np.sign(coefficients) * found[1] > 0
    assert back.any() and not back.all()
    np.testing.assert_array_equal(found[0][~back], 0)
    np.testing.assert_allclose(found[0][back], found[1][back], rtol=0.1)


# Estimators


@pytest.mark.parametrize("kind", LEARNING)
def test_it_learns_what_the_map_that_it_begins_with_cannot(kind):
    target = WAVE_CLASSES if kind is not MPSRegressor else np.cos(2 * np.pi * WAVE).sum(axis=1)
    options = {"n_repeats": 1, "local_dim": 2, "epochs": 60, "bond_dim": 2}
    options |= {"learning_rate": 0.02, "weight_decay": 0.01, "input_noise": 0.0}
    fixed, learnt = (
        quick(kind, **options, feature_map=name).fit(WAVE, target)
        for name in ("bernstein", "learnt")
    )
    assert learnt.score(WAVE, target) > 0.9 > 0.75 > fixed.score(WAVE, target)
    differences = np.abs(learnt.quantize().predict(WAVE) - learnt.predict(WAVE))
    assert np.mean(differences < 0.1) > 0.97
    assert learnt.settled_parameters()["feature_map"] == "learnt"
    assert learnt.settled_parameters()["local_dim"] == 2


@pytest.mark.parametrize("kind", LEARNING)
def test_programs_files_boards_and_pickles_answer_alike(kind, tmp_path):
    model = learning(kind, n_repeats=2, epochs=10).fit(X, Y)
    assert not np.allclose(
        model.feature_map_.table(), FeatureMap("bernstein", 3).table(), atol=0.01
    )
    program = model.quantize()
    program.save(tmp_path / "model.npz")
    expected = program.predict(X)
    np.testing.assert_array_equal(NetworkProgram.load(tmp_path / "model.npz").predict(X), expected)
    with model.deploy(GOLDEN) as board:
        np.testing.assert_array_equal(board.predict(X), expected)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


@pytest.mark.parametrize("name", kernel.available())
@pytest.mark.parametrize("kind", LEARNING)
def test_every_kernel_trains_the_same_map(kind, name):
    reference = learning(kind, epochs=2).fit(X, Y)
    with kernel.chosen(name):
        model = learning(kind, epochs=2).fit(X, Y)
    np.testing.assert_allclose(
        model.feature_map_.coefficients, reference.feature_map_.coefficients, atol=2e-3
    )
    for tensor, other in zip(tensors_of(model), tensors_of(reference), strict=True):
        np.testing.assert_allclose(tensor, other, atol=5e-3 * np.abs(other).max())


@pytest.mark.parametrize("kind", LEARNING)
def test_two_threads_train_the_same_map(kind, monkeypatch):
    if kernel.instructions() is None:
        pytest.skip("only the compiled kernel has threads of its own")
    models = []
    for threads in (1, 2):
        monkeypatch.setattr("tensorspin.models.descent.usable_threads", lambda _, n=threads: n)
        models.append(learning(kind, n_repeats=2).fit(X, Y))
    one, two = (model.feature_map_.coefficients for model in models)
    np.testing.assert_array_equal(one, two)
    for tensor, other in zip(*map(tensors_of, models), strict=True):
        np.testing.assert_array_equal(tensor, other)


@pytest.mark.parametrize("kind", LEARNING)
def test_trainings_go_on_from_the_map_so_far(kind):
    model = learning(kind, warm_start=True, epochs=20).fit(X, Y)
    before = model.feature_map_
    model.set_params(epochs=1, learning_rate=1e-9).fit(X, Y)
    np.testing.assert_allclose(model.feature_map_.coefficients, before.coefficients, atol=1e-6)
    np.testing.assert_array_equal(model.feature_map_.start, before.start)
    part = learning(kind)
    known = {} if kind is MPSRegressor else {"classes": np.unique(Y)}
    for start in range(0, 150, 50):
        chosen = np.arange(start // 50, 150, 3)
        part.partial_fit(X[chosen], Y[chosen], **known)
        tables = part.feature_map_.table()
        assert part.feature_map_ is not before and np.abs(tables).max() <= 1 + 1e-12
    assert not np.allclose(tables, FeatureMap("bernstein", 3).table(), atol=1e-3)
    with pytest.raises(ValueError, match="feature_map must stay 'learnt'"):
        part.set_params(feature_map="bernstein").partial_fit(X, Y)


def test_early_stopping_keeps_the_map_of_the_best_epoch():
    model = learning(
        MPSClassifier, epochs=30, early_stopping=True, n_iter_no_change=2, learning_rate=0.03
    ).fit(X, Y)
    again = learning(
        MPSClassifier, epochs=30, early_stopping=True, n_iter_no_change=2, learning_rate=0.03
    ).fit(X, Y)
    np.testing.assert_array_equal(model.feature_map_.coefficients, again.feature_map_.coefficients)
    np.testing.assert_array_equal(model.predict(X), again.predict(X))


@pytest.mark.parametrize("kind", [MPSClassifier, TTNClassifier])
def test_weights_are_rounded_in_training_but_the_map_is_not(kind):
    model = learning(kind, weight_bits=4, epochs=10).fit(X, Y)
    assert all(len(np.unique(tensor)) <= 15 for tensor in tensors_of(model))
    assert len(np.unique(model.feature_map_.coefficients)) > 15
    assert np.mean(model.quantize().predict(X) == model.predict(X)) > 0.97


def test_gaps_and_members_of_an_ensemble_may_have_it():
    gappy = np.where(np.random.default_rng(0).random(X.shape) < 0.2, np.nan, X)
    model = learning(MPSClassifier, missing="level", epochs=20, n_repeats=2).fit(gappy, Y)
    assert model.feature_map_.local_dim == 4 and model.settled_parameters()["local_dim"] == 3
    assert model.score(gappy, Y) > 0.85
    program = model.quantize()
    assert np.mean(program.predict(gappy) == model.predict(gappy)) > 0.97
    members = [learning(MPSClassifier, local_dim=2, epochs=20), quick(MPSClassifier, epochs=20)]
    ensemble = EnsembleClassifier(members, keep="all", random_state=0).fit(X, Y)
    on_board = ensemble.quantize().predict(X)
    assert np.mean(on_board == ensemble.predict(X)) > 0.97
