"""When a classification is refused: thresholds of confidence and likelihood, and how rare both are.

A sample is refused if its class is too uncertain, or if a detector finds it too unlikely. The two
find different things: confidence finds samples between classes, likelihood those that are far from
all that was trained with, however certain their class looks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class GuardLimits:
    """Least confidence and least log-likelihood of a sample that is accepted.

    Parameters
    ----------
    confidence : float
        Least probability of the predicted class.
    likelihood : float
        Least log-likelihood in nats.
    usual_confidence, usual_likelihood : float
        Medians of usual samples, by which distances from the limits are measured.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.models.guard import fit_limits
    >>> usual = np.linspace(0, 1, 100)
    >>> limits = fit_limits(usual, usual[::-1], false_alarms=0.1)
    >>> int((limits.margins(usual, usual[::-1]) < 0).sum())
    10
    """

    confidence: float
    likelihood: float
    usual_confidence: float
    usual_likelihood: float

    def margins(self, confidence: np.ndarray, likelihood: np.ndarray) -> np.ndarray:
        """Measure how far samples are from being refused.

        Parameters
        ----------
        confidence : ndarray of float64 of shape (n_samples,)
            Probability of the predicted class of each sample.
        likelihood : ndarray of float64 of shape (n_samples,)
            Log-likelihood of each sample in nats.

        Returns
        -------
        ndarray of float64 of shape (n_samples,)
            The smaller of two margins, of which 0 is the limit, and 1 what is usual. A sample below
            0 is refused.
        """
        return np.minimum(
            (confidence - self.confidence) / _distance(self.usual_confidence, self.confidence),
            (likelihood - self.likelihood) / _distance(self.usual_likelihood, self.likelihood),
        )


def fit_limits(confidence: np.ndarray, likelihood: np.ndarray, false_alarms: float) -> GuardLimits:
    """Choose limits that refuse a share of usual samples, both at the same quantile.

    Parameters
    ----------
    confidence, likelihood : ndarray of float64 of shape (n_samples,)
        What usual samples have that trained nothing, at least one.
    false_alarms : float
        Share of usual samples that may be refused, 0 to 1, together.

    Returns
    -------
    GuardLimits
        The strictest limits that refuse no more of n + 1 such samples than that share.
    """
    n = len(confidence)
    most = int(false_alarms * (n + 1))
    ordered = np.sort(confidence), np.sort(likelihood)
    # Both limits rise together until they would refuse too many.
    limits = ordered[0][0], ordered[1][0]
    for place in range(1, n):
        candidate = ordered[0][place], ordered[1][place]
        refused = (confidence < candidate[0]) | (likelihood < candidate[1])
        if refused.sum() > most:
            break
        limits = candidate
    return GuardLimits(
        float(limits[0]),
        float(limits[1]),
        float(np.median(confidence)),
        float(np.median(likelihood)),
    )


def _distance(usual: float, limit: float) -> float:
    return usual - limit if usual > limit else 1.0
