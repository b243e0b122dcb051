"""How good answers are, wherever they come from, and how far probabilities can be trusted."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from ...compiler.outputs import Classification, OutlierDetection, Regression
from ...contract.contractor.results import ContractorResults
from ...models.calibration import BINS, expected_calibration_error
from ...models.logits import normalised_logits
from ..intervals import bootstrap, share
from ..judges import ClassJudge, Judge, NumberJudge, OutlierJudge
from ..subject import Subject


def of_device(judge: Judge, results: ContractorResults) -> np.ndarray:
    """Return what results say: places of classes, numbers, or log-likelihoods.

    Parameters
    ----------
    judge : Judge
        The judge of the samples.
    results : ContractorResults
        Answers of a board or of the golden model.

    Returns
    -------
    ndarray of shape (n_samples,)
        The answers.
    """
    if isinstance(judge, ClassJudge):
        return results.classes
    if isinstance(judge, OutlierJudge):
        return judge.likelihoods(results)
    return judge.program.interpret(results.scores, results.exponents)


def of_floats(judge: Judge, subject: Subject) -> np.ndarray:
    """Return the same, computed in float64 without rounding levels or vectors.

    Parameters
    ----------
    judge : Judge
        The judge of the samples.
    subject : Subject
        The samples.

    Returns
    -------
    ndarray of shape (n_samples,)
        The answers.
    """
    _, scores = subject.program.input_gradient(subject.X, return_scores=True)
    task = judge.program.task
    if isinstance(task, Classification):
        return scores.argmax(axis=1)
    if isinstance(task, Regression):
        return task.offset + task.factor * scores[:, 0]
    return 2 * np.log(np.maximum(np.abs(scores[:, 0]), np.finfo(float).tiny))


def of_estimator(judge: Judge, estimator: Any, X) -> np.ndarray:
    """Return the same, predicted on the host by the estimator that was trained.

    Parameters
    ----------
    judge : Judge
        The judge of the samples.
    estimator : estimator
        A fitted estimator or pipeline.
    X : array-like of shape (n_samples, `n_features_in_`)
        The samples, as the user has them.

    Returns
    -------
    ndarray of shape (n_samples,)
        The answers.
    """
    task = judge.program.task
    if isinstance(task, OutlierDetection):
        return estimator.score_samples(X)
    found = np.asarray(estimator.predict(X))
    if isinstance(task, Classification):
        places = {label: place for place, label in enumerate(task.labels.tolist())}
        return np.array([places[label] for label in found.tolist()])
    return found


def measures(judge: Judge, answers: np.ndarray, seed: int) -> dict[str, Any]:
    """Measure answers by all that suits the task.

    Parameters
    ----------
    judge : Judge
        What is right.
    answers : ndarray of shape (n_samples,)
        Places of classes, numbers, or log-likelihoods.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    dict
        Estimates and numbers by name; the first is the headline of the task.
    """
    if isinstance(judge, ClassJudge):
        return {judge.metric: share(answers == judge.labels)}
    if isinstance(judge, NumberJudge):
        errors = answers - judge.target
        root = bootstrap(errors**2, lambda each: np.sqrt(each.mean(axis=-1)), seed)
        spread = float(np.var(judge.target))
        return {
            judge.metric: root,
            "mean absolute error": bootstrap(np.abs(errors), lambda e: e.mean(axis=-1), seed),
            "R^2": 1 - root.value**2 / spread if spread > 0 else None,
        }
    assert isinstance(judge, OutlierJudge)
    task, true = judge.program.task, judge.outlier
    assert isinstance(task, OutlierDetection)
    found = answers < task.offset
    return {
        judge.metric: share(found == true),
        "outliers found": share(found[true]) if true.any() else None,
        "false alarms": share(found[~true]) if not true.all() else None,
        "AUROC": float(roc_auc_score(true, -answers)) if 0 < true.sum() < len(true) else None,
    }


def probabilities(judge: Judge, results: ContractorResults) -> np.ndarray:
    """Return the probabilities that the host gives with a classifier's answers.

    Parameters
    ----------
    judge : Judge
        The judge of a classifier.
    results : ContractorResults
        Answers.

    Returns
    -------
    ndarray of float64 of shape (n_samples, n_classes)
        The probabilities.
    """
    task = judge.program.task
    assert isinstance(task, Classification)
    logits = normalised_logits(results.scores.astype(float), task.probability_temperature)
    return softmax(logits, axis=1)


def calibration(judge: Judge, results: ContractorResults) -> dict[str, Any]:
    """Compare the probabilities of a classifier with what came true.

    Parameters
    ----------
    judge : Judge
        What is right.
    results : ContractorResults
        Answers.

    Returns
    -------
    dict
        The expected calibration error and the groups of a reliability diagram; or why there is
        none.
    """
    if not isinstance(judge, ClassJudge):
        return {"applies": False, "why": "only classifiers give probabilities"}
    given = probabilities(judge, results)
    confidence = given.max(axis=1)
    right = given.argmax(axis=1) == judge.labels
    groups = np.minimum((confidence * BINS).astype(int), BINS - 1)
    bins = []
    for group in range(BINS):
        chosen = groups == group
        entry: dict[str, Any] = {"from": group / BINS, "to": (group + 1) / BINS}
        entry["samples"] = int(chosen.sum())
        if chosen.any():
            entry["confidence"] = float(confidence[chosen].mean())
            entry["accuracy"] = share(right[chosen])
        bins.append(entry)
    return {
        "applies": True,
        "expected_calibration_error": expected_calibration_error(given, judge.labels),
        "mean_confidence": float(confidence.mean()),
        "bins": bins,
    }
