"""The compiled forms of what else an update of a training computes."""

from __future__ import annotations

import numpy as np

from .switch import _compiled


def bernstein(inputs: np.ndarray, sites: np.ndarray, local_dim: int) -> np.ndarray:
    """Map the features that some sites read to Bernstein polynomials.

    Parameters
    ----------
    inputs : ndarray of float32 of shape (batch, n_sites)
        Scaled features in [0, 1].
    sites : ndarray of intc
        The sites; -1 for padding, whose vectors become zero.
    local_dim : int
        Number of polynomials, their degree plus 1.

    Returns
    -------
    ndarray of float32
        The feature vectors: the shape of `sites` with the axes (batch, local_dim) appended.
    """
    features = np.empty((sites.size, len(inputs), local_dim), np.float32)
    _compiled.bernstein(np.ascontiguousarray(inputs), sites.ravel(), features)
    return features.reshape(*sites.shape, *features.shape[1:])


def cross_entropy(
    scores: np.ndarray,
    labels: np.ndarray,
    temperature: float,
    smoothing: float,
    weights: np.ndarray | None,
) -> tuple[float, np.ndarray, float]:
    """Compute the cross entropy of a batch, as `losses.cross_entropy` does in NumPy.

    Parameters
    ----------
    scores : ndarray of float32 of shape (n_classes, batch)
        The scores of the network.
    labels : ndarray of intc of shape (batch,)
        Index of each sample's class.
    temperature, smoothing, weights
        As for `losses.cross_entropy`; weights are of float32.

    Returns
    -------
    loss : float
        Mean over the batch, in nats.
    score_gradient : ndarray of float32 of shape (n_classes, batch)
        Derivative of the loss with respect to the scores.
    temperature_gradient : float
        Derivative of the loss with respect to the logarithm of the temperature.
    """
    gradient = np.empty(scores.shape, np.float32)
    loss, temperature_gradient = _compiled.cross_entropy(
        np.ascontiguousarray(scores), labels, weights, gradient, temperature, smoothing
    )
    return loss, gradient, temperature_gradient


def update(
    parameters: np.ndarray,
    gradient: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    target: np.ndarray,
    mask: np.ndarray,
    start: int,
    decays: tuple[float, float],
    corrections: tuple[float, float],
    epsilon: float,
    step: float,
    pull: float,
) -> None:
    """Take one step of Adam with a part of the parameters, in place.

    Parameters
    ----------
    parameters, first, second, target, mask : ndarray of float32 of shape (n_parameters,)
        All parameters, the running means of their gradients and of the squares, what weight decay
        pulls towards, and 1 where a parameter may change, else 0.
    gradient : ndarray of float32 of shape (n,)
        Gradient of the parameters from `start` on.
    start : int
        Number of parameters before those that are changed.
    decays, corrections : (float, float)
        Decay of both running means, and the share of all gradients that they have seen.
    epsilon : float
        Term that keeps 0 / 0 finite.
    step, pull : float
        Size of the step, and share of the distance from the target by which parameters shrink.
    """
    _compiled.update(
        parameters,
        np.ascontiguousarray(gradient, np.float32),
        first,
        second,
        target,
        mask,
        start,
        1 - decays[0],
        1 - decays[1],
        1 / corrections[0],
        1 / corrections[1],
        epsilon,
        step,
        pull,
    )
