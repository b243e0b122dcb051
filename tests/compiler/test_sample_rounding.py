"""Rounding to 4 bits so that the results of samples change least."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.compiler.chain import chain_nodes
from tensorspin.compiler.quantise import quantise_weights
from tensorspin.compiler.sample_rounding import rounded_for_samples
from tensorspin.compiler.tree import tree_nodes
from tensorspin.contract.contractor.program import WEIGHT_SUM_LIMIT, OperandKind
from tensorspin.models import FeatureMap
from tensorspin.models.tree_shape import balanced_tree

from ..support.networks import random_network

TABLE = FeatureMap("linear").table()


def chain(rng, n_sites=8, bond=6, outputs=3):
    """A chain of cores near identities, as training leaves them."""
    cores, label, position = random_network(rng, n_sites, 2, bond, outputs)
    cores = [np.eye(*core.shape[::2])[:, None] + 0.3 * core for core in cores]
    return chain_nodes(cores, label, position, list(range(n_sites)))


def results(nodes, levels):
    """Scores of a network in floating point."""
    slots = {}
    for item in nodes:
        left, right = (
            TABLE[levels[:, operand.index], : operand.size]
            if operand.kind is OperandKind.FEATURE
            else slots[operand.index]
            for operand in (item.node.left, item.node.right)
        )
        scores = np.einsum("olr,nl,nr->no", item.weights, left, right)
        slots[item.node.destination] = scores
    return scores


def error(nodes, other, levels, scale=False):
    """Mean distance of the scores of two networks, each sample's and both normalised, or not."""
    one, two = results(nodes, levels), results(other, levels)
    if not scale:
        one, two = (s / np.linalg.norm(s, axis=1, keepdims=True) for s in (one, two))
    return float(np.mean(np.linalg.norm(one - two, axis=1)))


def plainly_rounded(nodes):
    rounded = []
    for item in nodes:
        integers, step = quantise_weights(item.weights, 4)
        rounded.append(type(item)(item.node, integers * step, item.name))
    return rounded


def levels_of(rng, n_samples=300, n_features=8):
    return np.clip(rng.normal(120, 40, (n_samples, n_features)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("seed", range(4))
def test_scores_of_other_samples_change_less_than_by_rounding_to_the_nearest(seed):
    rng = np.random.default_rng(seed)
    nodes, levels, others = chain(rng), levels_of(rng), levels_of(rng)
    rounded = rounded_for_samples(nodes, TABLE, levels, [4] * len(nodes), False)
    assert error(nodes, rounded, others) < 0.7 * error(nodes, plainly_rounded(nodes), others)


@pytest.mark.parametrize("seed", range(4))
def test_trees_are_rounded_too(seed):
    rng = np.random.default_rng(seed)
    children = balanced_tree(np.arange(8))
    sizes, tensors = [2] * 8, []
    for index, (left, right) in enumerate(children.tolist()):
        shape = (3 if index == 6 else 4, sizes[left], sizes[right])
        tensors.append(rng.normal(size=shape))
        sizes.append(shape[0])
    nodes = tree_nodes(children, tensors, list(range(8)))
    levels, others = levels_of(rng), levels_of(rng)
    rounded = rounded_for_samples(nodes, TABLE, levels, [4] * len(nodes), False)
    assert error(nodes, rounded, others) < 0.7 * error(nodes, plainly_rounded(nodes), others)


@pytest.mark.parametrize("scale", [False, True])
def test_the_weights_are_on_the_grid_of_the_compiler(scale):
    rng = np.random.default_rng(0)
    for bond in (3, 32):  # wide nodes are bounded by the sum of their weights
        nodes = chain(rng, bond=bond)
        for item in rounded_for_samples(nodes, TABLE, levels_of(rng), [4] * len(nodes), scale):
            integers, step = quantise_weights(item.weights, 4)
            np.testing.assert_allclose(integers * step, item.weights, rtol=1e-12, atol=1e-15)
            sums = np.abs(integers.astype(int)).sum(axis=(1, 2))
            assert sums.max() <= WEIGHT_SUM_LIMIT


def test_nodes_of_8_bits_make_up_for_narrow_ones_before_them():
    rng = np.random.default_rng(0)
    nodes, levels = chain(rng), levels_of(rng)
    wide = rounded_for_samples(nodes, TABLE, levels, [8] * len(nodes), False)
    for one, two in zip(nodes, wide, strict=True):
        np.testing.assert_array_equal(one.weights, two.weights)
    bits = [4, *[8] * (len(nodes) - 1)]
    mixed = rounded_for_samples(nodes, TABLE, levels, bits, False)
    first = plainly_rounded(nodes)[:1] + list(nodes[1:])
    assert error(nodes, mixed, levels) < error(nodes, first, levels)
    assert error(nodes, mixed, levels) < 0.05


def test_the_scale_of_scores_stays_where_it_counts():
    rng = np.random.default_rng(1)
    nodes, levels = chain(rng, outputs=1), levels_of(rng)
    rounded = rounded_for_samples(nodes, TABLE, levels, [4] * len(nodes), True)
    true, found = results(nodes, levels), results(rounded, levels)
    assert np.sum((true - found) ** 2) < 0.1 * np.sum((true - true.mean()) ** 2)


def test_networks_and_samples_that_tell_nothing():
    rng = np.random.default_rng(0)
    nodes = chain(rng)
    nothing = [type(item)(item.node, 0 * item.weights, item.name) for item in nodes]
    for levels in (np.zeros((1, 8), np.uint8), np.full((5, 8), 255, np.uint8)):
        for each in (nodes, nothing):
            for scale in (False, True):
                rounded = rounded_for_samples(each, TABLE, levels, [4] * len(each), scale)
                assert all(np.isfinite(item.weights).all() for item in rounded)
