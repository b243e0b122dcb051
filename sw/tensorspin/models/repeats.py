"""Features that are read by several sites of a network.

A network is linear in the vector that each site reads. If several sites read one feature, the
network is a polynomial of higher degree in that feature's vector and can follow more functions of
it, which counts most where there are few features. As a model of quantum computing this is called
data re-uploading (Perez-Salinas et al. 2020, arXiv:1907.02085). The accelerator is sent each
feature once, however many sites read it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .tree_shape import balanced_tree

REPEAT_ORDERS = ("tile", "interleave")
"""Where the sites that read one feature stand: see `repeated_order`."""

MOST_REPEATS = 64
"""Largest number of sites that may read one feature: with more, even a network of two features has
a program that hardly any board holds."""


def check_repeat_order(repeat_order: object) -> None:
    """Refuse an order of repeats that does not exist.

    Parameters
    ----------
    repeat_order : object
        The parameter of an estimator.

    Raises
    ------
    ValueError
        If it is neither "tile" nor "interleave".
    """
    if not isinstance(repeat_order, str) or repeat_order not in REPEAT_ORDERS:
        names = " or ".join(f'"{name}"' for name in REPEAT_ORDERS)
        raise ValueError(f"repeat_order must be {names}, not {repeat_order!r}")


def sites_of_each(n_features: int, n_repeats: int) -> int:
    """Return the number of sites that read each feature.

    Parameters
    ----------
    n_features : int
        Number of features of a sample.
    n_repeats : int
        The parameter of an estimator.

    Returns
    -------
    int
        `n_repeats`; but at least 2 for a single feature, as a network has at least two sites.
    """
    return max(n_repeats, 2) if n_features == 1 else n_repeats


def repeated_order(order: np.ndarray, n_repeats: int, repeat_order: str) -> np.ndarray:
    """Let several sites of a chain read each feature.

    Parameters
    ----------
    order : ndarray of int of shape (n_features,)
        The features in the order in which they are read.
    n_repeats : int
        Number of sites that read each feature.
    repeat_order : {"tile", "interleave"}
        "tile": the whole order is read again and again. "interleave": the sites that read one
        feature are neighbours.

    Returns
    -------
    ndarray of int of shape (n_features * n_repeats,)
        The feature that each site reads.

    Examples
    --------
    >>> repeated_order(np.array([0, 2, 1]), 2, "tile").tolist()
    [0, 2, 1, 0, 2, 1]
    >>> repeated_order(np.array([0, 2, 1]), 2, "interleave").tolist()
    [0, 0, 2, 2, 1, 1]
    """
    if repeat_order == "tile":
        return np.tile(order, n_repeats)
    return np.repeat(order, n_repeats)


def repeated_tree(
    children: np.ndarray, n_features: int, n_repeats: int, repeat_order: str
) -> np.ndarray:
    """Let several leaves of a tree read each feature.

    Parameters
    ----------
    children : ndarray of int of shape (n_features - 1, 2)
        A tree with one leaf for each feature; see `tensorspin.models.tree_shape`.
    n_features : int
        Number of features, at least 1.
    n_repeats : int
        Number of leaves that read each feature.
    repeat_order : {"tile", "interleave"}
        "tile": copies of the tree are joined by a balanced tree above them. "interleave": each leaf
        is replaced by a balanced tree of leaves that read the same feature.

    Returns
    -------
    ndarray of int of shape (n_features * n_repeats - 1, 2)
        The children of each node. Leaf ``copy * n_features + feature`` reads ``feature``.

    Examples
    --------
    >>> pair = np.array([[0, 1]])
    >>> repeated_tree(pair, 2, 2, "tile").tolist()
    [[0, 1], [2, 3], [4, 5]]
    >>> repeated_tree(pair, 2, 2, "interleave").tolist()
    [[0, 2], [1, 3], [4, 5]]
    """
    if n_repeats == 1:
        return children
    n_leaves = n_features * n_repeats
    above = balanced_tree(np.arange(n_repeats))
    nodes: list[tuple[int, int]] = []

    def grown(tree: np.ndarray, leaves: Iterable[int]) -> int:
        """Add the nodes of a tree whose leaves may be nodes that exist; return its root."""
        numbers = list(leaves)
        for left, right in tree.tolist():
            nodes.append((numbers[left], numbers[right]))
            numbers.append(n_leaves + len(nodes) - 1)
        return numbers[-1]

    if repeat_order == "tile":
        starts = range(0, n_leaves, n_features)
        grown(above, [grown(children, range(start, start + n_features)) for start in starts])
    else:
        features = range(n_features)
        grown(
            children, [grown(above, range(feature, n_leaves, n_features)) for feature in features]
        )
    return np.array(nodes)
