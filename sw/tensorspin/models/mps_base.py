"""What all matrix product states share: their chain, its compression and its entropies."""

from __future__ import annotations

import copy
from collections.abc import Collection
from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..compiler.chain import chain_nodes
from .base import PREDICTION_BATCH, FeatureMapEstimator
from .canonical import CanonicalChain
from .entanglement import entanglement_entropy
from .feature_order import chosen_order
from .half_chains import HalfChains, bond_dimensions, contract, log_norms
from .limits import TRAINING_LIMITS, check_limits

BOND_DIM_RANGE = (2, 32)
"""Least and largest bond dimension. At 1 the half-chains would only scale the label tensor."""


class MPSEstimator(FeatureMapEstimator):
    """Base of the estimators whose network is a matrix product state with a label tensor.

    Attributes
    ----------
    cores_ : list of n_sites float64 arrays (left_bond, local_dim, right_bond)
    label_tensor_ : float64 array (n_outputs, left_bond, right_bond)
    label_position_ : int
        The sites before it form the left half-chain.
    """

    def entanglement_entropy(self):
        """Entanglement entropy at each bond of the trained network.

        Returns
        -------
        float64 array (n_sites,), in bits
            Entry i is the entropy at the bond of site i on the side of the label tensor; see
            `entanglement_entropy`.
        """
        check_is_fitted(self)
        return entanglement_entropy(self.cores_, self.label_tensor_, self.label_position_)

    def bond_dimensions(self):
        """Dimension of each bond of the trained network, as `entanglement_entropy` orders them.

        A bond whose entropy is far below the base-2 logarithm of its dimension is wider than what
        the network does with it; `compress` narrows it.

        Returns
        -------
        int array (n_sites,)
        """
        check_is_fitted(self)
        position = self.label_position_
        return np.array(
            [core.shape[2] for core in self.cores_[:position]]
            + [core.shape[0] for core in self.cores_[position:]]
        )

    def largest_bond_dimensions(self):
        """The most that each bond could need: one component for each product of features beyond.

        Returns
        -------
        float64 array (n_sites,)
            Ordered as `bond_dimensions`. A number of components to the power of a number of sites,
            infinite where it is beyond float64.
        """
        check_is_fitted(self)
        n_sites = len(self.cores_)
        beyond = np.arange(n_sites) + 1.0
        beyond[self.label_position_ :] = n_sites - np.arange(self.label_position_, n_sites)
        with np.errstate(over="ignore"):
            return float(self.feature_map_.local_dim) ** beyond

    def compress(self, max_bond=None, tolerance=0.0):
        """The same model with narrower bonds: a truncated Schmidt decomposition at each.

        The chain is brought to canonical form and the least singular values of each bond are
        dropped (Schollwoeck 2011, arXiv:1008.3477, section 4.5). Bonds become as narrow as their
        own spectrum allows, so they differ along the chain. With the default arguments only what
        is zero but for rounding is dropped, and the predictions stay the same.

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
            ``discarded_weights_``, float64 (n_sites,): entry i is the discarded weight of the bond
            of site i on the side of the label tensor. Their sum bounds the relative squared error
            of the tensor.

        Raises
        ------
        ValueError
            If an argument is out of its limits, or the network is zero.
        """
        check_is_fitted(self)
        if max_bond is not None and (
            isinstance(max_bond, bool) or not isinstance(max_bond, Integral) or max_bond < 1
        ):
            raise ValueError(f"max_bond must be None or an integer of at least 1, got {max_bond!r}")
        if (
            isinstance(tolerance, bool)
            or not isinstance(tolerance, Real)
            or not 0 <= tolerance <= 1
        ):
            raise ValueError(f"tolerance must be a number from 0 to 1, got {tolerance!r}")
        chain, discarded = self._canonical_chain().truncated(max_bond, float(tolerance))
        compressed = copy.deepcopy(self)
        compressed.discarded_weights_ = discarded
        compressed._adopt(chain)
        return compressed

    def _canonical_chain(self) -> CanonicalChain:
        return CanonicalChain.of(self.cores_, self.label_tensor_, self.label_position_)

    def _adopt(self, chain: CanonicalChain) -> None:
        """Take the tensors of a chain, in the scale that the estimator keeps."""
        raise NotImplementedError

    def _nodes(self):
        return chain_nodes(
            self.cores_, self.label_tensor_, self.label_position_, self.site_features_
        )

    def _tough_nodes(self):
        # Near identities, a tensor's step is set by its few large entries, and the many small ones
        # vanish; an isometry's entries are of more equal size.
        try:
            return self.compress()._nodes()
        except ValueError:  # a network that is zero has no canonical form
            return self._nodes()

    def _check_training(self, limits=TRAINING_LIMITS) -> None:
        """Refuse wrong parameters; forget that the network of an earlier fit was compressed."""
        vars(self).pop("discarded_weights_", None)
        check_limits(self, {"bond_dim": (Integral, *BOND_DIM_RANGE), **limits})

    def _learn_sites(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Learn features, their order and the label tensor's place; return the sites' inputs."""
        self._learn_features(X)
        order = chosen_order(self.feature_order, self.image_size, self._scaled(X), rng)
        if self.n_features_in_ > 1:
            self.site_features_ = order
        # In the middle, so that the half-chains are even.
        self.label_position_ = len(self.site_features_) // 2
        return self._site_inputs(X)

    def _shapes(
        self, local_dim: int, n_outputs: int, identity_ends: bool = False
    ) -> tuple[list[tuple], tuple]:
        """Shapes of the cores (left_bond, local_dim, right_bond) and of the label tensor.

        With `identity_ends` the outermost bonds have room for a feature's vector as it is.
        """
        n_sites, position = len(self.site_features_), self.label_position_
        bonds = bond_dimensions(n_sites, position, local_dim, self.bond_dim)
        if identity_ends:
            bonds[0] = bonds[-1] = local_dim
        outer = [1, *bonds[: position - 1]] + [*bonds[position + 1 :], 1]
        shapes = [
            (outside, local_dim, inside) if site < position else (inside, local_dim, outside)
            for site, (outside, inside) in enumerate(zip(outer, bonds))
        ]
        return shapes, (n_outputs, bonds[position - 1], bonds[position])

    def _contract(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scores of scaled inputs (n_samples, n_sites), and what was divided out of them.

        Returns
        -------
        scores : float64 array (n_samples, n_outputs)
        log_norms : float64 array (n_samples,)
            The network's own scores are ``scores * exp(log_norms)``.
        """
        # float64: a sample's scores must not depend on its neighbours in the batch.
        chains = HalfChains.pack(
            self.cores_, self.label_tensor_, self.label_position_, dtype=np.float64
        )
        scores = np.empty((len(inputs), len(self.label_tensor_)))
        logs = np.empty(len(inputs))
        for start in range(0, len(inputs), PREDICTION_BATCH):
            batch = slice(start, start + PREDICTION_BATCH)
            features = chains.encode(inputs[batch], self.feature_map_)
            contraction = contract(chains, features, record=False)
            scores[batch], logs[batch] = contraction.scores.T, log_norms(contraction)
        return scores, logs


def trainable_entries(
    shapes, label_shape, position: int, fixed_sites: Collection[int] = ()
) -> HalfChains:
    """1 for entries that training may change, 0 for fixed sites and the half-chains' padding."""
    trainable = HalfChains.pack([np.ones(s) for s in shapes], np.ones(label_shape), position)
    fixed = np.isin(trainable.sites, [-1, *fixed_sites])
    trainable.weights[fixed] = 0
    return trainable


def spread(tensors, log_factor: float) -> list[np.ndarray]:
    """The tensors times equal shares of a factor, which alone may be beyond float64."""
    share = np.exp(log_factor / len(tensors))
    return [tensor * share for tensor in tensors]
