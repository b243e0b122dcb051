"""What a spatial engine computes, bit for bit."""

from __future__ import annotations

import numpy as np

from ...contract.contractor.results import ContractorResults
from ...contract.spatial.arithmetic import SHIFTS, least_shift, narrow, output_bits
from ...contract.spatial.image import NetworkNumbers, tables, unpack_image
from ...contract.spatial.latency import latency
from ...contract.spatial.size import SpatialSize

_BLOCK = 4096
"""Samples that are computed at a time: few enough for their products to stay in the cache."""


def node_sums(
    size: SpatialSize, parameters: NetworkNumbers, index: int, vectors: list, levels: np.ndarray
) -> np.ndarray:
    """Compute the sums of one node, before they are narrowed.

    Parameters
    ----------
    size : SpatialSize
        Parameters of the engine.
    parameters : NetworkNumbers
        Tables and weights; those of other nodes are not looked at.
    index : int
        Index of the node.
    vectors : list of ndarray of int64 of shape (n_samples, entries)
        Vectors of the nodes before it; others may be None.
    levels : ndarray of int of shape (n_samples, inputs)
        Levels of the features.

    Returns
    -------
    ndarray of int64 of shape (n_samples, outputs)
        The sums.
    """
    node = size.tree[index]
    rows = [
        numbers[levels[:, table.feature]]
        for table, numbers in zip(tables(size), parameters.tables)
        if table.node == index
    ]
    left = rows[0] if size.is_feature(node.left) else vectors[node.left - size.inputs]
    if size.is_feature(node.right):
        weights = rows[-1].reshape(len(levels), node.outputs, -1)
        return np.einsum("ska,sa->sk", weights, left)
    right = vectors[node.right - size.inputs]
    products = narrow(
        left[:, :, np.newaxis] * right[:, np.newaxis, :], size.value_bits - 1, size.value_bits
    )
    return products.reshape(len(levels), -1) @ parameters.weights[index].reshape(node.outputs, -1).T


def node_vector(
    size: SpatialSize, parameters: NetworkNumbers, index: int, sums: np.ndarray
) -> np.ndarray:
    """Narrow a node's sums to its vector; of the root these are the scores.

    Parameters
    ----------
    size : SpatialSize
        Parameters of the engine.
    parameters : NetworkNumbers
        Its shifts; only the bits that a device has count.
    index : int
        Index of the node.
    sums : ndarray of int64 of shape (n_samples, outputs)
        What `node_sums` gave.

    Returns
    -------
    ndarray of int64 of shape (n_samples, outputs)
        The vectors.
    """
    node = size.tree[index]
    shift = least_shift(size, node) + parameters.shifts[index] % SHIFTS
    return narrow(sums, shift, output_bits(size, node))


class GoldenSpatial:
    """A spatial engine with a network loaded.

    Parameters
    ----------
    size : SpatialSize
        Parameters of the engine.
    parameters : NetworkNumbers
        The network.

    Examples
    --------
    A network that multiplies two features by a table each:

    >>> size = SpatialSize.of_tree(2, [(0, 1, 1)], components=1, value_bits=16)
    >>> ramp = (np.arange(256) * 128)[:, np.newaxis]
    >>> network = GoldenSpatial(size, NetworkNumbers([ramp, ramp], {}, [6], exponent=0))
    >>> network.run(np.array([[255, 128], [255, 255]])).scores.tolist()
    [[16321], [32513]]
    """

    def __init__(self, size: SpatialSize, parameters: NetworkNumbers) -> None:
        self.size = size
        self.parameters = parameters

    @classmethod
    def of_image(cls, size: SpatialSize, image: bytes) -> GoldenSpatial:
        """Load the bytes of a network.

        Parameters
        ----------
        size : SpatialSize
            Parameters of the engine.
        image : bytes
            As of `tensorspin.contract.spatial.image.pack_image`.

        Returns
        -------
        GoldenSpatial
            The engine.
        """
        return cls(size, unpack_image(size, image))

    def run(self, levels: np.ndarray) -> ContractorResults:
        """Compute the scores of samples.

        Parameters
        ----------
        levels : ndarray of int of shape (n_samples, inputs)
            Level of each feature, 0 to 255.

        Returns
        -------
        ContractorResults
            Scores, exponents, classes and clock cycles.
        """
        size, n_samples = self.size, len(levels)
        scores = np.empty((n_samples, size.outputs), dtype=np.int16)
        for first in range(0, n_samples, _BLOCK):
            block = slice(first, first + _BLOCK)
            scores[block] = self._scores(levels[block])
        return ContractorResults(
            scores,
            np.full(n_samples, self.parameters.exponent, dtype=np.uint16),
            scores.argmax(axis=1),
            np.full(n_samples, latency(size), dtype=np.int64),
        )

    def _scores(self, levels: np.ndarray) -> np.ndarray:
        vectors: list[np.ndarray] = []
        for index in range(len(self.size.nodes)):
            sums = node_sums(self.size, self.parameters, index, vectors, levels)
            vectors.append(node_vector(self.size, self.parameters, index, sums))
        return vectors[-1]
