"""Which samples an ensemble validates its networks with, and which networks it keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from .calibration import TEMPERATURE_RANGE, fit_temperature
from .logits import normalised_logits
from .parameters import is_auto, is_number
from .weighting import weighted_mean

TOLERANCE = 0.03
"""How far, in nats, the likelihood of a network may be below that of the best one, if its standard
error is not greater. A network that is far worse would spoil the sum. One that is a little worse
makes it better, as it errs elsewhere. A choice by accuracy, or of the very best subset, would
follow the chance of the few samples that validate."""

CROSS_VALIDATED = (20, 1000)
"""Least and most samples that are cross-validated. Fewer tell nothing of any network. One part of
so few would tell little, and trainings are short; of more, one part that is held out tells enough.
"""

FOLDS = 4
"""Parts of a cross-validation."""

HELD_OUT = 0.15
"""Share of more samples that is held out."""

EQUALITY = 5.0
"""Pull of the weights in a sum towards equal ones, as of a loss in nats that is summed over the
samples: their squared differences, in units of temperatures, count as much."""

FAR = 0.3
"""How far, in nats, the likelihood of a network in a weighted sum may be below that of the best.
Where few samples tell of the weights, the pull towards equal ones would keep any network."""

LEAST_WEIGHT = 0.3
"""Least weight of a network, as a share of the largest. Networks with less would take memory and
time of a board and change little."""


def check_share(share: Any) -> None:
    """Refuse a share of samples to hold out that is neither "auto" nor between 0 and 1."""
    if not is_auto(share) and (not is_number(share, Real) or not 0 < share < 1):
        raise ValueError(
            f'validation_fraction must be "auto" or a number between 0 and 1, not {share!r}'
        )


def hold_out(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Choose samples to validate with: the same share of each class, but never all of one.

    Parameters
    ----------
    labels : ndarray of int of shape (n_samples,)
        Index of each sample's class.
    share : float
        Share of the samples, between 0 and 1.
    seed : int
        Seed of the choice.

    Returns
    -------
    ndarray of bool of shape (n_samples,)
        The samples that are held out. Classes of one sample have none among them.
    """
    rng = np.random.default_rng(seed)
    held = np.zeros(len(labels), dtype=bool)
    carry = 0.0
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        # What rounding takes from one class, the next one gets.
        wanted = share * len(members) + carry
        count = min(int(np.rint(wanted)), len(members) - 1)
        carry = min(wanted - count, 1.0)
        held[members[:count]] = True
    return held


def validation_parts(
    labels: np.ndarray, share: float | str, crossed: bool, seed: int
) -> list[np.ndarray]:
    """Choose the samples that are held out, one part after the other.

    Parameters
    ----------
    labels : ndarray of int of shape (n_samples,)
        Index of each sample's class, from 0 and without gaps.
    share : float or "auto"
        Share of the samples in a single part. "auto": `FOLDS` parts, which hold all samples, if
        there are as many as `CROSS_VALIDATED` says; the share `HELD_OUT` of more.
    crossed : bool
        Whether there may be several parts.
    seed : int
        Seed of the choice.

    Returns
    -------
    list of ndarray of bool of shape (n_samples,)
        The samples that are held out each time, never all of a class; none if they are too few to
        tell anything.
    """
    least, most = CROSS_VALIDATED
    if not is_auto(share):
        parts = [hold_out(labels, float(share), seed)]
    elif crossed and least <= len(labels) <= most:
        rng = np.random.default_rng(seed)
        fold = np.full(len(labels), -1)
        dealt = 0
        for label in np.unique(labels):
            members = rng.permutation(np.flatnonzero(labels == label))
            if len(members) > 1:
                fold[members] = (dealt + np.arange(len(members))) % FOLDS
                dealt += len(members)
        parts = [fold == number for number in range(FOLDS) if np.any(fold == number)]
    else:
        parts = [hold_out(labels, HELD_OUT, seed)]
    enough = np.sum(parts) >= max(2, len(np.unique(labels)))
    return parts if enough else []


class Quality(NamedTuple):
    """How well networks predict samples that did not train them; the higher, the better.

    Parameters
    ----------
    accuracy : float
        Share of the samples whose class is predicted, 0 to 1.
    likelihood : float
        Mean logarithm of the probability of the true class, in nats, with the temperature that
        suits these samples.
    """

    accuracy: float
    likelihood: float


class Validation:
    """The logits of some networks for samples that did not train them.

    Parameters
    ----------
    logits : mapping of str to ndarray of float64 of shape (n_samples, n_classes)
        Logits by the name of the network.
    labels : ndarray of int of shape (n_samples,)
        Index of each sample's true class.
    weights : None or ndarray of float64 of shape (n_samples,)
        How much each sample counts.
    temperature : float
        The temperature that is expected of a network.
    """

    def __init__(
        self,
        logits: Mapping[str, np.ndarray],
        labels: np.ndarray,
        weights: np.ndarray | None,
        temperature: float,
    ) -> None:
        self._logits = logits
        self._labels = labels
        self._weights = weights
        self._expected = temperature

    def temperature(self, names: Sequence[str] | Mapping[str, float]) -> float:
        """Fit the temperature of the sum of some networks, which may have weights."""
        return fit_temperature(self._sum(names), self._labels, self._expected, self._weights)

    def quality(self, names: Sequence[str] | Mapping[str, float]) -> Quality:
        """Tell how well the sum of some networks predicts the samples."""
        right = self._sum(names).argmax(axis=1) == self._labels
        return Quality(
            weighted_mean(right, self._weights), weighted_mean(self._logs(names), self._weights)
        )

    def chosen(self) -> list[str]:
        """Return the names of the networks that are near the best one, the best first.

        A network is near the best one if its likelihood is below by no more than `TOLERANCE`, or
        by no more than one standard error of the difference: the fewer samples validate, the less
        they tell of.
        """
        logs = {name: self._logs([name]) for name in self._logits}
        means = {name: weighted_mean(each, self._weights) for name, each in logs.items()}
        names = sorted(means, key=lambda name: means[name], reverse=True)
        best = names[0]
        shares = np.ones(len(self._labels)) if self._weights is None else self._weights
        shares = shares / shares.sum()
        near = []
        for name in names:
            below = means[best] - means[name]
            spread = logs[best] - logs[name] - below
            error = np.sqrt(np.sum((shares * spread) ** 2))
            if below <= max(TOLERANCE, error):
                near.append(name)
        return near

    def stacked(self, names: Sequence[str] | None = None) -> dict[str, float]:
        """Find the weights with which the sum of networks predicts the samples best.

        They maximise the likelihood, with a slight pull towards equal ones (`EQUALITY`), and none
        is negative, as in stacking (Breiman 1996, doi:10.1007/BF00117832).

        Parameters
        ----------
        names : None or sequence of str
            The networks of the sum; None: those of all that are not `FAR` from the best one, and
            whose weight is not below `LEAST_WEIGHT`.

        Returns
        -------
        dict of str to float
            The factor of each network's logits, greater than 0; the likeliest network first.
        """
        likely = {name: self.quality([name]).likelihood for name in self._logits}
        near = [name for name in likely if likely[name] >= max(likely.values()) - FAR]
        kept = list(near if names is None else names)
        while True:
            weights = self._stacked(kept)
            least = int(np.argmin(weights))
            if names is not None or weights[least] >= LEAST_WEIGHT * weights.max():
                break
            del kept[least]
        factors = {
            name: float(weight / (np.linalg.norm(self._logits[name], axis=1).max() or 1))
            for name, weight in zip(kept, weights)
        }
        return dict(sorted(factors.items(), key=lambda each: -likely[each[0]]))

    def kept(self, crossed: bool) -> tuple[list[str], dict[str, str]]:
        """Choose the networks of a sum.

        Parameters
        ----------
        crossed : bool
            Whether all samples are here, so that the networks can be given weights.

        Returns
        -------
        names : list of str
            The networks that are kept, the likeliest first.
        left_out : dict of str to str
            Why the others are not.
        """
        likely = {name: self.quality([name]).likelihood for name in self._logits}
        best = max(likely.values())
        names = list(self.stacked()) if crossed else self.chosen()
        return names, {
            name: f"its likelihood is {best - likely[name]:.2f} nats below that of the best"
            + (", and beside the others it would count little" if crossed else "")
            for name in likely
            if name not in names
        }

    def _stacked(self, names: Sequence[str]) -> np.ndarray:
        """Return the best temperature of each network in a sum."""
        units = np.stack([normalised_logits(self._logits[name], 1.0) for name in names])
        rows = np.arange(len(self._labels))
        shares = np.ones(len(rows)) if self._weights is None else self._weights
        shares = shares / shares.mean()

        def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
            logs = log_softmax(np.tensordot(weights, units, 1), axis=1)
            slopes = np.exp(logs)
            slopes[rows, self._labels] -= 1
            away = weights - weights.mean()
            value = -float(shares @ logs[rows, self._labels]) + EQUALITY * float(away @ away)
            slope = np.einsum("n,nc,mnc->m", shares, slopes, units) + 2 * EQUALITY * away
            return value, slope

        low, high = TEMPERATURE_RANGE
        start = np.full(len(names), self._expected / len(names))
        found = minimize(loss, start, jac=True, bounds=[(low, high)] * len(names))
        return np.asarray(found.x)

    def _logs(self, names: Sequence[str] | Mapping[str, float]) -> np.ndarray:
        """Return the logarithm of the probability of each sample's true class."""
        logits = normalised_logits(self._sum(names), self.temperature(names))
        return log_softmax(logits, axis=1)[np.arange(len(self._labels)), self._labels]

    def _sum(self, names: Sequence[str] | Mapping[str, float]) -> np.ndarray:
        factors = names if isinstance(names, Mapping) else dict.fromkeys(names, 1.0)
        return np.sum([factors[name] * self._logits[name] for name in factors], axis=0)
