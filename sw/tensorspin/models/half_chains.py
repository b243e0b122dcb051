"""Batched contraction of a matrix product state with a label tensor, forward and backward.

A matrix product state (MPS) is a chain of tensors, the cores, one per site; a site reads one
feature. Neighbouring cores are joined by a bond: an index that both have and over which the
contraction sums. The size of that index, the bond dimension, bounds how much one part of the chain
can tell the other. A label tensor in the middle of the chain gives the scores.

The chain is cut at the label tensor into two half-chains. Both are contracted from their end
towards the label tensor, padded to the same number of steps, and stacked, so that one batched
matrix product advances both. Arrays keep the batch as their last axis: the element-wise products
then run over contiguous memory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

Shape = tuple[int, ...]

NORMALISATION_INTERVAL = 4
"""Number of sites after which the vectors of a half-chain are normalised.

Feature components are at most 1 in magnitude, so that a few sites cannot leave the range of
float32, and normalising after each site would cost time."""


def bond_dimensions(n_sites: int, label_position: int, local_dim: int, bond_dim: int) -> list[int]:
    """Return the dimension of the bond on the label tensor's side of each site.

    A bond cannot carry more than ``local_dim ** distance`` independent components, where distance
    counts the sites between it and its end of the chain.

    Parameters
    ----------
    n_sites : int
        Length of the chain.
    label_position : int
        Number of sites in the left half-chain.
    local_dim : int
        Number of components of a feature vector.
    bond_dim : int
        Largest bond dimension.

    Returns
    -------
    list of int
        One dimension per site.
    """
    distances = [site + 1 if site < label_position else n_sites - site for site in range(n_sites)]
    # Beyond 16 sites any local dimension of 2 or more has passed every supported bond dimension.
    return [min(bond_dim, local_dim ** min(distance, 16)) for distance in distances]


def chain_shapes(
    n_sites: int,
    label_position: int,
    local_dim: int,
    bond_dim: int,
    n_outputs: int,
    identity_ends: bool = False,
) -> tuple[list[Shape], Shape]:
    """Return the shapes of all tensors of a chain.

    Parameters
    ----------
    n_sites, label_position, local_dim, bond_dim
        Lengths and dimensions of the chain, as for `bond_dimensions`.
    n_outputs : int
        Number of scores.
    identity_ends : bool
        Whether the outermost bonds must have room for a whole feature vector, so that the outermost
        cores can be identities.

    Returns
    -------
    core_shapes : list of (int, int, int)
        Shape (left_bond, local_dim, right_bond) of each core.
    label_shape : (int, int, int)
        Shape (n_outputs, left_bond, right_bond) of the label tensor.
    """
    bonds = bond_dimensions(n_sites, label_position, local_dim, bond_dim)
    if identity_ends:
        bonds[0] = bonds[-1] = local_dim
    outer = [1, *bonds[: label_position - 1]] + [*bonds[label_position + 1 :], 1]
    shapes: list[Shape] = [
        (outside, local_dim, inside) if site < label_position else (inside, local_dim, outside)
        for site, (outside, inside) in enumerate(zip(outer, bonds))
    ]
    return shapes, (n_outputs, bonds[label_position - 1], bonds[label_position])


class HalfChains:
    """Two half-chains as one padded stack, and the label tensor that joins them.

    `pack` makes an instance. A step contracts one site of each half-chain; the shorter half-chain
    begins with steps of padding that pass its vector on.

    Parameters
    ----------
    weights : ndarray of float of shape (n_steps, 2, bond, local_dim * bond)
        Per step and half (0 left, 1 right) the matrix from (feature component, incoming bond) to
        the outgoing bond. Rows and columns beyond a site's true bonds are zero.
    label : ndarray of float of shape (n_outputs, bond * bond)
        Label tensor; the left bond is the slower index.
    sites : ndarray of int of shape (n_steps, 2)
        The site contracted at each step, or -1 for a padding step.
    core_shapes : sequence of (int, int, int)
        Shape (left_bond, local_dim, right_bond) of each core without padding.
    label_shape : (int, int, int)
        Shape (n_outputs, left_bond, right_bond) of the label tensor without padding.

    Attributes
    ----------
    arrays : list of ndarray
        `weights` and `label`: what is trained.
    n_steps : int
        Number of sites of the longer half-chain.
    """

    def __init__(
        self,
        weights: np.ndarray,
        label: np.ndarray,
        sites: np.ndarray,
        core_shapes: Sequence[Shape],
        label_shape: Shape,
    ) -> None:
        self.arrays = [weights, label]
        self.n_steps = len(weights)
        self.sites = sites
        self._core_shapes = core_shapes
        self._label_shape = label_shape

    @property
    def weights(self) -> np.ndarray:
        """Matrices of the cores, ndarray of shape (n_steps, 2, bond, local_dim * bond)."""
        return self.arrays[0]

    @property
    def label(self) -> np.ndarray:
        """Label tensor, ndarray of shape (n_outputs, bond * bond)."""
        return self.arrays[1]

    @classmethod
    def pack(
        cls,
        cores: Sequence[np.ndarray],
        label_tensor: np.ndarray,
        label_position: int,
        dtype: type[np.floating] = np.float32,
    ) -> HalfChains:
        """Stack the tensors of a chain.

        Parameters
        ----------
        cores : sequence of ndarray of shape (left_bond, local_dim, right_bond)
            The core of each site.
        label_tensor : ndarray of shape (n_outputs, left_bond, right_bond)
            The tensor that joins the half-chains.
        label_position : int
            Number of sites in the left half-chain.
        dtype : float dtype
            The dtype of the stack.

        Returns
        -------
        HalfChains
            Copies of the tensors.
        """
        n_sites = len(cores)
        local_dim = cores[0].shape[1]
        n_outputs = len(label_tensor)
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
        label = np.zeros((n_outputs, bond, bond), dtype)
        label[:, : label_tensor.shape[1], : label_tensor.shape[2]] = label_tensor
        return cls(
            weights.reshape(n_steps, 2, bond, local_dim * bond),
            label.reshape(n_outputs, bond * bond),
            sites,
            [core.shape for core in cores],
            label_tensor.shape,
        )

    @classmethod
    def mask(
        cls,
        core_shapes: Sequence[Shape],
        label_shape: Shape,
        label_position: int,
        fixed_sites: Collection[int] = (),
    ) -> HalfChains:
        """Mark the entries that training may change.

        They are 1 in a chain whose tensors have the given shapes, see `chain_shapes`; the cores of
        the fixed sites and the padding are 0.
        """
        mask = cls.pack([np.ones(s) for s in core_shapes], np.ones(label_shape), label_position)
        mask.weights[np.isin(mask.sites, [-1, *fixed_sites])] = 0
        return mask

    def unpack(self, arrays: Sequence[np.ndarray] | None = None) -> list[np.ndarray]:
        """Undo `pack`.

        Parameters
        ----------
        arrays : sequence of ndarray, optional
            Arrays like the attribute `arrays`, such as their gradients; by default the attribute.

        Returns
        -------
        list of ndarray
            The cores (left_bond, local_dim, right_bond) in the order of the sites, then the label
            tensor (n_outputs, left_bond, right_bond).
        """
        weights, label = self.arrays if arrays is None else arrays
        n_steps, _, bond, _ = weights.shape
        weights = weights.reshape(n_steps, 2, bond, -1, bond)
        cores = {}
        for (step, half), site in np.ndenumerate(self.sites):
            if site < 0:
                continue
            core = weights[step, half].transpose(2, 1, 0) if half == 0 else weights[step, half]
            left, _, right = self._core_shapes[site]
            cores[int(site)] = core[:left, :, :right].copy()
        _, left, right = self._label_shape
        label = label.reshape(-1, bond, bond)[:, :left, :right].copy()
        return [*(cores[site] for site in range(len(cores))), label]

    def encode(self, inputs: np.ndarray, feature_map: Callable) -> np.ndarray:
        """Map scaled inputs to the feature vectors that each step contracts.

        Parameters
        ----------
        inputs : ndarray of float of shape (batch, n_sites)
            The scaled feature that each site reads.
        feature_map : callable
            Maps an array of any shape to an array with one further axis of length local_dim.

        Returns
        -------
        ndarray of float of shape (n_steps, 2, local_dim, batch)
            In the dtype of the weights.
        """
        components = feature_map(inputs.T[self.sites])
        features = np.moveaxis(components, -1, 2).astype(self.weights.dtype, order="C")
        padding = self.sites < 0
        features[padding] = 0
        features[padding, 0] = 1
        return features

    def contract(self, features: np.ndarray, record: bool = True) -> ChainContraction:
        """Contract a batch; scores are exact up to one positive factor per sample.

        Parameters
        ----------
        features : ndarray of float of shape (n_steps, 2, local_dim, batch)
            Feature vectors from `encode`.
        record : bool
            Whether `gradients` will be called. False saves memory: of the vectors on the way only
            the last are kept.

        Returns
        -------
        ChainContraction
            The scores, and what `gradients` needs.
        """
        weights = self.weights
        n_steps, _, bond, width = weights.shape
        local_dim, batch = features.shape[2:]
        # Without a record two vectors take turns: the one before a step and the one after it.
        vectors = np.empty((n_steps + 1 if record else 2, 2, bond, batch), features.dtype)
        vectors[0, :, 0] = 1
        vectors[0, :, 1:] = 0
        product = np.empty((2, local_dim, bond, batch), features.dtype)
        norms = {}
        for step in range(n_steps):
            before, after = (vectors[i % len(vectors)] for i in (step, step + 1))
            np.multiply(features[step][:, :, None], before[:, None], out=product)
            np.matmul(weights[step], product.reshape(2, width, batch), out=after)
            if step % NORMALISATION_INTERVAL == NORMALISATION_INTERVAL - 1 or step == n_steps - 1:
                norms[step] = column_norms(after)
                after /= norms[step]
        left, right = after
        outer = (left[:, None] * right).reshape(bond * bond, batch)
        return ChainContraction(features, vectors, norms, self.label @ outer)

    def gradients(
        self, contraction: ChainContraction, score_gradient: np.ndarray
    ) -> list[np.ndarray]:
        """Backpropagate the gradient of a loss to the weights and the label tensor.

        The loss must not depend on the positive factor of each sample's scores: the norms divided
        out by `contract` then act as constants, and the gradient is exact.

        Parameters
        ----------
        contraction : ChainContraction
            The result of `contract` on this network.
        score_gradient : ndarray of float of shape (n_outputs, batch)
            Derivative of the loss with respect to the scores.

        Returns
        -------
        list of ndarray
            The gradients of `weights` and of `label`. Entries beyond a site's true bonds and of
            padding steps are meaningless.
        """
        weights = self.weights
        n_steps, _, bond, width = weights.shape
        features, vectors = contraction.features, contraction.vectors
        local_dim, batch = features.shape[2:]
        left, right = vectors[-1]
        outer = (left[:, None] * right).reshape(bond * bond, batch)
        label_gradient = score_gradient @ outer.T
        outer_gradient = (self.label.T @ score_gradient).reshape(bond, bond, batch)
        vector_gradient = np.stack(
            [(outer_gradient * right).sum(1), (outer_gradient * left[:, None]).sum(0)]
        )
        # Backwards, a step maps the gradient of its outgoing bond to that of its incoming bond.
        backward_weights = np.ascontiguousarray(
            weights.reshape(n_steps, 2, bond, local_dim, bond).transpose(0, 1, 4, 3, 2)
        ).reshape(n_steps, 2, bond, width)
        weight_gradient = np.empty((n_steps, 2, width, bond), features.dtype)
        # Both matrix products of a step read this array while it is in the processor's cache.
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
        return [weight_gradient.transpose(0, 1, 3, 2, 4).reshape(weights.shape), label_gradient]


@dataclass
class ChainContraction:
    """What `HalfChains.contract` leaves for `HalfChains.gradients` and for the losses."""

    features: np.ndarray
    """Feature vectors, shape (n_steps, 2, local_dim, batch)."""

    vectors: np.ndarray
    """Vectors of both half-chains before each step and after the last one, shape
    (n_steps + 1, 2, bond, batch)."""

    norms: dict[int, np.ndarray]
    """Norms that the vectors were divided by, by number of the step before; shape (2, 1, batch)."""

    scores: np.ndarray
    """Normalised scores, shape (n_outputs, batch)."""


def column_norms(vectors: np.ndarray) -> np.ndarray:
    """Compute Euclidean norms over the second last axis.

    Parameters
    ----------
    vectors : ndarray of float of shape (..., dim, batch)
        Vectors that stand in columns.

    Returns
    -------
    ndarray of float of shape (..., 1, batch)
        The norms; 1 for a vector of zeros, so that it can be divided by its norm.
    """
    norm = np.sqrt(np.einsum("...db,...db->...b", vectors, vectors))[..., None, :]
    norm[norm == 0] = 1
    return norm


def log_norms(contraction: ChainContraction) -> np.ndarray:
    """Compute the natural logarithm of what was divided out of each sample's scores.

    The network's own scores are ``scores * exp(log_norms)``. Gradients hold the norms constant,
    which is exact for a loss of the network's own scores too: multiplied back in, they cancel.
    The result is an ndarray of float of shape (batch,).
    """
    return reduce(np.add, [np.log(n).sum(axis=(0, 1)) for n in contraction.norms.values()])
