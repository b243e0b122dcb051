"""Shapes, contraction and gradients of trees, against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import FeatureAgglomeration

from tensorspin.compiler.tree import check_children
from tensorspin.models import FeatureMap
from tensorspin.models.logits import normalised_logits
from tensorspin.models.losses import cross_entropy
from tensorspin.models.tree_network import TreeNetwork
from tensorspin.models.tree_shape import balanced_tree, image_tree, users_tree
from tensorspin.models.tree_tensors import initial_tensors, node_shapes

from ..support.estimators import check_gradients
from ..support.trees import random_tree, random_tree_tensors, tree_scores


def nested(children):
    """The tree as nested pairs."""
    parts = list(range(len(children) + 1))
    for left, right in children:
        parts.append((parts[left], parts[right]))
    return parts[-1]


def heights(children):
    result = [0] * (len(children) + 1)
    for left, right in children:
        result.append(1 + max(result[left], result[right]))
    return result


def full_tensor(children, tensors):
    """The whole network as one array (n_classes, components of leaf 0, of leaf 1, ...)."""
    n_leaves = len(children) + 1
    local_dim = next(
        shape[1 + side]
        for shape, pair in zip([tensor.shape for tensor in tensors], children)
        for side in range(2)
        if pair[side] < n_leaves
    )
    # One letter a leaf: einsum of a subtree is (outputs, components of its leaves in order).
    parts = [(np.eye(local_dim), [leaf]) for leaf in range(n_leaves)]
    for (left, right), tensor in zip(children, tensors):
        (left_part, left_leaves), (right_part, right_leaves) = parts[left], parts[right]
        joined = np.tensordot(tensor, left_part, axes=(1, 0))
        joined = np.tensordot(joined, right_part, axes=(1, 0))
        parts.append((joined, left_leaves + right_leaves))
    whole, leaves = parts[-1]
    return whole.transpose(0, *(1 + np.argsort(leaves)))


def test_balanced_tree():
    assert nested(balanced_tree(np.arange(5))) == (((0, 1), 2), (3, 4))
    assert nested(balanced_tree([3, 0, 2, 1])) == ((3, 0), (2, 1))


@pytest.mark.parametrize("n_leaves", [2, 3, 7, 64, 100, 784, 1023])
def test_balanced_trees_are_as_shallow_as_can_be(n_leaves):
    children = balanced_tree(np.arange(n_leaves))
    check_children(children)
    assert max(heights(children)) == int(np.ceil(np.log2(n_leaves)))


def test_image_tree_joins_blocks():
    assert nested(image_tree(2, 2)) == ((0, 1), (2, 3))
    eight = image_tree(8, 8)
    # The nodes of height 2 are the blocks of 2 x 2 pixels.
    blocks = _subtrees(eight, 2)
    assert len(blocks) == 16
    for block in blocks:
        corner = min(block)
        assert sorted(block) == [corner, corner + 1, corner + 8, corner + 9]
        assert corner % 2 == 0 and corner // 8 % 2 == 0


def _subtrees(children, height):
    n_leaves = len(children) + 1
    leaves = [[leaf] for leaf in range(n_leaves)]
    for left, right in children:
        leaves.append(leaves[left] + leaves[right])
    return [part for part, level in zip(leaves, heights(children)) if level == height]


@pytest.mark.parametrize("size", [(2, 2), (3, 3), (28, 28), (32, 32), (1, 7), (5, 1), (4, 10)])
def test_image_tree_is_a_tree(size):
    children = image_tree(*size)
    check_children(children)
    assert len(children) == size[0] * size[1] - 1
    assert heights(children)[-1] <= np.ceil(np.log2(size[0])) + np.ceil(np.log2(size[1]))


@given(seed=st.integers(0, 2**32 - 1), n_leaves=st.integers(2, 30))
def test_users_tree_keeps_the_shape(seed, n_leaves):
    tree = nested(random_tree(np.random.default_rng(seed), n_leaves).tolist())
    children = users_tree(tree, n_leaves)
    check_children(children)
    assert nested(children.tolist()) == tree


def test_users_tree_may_be_a_deep_chain_or_an_array():
    tree = 0
    for feature in range(1, 1024):
        tree = [tree, feature]
    children = users_tree(tree, 1024)
    assert heights(children)[-1] == 1023
    X = np.random.default_rng(0).random((30, 12))
    agglomerated = FeatureAgglomeration().fit(X).children_
    np.testing.assert_array_equal(users_tree(agglomerated, 12), agglomerated)


def looped():
    tree = [0, 1]
    tree[1] = [2, tree]
    return tree


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (((0, 1), (2, 1)), "tree has feature 1 twice"),
        (((0, 1), 2), "tree lacks feature 3"),
        ((0, 1), "tree lacks feature 2 and 1 more"),
        (((0, 1), (2, 4)), "tree has feature 4, X has 0 to 3"),
        (((0, 1), (2, -1)), "tree has feature -1, X has 0 to 3"),
        ((0, 1, 2, 3), "must be a pair, not a tuple of length 4"),
        (((0, 1), (2, [3])), "must be a pair, not a list of length 1"),
        (((0, 1), (2, "3")), "pairs and of integers, .* not a str"),
        (((0, 1), (2, 3.0)), "pairs and of integers, .* not a float"),
        (((0, 1), (2, True)), "pairs and of integers, .* not a bool"),
        (7.5, "pairs and of integers, .* not a float"),
        (looped(), "tree has a loop: a pair is among its own children"),
        (np.array([[0, 1], [2, 3]]), "tree has 3 leaves, X has 4 features"),
        (np.array([[0, 1], [2, 5], [3, 4]]), "node 1: child 5 is node 1, .* without a loop"),
    ],
)
def test_wrong_tree(tree, message):
    with pytest.raises(ValueError, match=message):
        users_tree(tree, 4)


def test_one_feature_is_no_tree():
    with pytest.raises(ValueError, match="tree must be a pair, not one feature"):
        users_tree(0, 1)


@given(
    seed=st.integers(0, 2**32 - 1),
    n_leaves=st.integers(2, 9),
    bond_dim=st.integers(1, 6),
    n_classes=st.integers(1, 4),
    map_=st.sampled_from(["linear", "polynomial"]),
)
def test_scores_equal_brute_force_up_to_a_positive_factor(
    seed, n_leaves, bond_dim, n_classes, map_
):
    rng = np.random.default_rng(seed)
    feature_map = FeatureMap(map_)
    children = random_tree(rng, n_leaves)
    tensors = random_tree_tensors(rng, children, feature_map.local_dim, bond_dim, n_classes)
    inputs = rng.random((3, n_leaves))
    network = TreeNetwork.pack(children, tensors, dtype=np.float64)
    contraction = network.contract(network.encode(inputs, feature_map))
    for scores, components in zip(contraction.scores.T, feature_map(inputs)):
        expected = full_tensor(children, tensors)
        for vector in components:
            expected = np.tensordot(expected, vector, axes=(1, 0))
        np.testing.assert_allclose(expected, tree_scores(children, tensors, components), atol=1e-12)
        np.testing.assert_allclose(
            normalised_logits(scores, 1.0), normalised_logits(expected, 1.0), atol=1e-9
        )
    without_record = network.contract(network.encode(inputs, feature_map), record=False)
    np.testing.assert_array_equal(without_record.scores, contraction.scores)
    for tensor, again in zip(tensors, network.unpack()):
        np.testing.assert_array_equal(tensor, again)


@pytest.mark.parametrize("n_leaves", [2, 3, 6, 11])
@pytest.mark.parametrize("map_", ["linear", "polynomial"])
def test_gradients_equal_finite_differences(n_leaves, map_):
    rng = np.random.default_rng(2)
    feature_map = FeatureMap(map_)
    children = random_tree(rng, n_leaves)
    tensors = random_tree_tensors(rng, children, feature_map.local_dim, 4, 3)
    inputs, labels = rng.random((4, n_leaves)), np.array([0, 2, 1, 2])

    def contracted():
        network = TreeNetwork.pack(children, tensors, dtype=np.float64)
        return network, network.contract(network.encode(inputs, feature_map))

    def loss():
        return cross_entropy(contracted()[1].scores, labels, 2.0)[0]

    network, contraction = contracted()
    _, score_gradient, _ = cross_entropy(contraction.scores, labels, 2.0)
    gradients = network.unpack(network.gradients(contraction, score_gradient))
    check_gradients(tensors, gradients, loss, rng, probes=6, rel=1e-5, abs=1e-8)


def test_padding_never_spoils_a_gradient():
    rng = np.random.default_rng(0)
    children = balanced_tree(np.arange(13))
    tensors = random_tree_tensors(rng, children, 2, 6, 3)
    network = TreeNetwork.pack(children, tensors)
    contraction = network.contract(network.encode(rng.random((5, 13)), FeatureMap()))
    for gradient in network.gradients(contraction, np.ones((3, 5), np.float32)):
        assert gradient.dtype == np.float32
        assert np.all(np.isfinite(gradient))


@pytest.mark.parametrize("map_", ["linear", "trigonometric", "polynomial"])
@pytest.mark.parametrize("n_leaves", [3, 13, 100])
def test_initial_tensors_are_isometries(map_, n_leaves):
    feature_map = FeatureMap(map_)
    children = balanced_tree(np.arange(n_leaves))
    shapes = node_shapes(children, feature_map.local_dim, 7, 4)
    tensors = initial_tensors(children, shapes, feature_map.constant, np.random.default_rng(0))
    assert [tensor.shape for tensor in tensors] == shapes
    for tensor in tensors[:-1]:
        rows = tensor.reshape(len(tensor), -1)
        np.testing.assert_allclose(rows @ rows.T, np.eye(len(rows)), atol=1e-12)


def test_initial_vectors_tell_samples_apart_at_any_depth():
    rng = np.random.default_rng(0)
    spreads = []
    for n_leaves in (16, 1024):
        children = balanced_tree(np.arange(n_leaves))
        tensors = initial_tensors(
            children, node_shapes(children, 2, 16, 16), np.ones(2), np.random.default_rng(0)
        )
        tensors[-1] = np.eye(16, 256).reshape(16, 16, 16)
        network = TreeNetwork.pack(children, tensors, dtype=np.float64)
        inputs = rng.random((50, n_leaves))
        left_half = network.contract(network.encode(inputs, FeatureMap())).vectors[
            network.layers[-2].rows
        ][:16]
        overlaps = left_half.T @ left_half
        spreads.append(np.abs(overlaps[np.triu_indices(50, 1)]).mean())
    # Neither all the same nor all different, with 16 features as with 1,024.
    assert all(0.2 < spread < 0.98 for spread in spreads)
