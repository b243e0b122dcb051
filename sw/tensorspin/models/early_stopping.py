"""Early stopping: training ends when a held-out share of the samples is predicted no better."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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


class EarlyStopping:
    """Scores the network after each epoch, and tells when to stop.

    Parameters
    ----------
    score : callable
        Takes the network, and returns its score on the validation samples, the higher the better.
    patience : int
        Number of epochs in a row without an improvement after which the training ends.
    tolerance : float
        Least rise above the best score that counts as an improvement. The network is kept for any
        rise.

    Attributes
    ----------
    scores : list of float
        The score after each epoch.
    best : float
        The best score, that of the network before the first epoch included.
    report : callable
        Is called with a line about the scores after each epoch.
    """

    def __init__(self, score: Callable[[Any], float], patience: int, tolerance: float) -> None:
        self.scores: list[float] = []
        self.best = -np.inf
        self.report: Callable[[str], None] = lambda line: None
        self._score = score
        self._patience = patience
        self._tolerance = tolerance
        self._waited = 0

    @property
    def finished(self) -> bool:
        """Whether the score has not improved for long enough."""
        return self._waited >= self._patience

    def begin(self, network: Any) -> None:
        """Score the network before the first epoch; see `descent.Watch`."""
        self.best = self._score(network)

    def improves(self, network: Any) -> bool:
        """Score the network after an epoch; tell whether it is the best so far."""
        score = self._score(network)
        self.scores.append(score)
        # Written so that a score that is NaN, of a training that diverges, improves nothing.
        better = score > self.best
        enough = better and score >= self.best + self._tolerance
        self._waited = 0 if enough else self._waited + 1
        if better:
            self.best = score
        self.report(f"validation score {score:.4f}, best {self.best:.4f}")
        return better
