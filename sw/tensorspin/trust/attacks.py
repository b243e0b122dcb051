"""Attacks: samples that are moved by little, so that a program's answer becomes wrong.

Movements are measured in shares of each column's span (`Subject.span`), so that columns of
different units count alike. ``L-infinity`` is the greatest share of any column, ``L2`` the root of
the sum of their squares.

- `pgd`, a white box: projected gradient descent (Madry et al. 2018, arXiv:1706.06083) on the
  smooth function of `NetworkProgram.input_gradient`. Each step is judged by what a board answers,
  so that an attack that works on the smooth function alone does not count.
- `random_search`, a black box: it sees answers alone, and keeps whatever makes them more wrong (a
  form of the Square Attack of Andriushchenko et al. 2020, arXiv:1912.00049, for samples that are no
  images).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from .judges import Judge
from .subject import Subject

Norm = Literal["linf", "l2"]

_FEWEST, _MOST = 0.02, 0.5
"""Share of the columns that a black box changes at once: the most first, the fewest at last."""


class Attack:
    """Where samples have been moved so far, and how wrong their answers have become.

    Parameters
    ----------
    subject : Subject
        The program and its samples.
    judge : Judge
        What is right for these samples.

    Attributes
    ----------
    X : ndarray of float64 of shape (n_samples, `n_features_in_`)
        The worst of what was tried for each sample, at first the sample itself.
    wrongness : ndarray of float64 of shape (n_samples,)
        How wrong the answers to `X` are.
    """

    def __init__(self, subject: Subject, judge: Judge) -> None:
        self.subject, self.judge = subject, judge
        self.X = subject.X.copy()
        self.wrongness = judge.wrongness(subject.run(self.X))

    @property
    def left(self) -> np.ndarray:
        """Places of the samples that are worth another try: those whose answers are not wrong."""
        if not self.judge.decides:
            return np.arange(len(self.X))
        return np.flatnonzero(self.wrongness <= 0)

    def offer(self, rows: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Try samples in place of those at `rows`; keep what is more wrong.

        Parameters
        ----------
        rows : ndarray of int of shape (n_rows,)
            Places of the samples.
        X : ndarray of float64 of shape (n_rows, `n_features_in_`)
            Where they are moved.

        Returns
        -------
        ndarray of bool of shape (n_rows,)
            Which were kept.
        """
        wrongness = self.judge.of(rows).wrongness(self.subject.run(X))
        better = wrongness > self.wrongness[rows]
        self.X[rows[better]] = X[better]
        self.wrongness[rows[better]] = wrongness[better]
        return better


def pgd(
    attack: Attack,
    eps: float,
    norm: Norm,
    *,
    steps: int = 20,
    restarts: int = 3,
    rng: np.random.Generator,
) -> None:
    """Move samples against the gradient, a white-box attack; `attack` has the result.

    Parameters
    ----------
    attack : Attack
        What has been tried with smaller `eps`; samples that are wrong already are left alone.
    eps : float
        Greatest movement, in shares of the columns' spans, above 0.
    norm : {"linf", "l2"}
        How movements are measured.
    steps : int, default=20
        Steps of each start.
    restarts : int, default=3
        Starts: the first at the worst that is known, the others at random within `eps`, every other
        one as far away as it reaches.
    rng : Generator
        Where these come from.
    """
    subject = attack.subject
    for start in range(restarts):
        rows = attack.left
        origin = subject.X[rows]
        X = attack.X[rows]
        if start:
            drawn = _drawn(origin.shape, eps, norm, start % 2 == 1, rng)
            X = _within(subject, origin, origin + drawn * subject.span, eps, norm)
        for step in range(steps):
            if not len(rows):
                return
            size = 2 * eps * (1 - step / steps)  # large steps first, to leave where gradients lie
            direction = subject.gradient(X, attack.judge.of(rows)) * subject.span
            direction[:, ~subject.movable] = 0
            X = _within(
                subject, origin, X + size * subject.span * _step(direction, norm), eps, norm
            )
            attack.offer(rows, X)
            if attack.judge.decides:
                still = attack.wrongness[rows] <= 0
                rows, origin, X = rows[still], origin[still], X[still]


def random_search(
    attack: Attack, eps: float, *, queries: int = 300, rng: np.random.Generator
) -> None:
    """Move samples at random by plus or minus `eps`, a black-box attack within L-infinity.

    Parameters
    ----------
    attack : Attack
        What has been tried with smaller `eps`; samples that are wrong already are left alone.
    eps : float
        Greatest movement, in shares of the columns' spans, above 0.
    queries : int, default=300
        Answers that the attack may see of each sample.
    rng : Generator
        Where movements come from.
    """
    subject = attack.subject
    lower, upper = subject.limits(subject.X)
    for query in range(queries):
        rows = attack.left
        if not len(rows):
            return
        origin = subject.X[rows]
        share = _MOST * (_FEWEST / _MOST) ** (query / max(1, queries - 1)) if query else 1.0
        chosen = rng.random(origin.shape) < share
        chosen[np.arange(len(rows)), rng.choice(np.flatnonzero(subject.movable), len(rows))] = True
        signs = np.where(rng.random(origin.shape) < 0.5, -1.0, 1.0)
        X = np.where(chosen, origin + eps * subject.span * signs, attack.X[rows])
        attack.offer(rows, np.clip(X, lower[rows], upper[rows]))


def distances(subject: Subject, X: np.ndarray, norm: Norm) -> np.ndarray:
    """Measure how far samples were moved.

    Parameters
    ----------
    subject : Subject
        The samples as they were.
    X : ndarray of float64 of shape (n_samples, `n_features_in_`)
        Where they are.
    norm : {"linf", "l2"}
        How movements are measured.

    Returns
    -------
    ndarray of float64 of shape (n_samples,)
        Distances, in shares of the columns' spans.
    """
    moved = _shares(subject, subject.X, X)
    return np.abs(moved).max(axis=1) if norm == "linf" else np.linalg.norm(moved, axis=1)


def _shares(subject: Subject, origin: np.ndarray, X: np.ndarray) -> np.ndarray:
    span = np.where(subject.movable, subject.span, 1.0)
    return np.nan_to_num((X - origin) / span)


def _within(
    subject: Subject, origin: np.ndarray, X: np.ndarray, eps: float, norm: Norm
) -> np.ndarray:
    """Move samples back into the ball around where they were, and within the scale."""
    moved = _shares(subject, origin, X)
    if norm == "linf":
        moved = np.clip(moved, -eps, eps)
    else:
        length = np.linalg.norm(moved, axis=1, keepdims=True)
        moved *= np.minimum(1, eps / np.where(length > 0, length, 1))
    return np.clip(origin + moved * subject.span, *subject.limits(origin))


def _step(direction: np.ndarray, norm: Norm) -> np.ndarray:
    if norm == "linf":
        return np.sign(direction)
    largest = np.abs(direction).max(axis=1, keepdims=True)
    direction = direction / np.where(largest > 0, largest, 1)
    length = np.linalg.norm(direction, axis=1, keepdims=True)
    return direction / np.where(length > 0, length, 1)


def _drawn(
    shape: tuple[int, int], eps: float, norm: Norm, outermost: bool, rng: np.random.Generator
) -> np.ndarray:
    """Draw movements within a ball, or as far from its middle as it reaches."""
    if norm == "linf":
        moved = rng.uniform(-eps, eps, shape)
        return np.where(moved < 0, -eps, eps) if outermost else moved
    moved = eps * _step(rng.normal(size=shape), norm)
    return moved if outermost else moved * rng.random((shape[0], 1))
