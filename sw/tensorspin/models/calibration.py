"""Probabilities that come true: how to fit a temperature, and how to measure what is left.

A classifier is calibrated if, of all predictions that it gives a probability of 80 %, 80 % are
right. Networks give logits ``temperature * scores / ||scores||``; the temperature, fitted to
samples that did not train the network, makes them more or less certain and changes no class (Guo et
al. 2017, arXiv:1706.04599).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.utils import check_array, column_or_1d

from .logits import normalised_logits

TEMPERATURE_RANGE = (0.05, 50.0)
"""Least and greatest temperature that is tried. At the least all probabilities are about equal, at
the greatest all but one are about zero."""

PRIOR_SAMPLES = 10.0
"""Samples for which the temperature that is expected counts. A few dozen samples that are all
classified correctly would otherwise ask for the greatest temperature."""

BINS = 15
"""Number of groups of equal width into which probabilities are sorted, as is customary."""


def fit_temperature(
    scores: np.ndarray,
    labels: np.ndarray,
    expected: float,
    weights: np.ndarray | None = None,
) -> float:
    """Find the temperature with which a classifier's probabilities fit samples best.

    It minimises the mean negative logarithm of the probability of the true class. A penalty keeps
    it near the temperature that is expected where there are few samples.

    Parameters
    ----------
    scores : ndarray of float of shape (n_samples, n_classes)
        Scores of samples that did not train the network, up to a positive factor of each sample.
    labels : ndarray of int of shape (n_samples,)
        Index of each sample's true class.
    expected : float
        The temperature that is expected, such as that of the training.
    weights : None or ndarray of float64 of shape (n_samples,)
        How much each sample counts; None: all count the same.

    Returns
    -------
    float
        The temperature, within `TEMPERATURE_RANGE`.

    Examples
    --------
    Nine of ten are right, so that a probability of about 90 % is true:

    >>> import numpy as np
    >>> from tensorspin.models.calibration import fit_temperature
    >>> from tensorspin.models.logits import normalised_logits
    >>> scores = np.tile([[1.0, 0.0]], (5000, 1))
    >>> labels = (np.arange(5000) % 10 == 0).astype(int)
    >>> temperature = fit_temperature(scores, labels, expected=5.0)
    >>> logits = normalised_logits(scores[0], temperature)
    >>> round(float(1 / (1 + np.exp(logits[1] - logits[0]))), 2)
    0.9
    """
    if not len(labels):
        return expected
    unit = normalised_logits(np.asarray(scores, dtype=float), 1.0)
    rows = np.arange(len(labels))
    # Weights are relative; a sample counts for one on average.
    shares = np.ones(len(labels)) if weights is None else weights / np.mean(weights)

    def loss(log_temperature: float) -> float:
        logs = log_softmax(np.exp(log_temperature) * unit, axis=1)[rows, labels]
        away = log_temperature - np.log(expected)
        return float(-(shares @ logs) + PRIOR_SAMPLES * away**2)

    found = minimize_scalar(loss, bounds=np.log(TEMPERATURE_RANGE), method="bounded")
    return float(np.exp(found.x))


def expected_calibration_error(
    probabilities: ArrayLike, labels: ArrayLike, n_bins: int = BINS
) -> float:
    """Measure how far the probabilities of a classifier are from what comes true.

    The samples are sorted into groups by the probability of their predicted class. The error is the
    mean difference between that probability and the accuracy of the group, over all samples
    (Naeini, Cooper and Hauskrecht 2015, doi:10.1609/aaai.v29i1.9602). Of few samples it is above
    zero by chance alone.

    Parameters
    ----------
    probabilities : array-like of shape (n_samples, n_classes)
        Probabilities of the classes, as ``predict_proba`` returns them.
    labels : array-like of int of shape (n_samples,)
        Index of each sample's true class.
    n_bins : int, default=15
        Number of groups, of equal width from 0 to 1.

    Returns
    -------
    float
        0 to 1: 0 is best.

    Examples
    --------
    Of four predictions with 90 % three are right:

    >>> from tensorspin.models.calibration import expected_calibration_error
    >>> error = expected_calibration_error([[0.9, 0.1]] * 4, [0, 0, 0, 1])
    >>> round(error, 3)
    0.15
    """
    given: np.ndarray = check_array(probabilities, dtype=np.float64)
    true: np.ndarray = column_or_1d(labels)
    if len(true) != len(given):
        raise ValueError(
            f"one label per sample is needed, not {len(true)} for {len(given)} samples"
        )
    chosen = given.argmax(axis=1)
    confidences = given[np.arange(len(chosen)), chosen]
    # A probability of exactly 1 belongs to the last group.
    groups = np.minimum((confidences * n_bins).astype(int), n_bins - 1)
    differences = (chosen == true) - confidences
    sums = np.bincount(groups, differences, minlength=n_bins)
    return float(np.abs(sums).sum() / len(true))
