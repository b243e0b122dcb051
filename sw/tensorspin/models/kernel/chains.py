"""The compiled contraction of half-chains, and its gradients."""

from __future__ import annotations

import numpy as np

from .switch import _compiled


def contract(
    weights: np.ndarray,
    label: np.ndarray,
    depths: np.ndarray,
    features: np.ndarray,
    interval: int,
    threads: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Contract a batch with the compiled kernel, as `contraction.contract_chains` does.

    Parameters
    ----------
    weights : ndarray of float32 of shape (n_steps, 2, bond, local_dim * bond)
        Matrices of the cores, see `HalfChains`.
    label : ndarray of float32 of shape (n_outputs, bond * bond)
        Label tensor.
    depths : ndarray of intc of shape (n_steps, 2)
        True incoming bond of each step; 0 for a step of padding.
    features : ndarray of float32 of shape (n_steps, 2, local_dim, batch)
        Feature vectors; in memory, a sample's components lie side by side.
    interval : int
        Number of steps after which vectors are normalised.
    threads : int
        Number of threads, 1 or 2.

    Returns
    -------
    vectors : ndarray of float32 of shape (n_steps + 1, 2, padded_bond, batch)
        Vectors before each step and after the last; in memory, a sample's entries lie side by side.
    norms : ndarray of float32 of shape (normalisations, 2, batch)
        What the vectors were divided by.
    scores : ndarray of float32 of shape (n_outputs, batch)
        Normalised scores.
    """
    n_steps, _, bond, _ = weights.shape
    batch = features.shape[-1]
    padded = -(-bond // _compiled.ALIGNMENT) * _compiled.ALIGNMENT
    vectors = np.empty((n_steps + 1, 2, batch, padded), np.float32)
    norms = np.empty((-(-n_steps // interval), 2, batch), np.float32)
    scores = np.empty((len(label), batch), np.float32)
    _compiled.contract(
        weights,
        label,
        depths,
        _sample_by_sample(features),
        vectors,
        norms,
        scores,
        interval,
        threads,
    )
    return vectors.swapaxes(2, 3), norms, scores


def gradients(
    weights: np.ndarray,
    label: np.ndarray,
    depths: np.ndarray,
    features: np.ndarray,
    vectors: np.ndarray,
    norms: np.ndarray,
    score_gradient: np.ndarray,
    interval: int,
    threads: int,
) -> list[np.ndarray]:
    """Backpropagate with the compiled kernel, as `contraction.chain_gradients` does.

    Parameters
    ----------
    weights, label, depths, features, interval, threads
        As for `contract`.
    vectors, norms
        What `contract` returned.
    score_gradient : ndarray of float32 of shape (n_outputs, batch)
        Derivative of the loss with respect to the scores.

    Returns
    -------
    list of ndarray of float32
        The gradients of `weights` and of `label`.
    """
    weight_gradient, label_gradient = np.empty_like(weights), np.empty_like(label)
    _compiled.gradients(
        weights,
        label,
        depths,
        _sample_by_sample(features),
        _sample_by_sample(vectors),
        norms,
        np.ascontiguousarray(score_gradient, np.float32),
        weight_gradient,
        label_gradient,
        interval,
        threads,
    )
    return [weight_gradient, label_gradient]


def log_partition(
    weights: np.ndarray, label: np.ndarray, depths: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Compute the logarithm of a chain's norm, as `born.log_partition` does in NumPy.

    Parameters
    ----------
    weights, label, depths
        As for `contract`; the chain has one output.

    Returns
    -------
    log_z : float
        The logarithm.
    weight_gradient, label_gradient : ndarray of float32
        Its derivatives; those of padding steps are zero.
    """
    weight_gradient, label_gradient = np.empty_like(weights), np.empty_like(label)
    log_z = _compiled.log_partition(weights, label, depths, weight_gradient, label_gradient)
    return log_z, weight_gradient, label_gradient


def _sample_by_sample(array: np.ndarray) -> np.ndarray:
    """Swap the last two axes; nothing is copied if memory already has that order."""
    return np.ascontiguousarray(array.swapaxes(-1, -2))
