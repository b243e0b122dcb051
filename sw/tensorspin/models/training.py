"""Gradient training of tensor networks, in pure NumPy.

All tensors are trained at once, by backpropagation through the network, not site by site as in the
sweeping algorithm of Stoudenmire and Schwab, arXiv:1605.05775.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .half_chains import column_norms

INITIAL_TEMPERATURE = 8.0

# Share of all updates in which the learning rate rises to its full value.
WARM_UP = 0.05

# A network adds up the changes of all its tensors: beyond this many, each may change less.
REFERENCE_STEPS = 32


class Contraction(Protocol):
    """Result of a network's contraction; the network keeps in it what its gradients need."""

    scores: np.ndarray
    """Shape (n_classes, batch)."""


class Network(Protocol):
    """What `train` needs of a network: `HalfChains` or `TreeNetwork`."""

    @property
    def n_steps(self) -> int:
        """Tensors on one side of the last one, whose changes add up."""

    def arrays(self) -> list[np.ndarray]:
        """The trained arrays; the last is the tensor with the classes."""

    def replace_arrays(self, arrays: Sequence[np.ndarray]) -> None:
        """Put other arrays of the same shapes in their place."""

    def encode(self, inputs: np.ndarray, feature_map: Callable) -> np.ndarray:
        """Feature vectors of scaled inputs (batch, n_sites)."""

    def contract(self, features: np.ndarray) -> Contraction:
        """Scores of a batch, up to one positive factor per sample."""

    def gradients(self, contraction: Contraction, score_gradient: np.ndarray) -> Sequence:
        """Gradients of `arrays` from that of the scores; what they hold for padding is ignored."""


def cross_entropy(
    scores: np.ndarray, labels: np.ndarray, temperature: float
) -> tuple[float, np.ndarray, float]:
    """Cross entropy of the normalised logits, and its gradients.

    Parameters
    ----------
    scores : array (n_classes, batch)
    labels : int array (batch,), class indices
    temperature : float, see `normalised_logits`

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
    loss = float(np.mean(np.log(totals) - shifted[labels, batch]))
    logit_gradient = exponentials / totals
    logit_gradient[labels, batch] -= 1
    logit_gradient /= len(batch)
    radial = (logit_gradient * logits).sum(axis=0)
    # Only the part across the score vector counts: its length has been divided out.
    score_gradient = (temperature * logit_gradient - logits * (radial / temperature)) / norm
    return loss, score_gradient, float(radial.sum())


@dataclass(frozen=True)
class Schedule:
    """How `train` proceeds; the estimator explains the parameters to the user."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    input_noise: float


class Adam:
    """Direction of the next update by the method of Kingma and Ba, arXiv:1412.6980.

    Parameters
    ----------
    parameters : float array (n_parameters,)
        Only its shape and dtype matter.
    """

    FIRST_MOMENT, SECOND_MOMENT, EPSILON = 0.9, 0.99, 1e-8

    def __init__(self, parameters: np.ndarray):
        self._first = np.zeros_like(parameters)
        self._second = np.zeros_like(parameters)
        self._updates = 0

    def direction(self, gradient: np.ndarray) -> np.ndarray:
        """Return a direction of entries of about 1 in magnitude, to be subtracted."""
        self._updates += 1
        self._first += (1 - self.FIRST_MOMENT) * (gradient - self._first)
        self._second += (1 - self.SECOND_MOMENT) * (gradient * gradient - self._second)
        mean = self._first / (1 - self.FIRST_MOMENT**self._updates)
        spread = np.sqrt(self._second / (1 - self.SECOND_MOMENT**self._updates))
        return mean / (spread + self.EPSILON)


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
) -> tuple[float, list[float]]:
    """Train a network in place, with Adam and decoupled weight decay.

    The learning rate rises over the first updates and falls along a half cosine to zero. Weight
    decay (Loshchilov and Hutter, arXiv:1711.05101) pulls towards ``rest`` rather than towards zero:
    a core of near-identity matrices at rest passes a vector on, a core of zeros would destroy it.

    Parameters
    ----------
    network : Network
        Its arrays are replaced.
    rest : Network
        Where weight decay pulls.
    trainable : Network
        1 for entries that may change, 0 for the padding.
    inputs : float32 array (n_samples, n_sites)
        The scaled feature that each site reads, in [0, 1].
    labels : int array (n_samples,)
        Class indices.
    feature_map : callable, array (...) -> array (..., local_dim)
    schedule : Schedule
    rng : numpy.random.Generator
    progress : callable
        Wraps the iterable of epochs.

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
    n_samples = len(inputs)
    parameters, target, mask = (
        np.concatenate([*(array.ravel() for array in part.arrays()), [last]]).astype(np.float32)
        for part, last in ((network, 0), (rest, 0), (trainable, 1))
    )
    parameters[-1] = np.log(INITIAL_TEMPERATURE)
    shapes = [array.shape for array in network.arrays()]
    ends = np.cumsum([math.prod(shape) for shape in shapes])

    def parts(flat):
        return [part.reshape(shape) for part, shape in zip(np.split(flat[:-1], ends[:-1]), shapes)]

    shares = np.ones_like(parameters)
    for share in parts(shares)[:-1]:
        share[:] = min(1.0, REFERENCE_STEPS / network.n_steps)
    decays = float(schedule.weight_decay) * mask
    decays[-1] = 0
    # Views: the network follows the parameters.
    network.replace_arrays(parts(parameters))
    gradient = np.zeros_like(parameters)
    gradient_parts = parts(gradient)
    optimiser = Adam(parameters)
    # A NumPy scalar of 64 bits would widen the float32 arrays.
    input_noise = float(schedule.input_noise)

    n_updates = schedule.epochs * -(-n_samples // schedule.batch_size)
    update = 0
    loss_curve = []
    for epoch in progress(range(schedule.epochs)):
        order = rng.permutation(n_samples)
        total = 0.0
        for start in range(0, n_samples, schedule.batch_size):
            chosen = order[start : start + schedule.batch_size]
            batch = inputs[chosen]
            if input_noise:
                noise = rng.standard_normal(batch.shape, dtype=np.float32)
                batch = np.clip(batch + input_noise * noise, 0, 1)
            contraction = network.contract(network.encode(batch, feature_map))
            temperature = float(np.exp(parameters[-1]))
            loss, score_gradient, gradient[-1] = cross_entropy(
                contraction.scores, labels[chosen], temperature
            )
            total += loss * len(chosen)
            for part, array in zip(gradient_parts, network.gradients(contraction, score_gradient)):
                part[...] = array
            gradient *= mask

            update += 1
            rate = _learning_rate(schedule.learning_rate, update / n_updates)
            parameters -= rate * (
                shares * optimiser.direction(gradient) + decays * (parameters - target)
            )
        if not np.isfinite(total):
            raise FloatingPointError(
                f"training diverged: the loss of epoch {epoch + 1} is {total / n_samples}; lower "
                f"the learning rate, now {schedule.learning_rate:g}"
            )
        loss_curve.append(total / n_samples)
    return float(np.exp(parameters[-1])), loss_curve


def _learning_rate(largest: float, progress: float) -> float:
    """Learning rate after a share ``progress`` of all updates: a rise, then half a cosine."""
    return float(largest) * min(1.0, progress / WARM_UP) * 0.5 * (1 + math.cos(math.pi * progress))
