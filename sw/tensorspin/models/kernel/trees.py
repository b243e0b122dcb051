"""The compiled contraction of trees, and its gradients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .chains import _sample_by_sample
from .switch import _compiled


def node_table(
    children: np.ndarray,
    shapes: Sequence[tuple[int, ...]],
    layers: Sequence[np.ndarray],
    padded_right: Sequence[int],
) -> np.ndarray:
    """Describe the nodes of a tree as the compiled kernel takes them.

    Parameters
    ----------
    children : ndarray of int of shape (n_leaves - 1, 2)
        The tree; see `tensorspin.models.tree_shape`.
    shapes : sequence of (int, int, int)
        Shape (outputs, left, right) of each node's tensor without padding.
    layers : sequence of ndarray of int of shape (n_nodes,)
        Nodes of each layer, in the order of their tensors.
    padded_right : sequence of int
        Number of entries of the right child's vector in each layer, with padding.

    Returns
    -------
    ndarray of intc of shape (n_leaves - 1, 9)
        For each node: layer, place in the layer, both children, the shape, the padded number of
        entries, and the part of the tree: 0 or 1 below the children of the root, 2 the root. Nodes
        of different parts can be contracted at the same time.
    """
    n_nodes = len(children)
    table = np.empty((n_nodes, 9), np.intc)
    table[:, 2:4] = children
    table[:, 4:7] = shapes
    for layer, (nodes, padded) in enumerate(zip(layers, padded_right)):
        table[nodes, 0] = layer
        table[nodes, 1] = np.arange(len(nodes))
        table[nodes, 7] = padded
    n_leaves = n_nodes + 1
    parts = np.zeros(n_leaves + n_nodes, np.intc)
    parts[-1] = 2
    for node in reversed(range(n_nodes)):
        below = (0, 1) if node == n_nodes - 1 else (parts[n_leaves + node],) * 2
        parts[children[node]] = below
    table[:, 8] = parts[n_leaves:]
    return table


def contract(
    arrays: Sequence[np.ndarray], table: np.ndarray, features: np.ndarray, threads: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Contract a batch with the compiled kernel, as `TreeNetwork.contract` does in NumPy.

    Parameters
    ----------
    arrays : sequence of ndarray of float32 of shape (n_nodes, outputs, left * right)
        The tensors of each layer.
    table : ndarray of intc of shape (n_leaves - 1, 9)
        The nodes, see `node_table`.
    features : ndarray of float32 of shape (n_leaves, local_dim, batch)
        Feature vectors; in memory, a sample's components lie side by side.
    threads : int
        Number of threads, 1 or 2.

    Returns
    -------
    vectors : ndarray of float32 of shape (n,)
        The vectors of all nodes, for `gradients`.
    norms : ndarray of float32 of shape (n_leaves - 1, batch)
        What the vectors were divided by; those of the root are meaningless.
    scores : ndarray of float32 of shape (n_classes, batch)
        Scores up to a positive factor per sample.
    """
    batch = features.shape[-1]
    alignment = _compiled.ALIGNMENT
    vectors = np.empty(batch * int((-(-table[:, 4] // alignment) * alignment).sum()), np.float32)
    norms = np.ones((len(table), batch), np.float32)
    scores = np.empty((table[-1, 4], batch), np.float32)
    _compiled.contract_tree(
        tuple(arrays),
        table,
        _sample_by_sample(features),
        vectors,
        norms,
        scores,
        threads,
    )
    return vectors, norms, scores


def gradients(
    arrays: Sequence[np.ndarray],
    table: np.ndarray,
    features: np.ndarray,
    vectors: np.ndarray,
    norms: np.ndarray,
    score_gradient: np.ndarray,
    threads: int,
) -> list[np.ndarray]:
    """Backpropagate with the compiled kernel, as `TreeNetwork.gradients` does in NumPy.

    Parameters
    ----------
    arrays, table, features, threads
        As for `contract`.
    vectors, norms
        What `contract` returned.
    score_gradient : ndarray of float32 of shape (n_classes, batch)
        Derivative of the loss with respect to the scores.

    Returns
    -------
    list of ndarray of float32
        The gradients of `arrays`; those of padding are zero.
    """
    result = [np.empty_like(array) for array in arrays]
    _compiled.tree_gradients(
        tuple(arrays),
        table,
        _sample_by_sample(features),
        vectors,
        norms,
        np.ascontiguousarray(score_gradient, np.float32),
        tuple(result),
        threads,
    )
    return result
