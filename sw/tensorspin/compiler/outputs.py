"""What the scores of a program mean: class labels, a number, or a likelihood.

A contractor returns, for each sample, one mantissa a score and one exponent; the network's own
scores are ``mantissa * 2**(log2_scale - exponent)``. A task turns them into predictions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def exact_scores(mantissas, exponents, log2_scale: float) -> np.ndarray:
    """The network's own scores from what a contractor returns.

    Parameters
    ----------
    mantissas : array_like of int, shape (n, outputs)
    exponents : array_like of int, shape (n,)
    log2_scale : float
        Of the program.

    Returns
    -------
    ndarray of float64, shape (n, outputs)
        Saturated at the largest number of float64, so that they are always finite.
    """
    shift = log2_scale - np.asarray(exponents, dtype=np.float64)[:, None]
    with np.errstate(over="ignore"):
        scores = np.asarray(mantissas, dtype=np.float64) * np.exp2(np.minimum(shift, 1000.0))
    return np.nan_to_num(scores)


def log_magnitudes(mantissas, exponents, log2_scale: float) -> np.ndarray:
    """Natural logarithms of the magnitudes of the network's own scores.

    A mantissa of zero stands for a magnitude of less than half of the last place, and counts as
    that half: the logarithm stays finite, and below that of any other score with this exponent.

    Parameters
    ----------
    mantissas, exponents, log2_scale
        As of `exact_scores`.

    Returns
    -------
    ndarray of float64, shape (n, outputs)
    """
    magnitudes = np.maximum(np.abs(np.asarray(mantissas, dtype=np.float64)), 0.5)
    shift = log2_scale - np.asarray(exponents, dtype=np.float64)[:, None]
    return (np.log2(magnitudes) + shift) * np.log(2)


@dataclass(frozen=True, eq=False)  # labels are an array
class Classification:
    """The greatest score tells the class.

    Attributes
    ----------
    labels : ndarray, shape (n_outputs,)
        Label of each score.
    temperature : float
        Greatest logit; see `tensorspin.models.logits.normalised_logits`.
    """

    labels: np.ndarray
    temperature: float

    def check(self, n_outputs: int) -> None:
        """Raise ValueError if the task can't read that many scores, or a number is not finite."""
        if self.labels.shape != (n_outputs,):
            raise ValueError(f"{n_outputs} scores need as many classes, not {self.labels.shape}")
        _check_finite(temperature=self.temperature)

    def predict(self, mantissas, exponents, log2_scale: float) -> np.ndarray:
        """Labels, shape (n,); of equal scores the first counts, as on the device."""
        return self.labels[np.argmax(mantissas, axis=1)]


@dataclass(frozen=True)
class Regression:
    """The one score is a number: ``offset + factor * score``.

    Attributes
    ----------
    offset, factor : float
        In the unit of the target.
    """

    offset: float
    factor: float

    def check(self, n_outputs: int) -> None:
        """Raise ValueError if the task can't read that many scores, or a number is not finite."""
        _check_single(n_outputs, "a regression")
        _check_finite(offset=self.offset, factor=self.factor)

    def predict(self, mantissas, exponents, log2_scale: float) -> np.ndarray:
        """Predicted targets, float64, shape (n,), always finite."""
        scores = exact_scores(mantissas, exponents, log2_scale)[:, 0]
        with np.errstate(over="ignore"):
            return np.nan_to_num(self.offset + self.factor * scores)


@dataclass(frozen=True)
class OutlierDetection:
    """The one score is an amplitude, whose square is the probability of the sample.

    Attributes
    ----------
    offset : float
        Log-likelihood in nats below which a sample is an outlier.
    """

    offset: float

    def check(self, n_outputs: int) -> None:
        """Raise ValueError if the task can't read that many scores, or a number is not finite."""
        _check_single(n_outputs, "outlier detection")
        _check_finite(offset=self.offset)

    def log_likelihood(self, mantissas, exponents, log2_scale: float) -> np.ndarray:
        """Log-likelihoods in nats, float64, shape (n,), always finite; see `log_magnitudes`."""
        return 2 * log_magnitudes(mantissas, exponents, log2_scale)[:, 0]

    def predict(self, mantissas, exponents, log2_scale: float) -> np.ndarray:
        """1 for an inlier, -1 for an outlier; int64, shape (n,)."""
        inside = self.log_likelihood(mantissas, exponents, log2_scale) >= self.offset
        return np.where(inside, 1, -1)


Task = Classification | Regression | OutlierDetection


def _check_single(n_outputs: int, what: str) -> None:
    if n_outputs != 1:
        raise ValueError(f"{what} needs a network of one score, not of {n_outputs}")


def _check_finite(**numbers: float) -> None:
    for name, number in numbers.items():
        if not np.isfinite(number):
            raise ValueError(f"{name} must be finite, not {number}")
