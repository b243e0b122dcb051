"""Gradient descent on the tensors of a network, in pure NumPy, whatever the loss.

All tensors are trained at once, by backpropagation through the network, not site by site as in the
sweeping algorithm of Stoudenmire and Schwab, arXiv:1605.05775.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..compiler.quantise import weight_steps
from .augmentation import Augmentation

# Share of all updates in which the learning rate rises to its full value.
WARM_UP = 0.05

# A network adds up the changes of all its tensors: beyond this many, each may change less.
REFERENCE_STEPS = 32


class Contraction(Protocol):
    """Result of a network's contraction; the network keeps in it what its gradients need."""

    scores: np.ndarray
    """Shape (n_classes, batch)."""


class Network(Protocol):
    """What `descend` needs of a network: `HalfChains` or `TreeNetwork`.

    The last two axes of each array are a node's outputs and the products that they sum up; the axes
    before them count nodes.
    """

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


@dataclass(frozen=True)
class Schedule:
    """How `descend` proceeds; the estimator explains the parameters to the user."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    augmentation: Augmentation = Augmentation()
    weight_bits: int | None = None


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


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # a loss of NaN tells of it
def descend(
    network: Network,
    rest: Network,
    trainable: Network,
    inputs: np.ndarray,
    objective: Callable[[np.ndarray, np.ndarray], tuple[float, Sequence[np.ndarray]]],
    schedule: Schedule,
    rng: np.random.Generator,
    progress: Callable[[Iterable], Iterable] = iter,
    extra: np.ndarray | None = None,
) -> list[float]:
    """Minimise a loss in place, with Adam and decoupled weight decay.

    The learning rate rises over the first updates and falls along a half cosine to zero. Weight
    decay (Loshchilov and Hutter, arXiv:1711.05101) pulls towards ``rest`` rather than towards zero:
    a core of near-identity matrices at rest passes a vector on, a core of zeros would destroy it.

    With ``schedule.weight_bits`` the training is aware of the quantisation: the network is always
    contracted with rounded tensors, and their gradients change the tensors before the rounding (the
    straight-through estimator of Bengio et al., arXiv:1308.3432).

    Parameters
    ----------
    network : Network
        Of float32; its arrays are replaced, with rounded ones if that is what it is trained for.
    rest : Network
        Where weight decay pulls.
    trainable : Network
        1 for entries that may change, 0 for the padding.
    inputs : float32 array (n_samples, n_sites)
        The scaled feature that each site reads, in [0, 1].
    objective : callable
        Of the inputs of a batch and the indices of its samples. Returns the mean loss of the
        network and its gradients, shaped as ``network.arrays()``, and then `extra` if it is given;
        those of the padding are ignored.
    schedule : Schedule
    rng : numpy.random.Generator
    progress : callable
        Wraps the iterable of epochs.
    extra : float32 array, optional
        Parameters beside the network's, without weight decay; changed in place.

    Returns
    -------
    list of float
        Mean loss of each epoch, taken during training, with noise.

    Raises
    ------
    FloatingPointError
        If the loss is no longer finite.
    """
    n_samples = len(inputs)
    shapes = [array.shape for array in network.arrays()]
    ends = np.cumsum([math.prod(shape) for shape in shapes])
    beside = np.zeros(0, dtype=np.float32) if extra is None else extra
    parameters, target, mask = (
        np.concatenate([*(array.ravel() for array in part.arrays()), last]).astype(np.float32)
        for part, last in (
            (network, beside),
            (rest, np.zeros_like(beside)),
            (trainable, np.ones_like(beside)),
        )
    )
    # Views: the network follows the parameters.
    *tensors, trained_beside = np.split(parameters, ends)
    tensors = [part.reshape(shape) for part, shape in zip(tensors, shapes)]
    rounded = tensors
    if schedule.weight_bits is not None:
        rounded = [round_nodes(tensor, schedule.weight_bits) for tensor in tensors]
    network.replace_arrays(rounded)
    # The last tensor has no further one behind it.
    shares = np.ones_like(parameters)
    shares[: ends[-1] - math.prod(shapes[-1])] = min(1.0, REFERENCE_STEPS / network.n_steps)
    # Python's numbers: NumPy scalars of 64 bits would widen the float32 arrays.
    decays = float(schedule.weight_decay) * mask
    decays[ends[-1] :] = 0
    optimiser = Adam(parameters)

    n_updates = schedule.epochs * -(-n_samples // schedule.batch_size)
    update = 0
    loss_curve = []
    for epoch in progress(range(schedule.epochs)):
        order = rng.permutation(n_samples)
        total = 0.0
        for start in range(0, n_samples, schedule.batch_size):
            chosen = order[start : start + schedule.batch_size]
            batch = schedule.augmentation(inputs[chosen], rng)
            loss, gradients = objective(batch, chosen)
            total += loss * len(chosen)
            gradient = mask * np.concatenate([np.ravel(part) for part in gradients])

            update += 1
            rate = _learning_rate(schedule.learning_rate, update / n_updates)
            parameters -= rate * (
                shares * optimiser.direction(gradient) + decays * (parameters - target)
            )
            beside[...] = trained_beside
            if schedule.weight_bits is not None:
                for values, tensor in zip(rounded, tensors):
                    round_nodes(tensor, schedule.weight_bits, out=values)
        if not math.isfinite(total):
            raise FloatingPointError(
                f"training diverged: the loss of epoch {epoch + 1} is {total / n_samples}; lower "
                f"the learning rate, now {schedule.learning_rate:g}"
            )
        loss_curve.append(total / n_samples)
    return loss_curve


def round_nodes(tensors: np.ndarray, bits: int, out: np.ndarray | None = None) -> np.ndarray:
    """Round the tensors of nodes as the compiler will, but keep their scale.

    Parameters
    ----------
    tensors : float array (..., outputs, elements)
        Each node in its own step; padding of zeros has no influence.
    bits : int
        4 or 8.
    out : float array of the same shape, optional
        Where to put the result.

    Returns
    -------
    float array of the same shape
    """
    steps = weight_steps(tensors.reshape(-1, *tensors.shape[-2:]), bits)
    steps = steps.reshape(*tensors.shape[:-2], 1, 1)
    out = np.divide(tensors, steps, out=out)
    np.rint(out, out=out)
    return np.multiply(out, steps, out=out)


def _learning_rate(largest: float, progress: float) -> float:
    """Learning rate after a share ``progress`` of all updates: a rise, then half a cosine."""
    return float(largest) * min(1.0, progress / WARM_UP) * 0.5 * (1 + math.cos(math.pi * progress))
