"""Batched contraction of a tree tensor network, forward and backward.

Each node of a binary tree joins the vectors of its two children::

    vector[k] = sum over a, b of  tensor[k, a, b] * left[a] * right[b]

Nodes of one height depend on lower ones only: they are padded to equal shapes and stacked, so that
one batched matrix product contracts them all. Arrays keep the batch as their last axis: the
element-wise products then run over contiguous memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .half_chains import column_norms


def node_shapes(
    children: np.ndarray, local_dim: int, bond_dim: int, n_classes: int
) -> list[tuple[int, int, int]]:
    """Shapes (outputs, left, right) of the nodes of a tree.

    A vector needs no more than the product of its children's dimensions; the root has one output a
    class.

    Parameters
    ----------
    children : int array (n_leaves - 1, 2), see `tensorspin.models.tree_shape`
    local_dim, bond_dim, n_classes : int

    Returns
    -------
    list of (int, int, int)
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
    """Isometries with which every vector depends on its features nearly linearly.

    Where a node has fewer outputs than its children have products, its first output is the product
    of the children's constant components. Each of the others adds a component of the left child to
    one of the right, both times the other child's constant; all components are taken in a random
    basis. The shares are such that all leaves below contribute alike, and the variance of a vector
    is the mean of theirs, whatever the depth: with isometries of random products the vectors that
    1,024 features give would be unrelated for any two samples. The differences of components and
    the products of two that vary come next, if outputs are left.

    Parameters
    ----------
    children : int array (n_leaves - 1, 2)
    shapes : sequence of (outputs, left, right), from `node_shapes`
    constant : float array (local_dim,)
        Weights with which the components of a feature vector sum to a constant.
    rng : numpy.random.Generator

    Returns
    -------
    list of float64 arrays (outputs, left, right)
        The root is none: it gives all classes the same score, so that no class is preferred before
        training begins.
    """
    n_leaves = len(children) + 1
    directions = [constant / np.linalg.norm(constant)] * n_leaves
    leaves_below = [1] * n_leaves
    tensors = []
    for (left, right), (outputs, a, b) in zip(children.tolist(), shapes):
        leaves_below.append(leaves_below[left] + leaves_below[right])
        both = np.kron(directions[left], directions[right])
        if outputs == a * b:
            rows = np.eye(a * b)
            directions.append(both)
        else:
            left_basis = _completed(directions[left], rng)
            right_basis = _completed(directions[right], rng)
            from_left = np.kron(left_basis[1:], right_basis[:1])
            from_right = np.kron(left_basis[:1], right_basis[1:])
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
    """An orthonormal basis in rows, the unit vector ``direction`` first."""
    size = len(direction)
    columns = np.column_stack([direction, rng.standard_normal((size, size - 1))])
    basis = np.linalg.qr(columns)[0].T
    basis[0] = direction
    return basis


def _rotation(size: int, rng: np.random.Generator) -> np.ndarray:
    """A random orthogonal matrix."""
    return np.linalg.qr(rng.standard_normal((size, size)))[0]


@dataclass(frozen=True)
class Level:
    """Nodes of one height, and where their vectors stand.

    All vectors of a batch are rows of one array. Row 0 is zero: it is read as padding.

    Attributes
    ----------
    nodes : int array (n_nodes,)
    left_rows, right_rows : int arrays (n_nodes, left), (n_nodes, right)
        Rows of the children's vectors, padded to the widest.
    rows : slice
        Rows of the nodes' own vectors, one behind the other, padded to the longest.
    trainable_children : bool
        False if all children are leaves: they need no gradient.
    """

    nodes: np.ndarray
    left_rows: np.ndarray
    right_rows: np.ndarray
    rows: slice
    trainable_children: bool


class TreeNetwork:
    """The tensors of a tree, stacked by the height of their nodes.

    Attributes
    ----------
    levels : list of Level
        From the lowest nodes to the root, which is alone in its level.
    weights : list of arrays (n_nodes, outputs, left * right), one for each level
        Entries beyond a node's true shape are zero.
    shapes : list of (outputs, left, right), one for each node
    """

    def __init__(self, levels, weights, shapes, leaf_rows, n_rows):
        self.levels: list[Level] = levels
        self.weights: list[np.ndarray] = weights
        self.shapes: list[tuple[int, int, int]] = shapes
        self._leaf_rows: slice = leaf_rows
        self._n_rows: int = n_rows

    @classmethod
    def pack(cls, children, tensors, dtype=np.float32) -> TreeNetwork:
        """Stack tensors (outputs, left, right).

        Parameters
        ----------
        children : int array (n_leaves - 1, 2)
        tensors : sequence of float arrays, one for each node
            All leaves are of the same dimension.
        dtype : float dtype
        """
        children = np.asarray(children)
        n_leaves = len(children) + 1
        shapes = [tensor.shape for tensor in tensors]
        outputs_left_right = np.array(shapes)
        sizes = np.empty(2 * n_leaves - 1, dtype=int)
        sizes[children] = outputs_left_right[:, 1:]
        sizes[n_leaves:] = outputs_left_right[:, 0]
        heights = np.zeros(2 * n_leaves - 1, dtype=int)
        for node, pair in enumerate(children):
            heights[n_leaves + node] = 1 + heights[pair].max()

        local_dim = sizes[0]
        starts = np.zeros(2 * n_leaves - 1, dtype=int)
        starts[:n_leaves] = 1 + local_dim * np.arange(n_leaves)
        next_row = 1 + local_dim * n_leaves
        levels, weights = [], []
        for height in range(1, heights[-1] + 1):
            nodes = np.flatnonzero(heights[n_leaves:] == height)
            outputs, *widths = outputs_left_right[nodes].max(axis=0).tolist()
            child_rows = []
            for child, width in zip(children[nodes].T, widths):
                entries = np.arange(width)
                rows = starts[child][:, None] + entries
                child_rows.append(np.where(entries < sizes[child][:, None], rows, 0))
            starts[n_leaves + nodes] = next_row + outputs * np.arange(len(nodes))
            end_row = next_row + outputs * len(nodes)
            trainable_children = bool((children[nodes] >= n_leaves).any())
            levels.append(Level(nodes, *child_rows, slice(next_row, end_row), trainable_children))
            next_row = end_row

            padded = np.zeros((len(nodes), outputs, *widths), dtype)
            for stacked, node in zip(padded, nodes):
                k, a, b = shapes[node]
                stacked[:k, :a, :b] = tensors[node]
            weights.append(padded.reshape(len(nodes), outputs, -1))
        leaf_rows = slice(1, 1 + local_dim * n_leaves)
        return cls(levels, weights, shapes, leaf_rows, next_row)

    def unpack(self, weights: Sequence[np.ndarray] | None = None) -> list[np.ndarray]:
        """Undo `pack`: the tensors (outputs, left, right) of the nodes.

        Parameters
        ----------
        weights : sequence of arrays like the attribute `weights`, such as its gradient; default:
            the attribute
        """
        tensors = [None] * len(self.shapes)
        for level, stack in zip(self.levels, self.weights if weights is None else weights):
            padded = stack.reshape(*stack.shape[:2], level.left_rows.shape[1], -1)
            for tensor, node in zip(padded, level.nodes):
                k, a, b = self.shapes[node]
                tensors[node] = tensor[:k, :a, :b].copy()
        return tensors

    @property
    def n_steps(self) -> int:
        """About the number of nodes whose changes add up on either side of the root."""
        return (len(self.shapes) + 1) // 2

    def arrays(self) -> list[np.ndarray]:
        """The trained arrays, that of the root last."""
        return self.weights

    def replace_arrays(self, arrays: Sequence[np.ndarray]) -> None:
        """Put other arrays of the same shapes in their place."""
        self.weights = list(arrays)

    def encode(self, inputs: np.ndarray, feature_map: Callable) -> np.ndarray:
        """Map scaled inputs to the feature vectors of the leaves.

        Parameters
        ----------
        inputs : array (batch, n_leaves)
        feature_map : callable, array (...) -> array (..., local_dim)

        Returns
        -------
        array (n_leaves, local_dim, batch), of the dtype of the weights
        """
        components = np.moveaxis(feature_map(inputs.T), -1, 1)
        return components.astype(self.weights[0].dtype, order="C")

    def contract(self, features: np.ndarray, record: bool = True) -> TreeContraction:
        """Contract a batch; scores are exact up to one positive factor per sample.

        Each vector but the root's is normalised, so that trees of any size stay in range.

        Parameters
        ----------
        features : array (n_leaves, local_dim, batch), from `encode`
        record : bool
            False saves memory when no gradient is wanted: the products of each level are not kept.
        """
        batch = features.shape[-1]
        vectors = np.empty((self._n_rows, batch), features.dtype)
        vectors[0] = 0
        vectors[self._leaf_rows] = features.reshape(-1, batch)
        products, norms = [], []
        for level, weights in zip(self.levels, self.weights):
            left, right = vectors[level.left_rows], vectors[level.right_rows]
            product = (left[:, :, None] * right[:, None]).reshape(*weights.shape[::2], batch)
            own = vectors[level.rows].reshape(*weights.shape[:2], batch)
            np.matmul(weights, product, out=own)
            if level is not self.levels[-1]:
                norms.append(column_norms(own))
                own /= norms[-1]
            if record:
                products.append(product)
        return TreeContraction(vectors, products, norms, own[0])

    def gradients(
        self, contraction: TreeContraction, score_gradient: np.ndarray
    ) -> list[np.ndarray]:
        """Backpropagate the gradient of a loss to the weights.

        The loss must not depend on the positive factor of each sample's scores: the norms divided
        out by `contract` then act as constants, and the gradient is exact.

        Parameters
        ----------
        contraction : TreeContraction
            The result of `contract` on this network.
        score_gradient : array (n_classes, batch)

        Returns
        -------
        list of arrays shaped as `weights`
            Entries beyond a node's true shape are finite, but meaningless.
        """
        vectors = contraction.vectors
        batch = vectors.shape[1]
        # Zeros, because nothing writes the padding. Row 0 collects the gradients of the padding.
        vector_gradients = np.zeros_like(vectors)
        vector_gradients[self.levels[-1].rows] = score_gradient
        result = [None] * len(self.levels)
        for index in reversed(range(len(self.levels))):
            level, weights = self.levels[index], self.weights[index]
            gradient = vector_gradients[level.rows].reshape(*weights.shape[:2], batch)
            if index < len(contraction.norms):
                gradient = gradient / contraction.norms[index]
            result[index] = gradient @ contraction.products[index].transpose(0, 2, 1)
            if not level.trainable_children:
                continue
            left, right = vectors[level.left_rows], vectors[level.right_rows]
            product_gradient = (weights.transpose(0, 2, 1) @ gradient).reshape(
                *left.shape[:2], right.shape[1], batch
            )
            # Each vector has one reader: nothing is added up.
            vector_gradients[level.left_rows] = np.einsum("mabn,mbn->man", product_gradient, right)
            vector_gradients[level.right_rows] = np.einsum("mabn,man->mbn", product_gradient, left)
        return result


@dataclass
class TreeContraction:
    """What `TreeNetwork.contract` leaves for `TreeNetwork.gradients`."""

    vectors: np.ndarray  # (n_rows, batch): leaves and nodes, normalised; see Level
    products: list[np.ndarray]  # per level (n_nodes, left * right, batch)
    norms: list[np.ndarray]  # per level but the root's (n_nodes, 1, batch)
    scores: np.ndarray  # (n_classes, batch)
