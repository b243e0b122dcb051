"""Compiled trees compute what the tree does, within the slots, and hardly ever wait."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorspin.compiler.network_program import NetworkProgram
from tensorspin.compiler.tree import SLOTS, check_children, tree_nodes
from tensorspin.contract.device.boards import find_board
from tensorspin.errors import CapacityError
from tensorspin.golden.contractor.cycles import cycle_count
from tensorspin.models.tree_shape import balanced_tree
from tests.support.chains import program_of, run_float
from tests.support.trees import random_tree, random_tree_tensors, tree_scores


def peak(nodes):
    return 1 + max((item.node.destination for item in nodes[:-1]), default=0)


def fewest_slots(children):
    """Strahler number of the tree whose leaves are nodes without operands in slots."""
    n_leaves = len(children) + 1
    needs = [0] * n_leaves
    for left, right in children.tolist():
        least, most = sorted((needs[left], needs[right]))
        needs.append(max(1, most + (least == most)))
    return needs[-1]


@given(
    seed=st.integers(0, 2**32 - 1),
    n_leaves=st.integers(2, 40),
    local_dim=st.integers(2, 4),
    bond_dim=st.integers(1, 5),
    n_classes=st.integers(1, 4),
    slots=st.integers(1, 8),
)
def test_nodes_equal_tree(seed, n_leaves, local_dim, bond_dim, n_classes, slots):
    rng = np.random.default_rng(seed)
    children = random_tree(rng, n_leaves)
    tensors = random_tree_tensors(rng, children, local_dim, bond_dim, n_classes)
    leaf_features = rng.permutation(n_leaves)
    features = rng.normal(size=(n_leaves, local_dim))
    nodes = tree_nodes(children, tensors, leaf_features, slots)
    expected = tree_scores(children, tensors, features[leaf_features])
    np.testing.assert_allclose(run_float(nodes, features), expected, rtol=1e-9, atol=1e-12)
    # As many slots as allowed, or as few as can be; and sound by construction.
    assert peak(nodes) <= max(slots, fewest_slots(children))
    _, program = program_of(nodes, n_leaves, local_dim)
    assert len(program.nodes) == n_leaves - 1


@pytest.mark.parametrize("n_leaves", [13, 64, 196, 256])
def test_balanced_trees_fit_and_hardly_wait(n_leaves):
    children = balanced_tree(np.arange(n_leaves))
    rng = np.random.default_rng(0)
    nodes = tree_nodes(children, random_tree_tensors(rng, children, 2, 6, 3), range(n_leaves))
    assert peak(nodes) <= SLOTS
    # Only where the last subtrees meet there is nothing else to do.
    assert sum(item.node.wait for item in nodes) <= np.log2(n_leaves)


def test_more_slots_make_it_faster():
    children = balanced_tree(np.arange(64))
    tensors = random_tree_tensors(np.random.default_rng(0), children, 2, 8, 10)
    cycles = [
        cycle_count([item.node for item in tree_nodes(children, tensors, range(64), slots)], 8)
        for slots in (5, 6, 8)
    ]
    assert cycles[0] > cycles[1] >= cycles[2]


def test_too_many_levels_for_the_slots_are_refused_by_the_device():
    children = balanced_tree(np.arange(512))
    tensors = random_tree_tensors(np.random.default_rng(0), children, 2, 2, 2)
    _, program = program_of(tree_nodes(children, tensors, range(512)), 512, 2)
    size = find_board("icebreaker").contractor
    with pytest.raises(CapacityError, match=f"vector slots: 9 needed, the device holds {SLOTS}"):
        program.check(size)
    program.check(dataclasses.replace(size, slots=16))


def test_a_chain_of_features_is_a_tree_too():
    rng = np.random.default_rng(0)
    children = np.stack([np.arange(1, 1024), 1023 + np.arange(1023)], axis=1)
    children[0, 1] = 0
    tensors = random_tree_tensors(rng, children, 2, 2, 2)
    nodes = tree_nodes(children, tensors, range(1024))
    assert peak(nodes) == 1
    assert all(item.node.wait for item in nodes[1:])


def test_golden_scores_are_near_the_float_scores():
    rng = np.random.default_rng(1)
    children = random_tree(rng, 30)
    tensors = random_tree_tensors(rng, children, 3, 6, 4)
    table, program = program_of(tree_nodes(children, tensors, range(30)), 30, 3)
    assert isinstance(program, NetworkProgram)
    levels = rng.integers(256, size=(5, 30))
    results = program.run_golden(levels / 255)
    for sample, scores, exponent in zip(levels, results.scores, results.exponents):
        expected = tree_scores(children, tensors, table[sample])
        got = scores * 2.0 ** (program.log2_scale - float(exponent))
        np.testing.assert_allclose(got, expected, atol=0.2 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("children", "message"),
    [
        ([[0, 1, 2]], r"shape \(n_leaves - 1, 2\) with at least 2 leaves, not \(1, 3\)"),
        (np.zeros((0, 2), int), r"not \(0, 2\)"),
        ([[0.0, 1.0]], "must be integers, not float64"),
        ([[0, 1], [2, 5]], r"node 1: child 5 is outside 0\.\.4"),
        ([[0, -1], [2, 3]], r"node 0: child -1 is outside 0\.\.4"),
        ([[0, 4], [1, 3]], "node 0: child 4 is node 1, which does not stand before it"),
        ([[0, 3], [1, 2]], "node 0: child 3 is node 0, which .* without a loop"),
        ([[0, 1], [1, 3]], "node 1: leaf 1 is a child of node 0 already"),
        ([[0, 1], [3, 3]], "node 1: node 0 is a child of node 1 already"),
    ],
)
def test_what_is_no_tree_is_refused(children, message):
    with pytest.raises(ValueError, match=message):
        check_children(np.asarray(children))


def test_mismatched_tensors_are_refused():
    rng = np.random.default_rng(0)
    children = np.array([[0, 1], [2, 3], [4, 5]])
    tensors = random_tree_tensors(rng, children, 2, 3, 2)
    with pytest.raises(ValueError, match="node 2: reads 2 entries of node 1, which has 4 outputs"):
        tree_nodes(children, [tensors[0], np.zeros((4, 2, 2)), tensors[2]], range(4))
    with pytest.raises(ValueError, match=r"node 0: a tensor of shape \(outputs, left, right\)"):
        tree_nodes(children, [np.zeros((3, 4)), *tensors[1:]], range(4))
    with pytest.raises(ValueError, match="needs 3 tensors and 4 features of leaves, not 2 and 4"):
        tree_nodes(children, tensors[:2], range(4))
