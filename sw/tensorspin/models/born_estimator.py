"""Base of the estimators whose network is a Born machine: a chain whose square is a probability."""

from __future__ import annotations

import numpy as np

from ..compiler.nodes import FloatNode
from ..contract.fixed import LEVEL
from .born import (
    NegativeLogLikelihood,
    log_partition,
    log_partition_of_one,
    log_squares,
    orthonormal_basis,
)
from .canonical import CanonicalChain
from .chain_estimator import INITIAL_NOISE, MPSEstimator, spread
from .early_stopping import Score
from .forecast import planned_chain
from .half_chains import HalfChains
from .missing import MissingMap
from .recipes import DAMPED
from .weighting import Samples, weighted_mean

IMPOSSIBLE = -1e6
"""Log-likelihood in nats of a sample whose amplitude is too small for float64."""

DAMPED_FEATURES = 64
"""Number of features up to which "damped_bumps" make an outlier of any sample that is at an end.

The sample of the most likely values of all features is about half a nat per feature above a
detector's threshold. Each further feature therefore takes a nat from the log-likelihood of a sample
of which some feature is at an end. On a board such a sample has the likelihood 0 anyway."""


class BornEstimator(MPSEstimator):
    """Base of the estimators that model the distribution of the samples by a Born machine.

    The network has one output, the amplitude psi, and the probability of the levels of a sample is
    its square; see `tensorspin.models.born`. Cores are trained in a basis of the feature map in
    which the sum of all squares is the norm of the network, and kept in the feature map's own
    components, normalised so that the sum is 1.
    """

    def _loss(self, samples: Samples) -> NegativeLogLikelihood:
        levels = self._levels_of_one()
        return NegativeLogLikelihood(
            samples.weights, None if levels is None else levels.astype(np.float32)
        )

    def _validation_score(
        self, inputs: np.ndarray, samples: Samples, loss: NegativeLogLikelihood
    ) -> Score:
        """Compute the mean log-likelihood in nats."""
        likelihood = weighted_mean(self._log_likelihood(inputs), samples.weights)
        return Score(likelihood, likelihood)

    def _site_inputs(self, X: np.ndarray) -> np.ndarray:
        # Features are rounded to levels, because Z is a sum over the levels, and because a board is
        # given levels only.
        highest = LEVEL.maximum - (self.missing == "level")
        return np.rint(super()._site_inputs(X) * highest) / highest

    def _basis_table(self) -> np.ndarray:
        """Return the vectors of all levels over which probabilities sum to 1."""
        known = self.feature_map_
        return known.weighed_table() if isinstance(known, MissingMap) else known.table()

    def _training_map(self):
        # In an orthonormal basis Z is the norm of the network, which `log_partition` computes.
        basis = orthonormal_basis(self._basis_table()).astype(np.float32)

        def orthonormal_features(x):
            return self.feature_map_(x).astype(np.float32) @ basis.T

        return orthonormal_features

    def _levels_of_one(self) -> np.ndarray | None:
        """Return the vectors of all levels for each site if there is a single feature, else None.

        Two sites then read it, in the layout of `HalfChains.encode`.
        """
        if self.n_features_in_ > 1:
            return None
        table = self._basis_table()
        return np.tile((table @ orthonormal_basis(table).T).T, (1, 2, 1, 1))

    def _initial_network(
        self, inputs: np.ndarray, loss: NegativeLogLikelihood, rng: np.random.Generator
    ) -> tuple[HalfChains, HalfChains, HalfChains]:
        features = self._training_map()(inputs)
        shapes, label_shape = self._lay_out(features.shape[-1], 1)
        position = self.label_position_
        # At rest the amplitude is a product of one factor per feature: independent features, each
        # of which follows the mean of its training data.
        # np.average without weights would be `mean`, but for the order of its additions.
        means = (
            features.mean(axis=0)
            if loss.weights is None
            else np.average(features, axis=0, weights=loss.weights)
        )
        means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        cores = [np.einsum("p,lr->lpr", mean, np.eye(s[0], s[2])) for mean, s in zip(means, shapes)]
        label = np.zeros(label_shape)
        label[0, 0, 0] = 1
        rest = HalfChains.pack(cores, label, position)
        n_steps = max(position, len(cores) - position)
        noise = min(INITIAL_NOISE, 1 / np.sqrt(n_steps * max(label_shape[1:])))
        network = HalfChains.pack(
            [core + noise * rng.standard_normal(core.shape) for core in cores],
            label + INITIAL_NOISE * rng.standard_normal(label_shape),
            position,
        )
        return network, rest, self._mask([*shapes, label_shape])

    def _planned_nodes(self) -> list[FloatNode]:
        # Cores are trained, and narrowed, in the orthonormal basis, which may be smaller.
        table = self._basis_table()
        return planned_chain(
            self._n_sites, table.shape[1], self.bond_dim_, 1, len(orthonormal_basis(table))
        )

    def _keep(self, network: HalfChains) -> None:
        *cores, label = (tensor.astype(float) for tensor in network.unpack())
        self._keep_normalised(cores, label)

    def _log_likelihood(self, inputs: np.ndarray) -> np.ndarray:
        scores, logs = self._contract(inputs)
        # Behind a vector that is 0 nothing is divided out, so that logs would be too great.
        found = np.where(scores[:, 0] == 0, IMPOSSIBLE, log_squares(scores[:, 0], logs))
        return found - self._further_damping(inputs)

    def _further_damping(self, inputs: np.ndarray) -> np.ndarray:
        """Compute what is taken from the log-likelihoods beside the network, in nats."""
        further = max(self.n_features_in_ - DAMPED_FEATURES, 0)
        if not further or self.feature_map_.name != DAMPED:
            return np.zeros(len(inputs))
        return np.where(((inputs == 0) | (inputs == 1)).any(axis=1), float(further), 0.0)

    def _canonical_chain(self) -> CanonicalChain:
        # In the orthonormal basis the squared norm of the network, taken as one tensor, is the mean
        # of psi^2, so that narrowing a bond loses as little probability as possible.
        basis = orthonormal_basis(self._basis_table())
        inverse = np.linalg.pinv(basis)
        cores = [np.einsum("lpr,pq->lqr", core, inverse) for core in self.cores_]
        return CanonicalChain.of(cores, self.label_tensor_, self.label_position_)

    def _adopt(self, chain: CanonicalChain) -> None:
        self._keep_normalised(chain.cores(), chain.centre)

    def _keep_normalised(self, cores: list[np.ndarray], label: np.ndarray) -> None:
        """Store a network given in the orthonormal basis of features, normalised to Z = 1."""
        chains = HalfChains.pack(cores, label, self.label_position_, dtype=np.float64)
        # This is the mean over all combinations of levels; Z is their sum.
        levels = self._levels_of_one()
        log_mean, _, _ = (
            log_partition(chains) if levels is None else log_partition_of_one(chains, levels)
        )
        table = self._basis_table()
        log_z = log_mean + self.n_features_in_ * np.log(len(table))
        basis = orthonormal_basis(table)
        cores = [np.einsum("lqr,qp->lpr", core, basis) for core in cores]
        *self.cores_, self.label_tensor_ = spread([*cores, label], -log_z / 2)
