"""What training minimises: the cross entropy of classifiers, the squared error of regressors.

A loss is an object that `tensorspin.models.descent.descend` calls with a contracted batch; see
`tensorspin.models.descent.Loss`. The likelihood of the anomaly detector is in
`tensorspin.models.born`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .contraction import ChainContraction, column_norms, log_norms
from .descent import Network
from .half_chains import HalfChains
from .kernel import instructions
from .kernel import steps as compiled

INITIAL_TEMPERATURE = 8.0
"""Largest logit at the start of the training, in nats.

Two logits then differ by at most 8 * sqrt(2), so that one class can be about exp(11) times as
probable as another. This is only where training starts: the temperature is trained too."""


@dataclass
class CrossEntropy:
    """Cross entropy of the normalised logits, whose temperature is trained with the network.

    Parameters
    ----------
    labels : ndarray of int of shape (n_samples,)
        Index of each training sample's class.
    smoothing : float
        Share of the target's probability that is distributed evenly over all classes.
    weights : None or ndarray of float64 of shape (n_samples,)
        Weight of each training sample, of mean 1; None: all are 1.
    """

    labels: np.ndarray
    smoothing: float
    weights: np.ndarray | None = None
    parameters: np.ndarray = field(
        default_factory=lambda: np.log(np.full(1, INITIAL_TEMPERATURE, dtype=np.float32))
    )
    """The logarithm of the temperature, which stays positive however it is changed."""

    @property
    def temperature(self) -> float:
        """Largest logit, in nats."""
        return float(np.exp(self.parameters[0]))

    def __call__(
        self, network: Network, contraction: Any, chosen: np.ndarray
    ) -> tuple[float, Sequence[np.ndarray]]:
        """Compute the loss of a batch and the gradients of the network and the temperature."""
        loss, score_gradient, temperature_gradient = cross_entropy(
            contraction.scores,
            self.labels[chosen],
            self.temperature,
            self.smoothing,
            batch_weights(self.weights, chosen),
        )
        gradients = network.gradients(contraction, score_gradient)
        return loss, [*gradients, np.array(temperature_gradient, dtype=np.float32)]


@dataclass
class SquaredError:
    """Mean squared error of a network with one output, taken in the network's own scale.

    Parameters
    ----------
    targets : ndarray of float64 of shape (n_samples,)
        The standardised target of each training sample.
    weights : None or ndarray of float64 of shape (n_samples,)
        Weight of each training sample, of mean 1; None: all are 1.
    """

    targets: np.ndarray
    weights: np.ndarray | None = None
    parameters: None = None
    """The loss has no parameters of its own."""

    def __call__(
        self, network: HalfChains, contraction: ChainContraction, chosen: np.ndarray
    ) -> tuple[float, Sequence[np.ndarray]]:
        """Compute the loss of a batch and the gradients of the network."""
        loss, score_gradient = squared_error(
            contraction.scores,
            log_norms(contraction),
            self.targets[chosen].astype(np.float32),
            batch_weights(self.weights, chosen),
        )
        return loss, network.gradients(contraction, score_gradient)


def batch_weights(weights: np.ndarray | None, chosen: np.ndarray) -> np.ndarray | None:
    """Return the weights of the samples of a batch.

    The loss of a batch is the mean of its samples' losses times these weights. It is not divided by
    their sum, so that a batch of heavy samples counts more than one of light samples, as it would
    if samples were repeated.

    Parameters
    ----------
    weights : None or ndarray of float64 of shape (n_samples,)
        Weight of each training sample, of mean 1; None: all are 1.
    chosen : ndarray of int of shape (batch,)
        Indices of the batch's samples.

    Returns
    -------
    None or ndarray of float32 of shape (batch,)
        None: all are 1.
    """
    return None if weights is None else weights[chosen].astype(np.float32)


def cross_entropy(
    scores: np.ndarray,
    labels: np.ndarray,
    temperature: float,
    smoothing: float = 0.0,
    weights: np.ndarray | None = None,
) -> tuple[float, np.ndarray, float]:
    """Compute the cross entropy of the normalised logits, and its gradients.

    Parameters
    ----------
    scores : ndarray of float of shape (n_classes, batch)
        The scores of the network, up to a positive factor per sample.
    labels : ndarray of int of shape (batch,)
        Index of each sample's class.
    temperature : float
        Largest logit; see `tensorspin.models.logits.normalised_logits`.
    smoothing : float
        Share of the target's probability that is distributed evenly over all classes.
    weights : ndarray of float of shape (batch,), optional
        Factor of each sample's loss.

    Returns
    -------
    loss : float
        Mean over the batch, in nats.
    score_gradient : ndarray of float of shape (n_classes, batch)
        Derivative of the loss with respect to the scores.
    temperature_gradient : float
        Derivative of the loss with respect to the logarithm of the temperature.
    """
    if scores.dtype == np.float32 and instructions() is not None:
        return compiled.cross_entropy(
            scores, labels.astype(np.intc), temperature, float(smoothing), weights
        )
    batch = np.arange(scores.shape[1])
    norm = column_norms(scores)
    logits = temperature * (scores / norm)
    # Without the largest logit, exp cannot overflow; the softmax stays the same.
    shifted = logits - logits.max(axis=0)
    exponentials = np.exp(shifted)
    totals = exponentials.sum(axis=0)
    # float() makes a number of Python: a NumPy scalar of 64 bits would widen the arrays.
    smoothing = float(smoothing)
    of_targets = (1 - smoothing) * shifted[labels, batch] + smoothing * shifted.mean(axis=0)
    losses = np.log(totals) - of_targets
    loss = float(np.mean(losses if weights is None else weights * losses))
    logit_gradient = exponentials / totals - smoothing / len(scores)
    logit_gradient[labels, batch] -= 1 - smoothing
    logit_gradient /= len(batch)
    if weights is not None:
        logit_gradient *= weights
    radial = (logit_gradient * logits).sum(axis=0)
    # Only the part across the score vector counts: its length has been divided out.
    score_gradient = (temperature * logit_gradient - logits * (radial / temperature)) / norm
    return loss, score_gradient, float(radial.sum())


def squared_error(
    scores: np.ndarray,
    log_norms: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray | None = None,
) -> tuple[float, np.ndarray]:
    """Compute the mean squared error of a network's own scores, and its gradient.

    Parameters
    ----------
    scores : ndarray of float of shape (1, batch)
        Normalised scores; the network's own are ``scores * exp(log_norms)``.
    log_norms : ndarray of float of shape (batch,)
        Logarithm of the factor that was divided out of each sample's score.
    targets : ndarray of float of shape (batch,)
        What the network's own scores should be.
    weights : ndarray of float of shape (batch,), optional
        Factor of each sample's squared error.

    Returns
    -------
    loss : float
        Mean over the batch.
    score_gradient : ndarray of float of shape (1, batch)
        Derivative of the loss with respect to the normalised scores.
    """
    scales = np.exp(log_norms)
    errors = scores[0] * scales - targets
    squares = errors.astype(np.float64) ** 2
    loss = float(np.mean(squares if weights is None else weights * squares))
    gradient = errors * scales * (2 / len(targets))
    if weights is not None:
        gradient *= weights
    return loss, gradient[None].astype(scores.dtype)
