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

from .contraction import column_norms
from .kernel import instructions, steps
from .kernel import trees as compiled


@dataclass(frozen=True)
class Layer:
    """Nodes of one height, and where their vectors stand.

    All entries of all vectors of a batch are rows of one array with a column per sample. Row 0 is
    zero: it is read as padding.

    Parameters
    ----------
    nodes : ndarray of int of shape (n_nodes,)
        Indices of the nodes.
    left_rows : ndarray of int of shape (n_nodes, left)
        Rows of the left children's vectors, padded to the longest.
    right_rows : ndarray of int of shape (n_nodes, right)
        Rows of the right children's vectors, padded to the longest.
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

    `pack` makes an instance.

    Parameters
    ----------
    layers : list of Layer
        From the lowest nodes to the root, which is alone in its layer.
    arrays : list of ndarray of float of shape (n_nodes, outputs, left * right)
        The tensors of each layer. Entries beyond a node's true shape are zero.
    shapes : sequence of (int, int, int)
        Shape (outputs, left, right) of each node's tensor without padding.
    leaf_rows : slice
        Rows of the leaves' vectors, see `Layer`.
    n_rows : int
        Number of all rows.
    children : ndarray of int of shape (n_leaves - 1, 2)
        The tree; see `tensorspin.models.tree_shape`.

    Attributes
    ----------
    n_steps : int
        About the number of nodes whose changes add up on either side of the root.
    n_exact : int
        0: all arrays are weights.
    threads : int
        Number of threads that may contract the tree, 1 or 2; the results are the same.
    """

    def __init__(
        self,
        layers: list[Layer],
        arrays: list[np.ndarray],
        shapes: Sequence[tuple[int, ...]],
        leaf_rows: slice,
        n_rows: int,
        children: np.ndarray,
    ) -> None:
        self.layers = layers
        self.arrays = arrays
        self.n_steps = (len(shapes) + 1) // 2
        self.n_exact = 0
        self.threads = 1
        self.children = children
        self.shapes = shapes
        self._leaf_rows = leaf_rows
        self._n_rows = n_rows
        self._table = compiled.node_table(
            children,
            shapes,
            [layer.nodes for layer in layers],
            [layer.right_rows.shape[1] for layer in layers],
        )

    @property
    def _compiled(self) -> bool:
        """Whether the compiled kernel contracts this network."""
        return self.arrays[0].dtype == np.float32 and instructions() is not None

    @classmethod
    def pack(
        cls,
        children: np.ndarray,
        tensors: Sequence[np.ndarray],
        dtype: type[np.floating] = np.float32,
    ) -> TreeNetwork:
        """Stack the tensors of a tree.

        Parameters
        ----------
        children : ndarray of int of shape (n_leaves - 1, 2)
            The tree; see `tensorspin.models.tree_shape`.
        tensors : sequence of ndarray of float of shape (outputs, left, right)
            The tensor of each node. All leaves are of the same dimension.
        dtype : float dtype
            The dtype of the stack.

        Returns
        -------
        TreeNetwork
            Copies of the tensors.
        """
        children = np.asarray(children)
        n_leaves = len(children) + 1
        shapes = [tensor.shape for tensor in tensors]
        outputs_left_right: np.ndarray = np.array(shapes)
        sizes = np.empty(2 * n_leaves - 1, dtype=int)
        sizes[children] = outputs_left_right[:, 1:]
        sizes[n_leaves:] = outputs_left_right[:, 0]
        # Leaves have height 0; a node stands above the higher of its children.
        heights = np.zeros(2 * n_leaves - 1, dtype=int)
        for node, pair in enumerate(children):
            heights[n_leaves + node] = 1 + heights[pair].max()

        local_dim = int(sizes[0])
        starts = np.zeros(2 * n_leaves - 1, dtype=int)
        starts[:n_leaves] = 1 + local_dim * np.arange(n_leaves)
        next_row = 1 + local_dim * n_leaves
        layers: list[Layer] = []
        arrays: list[np.ndarray] = []
        for height in range(1, heights[-1] + 1):
            nodes = np.flatnonzero(heights[n_leaves:] == height)
            outputs, *widths = outputs_left_right[nodes].max(axis=0).tolist()
            # The children of a layer's nodes may stand in different layers below, so their vectors
            # are gathered by row; row 0, which is zero, fills up the shorter ones.
            left_rows, right_rows = (
                np.where(
                    np.arange(width) < sizes[child][:, None],
                    starts[child][:, None] + np.arange(width),
                    0,
                )
                for child, width in zip(children[nodes].T, widths)
            )
            starts[n_leaves + nodes] = next_row + outputs * np.arange(len(nodes))
            end_row = next_row + outputs * len(nodes)
            trainable_children = bool((children[nodes] >= n_leaves).any())
            rows = slice(next_row, end_row)
            layers.append(Layer(nodes, left_rows, right_rows, rows, trainable_children))
            next_row = end_row

            padded = np.zeros((len(nodes), outputs, *widths), dtype)
            for stacked, index in zip(padded, nodes.tolist()):
                k, a, b = shapes[index]
                stacked[:k, :a, :b] = tensors[index]
            arrays.append(padded.reshape(len(nodes), outputs, -1))
        leaf_rows = slice(1, 1 + local_dim * n_leaves)
        return cls(layers, arrays, shapes, leaf_rows, next_row, children)

    def unpack(self, arrays: Sequence[np.ndarray] | None = None) -> list[np.ndarray]:
        """Undo `pack`.

        Parameters
        ----------
        arrays : sequence of ndarray, optional
            Arrays like the attribute `arrays`, such as their gradients; by default the attribute.

        Returns
        -------
        list of ndarray of float of shape (outputs, left, right)
            The tensor of each node.
        """
        tensors = {}
        for layer, stack in zip(self.layers, self.arrays if arrays is None else arrays):
            padded = stack.reshape(*stack.shape[:2], layer.left_rows.shape[1], -1)
            for tensor, node in zip(padded, layer.nodes.tolist()):
                k, a, b = self.shapes[node]
                tensors[node] = tensor[:k, :a, :b].copy()
        return [tensors[node] for node in range(len(self.shapes))]

    def encode(self, inputs: np.ndarray, feature_map: Callable) -> np.ndarray:
        """Map scaled inputs to the feature vectors of the leaves.

        Parameters
        ----------
        inputs : ndarray of float of shape (batch, n_leaves)
            The scaled feature that each leaf reads.
        feature_map : callable
            Maps an array of any shape to an array with one further axis of length local_dim.

        Returns
        -------
        ndarray of float of shape (n_leaves, local_dim, batch)
            In the dtype of the tensors.
        """
        # For NumPy, neighbours in memory are samples; for the compiled kernel, the components of a
        # sample.
        if not self._compiled:
            components = np.moveaxis(feature_map(inputs.T), -1, 1)
            return components.astype(self.arrays[0].dtype, order="C")
        degree = getattr(feature_map, "bernstein_degree", None)
        if degree is not None and inputs.dtype == np.float32:
            leaves = np.arange(inputs.shape[1], dtype=np.intc)
            components = steps.bernstein(inputs, leaves, degree + 1)
        else:
            components = np.ascontiguousarray(feature_map(inputs.T), np.float32)
        return components.swapaxes(1, 2)

    def contract(self, features: np.ndarray, record: bool = True) -> TreeContraction:
        """Contract a batch; scores are exact up to one positive factor per sample.

        Each vector but the root's is normalised, so that trees of any size stay in range.

        Parameters
        ----------
        features : ndarray of float of shape (n_leaves, local_dim, batch)
            Feature vectors from `encode`.
        record : bool
            Whether `gradients` will be called. False saves memory: the products of each layer are
            not kept.

        Returns
        -------
        TreeContraction
            The scores, and what `gradients` needs.
        """
        if record and self._compiled:
            vectors, found, scores = compiled.contract(
                self.arrays, self._table, features, self.threads
            )
            return TreeContraction(vectors, [features], [found], scores)
        batch = features.shape[-1]
        vectors = np.empty((self._n_rows, batch), features.dtype)
        vectors[0] = 0
        vectors[self._leaf_rows] = features.reshape(-1, batch)
        products, norms = [], []
        for layer, weights in zip(self.layers, self.arrays):
            left, right = vectors[layer.left_rows], vectors[layer.right_rows]
            product = (left[:, :, None] * right[:, None]).reshape(*weights.shape[::2], batch)
            own = vectors[layer.rows].reshape(*weights.shape[:2], batch)
            np.matmul(weights, product, out=own)
            # The scores of the root are left as they are: nothing comes after them.
            if layer is not self.layers[-1]:
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
        score_gradient : ndarray of float of shape (n_classes, batch)
            Derivative of the loss with respect to the scores.

        Returns
        -------
        list of ndarray of float
            The gradients of `arrays`. Entries beyond a node's true shape are finite, but
            meaningless.
        """
        vectors = contraction.vectors
        if self._compiled:
            (features,), (norms,) = contraction.products, contraction.norms
            return compiled.gradients(
                self.arrays, self._table, features, vectors, norms, score_gradient, self.threads
            )
        batch = vectors.shape[1]
        # Zeros, because nothing writes the padding. Row 0 collects the gradients of the padding.
        vector_gradients = np.zeros_like(vectors)
        vector_gradients[self.layers[-1].rows] = score_gradient
        result = []
        for index in reversed(range(len(self.layers))):
            layer, weights = self.layers[index], self.arrays[index]
            gradient = vector_gradients[layer.rows].reshape(*weights.shape[:2], batch)
            if index < len(contraction.norms):
                gradient = gradient / contraction.norms[index]
            result.append(gradient @ contraction.products[index].transpose(0, 2, 1))
            if not layer.trainable_children:
                continue
            left, right = vectors[layer.left_rows], vectors[layer.right_rows]
            product_gradient = (weights.transpose(0, 2, 1) @ gradient).reshape(
                *left.shape[:2], right.shape[1], batch
            )
            # Only one node reads each vector, so that no gradients have to be added up.
            vector_gradients[layer.left_rows] = np.einsum("mabn,mbn->man", product_gradient, right)
            vector_gradients[layer.right_rows] = np.einsum("mabn,man->mbn", product_gradient, left)
        return result[::-1]


@dataclass
class TreeContraction:
    """What `TreeNetwork.contract` leaves for `TreeNetwork.gradients`.

    The first three are those of NumPy; the compiled kernel has the vectors of the nodes one after
    the other, the feature vectors as the only products, and all norms in one array.
    """

    vectors: np.ndarray
    """Normalised vectors of leaves and nodes, shape (n_rows, batch); see `Layer`."""

    products: list[np.ndarray]
    """Products of each layer's pairs of children, shape (n_nodes, left * right, batch)."""

    norms: list[np.ndarray]
    """Norms that the vectors of each layer but the root's were divided by, each of shape
    (n_nodes, 1, batch)."""

    scores: np.ndarray
    """Scores up to a positive factor per sample, shape (n_classes, batch)."""
