"""Batched contraction of a matrix product state with a label tensor, forward and backward.

The chain is cut at the label tensor into two half-chains. Both are contracted from their end
towards the label tensor, padded to the same number of steps, and stacked, so that one batched
matrix product advances both. Arrays keep the batch as their last axis: the element-wise products
then run over contiguous memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

# Vectors are renormalised after this many sites. Feature components are at most 1 in magnitude, so
# a few sites cannot leave the range of float32, and normalising at each would cost time.
NORMALISATION_INTERVAL = 4


def bond_dimensions(n_sites: int, label_position: int, local_dim: int, bond_dim: int) -> list[int]:
    """Return the dimension of the bond on the label tensor's side of each site.

    A bond cannot carry more than ``local_dim ** distance`` independent components, where distance
    counts the sites between it and its end of the chain.

    Returns
    -------
    list of int, length n_sites
    """
    distances = [site + 1 if site < label_position else n_sites - site for site in range(n_sites)]
    # Beyond 16 sites any local dimension of 2 or more has passed every supported bond dimension.
    return [min(bond_dim, local_dim ** min(distance, 16)) for distance in distances]


@dataclass
class HalfChains:
    """Two half-chains as one padded stack, and the label tensor that joins them.

    Attributes
    ----------
    weights : array (n_steps, 2, bond, local_dim * bond)
        Per step and half (0 left, 1 right) the matrix from (feature component, incoming bond) to
        the outgoing bond. Rows and columns beyond a site's true bonds are zero.
    label : array (n_classes, bond * bond)
        Label tensor; the left bond is the slower index.
    sites : int array (n_steps, 2)
        The site contracted at each step, or -1 for a padding step.
    """

    weights: np.ndarray
    label: np.ndarray
    sites: np.ndarray

    @classmethod
    def pack(cls, cores, label_tensor, label_position, dtype=np.float32) -> HalfChains:
        """Stack cores (left, local_dim, right) and a label tensor (classes, left, right)."""
        n_sites = len(cores)
        local_dim = cores[0].shape[1]
        n_classes = len(label_tensor)
        bond = max(max(core.shape[0], core.shape[2]) for core in cores)
        n_steps = max(label_position, n_sites - label_position)
        sites = np.full((n_steps, 2), -1)
        sites[n_steps - label_position :, 0] = np.arange(label_position)
        sites[label_position + n_steps - n_sites :, 1] = np.arange(label_position, n_sites)[::-1]

        weights = np.zeros((n_steps, 2, bond, local_dim, bond), dtype)
        for (step, half), site in np.ndenumerate(sites):
            if site < 0:
                # encode() reads padding as the feature vector (1, 0, ...): pass the vector on.
                weights[step, half, :, 0, :] = np.eye(bond)
                continue
            core = cores[site].transpose(2, 1, 0) if half == 0 else cores[site]
            weights[step, half, : core.shape[0], :, : core.shape[2]] = core
        label = np.zeros((n_classes, bond, bond), dtype)
        label[:, : label_tensor.shape[1], : label_tensor.shape[2]] = label_tensor
        return cls(
            weights.reshape(n_steps, 2, bond, local_dim * bond),
            label.reshape(n_classes, bond * bond),
            sites,
        )

    def unpack(self, core_shapes, label_shape) -> tuple[list[np.ndarray], np.ndarray]:
        """Undo `pack`: cores (left, local_dim, right) and label tensor of the given shapes."""
        n_steps, _, bond, _ = self.weights.shape
        weights = self.weights.reshape(n_steps, 2, bond, -1, bond)
        cores = [None] * len(core_shapes)
        for (step, half), site in np.ndenumerate(self.sites):
            if site < 0:
                continue
            core = weights[step, half].transpose(2, 1, 0) if half == 0 else weights[step, half]
            left, _, right = core_shapes[site]
            cores[site] = core[:left, :, :right].copy()
        _, left, right = label_shape
        label = self.label.reshape(-1, bond, bond)[:, :left, :right].copy()
        return cores, label

    def encode(self, inputs: np.ndarray, feature_map: Callable) -> np.ndarray:
        """Map scaled inputs to the feature vectors that each step contracts.

        Parameters
        ----------
        inputs : array (batch, n_sites), the scaled feature that each site reads
        feature_map : callable, array (...) -> array (..., local_dim)

        Returns
        -------
        array (n_steps, 2, local_dim, batch), of the dtype of the weights
        """
        components = feature_map(inputs.T[self.sites])
        features = np.moveaxis(components, -1, 2).astype(self.weights.dtype, order="C")
        padding = self.sites < 0
        features[padding] = 0
        features[padding, 0] = 1
        return features

    @property
    def n_steps(self) -> int:
        """Sites of the longer half-chain."""
        return len(self.weights)

    def arrays(self) -> list[np.ndarray]:
        """The trained arrays, the label tensor last."""
        return [self.weights, self.label]

    def replace_arrays(self, arrays: Sequence[np.ndarray]) -> None:
        """Put other arrays of the same shapes in their place."""
        self.weights, self.label = arrays

    def contract(self, features: np.ndarray) -> Contraction:
        """See the function `contract`."""
        return contract(self, features)

    def gradients(
        self, contraction: Contraction, score_gradient: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """See the function `gradients`."""
        return gradients(self, contraction, score_gradient)


@dataclass
class Contraction:
    """What `contract` leaves for `gradients`."""

    features: np.ndarray  # (n_steps, 2, local_dim, batch)
    vectors: np.ndarray  # (n_steps + 1, 2, bond, batch): before each step, and the last ones
    norms: dict[int, np.ndarray]  # step -> (2, 1, batch)
    scores: np.ndarray  # (n_classes, batch)


def contract(chains: HalfChains, features: np.ndarray, record: bool = True) -> Contraction:
    """Contract a batch; scores are exact up to one positive factor per sample.

    Parameters
    ----------
    chains : HalfChains
    features : array (n_steps, 2, local_dim, batch), from `HalfChains.encode`
    record : bool
        False saves memory when no gradient is wanted: only the last vectors are kept.
    """
    n_steps, _, bond, width = chains.weights.shape
    local_dim, batch = features.shape[2:]
    vectors = np.empty((n_steps + 1 if record else 2, 2, bond, batch), features.dtype)
    vectors[0, :, 0] = 1
    vectors[0, :, 1:] = 0
    product = np.empty((2, local_dim, bond, batch), features.dtype)
    norms = {}
    for step in range(n_steps):
        before, after = (vectors[i % len(vectors)] for i in (step, step + 1))
        np.multiply(features[step][:, :, None], before[:, None], out=product)
        np.matmul(chains.weights[step], product.reshape(2, width, batch), out=after)
        if step % NORMALISATION_INTERVAL == NORMALISATION_INTERVAL - 1 or step == n_steps - 1:
            norms[step] = column_norms(after)
            after /= norms[step]
    left, right = after
    outer = (left[:, None] * right).reshape(bond * bond, batch)
    return Contraction(features, vectors, norms, chains.label @ outer)


def gradients(
    chains: HalfChains, contraction: Contraction, score_gradient: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Backpropagate the gradient of a loss to the weights and the label tensor.

    The loss must not depend on the positive factor of each sample's scores: the norms divided out
    by `contract` then act as constants, and the gradient is exact.

    Parameters
    ----------
    chains, contraction
        The network and the result of `contract` on it.
    score_gradient : array (n_classes, batch)

    Returns
    -------
    weight_gradient, label_gradient : arrays shaped as ``chains.weights`` and ``chains.label``
        Entries beyond a site's true bonds and of padding steps are meaningless.
    """
    n_steps, _, bond, width = chains.weights.shape
    features, vectors = contraction.features, contraction.vectors
    local_dim, batch = features.shape[2:]
    left, right = vectors[-1]
    outer = (left[:, None] * right).reshape(bond * bond, batch)
    label_gradient = score_gradient @ outer.T
    outer_gradient = (chains.label.T @ score_gradient).reshape(bond, bond, batch)
    vector_gradient = np.stack(
        [(outer_gradient * right).sum(1), (outer_gradient * left[:, None]).sum(0)]
    )
    backward_weights = np.ascontiguousarray(
        chains.weights.reshape(n_steps, 2, bond, local_dim, bond).transpose(0, 1, 4, 3, 2)
    ).reshape(n_steps, 2, bond, width)
    weight_gradient = np.empty((n_steps, 2, width, bond), features.dtype)
    # Times the features, the gradient serves both matrix products while it is in the cache.
    product = np.empty((2, local_dim, bond, batch), features.dtype)
    flat = product.reshape(2, width, batch)
    for step in reversed(range(n_steps)):
        norm = contraction.norms.get(step)
        if norm is not None:
            vector_gradient = vector_gradient / norm
        np.multiply(features[step][:, :, None], vector_gradient[:, None], out=product)
        np.matmul(flat, vectors[step].transpose(0, 2, 1), out=weight_gradient[step])
        if step:
            vector_gradient = backward_weights[step] @ flat
    weight_gradient = weight_gradient.reshape(n_steps, 2, local_dim, bond, bond)
    return weight_gradient.transpose(0, 1, 3, 2, 4).reshape(chains.weights.shape), label_gradient


def column_norms(vectors: np.ndarray) -> np.ndarray:
    """Euclidean norm over the second last axis, kept as an axis; 1 for a vector of zeros."""
    norm = np.sqrt(np.einsum("...db,...db->...b", vectors, vectors))[..., None, :]
    norm[norm == 0] = 1
    return norm


def log_norms(contraction: Contraction) -> np.ndarray:
    """Natural logarithm of what `contract` divided out of each sample's scores.

    The network's own scores are ``scores * exp(log_norms)``. Gradients hold the norms constant,
    which is exact for a loss of the network's own scores too: multiplied back in, they cancel.

    Returns
    -------
    array (batch,)
    """
    return sum(np.log(norm).sum(axis=(0, 1)) for norm in contraction.norms.values())
