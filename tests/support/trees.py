"""Small random trees, and their contraction written as plainly as possible."""

from __future__ import annotations

import numpy as np


def random_tree(rng, n_leaves):
    """Children (n_leaves - 1, 2) of a tree of any shape: two random parts are joined at a time."""
    parts = list(range(n_leaves))
    children = []
    while len(parts) > 1:
        pair = [parts.pop(rng.integers(len(parts))) for _ in range(2)]
        parts.append(n_leaves + len(children))
        children.append(pair)
    return np.array(children)


def random_tree_tensors(rng, children, local_dim, bond_dim, n_classes):
    """Tensors (outputs, left, right) with bonds from 1 to bond_dim and entries of fitting size."""
    sizes = [local_dim] * (len(children) + 1)
    tensors = []
    for node, pair in enumerate(children):
        last = node == len(children) - 1
        outputs = n_classes if last else int(rng.integers(1, bond_dim + 1))
        left, right = (sizes[child] for child in pair)
        tensors.append(rng.normal(size=(outputs, left, right)) / np.sqrt(left * right))
        sizes.append(outputs)
    return tensors


def tree_scores(children, tensors, components):
    """Scores (n_classes,) of one sample's feature vectors (n_leaves, local_dim), node by node."""
    vectors = list(components)
    for (left, right), tensor in zip(children, tensors):
        vectors.append(np.einsum("kab,a,b->k", tensor, vectors[left], vectors[right]))
    return vectors[-1]
