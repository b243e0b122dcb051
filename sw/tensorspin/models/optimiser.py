"""The steps of a training: their direction by Adam, and their size, the learning rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .augmentation import Augmentation
from .kernel import instructions
from .kernel import steps as compiled

WARM_UP = 0.05
"""Share of all updates during which the learning rate rises from zero to its full value.

Adam's estimate of the gradient's size is poor at first; full steps would then be too large."""

WARM_UP_UPDATES = 50
"""Number of updates during which the learning rate rises if the number of all is unknown.

It is about what `WARM_UP` makes of 50 epochs of 24 updates. After that the rate falls with the root
of the number of updates, as in Vaswani et al., arXiv:1706.03762."""


@dataclass(frozen=True)
class Schedule:
    """How `descend` proceeds.

    Parameters
    ----------
    epochs : int
        Number of passes over the training data.
    batch_size : int
        Number of samples per update.
    learning_rate : float
        Largest change of an entry in one update.
    weight_decay : float
        Strength of the pull towards the network at rest: in each update, an entry's distance from
        its value at rest shrinks by this factor times the learning rate.
    augmentation : Augmentation
        How samples are changed at random before each update.
    weight_bits : None, 8 or 4
        Number of bits to which tensors are rounded while training; None: they are not rounded.
    annealed : bool
        Whether the learning rate falls to zero by the last update. It does not if the training is
        one of an unknown number of parts.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    augmentation: Augmentation = Augmentation()
    weight_bits: int | None = None
    annealed: bool = True

    def rate(self, update: int, n_updates: int, updates_before: int) -> float:
        """Compute the learning rate of an update.

        Parameters
        ----------
        update : int
            Number of this update, from 1.
        n_updates : int
            Number of updates in all epochs.
        updates_before : int
            Number of updates in earlier parts of the training.

        Returns
        -------
        float
            It rises to `learning_rate`, and then falls: along half a cosine to zero, or with the
            root of the number of updates so far.
        """
        if self.annealed:
            progress = update / n_updates
            rise, fall = progress / WARM_UP, half_cosine(progress)
        else:
            progress = (updates_before + update) / WARM_UP_UPDATES
            rise, fall = progress, min(1.0, 1 / math.sqrt(progress))
        return float(self.learning_rate) * min(1.0, rise) * fall


def half_cosine(progress: float) -> float:
    """Compute the factor of a learning rate that falls from 1 to 0 along half a cosine."""
    return 0.5 * (1 + math.cos(math.pi * progress))


@dataclass(frozen=True)
class Pace:
    """How far one update may change each parameter, beside the learning rate.

    The parameters are parts, one behind the other in one vector.

    Parameters
    ----------
    sizes : sequence of int
        Number of parameters of each part.
    shares : sequence of float
        Factor of each part's steps.
    decays : sequence of float
        Strength with which the parameters of each part are pulled towards `target`.
    mask : ndarray of float32 of shape (n_parameters,)
        1 for parameters that may change, 0 for others.
    target : ndarray of float32 of shape (n_parameters,)
        Where weight decay pulls the parameters.
    """

    sizes: Sequence[int]
    shares: Sequence[float]
    decays: Sequence[float]
    mask: np.ndarray
    target: np.ndarray

    def of_each(self, values: Sequence[float]) -> np.ndarray:
        """Repeat a number of each part for its parameters: ndarray of float32."""
        return np.repeat(np.array(values, np.float32), self.sizes)


class Adam:
    """Steps by the method of Kingma and Ba, arXiv:1412.6980."""

    FIRST_MOMENT, SECOND_MOMENT, EPSILON = 0.9, 0.99, 1e-8
    """Decay of the running means of the gradient and of its square; term that keeps 0 / 0 finite.

    The second decay is below the paper's 0.999, so that its mean covers about 100 updates, not
    1,000: small data sets give only some hundred updates in all."""

    def __init__(self) -> None:
        # The running means start at zero, with the first update.
        self._first = self._second = np.zeros(0, np.float32)
        self.updates = 0
        """Number of updates so far."""

    def step(
        self, parameters: np.ndarray, gradients: Sequence[np.ndarray], rate: float, pace: Pace
    ) -> None:
        """Change the parameters in place by one update.

        Parameters
        ----------
        parameters : ndarray of float32 of shape (n_parameters,)
            All parameters.
        gradients : sequence of ndarray of float
            Derivative of the loss with respect to each part of the parameters, of any shape.
        rate : float
            The learning rate.
        pace : Pace
            The parts.
        """
        if not self.updates:
            self._first, self._second = np.zeros_like(parameters), np.zeros_like(parameters)
        self.updates += 1
        corrections = (
            1 - self.FIRST_MOMENT**self.updates,
            1 - self.SECOND_MOMENT**self.updates,
        )
        if instructions() is None:
            self._step_in_numpy(parameters, gradients, rate, pace, corrections)
            return
        start = 0
        for gradient, share, decay in zip(gradients, pace.shares, pace.decays):
            compiled.update(
                parameters,
                np.ravel(gradient),
                self._first,
                self._second,
                pace.target,
                pace.mask,
                start,
                (self.FIRST_MOMENT, self.SECOND_MOMENT),
                corrections,
                self.EPSILON,
                rate * share,
                rate * decay,
            )
            start += gradient.size

    def _step_in_numpy(
        self,
        parameters: np.ndarray,
        gradients: Sequence[np.ndarray],
        rate: float,
        pace: Pace,
        corrections: tuple[float, float],
    ) -> None:
        # The mask keeps padding and fixed entries out of the running means, too.
        gradient = pace.mask * np.concatenate([np.ravel(part) for part in gradients])
        self._first += (1 - self.FIRST_MOMENT) * (gradient - self._first)
        self._second += (1 - self.SECOND_MOMENT) * (gradient * gradient - self._second)
        spread = np.sqrt(self._second / corrections[1])
        direction = self._first / corrections[0] / (spread + self.EPSILON)
        decays = pace.of_each(pace.decays) * pace.mask
        parameters -= rate * (
            pace.of_each(pace.shares) * direction + decays * (parameters - pace.target)
        )
