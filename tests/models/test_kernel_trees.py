"""The compiled contraction of trees, against NumPy's and against itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorspin.models import TTNClassifier, kernel
from tensorspin.models.kernel import switch
from tensorspin.models.kernel.trees import node_table
from tensorspin.models.tree_network import TreeNetwork

from ..support.estimators import quick, tensors_of
from ..support.kernels import COMPILED, needs_compiled, two_threads

pytestmark = needs_compiled


def random_tree(rng, n_leaves):
    """Children of the nodes of a tree of any form."""
    alive, children = list(range(n_leaves)), []
    while len(alive) > 1:
        pair = [alive.pop(int(rng.integers(len(alive)))) for _ in range(2)]
        alive.append(n_leaves + len(children))
        children.append(pair)
    return np.array(children)


def network_of(seed, n_leaves, local_dim, bond_dim, n_classes):
    rng = np.random.default_rng(seed)
    children = random_tree(rng, n_leaves)
    sizes, tensors = [local_dim] * n_leaves, []
    for node, (left, right) in enumerate(children):
        shape = (sizes[left], sizes[right])
        outputs = n_classes if node == n_leaves - 2 else min(bond_dim, shape[0] * shape[1])
        tensors.append(rng.standard_normal((outputs, *shape)))
        sizes.append(outputs)
    return children, tensors


def results(network, inputs, local_dim, score_gradient, dtype=np.float32, threads=1):
    """Scores, of length 1, and all gradients of a batch."""
    tree = TreeNetwork.pack(*network, dtype=dtype)
    tree.threads = threads
    features = tree.encode(
        inputs.astype(dtype), lambda x: np.stack([x**p for p in range(local_dim)], axis=-1)
    )
    contraction = tree.contract(features)
    # Scores are known up to a factor, and so are the gradients with respect to them.
    lengths = np.linalg.norm(contraction.scores, axis=0)
    gradients = tree.gradients(contraction, (score_gradient * lengths).astype(dtype))
    return [contraction.scores / lengths, *tree.unpack(gradients)]


def error(found, exact):
    """Largest error, as a share of the largest entry."""
    return np.abs(found - exact).max() / max(np.abs(exact).max(), 1e-3)


@settings(max_examples=100)
@given(
    instructions=st.sampled_from(COMPILED or ["numpy"]),
    n_leaves=st.integers(2, 12),
    local_dim=st.integers(2, 9),
    bond_dim=st.integers(1, 20),
    n_classes=st.integers(1, 11),
    batch=st.integers(1, 40),
    seed=st.integers(0, 2**32 - 1),
)
def test_scores_and_gradients_are_those_of_numpy(
    instructions, n_leaves, local_dim, bond_dim, n_classes, batch, seed
):
    rng = np.random.default_rng(seed)
    network = network_of(seed, n_leaves, local_dim, bond_dim, n_classes)
    task = (
        network,
        rng.random((batch, n_leaves)),
        local_dim,
        rng.standard_normal((n_classes, batch)),
    )
    exact = results(*task, dtype=np.float64)
    with kernel.chosen("numpy"):
        rounded = results(*task)
    with kernel.chosen(instructions):
        found = results(*task)
    # Where terms cancel, float32 is far off, whoever computes.
    allowed = 2e-5 + 10 * max(map(error, rounded, exact))
    assert max(map(error, found, exact)) < allowed


@pytest.mark.parametrize("instructions", COMPILED)
def test_two_threads_give_the_same_bits_as_one(monkeypatch, instructions):
    two_threads(monkeypatch)
    rng = np.random.default_rng(0)
    task = network_of(0, 20, 4, 16, 3), rng.random((33, 20)), 4, rng.standard_normal((3, 33))
    with kernel.chosen(instructions):
        for one, two in zip(results(*task), results(*task, threads=2), strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("instructions", COMPILED)
@pytest.mark.parametrize("parameters", [{}, {"feature_map": "bernstein", "bond_dim": 6}])
def test_a_training_takes_the_same_course_as_with_numpy(instructions, parameters):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((60, 9))
    models = []
    for name in (instructions, "numpy"):
        with kernel.chosen(name):
            models.append(quick(TTNClassifier, **parameters).fit(X, X[:, 0] * X[:, 1] > 0))
    compiled, numpy = models
    np.testing.assert_allclose(compiled.loss_curve_, numpy.loss_curve_, rtol=2e-4, atol=2e-4)
    for one, other in zip(tensors_of(compiled), tensors_of(numpy), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-2 * np.abs(other).max())


def test_the_parts_of_a_tree_are_its_halves():
    children = np.array([[0, 1], [2, 3], [5, 4], [6, 7]])
    table = node_table(children, [(2, 2, 2)] * 4, [np.array([0, 1]), np.array([2, 3])], [2, 2])
    assert table[:, 0].tolist() == [0, 0, 1, 1] and table[:, 1].tolist() == [0, 1, 0, 1]
    assert table[:, 8].tolist() == [1, 0, 1, 2]


def arguments():
    """Arguments of the compiled function: 3 leaves, 2 components, bond 2, 2 classes, 4 samples."""
    layers = (np.zeros((1, 2, 4), np.float32), np.zeros((1, 2, 4), np.float32))
    children = np.array([[0, 1], [3, 2]])
    table = node_table(children, [(2, 2, 2)] * 2, [np.array([0]), np.array([1])], [2, 2])
    features = np.zeros((3, 4, 2), np.float32)
    vectors, norms = np.zeros(64, np.float32), np.zeros((2, 4), np.float32)
    return [layers, table, features, vectors, norms, np.zeros((2, 4), np.float32)]


def test_arrays_that_do_not_fit_are_refused():
    contract = switch._compiled.contract_tree
    contract(*arguments(), 1)
    for position in range(6):
        good = arguments()[position]
        wrong = (
            [None, good[:1], (good[0], good[0].astype(float))]
            if position == 0
            else [
                None,
                good[1:],
                good[None],
                good.astype(float),
                np.asfortranarray(np.tile(good, 2)),
            ]
        )
        for bad in wrong:
            changed = arguments()
            changed[position] = bad
            with pytest.raises((TypeError, ValueError, BufferError)):
                contract(*changed, 1)


@pytest.mark.parametrize("column", range(9))
@pytest.mark.parametrize("value", [-1, 1, 3, 9])
@pytest.mark.parametrize("row", [0, 1])
def test_tables_that_do_not_fit_are_refused(row, column, value):
    changed = arguments()
    if changed[1][row, column] == value or (row, column, value) == (0, 8, 1):
        return  # as it should be, or the other half, which may be either
    if (row, column, value) == (0, 0, 1) or (column in (2, 3) and value in range(row + 3)):
        return  # another layer or child that fits
    changed[1][row, column] = value
    with pytest.raises((TypeError, ValueError), match="row|vectors|scores|norms"):
        switch._compiled.contract_tree(*changed, 1)
