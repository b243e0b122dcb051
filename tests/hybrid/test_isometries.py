"""Trees of isometries are the networks that they were made of."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.compiler import chain_nodes
from tensorspin.compiler.nodes import FloatNode
from tensorspin.compiler.tree import tree_nodes
from tensorspin.contract.contractor import Node, Operand, OperandKind
from tensorspin.hybrid.circuits.isometries import (
    Feature,
    Result,
    contract,
    isometric,
    leaves,
    mirrored,
    sequential,
    tree_of,
)

from ..support.networks import brute_force_scores, random_network

RNG = np.random.default_rng(0)


def chain(n_sites, bond=3, outputs=1):
    cores, label, position = random_network(RNG, n_sites, 2, bond, outputs)
    tree = mirrored(tree_of(chain_nodes(cores, label, position, range(n_sites))))
    vectors = RNG.normal(size=(5, n_sites, 2))
    return tree, vectors, brute_force_scores(cores, label, position, vectors)


@pytest.mark.parametrize("n_sites", [2, 3, 4, 5, 7])
@pytest.mark.parametrize("outputs", [1, 3])
def test_a_chain_stays_the_same_but_for_its_norm(n_sites, outputs):
    tree, vectors, scores = chain(n_sites, outputs=outputs)
    assert leaves(tree) == list(range(n_sites))
    assert contract(tree, vectors) == pytest.approx(scores)
    unit, log_norm = isometric(tree)
    assert np.exp(log_norm) * contract(unit, vectors) == pytest.approx(scores)
    for node in unit[:-1]:
        matrix = node.tensor.reshape(len(node.tensor), -1)
        assert matrix @ matrix.T == pytest.approx(np.eye(len(matrix)), abs=1e-12)
    assert np.linalg.norm(unit[-1].tensor) == pytest.approx(1)


@pytest.mark.parametrize("n_sites", [2, 3, 4, 5, 8])
def test_a_chain_may_hang_at_its_left_end(n_sites):
    tree, vectors, scores = chain(n_sites)
    hung = sequential(tree)
    assert contract(hung, vectors) == pytest.approx(scores)
    assert leaves(hung) == list(range(n_sites))
    assert all(isinstance(node.left, Feature) for node in hung)


def test_a_tree_stays_the_same_and_has_no_end_to_hang_at():
    children = np.array([[0, 1], [2, 3], [6, 7], [4, 5], [8, 9]])
    shapes = [(3, 2, 2), (3, 2, 2), (4, 3, 3), (3, 2, 2), (1, 4, 3)]
    tensors = [RNG.normal(size=shape) for shape in shapes]
    tree = mirrored(tree_of(tree_nodes(children, tensors, range(6))))
    vectors = RNG.normal(size=(4, 6, 2))
    expected = contract(tree, vectors)
    unit, log_norm = isometric(tree)
    assert np.exp(log_norm) * contract(unit, vectors) == pytest.approx(expected)
    with pytest.raises(ValueError, match="take reuse_qubits=False"):
        sequential(tree)


def node(left, right, outputs, destination, last=False):
    return FloatNode(
        Node(left, right, outputs, destination, wait=False, last=last),
        np.ones((outputs, left.size, right.size)),
        f"node {destination}",
    )


def test_networks_that_are_no_trees_are_refused():
    first, second = (Operand(OperandKind.FEATURE, index, 2) for index in (0, 1))
    slot = Operand(OperandKind.VECTOR, 0, 2)
    twice = [node(first, second, 2, 0), node(slot, slot, 1, 1, last=True)]
    with pytest.raises(ValueError, match="node 1: .* slot 0 is not there, or is used twice"):
        tree_of(twice)
    unused = [node(first, second, 2, 0), node(first, second, 1, 1, last=True)]
    with pytest.raises(ValueError, match="each result is used, but some are not"):
        tree_of(unused)


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_networks_without_a_norm_are_refused(value):
    tree, _, _ = chain(4)
    tree[0].tensor[...] = value
    with pytest.raises(ValueError, match="and is no quantum state"):
        isometric(tree)


def test_a_square_isometry_is_a_rotation_in_the_order_of_qubits():
    tree, vectors, _ = chain(4, bond=4)
    expected = contract(tree, vectors)
    for entries in (np.eye(4), np.diag([1.0, 1, 1, -1])):
        tree[0].tensor[...] = entries.reshape(4, 2, 2)
        unit, _ = isometric(tree)
        rows = unit[0].tensor.transpose(2, 1, 0).reshape(4, 4)
        assert np.linalg.det(rows) == pytest.approx(1)
    assert np.abs(contract(tree, vectors) - expected).max() > 0


def test_results_are_followed_to_the_nodes_that_write_them():
    tree, _, _ = chain(6)
    below = [child for node in tree for child in (node.left, node.right)]
    assert sorted(child.index for child in below if isinstance(child, Result)) == [0, 1, 2, 3]
