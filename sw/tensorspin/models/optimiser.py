"""The steps of a training: their direction by Adam, and their size, the learning rate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .augmentation import Augmentation

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


class Adam:
    """Direction of the next update by the method of Kingma and Ba, arXiv:1412.6980."""

    FIRST_MOMENT, SECOND_MOMENT, EPSILON = 0.9, 0.99, 1e-8
    """Decay of the running means of the gradient and of its square; term that keeps 0 / 0 finite.

    The second decay is below the paper's 0.999, so that its mean covers about 100 updates, not
    1,000: small data sets give only some hundred updates in all."""

    def __init__(self) -> None:
        # The running means start at zero and take the gradient's shape and dtype from the first.
        self._first: float | np.ndarray = 0.0
        self._second: float | np.ndarray = 0.0
        self.updates = 0
        """Number of updates so far."""

    def direction(self, gradient: np.ndarray) -> np.ndarray:
        """Compute the direction of an update from the gradient.

        Parameters
        ----------
        gradient : ndarray of float of shape (n_parameters,)
            Derivative of the loss with respect to each parameter.

        Returns
        -------
        ndarray of the same shape and dtype
            Entries of about 1 in magnitude, to be subtracted from the parameters.
        """
        self.updates += 1
        self._first += (1 - self.FIRST_MOMENT) * (gradient - self._first)
        self._second += (1 - self.SECOND_MOMENT) * (gradient * gradient - self._second)
        mean = self._first / (1 - self.FIRST_MOMENT**self.updates)
        spread = np.sqrt(self._second / (1 - self.SECOND_MOMENT**self.updates))
        return mean / (spread + self.EPSILON)
