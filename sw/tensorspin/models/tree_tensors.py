"""The tensors of a tree before training: their shapes, and where they start."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def node_shapes(
    children: np.ndarray, local_dim: int, bond_dim: int, n_classes: int
) -> list[tuple[int, int, int]]:
    """Return the shapes of the tensors of a tree.

    A node's vector never needs more entries than the product of its children's; the root has one
    output a class.

    Parameters
    ----------
    children : ndarray of int of shape (n_leaves - 1, 2)
        The tree; see `tensorspin.models.tree_shape`.
    local_dim : int
        Number of entries of a leaf's vector.
    bond_dim : int
        Largest number of entries of a node's vector.
    n_classes : int
        Number of outputs of the root.

    Returns
    -------
    list of (int, int, int)
        Shape (outputs, left, right) of each node's tensor.
    """
    sizes = [local_dim] * (len(children) + 1)
    shapes = []
    for left, right in children.tolist():
        shapes.append((min(bond_dim, sizes[left] * sizes[right]), sizes[left], sizes[right]))
        sizes.append(shapes[-1][0])
    shapes[-1] = (n_classes, *shapes[-1][1:])
    return shapes


def initial_tensors(
    children: np.ndarray,
    shapes: Sequence[tuple[int, int, int]],
    constant: np.ndarray,
    rng: np.random.Generator,
) -> list[np.ndarray]:
    """Return isometries with which every vector depends on its features nearly linearly.

    An isometry has orthonormal rows, so that it does not lengthen the vectors that it maps. Where a
    node has fewer outputs than its children have products, its first output is the product of the
    children's constant components. Each of the other outputs adds a component of the left child to
    one of the right, both times the other child's constant; all components are taken in a random
    basis. The shares are such that all leaves below contribute alike, and the variance of a vector
    is the mean of theirs, whatever the depth. (With isometries of random products, the vectors that
    1,024 features give would be unrelated for any two samples.) The differences of components and
    the products of two that vary come next, if outputs are left.

    Parameters
    ----------
    children : ndarray of int of shape (n_leaves - 1, 2)
        The tree; see `tensorspin.models.tree_shape`.
    shapes : sequence of (int, int, int)
        Shape (outputs, left, right) of each node's tensor, from `node_shapes`.
    constant : ndarray of float of shape (local_dim,)
        Weights with which the components of a feature vector sum to a constant.
    rng : numpy.random.Generator
        Source of the random bases.

    Returns
    -------
    list of ndarray of float64 of shape (outputs, left, right)
        One tensor per node. The root's is no isometry: it gives all classes the same score, so that
        no class is preferred before training begins.
    """
    n_leaves = len(children) + 1
    # Direction of each leaf's and node's vector that holds its constant component.
    directions = [constant / np.linalg.norm(constant)] * n_leaves
    leaves_below = [1] * n_leaves
    tensors = []
    for (left, right), (outputs, a, b) in zip(children.tolist(), shapes):
        leaves_below.append(leaves_below[left] + leaves_below[right])
        both = np.kron(directions[left], directions[right])
        if outputs == a * b:
            # Room for all products: nothing has to be chosen.
            rows = np.eye(a * b)
            directions.append(both)
        else:
            left_basis = _completed(directions[left], rng)
            right_basis = _completed(directions[right], rng)
            from_left = np.kron(left_basis[1:], right_basis[:1])
            from_right = np.kron(left_basis[:1], right_basis[1:])
            # Number of pairs of varying components, one of each child, that can be added.
            common = min(a, b) - 1
            cosine, sine = np.sqrt(
                np.array([leaves_below[left], leaves_below[right]]) / leaves_below[-1]
            )
            groups = [
                both[None],
                cosine * from_left[:common] + sine * from_right[:common],
                from_left[common:],
                from_right[common:],
                sine * from_left[:common] - cosine * from_right[:common],
            ]
            if outputs > sum(len(group) for group in groups):
                products = np.kron(left_basis[1:], right_basis[1:])
                groups.append(_rotation(len(products), rng) @ products)
            rows = np.concatenate(groups)[:outputs]
            directions.append(np.eye(1, outputs)[0])
        tensors.append(rows.reshape(-1, a, b))
    tensors[-1] = np.broadcast_to(both.reshape(shapes[-1][1:]), shapes[-1]).copy()
    return tensors


def _completed(direction: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return an orthonormal basis in rows, the unit vector ``direction`` first."""
    size = len(direction)
    columns = np.column_stack([direction, rng.standard_normal((size, size - 1))])
    basis = np.linalg.qr(columns)[0].T
    basis[0] = direction
    return basis


def _rotation(size: int, rng: np.random.Generator) -> np.ndarray:
    """Return a random orthogonal matrix."""
    return np.linalg.qr(rng.standard_normal((size, size)))[0]
