"""Train and test one model on one split: its score, calibration, and seconds of training."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score

from ...driver.board import Board
from ...errors import TensorspinError
from ...models import deploy
from ...models.calibration import BINS
from .sets import CLASSES, OUTLIERS

SPEED_SHAPE = (5000, 32)
"""Samples and features of the set with which the time of training is measured."""

FAR, FAR_SAMPLES = 6.0, 500
"""Standard deviations from the mean at which a sample must be an outlier for any detector, and
number of samples to train on."""


@dataclass(frozen=True)
class Task:
    """One split of a set.

    Parameters
    ----------
    target : {"classes", "numbers", "outliers"}
        What is predicted.
    X_train, y_train, X_test, y_test : ndarray
        Samples to train on, and samples held out.
    """

    target: str
    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


def measure_float(estimator, task: Task) -> dict:
    """Train an estimator and test it in floating point.

    Parameters
    ----------
    estimator : estimator
        A classifier or regressor, which is fitted.
    task : Task
        The split.

    Returns
    -------
    dict
        ``score`` (accuracy, R2, or area under the ROC curve), ``samples`` held out, ``seconds`` of
        processor time for the training, ``calibration`` (see `calibration`; None without
        probabilities). ``failure`` is None, or says what went wrong; then all others are None.
    """
    return _guarded(lambda: _fitted_result(estimator, task))


def measure_board(estimator, bits: int | None, fitted: bool, task: Task, board: Board) -> dict:
    """Test an estimator on a board.

    Parameters
    ----------
    estimator : estimator
        One of Tensorspin's.
    bits : int or None
        Bits of the weights to which the network is rounded. None: as ``deploy`` rounds it.
    fitted : bool
        Whether the estimator is fitted already; if not, it is trained first.
    task : Task
        The split.
    board : Board
        An open board.

    Returns
    -------
    dict
        As of `measure_float`; ``seconds`` is None if nothing was trained.
    """

    def measured() -> dict:
        seconds = None
        if not fitted:
            seconds = _fit(estimator, task)
        on_board = (
            estimator.deploy(board)
            if bits is None
            else deploy(estimator.quantize(weight_bits=bits), board)
        )
        return _result(on_board, task, seconds)

    return _guarded(measured)


def trained_for(estimator, bits: int):
    """Copy an estimator, not fitted, so that it trains for weights of `bits` bits, if it can."""
    copied = clone(estimator)
    return copied.set_params(weight_bits=bits) if "weight_bits" in copied.get_params() else None


def calibration(predicted: np.ndarray, confidence: np.ndarray, y: np.ndarray) -> list[list[float]]:
    """Collect how often predictions of about the same confidence are right.

    Parameters
    ----------
    predicted : ndarray of shape (n_samples,)
        Predicted classes.
    confidence : ndarray of float of shape (n_samples,)
        Probability that the model gives them, 0 to 1.
    y : ndarray of shape (n_samples,)
        True classes.

    Returns
    -------
    list of [float, float, float]
        For each of `BINS` bins the number of predictions, the sum of their confidences, and how
        many of them are right; sums, so that those of several splits can be added.

    Examples
    --------
    >>> import numpy as np
    >>> found = calibration(np.array([0, 1]), np.array([0.99, 1.0]), np.array([0, 0]))
    >>> found[-1]
    [2.0, 1.99, 1.0]
    """
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    right = predicted == y
    columns = (
        np.bincount(bins, minlength=BINS),
        np.bincount(bins, confidence, minlength=BINS),
        np.bincount(bins, right, minlength=BINS),
    )
    return np.stack(columns, axis=1).astype(float).tolist()


def calibration_error(bins: np.ndarray) -> float:
    """Compute the expected calibration error (Naeini et al. 2015) from what `calibration` gave.

    Parameters
    ----------
    bins : ndarray of float of shape (BINS, 3)
        Number, sum of confidences, number of right predictions of each bin.

    Returns
    -------
    float
        Mean over all predictions of how far the confidence of a bin is from its accuracy, 0 to 1.
    """
    return float(np.abs(bins[:, 1] - bins[:, 2]).sum() / bins[:, 0].sum())


def far_samples_flagged(detector, n_features: int) -> float:
    """Train a detector on normally distributed features, and test it far from them.

    Parameters
    ----------
    detector : estimator
        An outlier detector, which is fitted to `FAR_SAMPLES` samples.
    n_features : int
        Number of independent standard normal features.

    Returns
    -------
    float
        Share of samples that it takes for outliers, 0 to 1, of those in which one feature is six
        standard deviations from its mean, on either side, and the others are as in training.
    """
    rng = np.random.default_rng(0)
    detector.fit(rng.standard_normal((FAR_SAMPLES, n_features)))
    far = rng.standard_normal((2 * n_features, n_features))
    places = np.arange(n_features)
    far[places, places], far[n_features + places, places] = FAR, -FAR
    return float(np.mean(detector.predict(far) == -1))


def training_seconds(classifier) -> float | None:
    """Train a classifier on a generated set of `SPEED_SHAPE`.

    Parameters
    ----------
    classifier : estimator
        A classifier, which is fitted.

    Returns
    -------
    float or None
        Seconds of processor time that it took; None if the training failed.
    """
    samples, features = SPEED_SHAPE
    X, y = make_classification(samples, features, n_informative=features // 2, random_state=0)
    task = Task(CLASSES, X, y, X[:0], y[:0])
    return _guarded(lambda: {"seconds": _fit(classifier, task)})["seconds"]


def _fitted_result(estimator, task: Task) -> dict:
    seconds = _fit(estimator, task)
    return _result(estimator, task, seconds)


def _fit(estimator, task: Task) -> float:
    # Processor time, so that other load on the computer does not count.
    started = time.process_time()
    with warnings.catch_warnings():
        # The limits of iterations are part of the comparison, and the warnings would bury it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # A detector learns what is normal, and is told nothing else.
        estimator.fit(task.X_train, None if task.target == OUTLIERS else task.y_train)
    return time.process_time() - started


def _result(estimator, task: Task, seconds: float | None) -> dict:
    result: dict[str, Any] = {"samples": len(task.y_test), "seconds": seconds, "calibration": None}
    if task.target == CLASSES:
        predicted = estimator.predict(task.X_test)
        result["score"] = float(np.mean(predicted == task.y_test))
        if hasattr(estimator, "predict_proba"):
            confidence = estimator.predict_proba(task.X_test).max(axis=1)
            result["calibration"] = calibration(predicted, confidence, task.y_test)
    elif task.target == OUTLIERS:
        normality = estimator.decision_function(task.X_test)
        result["score"] = float(roc_auc_score(task.y_test, normality))
    else:
        result["score"] = float(estimator.score(task.X_test, task.y_test))
    return result | {"failure": None}


def _guarded(measured) -> dict:
    """Return what a measurement gives; a failure becomes its reason, so that others go on."""
    try:
        return measured()
    except (TensorspinError, ValueError, FloatingPointError) as error:
        reason = " ".join(str(error).split())
        empty = dict.fromkeys(("score", "samples", "seconds", "calibration"))
        return empty | {"failure": f"{type(error).__name__}: {reason}"}
