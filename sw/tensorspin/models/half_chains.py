"""Batched contraction of a matrix product state with a label tensor, forward and backward.

A matrix product state (MPS) is a chain of tensors, the cores, one per site; a site reads one
feature. Neighbouring cores are joined by a bond: an index that both have and over which the
contraction sums. The size of that index, the bond dimension, bounds how much one part of the chain
can tell the other. A label tensor in the middle of the chain gives the scores.

The chain is cut at the label tensor into two half-chains. Both are contracted from their end
towards the label tensor, padded to the same number of steps, and stacked, so that one batched
matrix product advances both. Arrays keep the batch as their last axis: the element-wise products
then run over contiguous memory. The contraction itself, forward and backward, is in
`tensorspin.models.contraction`, and compiled in `tensorspin.models.kernel`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np

from .chain_shapes import Shape
from .contraction import (
    NORMALISATION_INTERVAL,
    ChainContraction,
    chain_gradients,
    contract_chains,
)
from .kernel import chains as compiled
from .kernel import instructions, steps


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
    n_exact : int
        0: all arrays are weights.
    threads : int
        Number of threads that may contract the half-chains, 1 or 2; the results are the same.
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
        self.n_exact = 0
        self.sites = sites.astype(np.intc)
        self.threads = 1
        self.core_shapes = core_shapes
        self.label_shape = label_shape
        # The true incoming bond of each step, 0 for padding: products beyond it are left out.
        self._depths = np.zeros(sites.shape, np.intc)
        for (step, half), site in np.ndenumerate(sites):
            if site >= 0:
                self._depths[step, half] = core_shapes[int(site)][2 * half]

    @property
    def weights(self) -> np.ndarray:
        """Matrices of the cores, ndarray of shape (n_steps, 2, bond, local_dim * bond)."""
        return self.arrays[0]

    @property
    def label(self) -> np.ndarray:
        """Label tensor, ndarray of shape (n_outputs, bond * bond)."""
        return self.arrays[1]

    @property
    def depths(self) -> np.ndarray:
        """True incoming bond of each step, 0 for padding: ndarray of intc of shape (n_steps, 2)."""
        return self._depths

    @property
    def compiled(self) -> bool:
        """Whether the compiled kernel contracts this network."""
        return self.weights.dtype == np.float32 and instructions() is not None

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
            left, _, right = self.core_shapes[int(site)]
            cores[int(site)] = core[:left, :, :right].copy()
        _, left, right = self.label_shape
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
        degree = getattr(feature_map, "bernstein_degree", None)
        if self.compiled and inputs.dtype == np.float32 and degree is not None:
            return np.moveaxis(steps.bernstein(inputs, self.sites, degree + 1), -1, 2)
        components = feature_map(inputs.T[self.sites])
        # For NumPy, neighbours in memory are samples; for the compiled kernel, the components of a
        # sample. That kernel passes vectors on itself in steps of padding.
        if self.compiled:
            return np.moveaxis(np.ascontiguousarray(components, np.float32), -1, 2)
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
        if not (record and self.compiled):
            return contract_chains(self.weights, self.label, features, record)
        return ChainContraction(
            features,
            *compiled.contract(
                self.weights,
                self.label,
                self._depths,
                features,
                NORMALISATION_INTERVAL,
                self.threads,
            ),
        )

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
        if not self.compiled:
            return chain_gradients(self.weights, self.label, contraction, score_gradient)
        return compiled.gradients(
            self.weights,
            self.label,
            self._depths,
            contraction.features,
            contraction.vectors,
            contraction.norms,
            score_gradient,
            NORMALISATION_INTERVAL,
            self.threads,
        )
