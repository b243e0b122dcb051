"""Likelihood of a Born machine: squared amplitudes over their exact sum.

In quantum mechanics, Born's rule makes the squared amplitude of an outcome its probability. A Born
machine takes a matrix product state with one output for the amplitude psi(x) of the levels x of all
features, so that the probability of x is psi(x)^2 / Z, with Z the sum of psi^2 over all
combinations of levels (Han et al. 2018, arXiv:1709.01662). Z has 256 ** n_features terms, but is
contracted exactly, site by site, with transfer matrices: only the Gram matrix of the feature map
over its table enters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .contraction import ChainContraction, log_norms
from .half_chains import HalfChains
from .kernel import chains as compiled
from .losses import batch_weights

SOFTENING = 0.3
"""Amplitude, as a share of the batch's root mean square, below which a sample weighs less.

-log psi^2 is infinite where psi changes its sign. Without softening, the few samples next to a zero
of psi would dominate the gradient, and no zero of psi could move past a sample."""

RANK_TOLERANCE = 1e-10
"""Share of the largest eigenvalue below which a direction of the feature map is left out: its
components are then linearly dependent but for rounding."""


@dataclass
class NegativeLogLikelihood:
    """Loss of a Born machine: the mean of log Z - log psi^2, in nats.

    It is the negative log-likelihood, less that of uniformly distributed levels, because Z is taken
    as a mean over the combinations of levels, not as a sum.

    Parameters
    ----------
    weights : None or ndarray of float64 of shape (n_samples,)
        Weight of each training sample, of mean 1; None: all are 1.
    levels : None or ndarray of float of shape (n_steps, 2, local_dim, levels)
        Feature vectors of all levels of the only feature, as `HalfChains.encode` returns them. None
        if each site reads a feature of its own.
    """

    weights: np.ndarray | None = None
    levels: np.ndarray | None = None
    parameters: None = None
    """The loss has no parameters of its own."""

    def __call__(
        self, network: HalfChains, contraction: ChainContraction, chosen: np.ndarray
    ) -> tuple[float, Sequence[np.ndarray]]:
        """Compute the loss of a batch and the gradients of the network."""
        weights = batch_weights(self.weights, chosen)
        loss, score_gradient = negative_log_square(contraction, weights)
        weight_gradient, label_gradient = network.gradients(contraction, score_gradient)
        log_z, weight_gradient_z, label_gradient_z = (
            log_partition(network)
            if self.levels is None
            else log_partition_of_one(network, self.levels)
        )
        if weights is not None:
            # Each sample brings its own log Z, so that the batch has as many as its weights sum to.
            share = float(np.mean(weights))
            log_z, weight_gradient_z = share * log_z, share * weight_gradient_z
            label_gradient_z = share * label_gradient_z
        return loss + log_z, [
            weight_gradient + weight_gradient_z,
            label_gradient + label_gradient_z,
        ]


def orthonormal_basis(table: np.ndarray) -> np.ndarray:
    """Compute the matrix that makes a feature map's components orthonormal over its levels.

    Parameters
    ----------
    table : ndarray of float of shape (levels, local_dim)
        The feature vector of each level.

    Returns
    -------
    ndarray of float64 of shape (rank, local_dim)
        ``table @ basis.T`` has the mean square 1 in each column and no correlation between columns.
        The rank is less than local_dim if the components are linearly dependent.
    """
    # Eigenvectors of the Gram matrix, each over the root of its eigenvalue.
    values, vectors = np.linalg.eigh(table.T @ table / len(table))
    kept = values > RANK_TOLERANCE * values[-1]
    return (vectors[:, kept] / np.sqrt(values[kept])).T


def log_partition(chains: HalfChains) -> tuple[float, np.ndarray, np.ndarray]:
    """Compute the logarithm of a network's norm, and its gradients.

    The environment of a bond is the contraction of psi^2 over all sites before it: a matrix whose
    two indices are the bonds of the two factors psi. Each step of the two half-chains extends it by
    one site.

    Parameters
    ----------
    chains : HalfChains
        A network with one output, whose feature components are orthonormal on average over the
        levels; see `orthonormal_basis`.

    Returns
    -------
    log_z : float
        Natural logarithm of the mean of psi^2 over all combinations of levels.
    weight_gradient, label_gradient : ndarray of float
        Derivatives of log_z, shaped as ``chains.weights`` and ``chains.label``. Entries beyond a
        site's true bonds and of padding steps are meaningless.
    """
    if chains.compiled:
        return compiled.log_partition(chains.weights, chains.label, chains.depths)
    weights = chains.weights
    n_steps, _, bond, width = weights.shape
    cores = weights.reshape(n_steps, 2, bond, -1, bond)
    environment = np.zeros((2, bond, bond), weights.dtype)
    environment[:, 0, 0] = 1
    halves = np.empty_like(weights)  # core times environment, for the gradient
    traces = np.empty((n_steps, 2, 1, 1), weights.dtype)
    for step in range(n_steps):
        halves[step] = (cores[step] @ environment[:, None]).reshape(2, bond, width)
        environment = halves[step] @ weights[step].transpose(0, 2, 1)
        traces[step] = np.trace(environment, axis1=1, axis2=2)[:, None, None]
        # Divided by its trace, an environment stays in range in chains of any length.
        environment = environment / traces[step]
    # Both half-chains meet at the label tensor, once for each factor psi.
    label = chains.label.reshape(bond, bond)
    half = environment[0] @ label @ environment[1]
    z = float(np.sum(half * label))
    log_z = float(np.log(traces.astype(np.float64)).sum() + np.log(z))

    # A training that diverges ends up at 0, and is reported by its loss.
    label_gradient = float(np.divide(2, z)) * half.reshape(1, -1)
    # Derivatives of log_z with respect to the environments, from the label tensor outwards.
    adjoint = np.stack([label @ environment[1] @ label.T, label.T @ environment[0] @ label]) / z
    weight_gradient = np.empty_like(weights)
    for step in reversed(range(n_steps)):
        adjoint = adjoint / traces[step]
        weight_gradient[step] = 2 * adjoint @ halves[step]
        if step:
            product = (adjoint @ weights[step]).reshape(2, -1, bond)
            adjoint = weights[step].reshape(2, -1, bond).transpose(0, 2, 1) @ product
    return log_z, weight_gradient, label_gradient


def log_partition_of_one(
    chains: HalfChains, levels: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Compute the logarithm of the mean of psi^2 over the levels of one feature, and its gradients.

    All sites read the same feature, so that the mean is over its levels only, not over their
    combinations.

    Parameters
    ----------
    chains : HalfChains
        A network with one output.
    levels : ndarray of float of shape (n_steps, 2, local_dim, levels)
        Feature vectors of all levels, as ``chains.encode`` returns them.

    Returns
    -------
    log_z : float
        Natural logarithm of the mean of psi^2.
    weight_gradient, label_gradient : ndarray of float
        Derivatives of log_z, as of `log_partition`.
    """
    contraction = chains.contract(levels)
    scores, logs = contraction.scores[0], log_norms(contraction)
    top = logs.max()
    squares = scores**2 * np.exp(2 * (logs - top))
    total = max(float(squares.sum()), float(np.finfo(squares.dtype).tiny))
    gradient = (2 / total) * scores * np.exp(2 * (logs - top))
    weight_gradient, label_gradient = chains.gradients(contraction, gradient[None])
    return float(np.log(total / len(scores)) + 2 * top), weight_gradient, label_gradient


def log_squares(scores: np.ndarray, log_norms: np.ndarray) -> np.ndarray:
    """Compute the natural logarithm of psi^2, where psi is ``scores * exp(log_norms)``.

    Parameters
    ----------
    scores : ndarray of float of shape (batch,)
        Normalised amplitudes.
    log_norms : ndarray of float of shape (batch,)
        Logarithm of the factor that was divided out of each amplitude.

    Returns
    -------
    ndarray of float of shape (batch,)
        Always finite: an amplitude of 0 counts as the least positive number.
    """
    return 2 * (np.log(np.maximum(np.abs(scores), np.finfo(scores.dtype).tiny)) + log_norms)


def negative_log_square(
    contraction: ChainContraction, weights: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Compute the mean of -log psi^2 over a batch, and a softened gradient of it.

    Parameters
    ----------
    contraction : ChainContraction
        A contracted batch of a network with one output.
    weights : ndarray of float of shape (batch,), optional
        Factor of each sample's -log psi^2.

    Returns
    -------
    loss : float
        The mean, in nats.
    score_gradient : ndarray of float of shape (1, batch)
        The gradient of a weighted mean of -log psi^2, in which samples of small amplitude weigh
        less, see `SOFTENING`. These factors have the mean 1 (with `weights`, their mean), so that a
        factor common to all scores changes the weighted mean as it changes the loss; the gradient
        of log Z then balances it.
    """
    scores = contraction.scores
    squares = scores * scores
    logs = log_squares(scores[0], log_norms(contraction))
    tiny = np.finfo(scores.dtype).tiny
    if weights is None:
        softened = squares + max(SOFTENING**2 * float(np.mean(squares)), tiny)
        mean_factor = max(float(np.mean(squares / softened)), tiny)
        gradient = scores / softened * (-2 / (scores.shape[1] * mean_factor))
        return -float(np.mean(logs)), gradient
    total = max(float(np.sum(weights)), tiny)
    softened = squares + max(SOFTENING**2 * float(np.sum(weights * squares)) / total, tiny)
    total_factor = max(float(np.sum(weights * (squares / softened))), tiny)
    gradient = weights * scores / softened * (-2 * total / (len(weights) * total_factor))
    return -float(np.mean(weights * logs)), gradient
