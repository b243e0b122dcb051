"""Whether samples of another kind are told from those that the program knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from ...compiler.network_program import NetworkProgram
from ...compiler.outputs import OutlierDetection
from ..intervals import share
from ..judges import ClassJudge, Judge, OutlierJudge
from ..subject import Subject
from .answers import probabilities
from .settings import Settings

FALSE_ALARMS = 0.05
"""Share of usual samples that may be called unusual, where shares of found samples are told."""

_NOISES = (0.1, 0.2)
"""Standard deviations of noise, in shares of the columns' scales."""


class Guard:
    """A detector's program that looks at the samples of another program.

    Parameters
    ----------
    program : NetworkProgram
        A program for `OutlierDetection` with the same columns.
    X : array-like of shape (n_samples, `n_features_in_`)
        The samples, as the user has them.

    Raises
    ------
    ValueError
        If the program is for another task or other columns, or refuses the samples.
    """

    def __init__(self, program: NetworkProgram, X) -> None:
        if not isinstance(program.task, OutlierDetection):
            raise ValueError(
                f"the guard must be the program of an anomaly detector, not for "
                f"{type(program.task).__name__}: tensorspin train --estimator anomaly writes one"
            )
        self.subject = Subject(program, X)
        self.judge = OutlierJudge(program, np.zeros(len(self.subject), dtype=bool))

    def likelihoods(
        self, numbers: np.ndarray, subject: Subject, rows: np.ndarray | slice = slice(None)
    ) -> np.ndarray:
        """Return log-likelihoods of samples that were moved.

        Parameters
        ----------
        numbers : ndarray of float64 of shape (n_rows, `n_features_in_`)
            The samples, as numbers of the other program.
        subject : Subject
            That program with all samples as they were.
        rows : ndarray of int of shape (n_rows,) or slice
            Which of them were moved; by default all.

        Returns
        -------
        ndarray of float64 of shape (n_rows,)
            Log-likelihoods in nats. Words keep the numbers that they have here.
        """
        own = self.subject
        origin = own.X[rows]
        moved = np.where(subject.movable & own.movable, numbers, origin)
        return self.judge.likelihoods(own.run(np.clip(moved, *own.limits(origin))))


def unusual(
    subject: Subject,
    judge: Judge,
    guard: Guard | None,
    settings: Settings,
    moved: tuple[np.ndarray, np.ndarray] | None = None,
    foreign: tuple[np.ndarray, np.ndarray | None] | None = None,
) -> dict[str, Any]:
    """Measure how well unusual samples are told from the usual ones.

    Parameters
    ----------
    subject : Subject
        The program and usual samples.
    judge : Judge
        What is right for them.
    guard : Guard or None
        A detector that looks at the same samples.
    settings : Settings
        The seed, and the strengths of attacks.
    moved : tuple of (ndarray, ndarray), optional
        Places of the samples that were attacked, and where the white-box attack within L-infinity
        has moved them: of shape (n_eps, n_rows, `n_features_in_`).
    foreign : tuple of (ndarray, ndarray or None), optional
        Samples of another kind as numbers of the program, and their log-likelihoods by the guard.

    Returns
    -------
    dict
        For each kind of unusual samples and each score the area under the ROC curve, and the share
        found at `FALSE_ALARMS`. Scores are ``confidence``, ``guard``, and ``both``: the rarer of
        the two among usual samples.
    """
    usual = _scores(subject, judge, guard, subject.X, slice(None))
    if not usual:
        why = "a regressor tells nothing of its own; --guard names a detector's program"
        return {"applies": False, "why": why}
    kinds = []
    for name, numbers, rows in _kinds(subject, settings, moved):
        found = _scores(subject, judge, guard, numbers, rows)
        kinds.append({"kind": name, "samples": len(numbers), **_compared(usual, found)})
    if foreign is not None:
        numbers, likelihoods = foreign
        found = _scores(subject, judge, None, numbers, slice(None))
        if likelihoods is not None:
            found["guard"] = -likelihoods
        kinds.append({"kind": "samples given", "samples": len(numbers), **_compared(usual, found)})
    return {
        "applies": True,
        "samples": len(subject),
        "false_alarms": FALSE_ALARMS,
        "with_guard": guard is not None,
        "kinds": kinds,
    }


def _kinds(
    subject: Subject, settings: Settings, moved: tuple[np.ndarray, np.ndarray] | None
) -> Iterator[tuple[str, np.ndarray, np.ndarray | slice]]:
    """Make samples of other kinds from some of the usual ones; missing values and words stay."""
    every = slice(None)
    X, n = subject.X, len(subject)
    lower, upper = subject.limits(X)
    there = subject.movable & ~np.isnan(X)
    rng = np.random.default_rng([settings.seed, 4])
    for sigma in _NOISES:
        noise = sigma * subject.span * rng.normal(size=X.shape)
        yield f"noise {sigma:g}", np.clip(np.where(there, X + noise, X), lower, upper), every
    drawn = subject.lower + rng.random(X.shape) * (subject.upper - subject.lower)
    yield "uniform noise", np.where(there, drawn, X), every
    shuffled = np.array([column[rng.permutation(n)] for column in X.T]).T
    yield "columns shuffled", np.where(there & ~np.isnan(shuffled), shuffled, X), every
    if moved is not None:
        for eps, numbers in zip(settings.eps_linf, moved[1]):
            yield f"attack, L-infinity {eps:g}", numbers, moved[0]


def _scores(
    subject: Subject,
    judge: Judge,
    guard: Guard | None,
    numbers: np.ndarray,
    rows: np.ndarray | slice,
) -> dict[str, np.ndarray]:
    """Return how unusual samples look, by the name of each score; the greater, the more."""
    results = subject.run(numbers)
    found: dict[str, np.ndarray] = {}
    if isinstance(judge, ClassJudge):
        found["confidence"] = -probabilities(judge, results).max(axis=1)
    elif isinstance(judge, OutlierJudge):
        found["likelihood"] = -judge.likelihoods(results)
    if guard is not None:
        found["guard"] = -guard.likelihoods(numbers, subject, rows)
    return found


def _compared(usual: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> dict[str, Any]:
    pairs = {name: (usual[name], other[name]) for name in other}
    if {"confidence", "guard"} <= pairs.keys():
        pairs["both"] = tuple(
            np.maximum(*(_ranks(usual[name], scores[name]) for name in ("confidence", "guard")))
            for scores in (usual, other)
        )
    found = {}
    for name, (one, two) in pairs.items():
        labels = np.repeat([0, 1], [len(one), len(two)])
        limit = np.quantile(one, 1 - FALSE_ALARMS)
        found[name] = {
            "auroc": float(roc_auc_score(labels, np.concatenate([one, two]))),
            "found": share(two > limit),
        }
    return {"scores": found}


def _ranks(usual: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return how rare scores are among usual samples: the share that is below."""
    ordered = np.sort(usual)
    below = np.searchsorted(ordered, values, side="left")
    upto = np.searchsorted(ordered, values, side="right")
    # Beyond all usual scores, the distance still counts.
    spread = max(float(ordered[-1] - ordered[0]), np.finfo(float).tiny)
    beyond = np.maximum(values - ordered[-1], 0) / spread
    return (below + upto) / 2 / len(ordered) + beyond
