"""What the three estimators share whose network is a matrix product state.

A matrix product state (MPS), also called tensor train, is a chain of sites. Each site reads one
feature and has a core, a tensor of shape (left_bond, local_dim, right_bond): contracted with the
feature's vector it becomes a matrix, and the chain is the product of these matrices. The bonds are
the indices that neighbouring cores share; their dimension is the width of the matrices.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..compiler.chain import chain_nodes
from ..compiler.nodes import FloatNode
from .base import NetworkEstimator
from .canonical import CanonicalChain
from .chain_shapes import Shape, chain_shapes
from .contraction import log_norms, prediction_batches
from .entanglement import entanglement_entropy
from .forecast import planned_chain
from .half_chains import HalfChains
from .parameters import is_number

INITIAL_NOISE = 0.05
"""Standard deviation of the noise in the initial cores, which are identities otherwise.

Long chains get less, because the noise of all cores adds up."""


class MPSEstimator(NetworkEstimator):
    """Base of the estimators whose network is a matrix product state with a label tensor.

    Attributes
    ----------
    cores_ : list of ndarray of float64 of shape (left_bond, local_dim, right_bond)
        The core of each site.
    label_tensor_ : ndarray of float64 of shape (n_outputs, left_bond, right_bond)
        The tensor that joins the two half-chains.
    label_position_ : int
        Number of sites in the left half-chain.
    """

    cores_: list[np.ndarray]
    label_tensor_: np.ndarray
    label_position_: int

    def entanglement_entropy(self) -> np.ndarray:
        """Compute the entanglement entropy at each bond of the trained network.

        Returns
        -------
        ndarray of float64 of shape (n_sites,)
            In bits. Entry i is the entropy at the bond of site i on the side of the label tensor;
            see the function `entanglement_entropy`.
        """
        check_is_fitted(self)
        return entanglement_entropy(self.cores_, self.label_tensor_, self.label_position_)

    def bond_dimensions(self) -> np.ndarray:
        """Return the dimension of each bond of the trained network.

        A bond whose entropy is far below the base-2 logarithm of its dimension is wider than what
        the network does with it; `compress` narrows it.

        Returns
        -------
        ndarray of int of shape (n_sites,)
            Entry i belongs to the bond of site i on the side of the label tensor.
        """
        check_is_fitted(self)
        position = self.label_position_
        return np.array(
            [core.shape[2] for core in self.cores_[:position]]
            + [core.shape[0] for core in self.cores_[position:]]
        )

    def largest_bond_dimensions(self) -> np.ndarray:
        """Compute the largest dimension that each bond could make use of.

        A bond carries at most one component for each product of the components of the features
        that it cuts off from the label tensor.

        Returns
        -------
        ndarray of float64 of shape (n_sites,)
            In the order of `bond_dimensions`. The numbers are local_dim to the power of a number of
            sites, and infinite where that is beyond float64.
        """
        check_is_fitted(self)
        n_sites = len(self.cores_)
        # Number of sites that a bond cuts off: from the left end, then from the right end.
        beyond = np.arange(n_sites) + 1.0
        beyond[self.label_position_ :] = n_sites - np.arange(self.label_position_, n_sites)
        with np.errstate(over="ignore"):
            return float(self.feature_map_.local_dim) ** beyond

    def compress(self, max_bond: int | None = None, tolerance: float = 0.0) -> Self:
        """Return the same model with narrower bonds: a truncated Schmidt decomposition at each.

        The chain is brought to canonical form, in which the singular values of a bond tell how much
        each of its components matters, and the least are dropped (Schollwoeck 2011,
        arXiv:1008.3477, section 4.5). Each bond becomes as narrow as its own spectrum allows, so
        bonds differ along the chain. With the default arguments only what is zero but for rounding
        is dropped, and the predictions stay the same.

        Parameters
        ----------
        max_bond : int, optional
            Largest bond dimension, at least 1. None: no limit.
        tolerance : float, default=0.0
            Largest discarded weight of a bond, 0 to 1: the share of its squared singular values
            that may be dropped. A bond is narrowed until one of the two limits would be broken;
            `max_bond` has precedence.

        Returns
        -------
        estimator of the same class
            A fitted copy; this one stays as it is. It has the further attribute
            ``discarded_weights_``, ndarray of float64 of shape (n_sites,): entry i is the discarded
            weight of the bond of site i on the side of the label tensor. Their sum bounds the
            relative squared error of the whole network, taken as one tensor.

        Raises
        ------
        ValueError
            If an argument is out of its limits, or the network is zero.
        """
        check_is_fitted(self)
        if max_bond is not None and (not is_number(max_bond, Integral) or max_bond < 1):
            raise ValueError(f"max_bond must be None or an integer of at least 1, not {max_bond!r}")
        if not is_number(tolerance, Real) or not 0 <= tolerance <= 1:
            raise ValueError(f"tolerance must be a number from 0 to 1, not {tolerance!r}")
        chain, discarded = self._canonical_chain().truncated(max_bond, float(tolerance))
        compressed = copy.deepcopy(self)
        compressed.discarded_weights_ = discarded
        # A training goes on from tensors of the full bond dimension only.
        compressed._training_state = None
        compressed._adopt(chain)
        return compressed

    def _canonical_chain(self) -> CanonicalChain:
        """Return the network in canonical form."""
        return CanonicalChain.of(self.cores_, self.label_tensor_, self.label_position_)

    def _adopt(self, chain: CanonicalChain) -> None:
        """Take over the tensors of a chain, in the scale that the estimator keeps."""
        raise NotImplementedError

    def _nodes(self) -> list[FloatNode]:
        return chain_nodes(
            self.cores_, self.label_tensor_, self.label_position_, self.site_features_.tolist()
        )

    @property
    def _n_sites(self) -> int:
        """Number of sites of the chain."""
        return self.n_features_in_ * self._sites_of_each

    def _planned_nodes(self) -> list[FloatNode]:
        local_dim = self.feature_map_.local_dim
        return planned_chain(self._n_sites, local_dim, self.bond_dim_, self._n_outputs)

    def _tough_nodes(self) -> list[FloatNode]:
        # Trained cores are near identities: a few large entries set the step to which a core is
        # rounded, and with 4 bits the many small entries become zero. The entries of an isometry,
        # as in canonical form, are of more equal size.
        try:
            return self.compress()._nodes()
        except ValueError:  # a network that is zero has no canonical form
            return self._nodes()

    def _lay_out(
        self, local_dim: int, n_outputs: int, identity_ends: bool = False
    ) -> tuple[list[Shape], Shape]:
        """Place the label tensor in the chain; return the shapes of the cores and of the tensor.

        The label tensor stands in the middle, so that a device can contract two half-chains of the
        same length in turn. For `identity_ends` see `chain_shapes`.
        """
        # The bonds of an earlier network may have been compressed; those of this one are not.
        self.__dict__.pop("discarded_weights_", None)
        n_sites = len(self.site_features_)
        self.label_position_ = n_sites // 2
        return chain_shapes(
            n_sites, self.label_position_, local_dim, self.bond_dim_, n_outputs, identity_ends
        )

    def _packed(self, tensors: list[np.ndarray]) -> HalfChains:
        *cores, label_tensor = tensors
        return HalfChains.pack(cores, label_tensor, self.label_position_)

    def _mask(self, shapes: Sequence[Shape]) -> HalfChains:
        *core_shapes, label_shape = shapes
        return HalfChains.mask(core_shapes, label_shape, self.label_position_, self._fixed_sites())

    def _fixed_sites(self) -> list[int]:
        """Return the sites whose cores training does not change."""
        return []

    def _contract(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute the scores of scaled inputs, and what was divided out of them.

        Parameters
        ----------
        inputs : ndarray of float64 of shape (n_samples, n_sites)
            Scaled features.

        Returns
        -------
        scores : ndarray of float64 of shape (n_samples, n_outputs)
            Normalised scores.
        log_norms : ndarray of float64 of shape (n_samples,)
            The network's own scores are ``scores * exp(log_norms)``.
        """
        # Predictions are computed in float64. In float32 a sample's scores would noticeably depend
        # on the batch: the order in which a library adds numbers depends on the array's size.
        chains = HalfChains.pack(
            self.cores_, self.label_tensor_, self.label_position_, dtype=np.float64
        )
        scores = np.empty((len(inputs), len(self.label_tensor_)))
        logs = np.empty(len(inputs))
        for batch in prediction_batches(len(inputs)):
            features = chains.encode(inputs[batch], self.feature_map_)
            contraction = chains.contract(features, record=False)
            scores[batch], logs[batch] = contraction.scores.T, log_norms(contraction)
        return scores, logs


def spread(tensors: Sequence[np.ndarray], log_factor: float) -> list[np.ndarray]:
    """Multiply the tensors of a network by equal shares of a factor.

    Parameters
    ----------
    tensors : sequence of ndarray of float
        All tensors of the network.
    log_factor : float
        Natural logarithm of the factor, which alone may be beyond float64.

    Returns
    -------
    list of ndarray of float
        The scaled tensors.
    """
    share = np.exp(log_factor / len(tensors))
    return [tensor * share for tensor in tensors]
