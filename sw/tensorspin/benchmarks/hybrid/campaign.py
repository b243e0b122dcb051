"""Requests to a hybrid detector while something is wrong, and what became of them."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score

from ...errors import TensorspinError
from ...hybrid import HybridDetector
from ...hybrid.record import LOCAL, REMOTE, SampleRecord
from ...models import MPSAnomalyDetector
from .faults import Fault
from .servers import Appliance

FEATURES, BOND, TRAINING = 8, 2, 250
"""Features (and qubits), bond dimension and training samples of the task."""

SHOTS = 200
"""Shots of each sample."""

PERIOD = 0.05
"""Seconds from one request to the next, if the answer does not take longer: sensors have a rate.
Without one, a breaker that is open for a second would meet a hundred requests."""

OVERSHOOT = 0.02
"""Seconds after the deadline from which an answer counts as late."""

FAR = 6.0
"""Standard deviations from the exact probability, noise allowed for, from which an answer counts as
wrong."""

NOISE = 0.4
"""Share of depolarisation that is allowed for: a processor that is biased is the drift test's."""

NOBODY = "nobody"
"""Reason of a sample that neither side has answered."""

_WARM_UP_SECONDS = 60.0


@dataclass(frozen=True)
class Task:
    """A detector, and samples for it.

    Parameters
    ----------
    detector : MPSAnomalyDetector
        Fitted on inliers.
    X : ndarray of float64 of shape (n_samples, n_features)
        Test samples.
    inlier : ndarray of bool of shape (n_samples,)
        Which of them are inliers.
    """

    detector: MPSAnomalyDetector
    X: np.ndarray
    inlier: np.ndarray


def breast_cancer(epochs: int = 30) -> Task:
    """Train a detector of malignant samples on benign ones, and take the others for the test.

    The features are those that tell the classes apart best, one by one.

    Parameters
    ----------
    epochs : int
        Epochs of the training.

    Returns
    -------
    Task
        The detector, and 319 samples in random order.
    """
    X, y = load_breast_cancer(return_X_y=True)
    told = [abs(roc_auc_score(y, column) - 0.5) for column in X.T]
    X = X[:, np.argsort(told)[-FEATURES:]]
    inliers = np.flatnonzero(y == 1)
    detector = MPSAnomalyDetector(
        BOND,
        feature_map="trigonometric",
        scaling="tails",
        epochs=epochs,
        random_state=0,
    ).fit(X[inliers[:TRAINING]])
    test = np.setdiff1d(np.arange(len(y)), inliers[:TRAINING])
    test = np.random.default_rng(0).permutation(test)
    return Task(detector, X[test], y[test] == 1)


def run_fault(
    fault: Fault, task: Task, appliance: Appliance, folder: Path, requests: int, deadline: float
) -> dict:
    """Ask for sample after sample while something is wrong.

    Parameters
    ----------
    fault : callable
        What is wrong, one of `tensorspin.benchmarks.hybrid.faults.FAULTS`.
    task : Task
        The detector and its samples.
    appliance : Appliance
        The processor, which is well at the beginning and at the end.
    folder : Path
        For files.
    requests : int
        Number of requests, one sample each.
    deadline : float
        Seconds for each.

    Returns
    -------
    dict
        Numbers of answers by source and reason, of late and wrong ones; seconds; AUC.
    """
    # The program is there, as it is after the first request of a day.
    with appliance.client(timeout=_WARM_UP_SECONDS) as client:
        HybridDetector(task.detector, sampler=client, deadline=_WARM_UP_SECONDS).run(task.X[:1])
    seconds: list[float] = []
    records: list[SampleRecord] = []
    with fault(appliance, folder) as situation:
        hybrid = HybridDetector(
            task.detector,
            board=situation.board,
            sampler=situation.sampler,
            shots=SHOTS,
            deadline=deadline,
        )
        with hybrid:
            for number in range(requests):
                situation.at(number / requests)
                start = time.monotonic()
                try:
                    records += hybrid.run(task.X[[number % len(task.X)]])
                except TensorspinError as error:  # neither side has answered
                    records.append(SampleRecord("", NOBODY, str(error), math.nan))
                seconds.append(time.monotonic() - start)
                time.sleep(max(0.0, PERIOD - seconds[-1]))
    return _told(task, records, np.array(seconds), deadline)


def _told(task: Task, records: list[SampleRecord], seconds: np.ndarray, deadline: float) -> dict:
    scores = np.array([record.score for record in records])
    inlier = np.resize(task.inlier, len(records))
    reasons = Counter(record.reason for record in records if record.source != REMOTE)
    differences = [record.difference for record in records if record.source == REMOTE]
    return {
        "requests": len(records),
        "answered": int(np.isfinite(scores).sum()),
        "remote": sum(record.source == REMOTE for record in records),
        "reasons": dict(reasons.most_common()),
        "late": int((seconds > deadline + OVERSHOOT).sum()),
        "wrong": int(sum(map(_is_wrong, records))),
        "median_seconds": float(np.median(seconds)),
        "longest_seconds": float(seconds.max()),
        "mean_difference": float(np.mean(np.abs(differences))) if differences else None,
        "auc": float(roc_auc_score(inlier[np.isfinite(scores)], scores[np.isfinite(scores)])),
    }


def _is_wrong(record: SampleRecord) -> bool:
    """Tell whether an answer is not that of its sample."""
    if record.source != REMOTE:
        return record.source == LOCAL and record.score != record.local
    spread = np.sqrt(max(record.exact * (1 - record.exact), 1 / SHOTS) / SHOTS)
    return abs(record.score - record.exact) > NOISE * record.exact + FAR * spread + 1 / SHOTS
