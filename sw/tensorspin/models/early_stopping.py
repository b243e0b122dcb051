"""Early stopping: training ends when a held-out share of the samples is predicted no better.

It ends with a few epochs in which the learning rate falls to zero; see `descent.Watch`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from sklearn.model_selection import train_test_split

LEAST_SAMPLES = 2
"""Least number of samples of which a score says anything: R^2 is not defined for one."""


def split(
    n_samples: int, share: float, labels: np.ndarray | None, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Divide samples into those that train and those that validate.

    Parameters
    ----------
    n_samples : int
        Number of samples.
    share : float
        Share of the samples that validate, between 0 and 1; their number is rounded up.
    labels : None or ndarray of shape (n_samples,)
        The class of each sample: each class has the same share in both parts. None: any samples.
    seed : int
        Seed of the choice.

    Returns
    -------
    training, validation : ndarray of int of shape (n,)
        Indices of the samples.

    Raises
    ------
    ValueError
        If there are too few samples, or too few of a class.
    """
    n_validation = int(np.ceil(share * n_samples))
    if n_validation < LEAST_SAMPLES or n_validation >= n_samples:
        raise ValueError(
            f"early_stopping needs at least {LEAST_SAMPLES} samples to validate and 1 to train, but"
            f" validation_fraction={share} leaves {n_validation} and {n_samples - n_validation} of "
            f"n_samples={n_samples}; change validation_fraction, or give more samples"
        )
    if labels is not None:
        classes, counts = np.unique(labels, return_counts=True)
        if counts.min() < 2:
            raise ValueError(
                "early_stopping needs at least 2 samples of each class, one to train and one to "
                f"validate; class {classes[counts.argmin()]!s} has 1"
            )
        if min(n_validation, n_samples - n_validation) < len(classes):
            raise ValueError(
                f"early_stopping needs a sample of each of the {len(classes)} classes to train and "
                f"to validate, but validation_fraction={share} leaves {n_validation} of "
                f"{n_samples} samples to validate; change it, or give more samples"
            )
    training, validation = train_test_split(
        np.arange(n_samples), test_size=n_validation, stratify=labels, random_state=seed
    )
    return training, validation


class Score(NamedTuple):
    """How well a network predicts the validation samples; the higher, the better.

    Parameters
    ----------
    score : float
        What the user sees, such as the accuracy.
    likelihood : float
        What still distinguishes networks of the same score, such as the mean logarithm of the
        probability of the true class: few samples have few accuracies.
    """

    score: float
    likelihood: float


class EarlyStopping:
    """Scores the network after each epoch, and tells when to stop.

    The best network has the highest score and, among those, the highest likelihood. Training goes
    on as long as one of the two rises: the accuracy of a few samples stands still for epochs while
    a network still learns.

    Parameters
    ----------
    score : callable
        Takes the network, and returns its `Score` on the validation samples.
    patience : int
        Number of epochs in a row without an improvement after which the training comes to its end.
    tolerance : float
        Least rise above the best score, or likelihood, that counts as an improvement. A network is
        kept for any rise.

    Attributes
    ----------
    scores : list of float
        The score after each epoch.
    best : float
        The best score, that of the network before the first epoch included.
    report : callable
        Is called with a line about the scores after each epoch.
    """

    def __init__(self, score: Callable[[Any], Score], patience: int, tolerance: float) -> None:
        self.scores: list[float] = []
        self.best = -np.inf
        self.report: Callable[[str], None] = lambda line: None
        self._score = score
        self.patience = patience
        self._tolerance = tolerance
        self._waited = 0
        self._best = self._highest = Score(-np.inf, -np.inf)

    @property
    def finished(self) -> bool:
        """Whether the score has not improved for long enough."""
        return self._waited >= self.patience

    def begin(self, network: Any) -> None:
        """Score the network before the first epoch; see `descent.Watch`."""
        self._best = self._highest = self._score(network)
        self.best = self._best.score

    def improves(self, network: Any) -> bool:
        """Score the network after an epoch; tell whether it is the best so far."""
        found = self._score(network)
        self.scores.append(found.score)
        # Written so that a score that is NaN, of a training that diverges, improves nothing.
        rises = [
            new > old and new >= old + self._tolerance for new, old in zip(found, self._highest)
        ]
        self._waited = 0 if any(rises) else self._waited + 1
        self._highest = Score(
            *(new if new > old else old for new, old in zip(found, self._highest))
        )
        better = found > self._best
        if better:
            self._best, self.best = found, found.score
        self.report(f"validation score {found.score:.4f}, best {self.best:.4f}")
        return better
