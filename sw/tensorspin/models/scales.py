"""Learn how the values of each feature become numbers from 0 to 1: the parameter `scaling`.

The 256 levels of a feature are spread evenly over the numbers from 0 to 1. The scale decides which
values share a level: one outlier can take almost all levels of a scale from the least to the
greatest value, and none of a scale that ends at a percentile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..compiler.knots import Knots
from ..compiler.scaling import scale_features
from .distribution import Distribution
from .parameters import AUTO, flattened, is_auto

SCALINGS = ("range", "percentile", "standard", "quantile")
"""Values of the parameter `scaling`."""

OUTER_PERCENT = 1.0
"""Percentage of the samples beyond each end of the scale "percentile"."""

DEVIATIONS = 3.0
"""Standard deviations from the mean to each end of the scale "standard"."""

MOST_KNOTS = 33
"""Most knots of a feature with the scale "quantile": a 32nd of the samples lies between two."""


@dataclass(frozen=True, eq=False)
class Scale:
    """How the values of each feature become numbers from 0 to 1.

    Parameters
    ----------
    low, high : ndarray of float64 of shape (n_features,)
        The values that become 0 and 1; what lies beyond is clipped. They are equal for a constant
        feature, which becomes 0.
    knots : None or Knots
        The scale between them; None if it is linear.
    """

    low: np.ndarray
    high: np.ndarray
    knots: Knots | None = None


def check_scaling(
    scaling: object,
    feature_range: object,
    automatic: bool = False,
    scalings: Sequence[str] = SCALINGS,
) -> None:
    """Refuse a parameter `scaling` that is none, or that a promised range contradicts.

    Parameters
    ----------
    scaling : object
        The parameter of an estimator.
    feature_range : object
        Its parameter of that name.
    automatic : bool
        Whether `scaling` may be "auto".
    scalings : sequence of str
        The other values that it may have.

    Raises
    ------
    ValueError
        If `scaling` is none of these values, or it is not "range" beside a feature_range.
    """
    if automatic and is_auto(scaling):
        return
    if not isinstance(scaling, str) or scaling not in scalings:
        names = ", ".join(f'"{name}"' for name in scalings[:-1])
        other = f'; "{AUTO}" chooses one' if automatic else ""
        raise ValueError(f'scaling must be {names} or "{scalings[-1]}", not {scaling!r}{other}')
    if scaling != "range" and feature_range is not None:
        shown = flattened(feature_range)
        raise ValueError(
            f"feature_range{f'={feature_range!r}' if len(shown) <= 6 else ''} promises the limits "
            f'that scaling="{scaling}" would learn; leave one of both out'
        )


def learn_scale(scaling: str, X: np.ndarray, weights: np.ndarray | None) -> Scale:
    """Learn the scale of each feature from training samples.

    Weights count as repetitions: a sample of weight 2 has the effect of two samples of weight 1.
    "range" knows only samples whose weight is above zero, not how much it is.

    Parameters
    ----------
    scaling : str
        One of `SCALINGS`.
    X : ndarray of float64 of shape (n_samples, n_features)
        The samples, at least one. Missing values (NaN) are left out; a feature without any other is
        constant.
    weights : None or ndarray of float64 of shape (n_samples,)
        Weight of each sample, above zero; None: all count the same.

    Returns
    -------
    Scale
        What was learnt.

    Examples
    --------
    The outlier takes all but a few levels of the range, and none of the percentiles:

    >>> import numpy as np
    >>> from tensorspin.models.scales import learn_scale
    >>> X = np.r_[np.arange(200.0), 1e6][:, None]
    >>> for scaling in ("range", "percentile"):
    ...     scale = learn_scale(scaling, X, None)
    ...     print(scale.low, scale.high)
    [0.] [1000000.]
    [2.] [198.]
    """
    gaps = np.isnan(X)
    if gaps.any():
        return _beside_gaps(scaling, X, weights, ~gaps)
    low, high = X.min(axis=0), X.max(axis=0)
    if scaling == "range":
        return Scale(low, high)
    weights = np.ones(len(X)) if weights is None else weights / weights.max()
    if scaling == "quantile":
        knots = _knots(X, weights)
        return Scale(knots.values[:, 0], knots.values[:, -1], knots)
    learn = {"percentile": _percentiles, "standard": _deviations}[scaling]
    return _with_limits(learn, X, weights, low, high)


def _beside_gaps(
    scaling: str, X: np.ndarray, weights: np.ndarray | None, present: np.ndarray
) -> Scale:
    """Learn the scale of each feature from the samples in which it is not missing."""
    scales = []
    for feature, rows in enumerate(present.T):
        known = X[rows, feature][:, None] if rows.any() else np.zeros((1, 1))
        shares = weights[rows] if weights is not None and rows.any() else None
        scales.append(learn_scale(scaling, known, shares))
    low, high = (np.concatenate(limits) for limits in zip(*((s.low, s.high) for s in scales)))
    if scaling != "quantile":
        return Scale(low, high)
    return Scale(low, high, joined([s.knots for s in scales if s.knots is not None]))


def joined(knots: Sequence[Knots]) -> Knots:
    """Return the knots of several groups of features as those of all of them.

    Parameters
    ----------
    knots : sequence of Knots
        Knots of some features each, at least one.

    Returns
    -------
    Knots
        Those of all features, in order. Where others have more knots, the last is repeated.
    """
    width = max(each.values.shape[1] for each in knots)
    values, positions = (
        np.concatenate(
            [
                np.pad(rows, ((0, 0), (0, width - rows.shape[1])), mode="edge")
                for rows in (getattr(each, name) for each in knots)
            ]
        )
        for name in ("values", "positions")
    )
    return Knots(values, positions)


def with_margin(scale: Scale, margin: float) -> Scale:
    """Widen the scale of each feature on both sides.

    Parameters
    ----------
    scale : Scale
        The scale.
    margin : float
        Share of the range from low to high that is added on either side, at least 0.

    Returns
    -------
    Scale
        The wider scale, within what float64 holds. A constant feature stays constant.
    """
    if not margin:
        return scale
    low, high = scale.low, scale.high
    largest = np.finfo(np.float64).max
    with np.errstate(over="ignore"):
        # Terms are halved first: the difference of two large numbers of opposite sign can overflow.
        added = (high / 2 - low / 2) * (2 * margin)
        limits = np.maximum(low - added, -largest), np.minimum(high + added, largest)
    if scale.knots is None:
        return Scale(*limits)
    # The old positions keep their distances, between two more knots at the new limits.
    values = np.column_stack([limits[0], scale.knots.values, limits[1]])
    old = (margin + scale.knots.positions) / (1 + 2 * margin)
    positions = np.column_stack([np.zeros(len(old)), old, np.ones(len(old))])
    positions[low == high] = 0
    return Scale(*limits, Knots(values, positions))


def _with_limits(
    learn: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]],
    X: np.ndarray,
    weights: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> Scale:
    """Learn limits of the features; keep least and greatest value where they coincide."""
    first, last = learn(X, weights)
    # A column of which 99 % are zero, say, would otherwise lose all that it tells.
    apart = (low < high) & (first < last)
    return Scale(np.where(apart, first, low), np.where(apart, last, high))


def _percentiles(X: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the outer percentiles of each feature."""
    shares = np.array([OUTER_PERCENT, 100 - OUTER_PERCENT]) / 100
    found = np.stack([Distribution(column, weights).quantiles(shares) for column in X.T])
    return found[:, 0], found[:, 1]


def _deviations(X: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean less and mean plus some standard deviations of each feature."""
    low, high = X.min(axis=0), X.max(axis=0)
    # Values are scaled first, so that neither large ones nor their squares overflow, and a large
    # offset costs no digits.
    scaled = scale_features(X, low, high)
    mean = np.average(scaled, axis=0, weights=weights)
    reach = DEVIATIONS * np.sqrt(np.average((scaled - mean) ** 2, axis=0, weights=weights))
    largest = np.finfo(np.float64).max
    half_span = high / 2 - low / 2
    with np.errstate(over="ignore"):
        limits = [2 * (low / 2 + half_span * share) for share in (mean - reach, mean + reach)]
    first, last = np.clip(limits, -largest, largest)
    return first, last


def _knots(X: np.ndarray, weights: np.ndarray) -> Knots:
    """Return knots at the quantiles of each feature, placed by the share of samples below."""
    shares = np.linspace(0, 1, MOST_KNOTS)
    found = []
    for column in X.T:
        distribution = Distribution(column, weights)
        values = distribution.values  # all of them, where there are few
        if len(values) > MOST_KNOTS:
            values = np.unique(distribution.quantiles(shares))
        ranks = distribution.ranks(values)
        span = ranks[-1] - ranks[0]
        positions = (ranks - ranks[0]) / span if span > 0 else np.zeros(len(values))
        found.append((values, np.clip(np.maximum.accumulate(positions), 0, 1)))
    return joined([Knots(*(_padded(row) for row in rows)) for rows in found])


def _padded(row: np.ndarray) -> np.ndarray:
    """Return a row of at least two numbers, the last of them repeated if need be."""
    return np.pad(row, (0, max(0, 2 - len(row))), mode="edge")[None]
