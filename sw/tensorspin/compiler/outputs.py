"""What the scores of a program mean: class labels, a number, or a likelihood.

For each sample a contractor returns one exponent and a mantissa for each score. The network's own
scores are ``mantissa * 2**(log2_scale - exponent)``. A task turns them into predictions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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
        if self.labels.shape != (n_outputs,):
            raise ValueError(f"{n_outputs} scores need as many classes, not {self.labels.shape}")
        _check_finite(temperature=self.temperature)

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
        _check_finite(offset=self.offset, factor=self.factor)

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
        _check_finite(offset=self.offset)

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


def _check_finite(**numbers: float) -> None:
    for name, number in numbers.items():
        if not np.isfinite(number):
            raise ValueError(f"{name} must be finite, not {number}")
