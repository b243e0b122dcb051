"""From a network's scores to logits and probabilities, wherever the scores were computed."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax


def normalised_logits(scores: np.ndarray, temperature: float, axis: int = -1) -> np.ndarray:
    """Logits that do not depend on a positive factor of each sample's scores.

    ``temperature * scores / ||scores||``: within plus or minus `temperature`, zero where all
    scores are zero.

    Parameters
    ----------
    scores : array of float
    temperature : float
        Largest logit; the higher, the more certain the class probabilities.
    axis : int
        The axis of classes.
    """
    # Divided by the largest first, so that squares neither overflow nor vanish.
    largest = np.abs(scores).max(axis=axis, keepdims=True)
    scores = scores / np.where(largest > 0, largest, 1)
    norm = np.sqrt((scores * scores).sum(axis=axis, keepdims=True))
    return temperature * (scores / np.where(norm > 0, norm, 1))


class LogitsMixin:
    """Decision function and probabilities of a classifier with `classes_` and ``_logits(X)``."""

    def decision_function(self, X):
        """Logits of the classes.

        Parameters
        ----------
        X : array-like (n_samples, n_features)

        Returns
        -------
        float64 array (n_samples, n_classes), or (n_samples,) for two classes
            For two classes, the logit of the second minus that of the first.
        """
        logits = self._logits(X)
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X):
        """Class probabilities: the softmax of the logits.

        Parameters
        ----------
        X : array-like (n_samples, n_features)

        Returns
        -------
        float64 array (n_samples, n_classes)
        """
        return softmax(self._logits(X), axis=1)
