"""Reduced density matrices of the sites of a trained network.

A network is one vector in the space of all functions of the levels. The reduced density matrix of a
site is what remains of the product of that vector with itself if all other sites and the label are
summed over: its eigenvalues tell how much the site is entangled with all others (Schollwoeck 2011,
arXiv:1008.3477, section 4.2). The network is written in components of the feature map that are
orthonormal over the 256 levels, as for a Born machine (`tensorspin.models.born`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .born import orthonormal_basis
from .canonical import CanonicalChain

RANK_TOLERANCE = 1e-14
"""Share of the largest eigenvalue of a density matrix below which another is a rounding error."""


def site_densities(estimator: Any) -> list[np.ndarray]:
    """Compute the reduced density matrix of each site or leaf.

    Parameters
    ----------
    estimator : NetworkEstimator
        A fitted estimator.

    Returns
    -------
    list of ndarray of float64 of shape (rank, rank)
        Matrices of trace 1 in orthonormal components of the feature map.

    Raises
    ------
    TypeError
        If the estimator has no chain and no tree.
    ValueError
        If the network is zero.
    """
    check_is_fitted(estimator)
    if hasattr(estimator, "cores_"):
        tensors, places = _chain_tensors(estimator)
        before, behind = _environments(tensors)
        return [_density(tensors[place], before[place], behind[place]) for place in places]
    if hasattr(estimator, "children_") and hasattr(estimator, "tensors_"):
        return _tree_densities(estimator.children_, _leaf_tensors(estimator))
    raise TypeError(
        f"an estimator whose network is a chain or a tree is needed, not a "
        f"{type(estimator).__name__}"
    )


def pair_densities(estimator: Any) -> Iterator[tuple[int, int, np.ndarray]]:
    """Compute the reduced density matrix of each pair of sites of a chain.

    Parameters
    ----------
    estimator : NetworkEstimator
        A fitted estimator whose network is a chain.

    Yields
    ------
    first, second : int
        The sites, the first before the second.
    density : ndarray of float64 of shape (rank ** 2, rank ** 2)
        Their matrix, of trace 1.
    """
    tensors, places = _chain_tensors(estimator)
    before, behind = _environments(tensors)
    for first, place in enumerate(places[:-1]):
        open_site = _pair(tensors[place], tensors[place], before[place])
        for second in range(first + 1, len(places)):
            for between in range(places[second - 1] + 1, places[second]):  # the label, if any
                open_site = _passed(open_site, tensors[between])
            other = places[second]
            half = np.tensordot(open_site, tensors[other], axes=((2,), (0,)))
            half = np.tensordot(half, behind[other], axes=((4,), (0,)))  # (p, q, b, r, d)
            joint = np.tensordot(half, tensors[other], axes=((2, 4), (0, 2)))  # (p, q, r, s)
            size = joint.shape[0] * joint.shape[2]
            density = joint.transpose(0, 2, 1, 3).reshape(size, size)
            yield first, second, density / np.trace(density)
            open_site = _passed(open_site, tensors[other])


def _inverse_basis(estimator: Any) -> np.ndarray:
    """Return the matrix (local_dim, rank) from orthonormal components to those of the map."""
    return np.linalg.pinv(orthonormal_basis(estimator.feature_map_.table()))


def constant_function(estimator: Any) -> np.ndarray:
    """Return the orthonormal components (rank,) of the function that is 1 at each level."""
    table = estimator.feature_map_.table()
    return (table @ orthonormal_basis(table).T).mean(axis=0)


def _chain_tensors(estimator: Any) -> tuple[list[np.ndarray], list[int]]:
    """Return the tensors (left, middle, right) of a chain of norm 1, and the places of its sites.

    The label tensor stands among them, with its outputs in the middle.
    """
    inverse = _inverse_basis(estimator)
    position = estimator.label_position_
    chain = CanonicalChain.of(
        [np.einsum("lpr,pq->lqr", core, inverse) for core in estimator.cores_],
        estimator.label_tensor_,
        position,
    )
    cores = chain.cores()
    tensors = [*cores[:position], chain.centre.transpose(1, 0, 2), *cores[position:]]
    return tensors, [place for place in range(len(tensors)) if place != position]


def _environments(tensors: Sequence[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Contract all tensors before each one, and all behind it, with themselves.

    The chain is in canonical form, so that the environments stay in range: all have the trace 1, or
    are identities.
    """
    before, behind = [np.ones((1, 1))], [np.ones((1, 1))]
    for tensor in tensors[:-1]:
        half = np.tensordot(before[-1], tensor, axes=1)  # (bond, p, right)
        before.append(np.tensordot(tensor, half, axes=((0, 1), (0, 1))))
    for tensor in tensors[:0:-1]:
        half = np.tensordot(tensor, behind[-1], axes=1)  # (left, p, bond)
        behind.append(np.tensordot(tensor, half, axes=((1, 2), (1, 2))))
    return before, behind[::-1]


def _pair(tensor: np.ndarray, again: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Contract a tensor twice with what is before it: (p, p, right, right)."""
    half = np.tensordot(before, again, axes=1)
    return np.tensordot(tensor, half, axes=((0,), (0,))).transpose(0, 2, 1, 3)


def _passed(open_site: np.ndarray, tensor: np.ndarray) -> np.ndarray:
    """Contract a further tensor with itself into what has a site with open axes."""
    half = np.tensordot(open_site, tensor, axes=((3,), (0,)))  # (p, p, bond, r, right)
    return np.tensordot(half, tensor, axes=((2, 3), (0, 1))).transpose(0, 1, 3, 2)


def _density(tensor: np.ndarray, before: np.ndarray, behind: np.ndarray) -> np.ndarray:
    density = np.tensordot(_pair(tensor, tensor, before), behind, axes=((2, 3), (0, 1)))
    return density / np.trace(density)


def _leaf_tensors(estimator: Any) -> list[np.ndarray]:
    """Return the tensors of a tree whose leaves are in orthonormal components."""
    inverse = _inverse_basis(estimator)
    n_leaves = len(estimator.children_) + 1
    tensors = []
    for tensor, (left, right) in zip(estimator.tensors_, estimator.children_.tolist()):
        if left < n_leaves:
            tensor = np.einsum("oab,ac->ocb", tensor, inverse)
        if right < n_leaves:
            tensor = np.einsum("oab,bc->oac", tensor, inverse)
        tensors.append(tensor)
    return tensors


def _tree_densities(children: np.ndarray, tensors: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the reduced density matrix of each leaf of a tree."""
    n_leaves = len(children) + 1
    pairs = children.tolist()
    # What is below each leaf or node, contracted with itself; up to a factor, to stay in range.
    below: list[np.ndarray] = [np.eye(0)] * n_leaves
    for (left, right), tensor in zip(pairs, tensors):
        for child, size in ((left, tensor.shape[1]), (right, tensor.shape[2])):
            if child < n_leaves:
                below[child] = np.eye(size)
        below.append(
            _scaled(
                np.einsum(
                    "oab,pcd,ac,bd->op",
                    *(tensor, tensor, below[left], below[right]),
                    optimize=True,
                )
            )
        )
    # What is around each of them, from the root downwards.
    around: list[np.ndarray] = [np.eye(0)] * len(below)
    around[-1] = np.eye(len(tensors[-1]))
    for node in reversed(range(len(tensors))):
        (left, right), tensor, above = pairs[node], tensors[node], around[n_leaves + node]
        half = np.tensordot(above, tensor, axes=1)
        around[left] = _scaled(
            np.einsum("oab,ocd,bd->ac", half, tensor, below[right], optimize=True)
        )
        around[right] = _scaled(
            np.einsum("oab,ocd,ac->bd", half, tensor, below[left], optimize=True)
        )
    return around[:n_leaves]


def _scaled(matrix: np.ndarray) -> np.ndarray:
    """Divide a matrix by its trace."""
    trace = np.trace(matrix)
    if not np.isfinite(trace) or trace <= 0:
        raise ValueError("the network is zero: it looks at nothing")
    return matrix / trace


def entropy(density: np.ndarray) -> float:
    """Compute the entropy in bits of a density matrix.

    Parameters
    ----------
    density : ndarray of float64 of shape (size, size)
        A symmetric matrix without negative eigenvalues but for rounding.

    Returns
    -------
    float
        At least 0, at most the base-2 logarithm of the size.

    Examples
    --------
    >>> import numpy as np
    >>> entropy(np.diag([0.5, 0.5])), entropy(np.diag([1.0, 0.0]))
    (1.0, 0.0)
    """
    values = np.linalg.eigvalsh((density + density.T) / 2)
    values = values[values > RANK_TOLERANCE * values[-1]]
    values = values / values.sum()
    # The sum is -0.0 or a rounding error below zero for a single value.
    return max(0.0, -float(np.sum(values * np.log2(values))))
