"""Orders of a tree's nodes: every operand comes first, within the slots, and few nodes wait."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorspin.compiler.tree import tree_nodes
from tensorspin.compiler.tree_order import by_start, depth_first
from tensorspin.contract.device.boards import find_board
from tensorspin.golden.contractor.cycles import cycle_count
from tensorspin.golden.contractor.single import single_cycle_count
from tensorspin.models.tree_shape import balanced_tree
from tests.support.trees import random_tree, random_tree_tensors


def operands_of(children):
    n_leaves = len(children) + 1
    return [[child - n_leaves for child in pair if child >= n_leaves] for pair in children.tolist()]


@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.integers(1, 10))
def test_operands_come_first_and_slots_suffice(seed, n_leaves, slots):
    rng = np.random.default_rng(seed)
    operands = operands_of(random_tree(rng, n_leaves))
    order = by_start(depth_first(operands), operands, slots, rng.integers(1, 50, len(operands)))
    if order is None:
        return
    assert sorted(order) == list(range(len(operands)))
    place = {node: position for position, node in enumerate(order)}
    assert all(place[each] < place[node] for node in order for each in operands[node])
    held = np.cumsum([1 - len(operands[node]) for node in order])
    assert held.max() <= slots


def test_slots_that_are_full_of_halves():
    operands = operands_of(balanced_tree(np.arange(16)))
    assert by_start(depth_first(operands), operands, 3, [1] * 15) is None
    assert by_start(depth_first(operands), operands, 4, [1] * 15) is not None


def test_a_chain_has_one_order():
    operands = [[], *([node] for node in range(9))]
    assert by_start(depth_first(operands), operands, 1, [4] * 10) == list(range(10))


def test_nodes_that_read_each_other_stand_apart():
    operands = operands_of(balanced_tree(np.arange(64)))
    order = by_start(depth_first(operands), operands, 8, [4] * 63)
    place = {node: position for position, node in enumerate(order)}
    near = sum(place[node] - place[each] < 4 for node in order for each in operands[node])
    assert near < 20
    plain = {node: position for position, node in enumerate(depth_first(operands))}
    assert sum(plain[node] - plain[each] < 4 for node in order for each in operands[node]) > 40


@pytest.mark.parametrize(
    ("board", "drain", "alone"),
    [("ulx3s_25f", 2, 800), ("ulx3s_45f", 4, 500), ("ulx3s_85f", 4, 440)],
)
def test_a_tree_takes_few_cycles_in_both_modes(board, drain, alone):
    children = balanced_tree(np.arange(64))
    tensors = random_tree_tensors(np.random.default_rng(0), children, 2, 8, 10)
    nodes = [item.node for item in tree_nodes(children, tensors, range(64))]
    size = replace(find_board(board).require_contractor(), single_drain=drain)
    assert single_cycle_count(nodes, size) < alone
    assert cycle_count(nodes, 8) < 2100
