"""Training of classifiers: the cross entropy of normalised logits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .descent import Network, Schedule, descend
from .half_chains import column_norms

INITIAL_TEMPERATURE = 8.0


def cross_entropy(
    scores: np.ndarray, labels: np.ndarray, temperature: float, smoothing: float = 0.0
) -> tuple[float, np.ndarray, float]:
    """Cross entropy of the normalised logits, and its gradients.

    Parameters
    ----------
    scores : array (n_classes, batch)
    labels : int array (batch,), class indices
    temperature : float, see `normalised_logits`
    smoothing : float
        Share of the target's probability that all classes get alike.

    Returns
    -------
    loss : float
        Mean over the batch, in nats.
    score_gradient : array (n_classes, batch)
    temperature_gradient : float
        With respect to the logarithm of the temperature.
    """
    batch = np.arange(scores.shape[1])
    norm = column_norms(scores)
    logits = temperature * (scores / norm)
    shifted = logits - logits.max(axis=0)
    exponentials = np.exp(shifted)
    totals = exponentials.sum(axis=0)
    # Python's number: a NumPy scalar of 64 bits would widen the arrays.
    smoothing = float(smoothing)
    of_targets = (1 - smoothing) * shifted[labels, batch] + smoothing * shifted.mean(axis=0)
    loss = float(np.mean(np.log(totals) - of_targets))
    logit_gradient = exponentials / totals - smoothing / len(scores)
    logit_gradient[labels, batch] -= 1 - smoothing
    logit_gradient /= len(batch)
    radial = (logit_gradient * logits).sum(axis=0)
    # Only the part across the score vector counts: its length has been divided out.
    score_gradient = (temperature * logit_gradient - logits * (radial / temperature)) / norm
    return loss, score_gradient, float(radial.sum())


def train(
    network: Network,
    rest: Network,
    trainable: Network,
    inputs: np.ndarray,
    labels: np.ndarray,
    feature_map: Callable,
    schedule: Schedule,
    rng: np.random.Generator,
    progress: Callable = iter,
    label_smoothing: float = 0.0,
) -> tuple[float, list[float]]:
    """Train a network and its temperature in place; see `descend`.

    Parameters
    ----------
    network, rest, trainable, inputs, schedule, rng, progress
        As of `descend`.
    labels : int array (n_samples,)
        Class indices.
    feature_map : callable, array (...) -> array (..., local_dim)
    label_smoothing : float
        See `cross_entropy`.

    Returns
    -------
    temperature : float
    loss_curve : list of float
        Mean loss of each epoch in nats, taken during training, with noise.

    Raises
    ------
    FloatingPointError
        If the loss is no longer finite.
    """
    log_temperature = np.log(np.full(1, INITIAL_TEMPERATURE, dtype=np.float32))

    def objective(batch, chosen):
        contraction = network.contract(network.encode(batch, feature_map))
        temperature = float(np.exp(log_temperature[0]))
        loss, score_gradient, temperature_gradient = cross_entropy(
            contraction.scores, labels[chosen], temperature, label_smoothing
        )
        gradients = network.gradients(contraction, score_gradient)
        return loss, [*gradients, np.float32(temperature_gradient)]

    loss_curve = descend(
        network,
        rest,
        trainable,
        inputs,
        objective,
        schedule,
        rng,
        progress,
        extra=log_temperature,
    )
    return float(np.exp(log_temperature[0])), loss_curve
