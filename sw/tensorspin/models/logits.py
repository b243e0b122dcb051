"""From a network's scores to logits and probabilities, wherever the scores were computed."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax


def normalised_logits(scores: np.ndarray, temperature: float, axis: int = -1) -> np.ndarray:
    """Compute logits that do not depend on a positive factor of each sample's scores.

    A network's scores are known up to such a factor only: the vectors of a contraction are
    normalised on the way, in training as on a board, and the class does not depend on the factor.

    Parameters
    ----------
    scores : ndarray of float
        Scores of any shape with an axis of classes.
    temperature : float
        Largest logit; the higher, the more certain the class probabilities.
    axis : int
        The axis of classes.

    Returns
    -------
    ndarray of float
        ``temperature * scores / ||scores||`` in the shape of `scores`: within plus or minus
        `temperature`, and zero where all scores of a sample are zero.
    """
    # Divided by the largest first, so that squares neither overflow nor vanish.
    largest = np.abs(scores).max(axis=axis, keepdims=True)
    scores = scores / np.where(largest > 0, largest, 1)
    norm = np.sqrt((scores * scores).sum(axis=axis, keepdims=True))
    return temperature * (scores / np.where(norm > 0, norm, 1))


class HasLogits(Protocol):
    """What a classifier must have for `LogitsMixin`."""

    @property
    def classes_(self) -> np.ndarray:
        """Class labels, ndarray of shape (n_classes,)."""

    @property
    def _certainty(self) -> float:
        """Factor of the logits before they become probabilities."""

    def _logits(self, X: ArrayLike) -> np.ndarray:
        """Compute logits, ndarray of float64 of shape (n_samples, n_classes)."""


class LogitsMixin:
    """Decision function and probabilities of a classifier with `classes_` and ``_logits(X)``."""

    @property
    def _certainty(self) -> float:
        return 1.0

    def decision_function(self: HasLogits, X: ArrayLike) -> np.ndarray:
        """Compute the logits of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64 of shape (n_samples, n_classes) or (n_samples,)
            The logits. For two classes, one number a sample: the logit of the second class minus
            that of the first.
        """
        logits = self._logits(X)
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self: HasLogits, X: ArrayLike) -> np.ndarray:
        """Compute class probabilities: the softmax of the logits, in the calibrated scale.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64 of shape (n_samples, n_classes)
            The probability of each class; a sample's sum up to 1.
        """
        logits = self._logits(X)
        return softmax(self._certainty * logits, axis=1)
