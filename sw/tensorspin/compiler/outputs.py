"""What the scores of a program mean: class labels, a number, or a likelihood.

For each sample a contractor returns one exponent and a mantissa for each score. The network's own
scores are ``mantissa * 2**(log2_scale - exponent)``. A task turns them into predictions.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from numbers import Real

import numpy as np

_LABEL_KINDS = "biufUSOM"
"""Kinds of NumPy's types that labels may have: numbers, text, objects and dates."""


def exact_scores(mantissas, exponents, log2_scale: float) -> np.ndarray:
    """Compute the network's own scores from what a contractor returns.

    Parameters
    ----------
    mantissas : array-like of int of shape (n_samples, outputs)
        Mantissas of the scores.
    exponents : array-like of int of shape (n_samples,)
        Exponent of each sample.
    log2_scale : float
        The program's `NetworkProgram.log2_scale`.

    Returns
    -------
    ndarray of float64 of shape (n_samples, outputs)
        The scores, saturated at the largest number of float64, so that they are always finite.
    """
    shift = log2_scale - np.asarray(exponents, dtype=np.float64)[:, None]
    with np.errstate(over="ignore"):
        scores = np.asarray(mantissas, dtype=np.float64) * np.exp2(np.minimum(shift, 1000.0))
    return np.nan_to_num(scores)


def log_magnitudes(mantissas, exponents, log2_scale: float) -> np.ndarray:
    """Compute the natural logarithms of the magnitudes of the network's own scores.

    A mantissa of zero stands for a magnitude of less than half of the last place, and counts as
    that half. The logarithm is then finite, and below that of any other score with this exponent.

    Parameters
    ----------
    mantissas : array-like of int of shape (n_samples, outputs)
        Mantissas of the scores.
    exponents : array-like of int of shape (n_samples,)
        Exponent of each sample.
    log2_scale : float
        The program's `NetworkProgram.log2_scale`.

    Returns
    -------
    ndarray of float64 of shape (n_samples, outputs)
        The logarithms, all finite.
    """
    magnitudes = np.maximum(np.abs(np.asarray(mantissas, dtype=np.float64)), 0.5)
    shift = log2_scale - np.asarray(exponents, dtype=np.float64)[:, None]
    return (np.log2(magnitudes) + shift) * np.log(2)


@dataclass(frozen=True, eq=False)  # labels are an array
class Classification:
    """The task of a classifier: the greatest score tells the class.

    Parameters
    ----------
    labels : ndarray of shape (n_outputs,)
        Label of each score.
    temperature : float
        Greatest logit that the scores are scaled to, from which probabilities follow; see
        `tensorspin.models.logits.normalised_logits`.
    calibrated_temperature : float, optional
        The same, of the logits from which probabilities follow; by default `temperature`.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.compiler import Classification
    >>> task = Classification(np.array(["cat", "dog"]), temperature=5.0)
    >>> task.predict([[100, 20000], [-5, -7]], exponents=[3, 4], log2_scale=0.0).tolist()
    ['dog', 'cat']
    """

    labels: np.ndarray
    temperature: float
    calibrated_temperature: float | None = None

    @property
    def probability_temperature(self) -> float:
        """Greatest logit of those from which probabilities follow."""
        calibrated = self.calibrated_temperature
        return self.temperature if calibrated is None else calibrated

    def check(self, n_outputs: int) -> None:
        """Refuse a program that the task can't read.

        Parameters
        ----------
        n_outputs : int
            Scores of the program.

        Raises
        ------
        ValueError
            If there are more or fewer labels than scores, if a label is missing (nan, None) or
            there twice, if labels are neither numbers, text nor dates, or if the temperature is
            not a finite number above 0.
        """
        labels = self.labels
        if not isinstance(labels, np.ndarray) or labels.shape != (n_outputs,):
            raise ValueError(f"{n_outputs} scores need as many classes, not {np.shape(labels)}")
        if labels.dtype.kind not in _LABEL_KINDS:
            raise ValueError(f"classes must be numbers, text or dates, not {labels.dtype}")
        seen = set()
        for label in labels:
            if not isinstance(label, Hashable):
                raise ValueError(f"classes must be numbers, text or dates, not {label!r}")
            if _is_missing(label):
                raise ValueError(f"class {label} stands for a missing value; name the class")
            if label in seen:
                raise ValueError(f"class {str(label)!r} is there twice; classes must differ")
            seen.add(label)
        for name in ("temperature", "probability_temperature"):
            value = getattr(self, name)
            check_finite(**{name: value})
            if not value > 0:
                raise ValueError(f"{name} must be above 0, not {value}")

    def predict(self, mantissas, exponents, log2_scale: float) -> np.ndarray:
        """Choose the label of each sample's greatest score.

        Parameters
        ----------
        mantissas : array-like of int of shape (n_samples, outputs)
            Mantissas of the scores.
        exponents : array-like of int of shape (n_samples,)
            Exponent of each sample.
        log2_scale : float
            The program's `NetworkProgram.log2_scale`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels. Of equal scores the first counts, as on the device.
        """
        return self.labels[np.argmax(mantissas, axis=1)]


@dataclass(frozen=True)
class Regression:
    """The task of a regressor: the only score is a number, ``offset + factor * score``.

    Parameters
    ----------
    offset : float
        Target of a score of 0, in the unit of the target.
    factor : float
        Change of the target for a change of the score by 1, in the unit of the target.

    Examples
    --------
    >>> from tensorspin.compiler import Regression
    >>> task = Regression(offset=20.0, factor=2.0)
    >>> task.predict([[16384], [-16384]], exponents=[14, 15], log2_scale=0.0).tolist()
    [22.0, 19.0]
    """

    offset: float
    factor: float

    def check(self, n_outputs: int) -> None:
        """Refuse a program that the task can't read.

        Parameters
        ----------
        n_outputs : int
            Scores of the program.

        Raises
        ------
        ValueError
            If the task can't read that many scores, or one of its numbers is not finite.
        """
        _check_single(n_outputs, "a regression")
        check_finite(offset=self.offset, factor=self.factor)

    def predict(self, mantissas, exponents, log2_scale: float) -> np.ndarray:
        """Compute the target of each sample.

        Parameters
        ----------
        mantissas : array-like of int of shape (n_samples, outputs)
            Mantissas of the scores.
        exponents : array-like of int of shape (n_samples,)
            Exponent of each sample.
        log2_scale : float
            The program's `NetworkProgram.log2_scale`.

        Returns
        -------
        ndarray of float64 of shape (n_samples,)
            Predicted targets, always finite.
        """
        scores = exact_scores(mantissas, exponents, log2_scale)[:, 0]
        with np.errstate(over="ignore"):
            return np.nan_to_num(self.offset + self.factor * scores)


@dataclass(frozen=True)
class OutlierDetection:
    """The task of an outlier detector: the only score squared is the sample's probability.

    Parameters
    ----------
    offset : float
        Log-likelihood in nats below which a sample is an outlier.

    Examples
    --------
    >>> from tensorspin.compiler import OutlierDetection
    >>> task = OutlierDetection(offset=-2.0)
    >>> task.predict([[16384], [16384]], exponents=[14, 16], log2_scale=0.0).tolist()
    [1, -1]
    """

    offset: float

    def check(self, n_outputs: int) -> None:
        """Refuse a program that the task can't read.

        Parameters
        ----------
        n_outputs : int
            Scores of the program.

        Raises
        ------
        ValueError
            If the task can't read that many scores, or one of its numbers is not finite.
        """
        _check_single(n_outputs, "outlier detection")
        check_finite(offset=self.offset)

    def log_likelihood(self, mantissas, exponents, log2_scale: float) -> np.ndarray:
        """Compute the log-likelihood of each sample.

        Parameters
        ----------
        mantissas : array-like of int of shape (n_samples, outputs)
            Mantissas of the scores.
        exponents : array-like of int of shape (n_samples,)
            Exponent of each sample.
        log2_scale : float
            The program's `NetworkProgram.log2_scale`.

        Returns
        -------
        ndarray of float64 of shape (n_samples,)
            Log-likelihoods in nats, always finite; see `log_magnitudes`.
        """
        return 2 * log_magnitudes(mantissas, exponents, log2_scale)[:, 0]

    def predict(self, mantissas, exponents, log2_scale: float) -> np.ndarray:
        """Tell inliers from outliers.

        Parameters
        ----------
        mantissas : array-like of int of shape (n_samples, outputs)
            Mantissas of the scores.
        exponents : array-like of int of shape (n_samples,)
            Exponent of each sample.
        log2_scale : float
            The program's `NetworkProgram.log2_scale`.

        Returns
        -------
        ndarray of int64 of shape (n_samples,)
            1 for an inlier, -1 for an outlier.
        """
        inside = self.log_likelihood(mantissas, exponents, log2_scale) >= self.offset
        return np.where(inside, 1, -1)


Task = Classification | Regression | OutlierDetection
"""What the scores of a program mean."""


def _check_single(n_outputs: int, what: str) -> None:
    if n_outputs != 1:
        raise ValueError(f"{what} needs a network of one score, not of {n_outputs}")


def check_finite(**numbers: float) -> None:
    """Raise ValueError for a value, given by its name, that is no number or not finite."""
    for name, number in numbers.items():
        if not isinstance(number, Real) or isinstance(number, bool):
            raise ValueError(f"{name} must be a real number, not {number!r}")
        if not np.isfinite(number):
            raise ValueError(f"{name} must be finite, not {number}")


def _is_missing(label: object) -> bool:
    """Tell whether a label is None, NaN, or what pandas and NumPy have for a missing value."""
    try:
        return label is None or bool(label != label)
    except TypeError:  # pandas.NA does not say whether it differs from itself
        return True
