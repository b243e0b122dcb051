"""Likelihood of a Born machine: squared amplitudes over their exact sum.

A matrix product state with one output gives an amplitude psi(x); the probability of the levels x is
psi(x)^2 / Z with Z the sum of psi^2 over all combinations of levels (Han et al. 2018,
arXiv:1709.01662). Z is contracted exactly, site by site, with transfer matrices: only the Gram
matrix of the feature map over its table enters.
"""

from __future__ import annotations

import numpy as np

from .half_chains import Contraction, HalfChains, log_norms

# -log psi^2 is infinite where psi changes its sign. Samples whose amplitude is below this share of
# the batch's root mean square weigh less in the gradient: else the few next to zero would dominate
# it, and no zero of psi could move past a sample.
SOFTENING = 0.3

# Directions of the feature map that carry less than this share of its largest are left out.
RANK_TOLERANCE = 1e-10


def orthonormal_basis(table: np.ndarray) -> np.ndarray:
    """Matrix that makes a feature map's components orthonormal over its levels.

    Parameters
    ----------
    table : float array (levels, local_dim)

    Returns
    -------
    float64 array (rank, local_dim)
        ``table @ basis.T`` has the mean square 1 in each column and no correlation between columns.
        The rank is less than local_dim if the components are linearly dependent.
    """
    values, vectors = np.linalg.eigh(table.T @ table / len(table))
    kept = values > RANK_TOLERANCE * values[-1]
    return (vectors[:, kept] / np.sqrt(values[kept])).T


def log_partition(chains: HalfChains) -> tuple[float, np.ndarray, np.ndarray]:
    """Logarithm of the norm of a network whose features are orthonormal, and its gradients.

    Parameters
    ----------
    chains : HalfChains
        With one output; each site's feature components are orthonormal on average over the levels.

    Returns
    -------
    log_z : float
        Natural logarithm of the mean of psi^2 over all combinations of levels.
    weight_gradient, label_gradient : arrays shaped as ``chains.weights`` and ``chains.label``
        Entries beyond a site's true bonds and of padding steps are meaningless.
    """
    n_steps, _, bond, width = chains.weights.shape
    cores = chains.weights.reshape(n_steps, 2, bond, -1, bond)
    environment = np.zeros((2, bond, bond), chains.weights.dtype)
    environment[:, 0, 0] = 1
    halves = np.empty_like(chains.weights)  # core times environment, for the gradient
    traces = np.empty((n_steps, 2, 1, 1), chains.weights.dtype)
    for step in range(n_steps):
        halves[step] = (cores[step] @ environment[:, None]).reshape(2, bond, width)
        environment = halves[step] @ chains.weights[step].transpose(0, 2, 1)
        traces[step] = np.trace(environment, axis1=1, axis2=2)[:, None, None]
        environment = environment / traces[step]
    label = chains.label.reshape(bond, bond)
    half = environment[0] @ label @ environment[1]
    z = float(np.sum(half * label))
    log_z = float(np.log(traces.astype(np.float64)).sum() + np.log(z))

    label_gradient = (2 / z) * half.reshape(1, -1)
    # Derivatives of log_z with respect to the environments, from the label tensor outwards.
    adjoint = np.stack([label @ environment[1] @ label.T, label.T @ environment[0] @ label]) / z
    weight_gradient = np.empty_like(chains.weights)
    for step in reversed(range(n_steps)):
        adjoint = adjoint / traces[step]
        weight_gradient[step] = 2 * adjoint @ halves[step]
        if step:
            product = (adjoint @ chains.weights[step]).reshape(2, -1, bond)
            adjoint = chains.weights[step].reshape(2, -1, bond).transpose(0, 2, 1) @ product
    return log_z, weight_gradient, label_gradient


def log_squares(scores: np.ndarray, log_norms: np.ndarray) -> np.ndarray:
    """Natural logarithms of psi^2; finite: an amplitude of 0 counts as the least number.

    Parameters
    ----------
    scores, log_norms : arrays (batch,)
        psi is ``scores * exp(log_norms)``.
    """
    return 2 * (np.log(np.maximum(np.abs(scores), np.finfo(scores.dtype).tiny)) + log_norms)


def negative_log_square(contraction: Contraction) -> tuple[float, np.ndarray]:
    """Mean of -log psi^2 over a batch, and a gradient with respect to the scores.

    Parameters
    ----------
    contraction : Contraction
        Of a network with one output.

    Returns
    -------
    loss : float
    score_gradient : array (1, batch)
        That of a weighted mean, with weights of mean 1: a factor common to all scores changes it as
        it changes the loss, and so is balanced by that of the norm. See `SOFTENING`.
    """
    scores = contraction.scores
    squares = scores * scores
    softened = squares + max(SOFTENING**2 * float(np.mean(squares)), np.finfo(scores.dtype).tiny)
    mean_weight = max(float(np.mean(squares / softened)), np.finfo(scores.dtype).tiny)
    gradient = scores / softened * (-2 / (scores.shape[1] * mean_weight))
    return -float(np.mean(log_squares(scores[0], log_norms(contraction)))), gradient
