"""Scales of detectors: levels beyond the training data, and samples that are far from the others.

A detector must tell values that it has never seen from the outermost ones that it has, so some
levels at either end are kept for them. How far these levels reach is estimated from the inner part
of the data, which outliers do not move: each side of a feature has a *spread*, the distance from
its median to a quantile, expressed in standard deviations of a normal distribution.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from ..compiler.knots import Knots
from ..compiler.scaling import scale_features
from .distribution import Distribution
from .scales import Scale

TAILS = "tails"
"""Value of the parameter `scaling` of detectors."""

QUANTILES = (0.2, 0.1, 0.05, 0.01)
"""Shares of the samples beyond the quantiles that give the spread of a side of a feature.

The first counts whose quantile is not the median: fewer outliers than a fifth of the samples do not
reach the first one, and the others serve features most of whose values are the same."""

FAR = 5.5
"""Distance from the median in spreads beyond which a value is far from all others.

Of a million normally distributed values none is expected there, and whatever lies six standard
deviations from their mean does."""

FAR_DEVIATIONS = 5.75
"""The same distance from the mean, in standard deviations of the samples that are not far; the
lesser of both counts. Of few samples either may be estimated too large."""

FARTHER = 4.0
"""Factor by which the distance grows if more samples are far than a user calls outliers: a heavy
tail then belongs to the data."""

OUTER = 0.2
"""Share of the levels at either end that are kept for values beyond the training data."""

MOST_BEYOND = 1.0
"""Greatest distance that these levels reach beyond the training data, as a share of its range."""

LEAST_BEYOND, LEAST_BEYOND_HEAVY = 0.05, 0.55
"""Least such distance if the outermost value is at most as far from the median as `FAR`, and if it
is twice as far or more: what lies beyond a heavy tail need not be an outlier."""

CONSTANT_BEYOND = 1e-3, 1e-9
"""The same distance for a constant feature, as a share of its value and at least: any other value
differs from all that was seen."""


def tail_scale(X: np.ndarray, weights: np.ndarray | None) -> Scale:
    """Learn a scale that keeps a fifth of the levels at either end for values not seen yet.

    The range of the samples takes the other levels. The outer ones reach as far as `FAR`, but from
    `LEAST_BEYOND` to `MOST_BEYOND` of the range. A constant feature has the middle level, and any
    other value, but for rounding, an outermost one.

    Parameters
    ----------
    X : ndarray of float64 of shape (n_samples, n_features)
        The samples, at least one. Missing values (NaN) are left out.
    weights : None or ndarray of float64 of shape (n_samples,)
        Weight of each sample, above zero; None: all count the same.

    Returns
    -------
    Scale
        What was learnt.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.models.tails import tail_scale
    >>> scale = tail_scale(np.linspace(-1, 1, 101)[:, None], None)
    >>> scale.low, scale.high
    (array([-3.]), array([3.]))
    >>> scale.knots.scale(np.array([[-3.0], [-1.0], [0.0], [1.0], [2.0]])).ravel().round(3).tolist()
    [0.0, 0.2, 0.5, 0.8, 0.9]
    """
    # A missing value is no number; a feature without any other is constant.
    low, high = (np.nan_to_num(end.reduce(X, axis=0)) for end in (np.fmin, np.fmax))
    largest = np.finfo(np.float64).max
    values, positions = np.empty((len(low), 4)), np.empty((len(low), 4))
    with np.errstate(over="ignore", invalid="ignore"):
        medians, spreads = _spreads(X, weights)
        # Everything is halved: the range of large numbers of opposite sign can overflow.
        half_range = high / 2 - low / 2
        means, deviations = _moments(scale_features(X, low, high), weights)
        means, deviations = low / 2 + half_range * means, half_range * deviations
        for side, (end, sign) in enumerate(((low, -1), (high, 1))):
            reach = np.abs(end / 2 - medians / 2)  # half the distance to the outermost value
            far = np.nan_to_num(FAR * (spreads[side] / 2), nan=np.inf, posinf=np.inf)
            far = np.minimum(far, sign * (means - medians / 2) + FAR_DEVIATIONS * deviations)
            heaviness = np.clip(np.nan_to_num(reach / far) - 1, 0, 1)
            least = LEAST_BEYOND + (LEAST_BEYOND_HEAVY - LEAST_BEYOND) * heaviness
            beyond = np.maximum(
                np.minimum(far - reach, MOST_BEYOND * half_range), least * half_range
            )
            limit = np.clip(2 * (end / 2 + sign * beyond), -largest, largest)
            values[:, 3 * side], positions[:, 3 * side] = limit, side
            values[:, 1 + side], positions[:, 1 + side] = end, OUTER + side * (1 - 2 * OUTER)
        constant = low == high
        share, least_beyond = CONSTANT_BEYOND
        beyond = np.maximum(share * np.abs(low), least_beyond)
        for side, sign in ((0, -1), (3, 1)):
            limit = np.clip(low + sign * beyond, -largest, largest)
            values[constant, side] = limit[constant]
    positions[constant, 1:3] = 0.5
    knots = Knots(values, positions)
    return Scale(values[:, 0].copy(), values[:, 3].copy(), knots)


def inner_knots(n_categories: int) -> tuple[np.ndarray, np.ndarray]:
    """Return knots that give categories evenly spaced levels, none of which is an outer one.

    Parameters
    ----------
    n_categories : int
        Number of categories, which are numbered from 0.

    Returns
    -------
    values, positions : ndarray of float64 of shape (4,)
        The knots of the feature.

    Examples
    --------
    >>> from tensorspin.models.tails import inner_knots
    >>> values, positions = inner_knots(4)
    >>> values.tolist(), positions.tolist()
    ([-1.0, 0.0, 3.0, 4.0], [0.0, 0.2, 0.8, 1.0])
    """
    last = float(n_categories - 1)
    inner = (OUTER, 1 - OUTER) if last else (0.5, 0.5)
    return np.array([-1, 0, last, last + 1]), np.array([0, *inner, 1])


def far_samples(X: np.ndarray, weights: np.ndarray | None, most: float) -> np.ndarray:
    """Find samples of which some feature is far from that of all others.

    A feature is far if its distance from the median is more than `FAR` spreads; but if more samples
    are far than `most`, `FARTHER` times as many, as often as it takes.

    Parameters
    ----------
    X : ndarray of float64 of shape (n_samples, n_features)
        The samples. A missing value (NaN) is not far.
    weights : None or ndarray of float64 of shape (n_samples,)
        Weight of each sample, above zero; None: all count the same.
    most : float
        Greatest share of the weights that may be far, above 0 and below 1.

    Returns
    -------
    ndarray of bool of shape (n_samples,)
        Which samples are far.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.models.tails import far_samples
    >>> X = np.r_[np.arange(99.0), 1e6][:, None]
    >>> np.flatnonzero(far_samples(X, None, most=0.1)).tolist()
    [99]
    """
    if not X.shape[1]:
        return np.zeros(len(X), dtype=bool)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        medians, spreads = _spreads(X, weights)
        distances = np.abs(X - medians) / np.where(medians <= X, spreads[1], spreads[0])
    farthest = np.nan_to_num(distances, posinf=np.inf).max(axis=1)  # NaN: missing, or 0 / 0
    shares = np.full(len(X), 1 / len(X)) if weights is None else weights / weights.sum()
    limit = FAR
    while shares[farthest > limit].sum() > most:
        if np.isinf(limit):  # distances beyond float64: all of these samples would be left out
            return np.zeros(len(X), dtype=bool)
        limit *= FARTHER
    return farthest > limit


def _moments(X: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each feature; 0 if all its values are missing."""
    present = (
        ~np.isnan(X) * (np.ones(len(X)) if weights is None else weights / weights.max())[:, None]
    )
    sums = np.maximum(present.sum(axis=0), np.finfo(np.float64).tiny)
    X = np.nan_to_num(X)
    means = (present * X).sum(axis=0) / sums
    return means, np.sqrt((present * (X - means) ** 2).sum(axis=0) / sums)


def _spreads(
    X: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Return the median of each feature, and its spreads below and above; infinite if unknown."""
    weights = np.ones(len(X)) if weights is None else weights / weights.max()
    shares = np.array([0.5, *QUANTILES, *(1 - share for share in QUANTILES)])
    deviations = np.array([-NormalDist().inv_cdf(share) for share in QUANTILES])
    medians = np.zeros(X.shape[1])
    spreads = np.full((2, X.shape[1]), np.inf)
    for feature, column in enumerate(X.T):
        known = ~np.isnan(column)
        if not known.any():
            continue
        median, *outer = Distribution(column[known], weights[known]).quantiles(shares)
        medians[feature] = median
        for side, values in enumerate(np.split(np.array(outer), 2)):
            distances = np.abs(values - median)
            apart = np.flatnonzero(distances > 0)
            if len(apart):
                spreads[side, feature] = distances[apart[0]] / deviations[apart[0]]
    return medians, (spreads[0], spreads[1])
