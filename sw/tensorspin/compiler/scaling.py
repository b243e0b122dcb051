"""Scale features to [0, 1], the range of the levels that a device is sent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..contract.fixed import LEVEL
from .knots import Knots
from .values import as_real, check_finite

MISSING_LEVEL = LEVEL.maximum
"""Level of a missing value, where a program has one: the highest. Values then have the others."""

RANGE_ROUNDING = 16 * float(np.finfo(np.float32).eps)
"""How far outside of its limits a value may lie, as a share of the range: a scaler rounds. With
float32 data whose distance from zero is ten times their range, `sklearn.preprocessing.MinMaxScaler`
oversteps its range by 8 units in the last place (`eps`). 16 of them are a 2,000th of a level."""

LIMIT_ROUNDING = float(np.finfo(np.float32).eps)
"""How far outside of a limit a value may lie, as a share of the limit: the limit itself, rounded to
float32, may lie so far outside."""


def check_feature_range(feature_range, n_features: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the limits of each feature.

    Parameters
    ----------
    feature_range : tuple of (low, high)
        The limits: each a number for all features, or array-like of shape (n_features,).
    n_features : int
        Number of features of a sample.

    Returns
    -------
    low, high : ndarray of float64 of shape (n_features,)
        The limits of each feature.

    Raises
    ------
    ValueError
        If `feature_range` is no pair, has a wrong length, or some low is not a finite number below
        its high.
    """
    if isinstance(feature_range, str) or not hasattr(feature_range, "__len__"):
        raise ValueError(f"feature_range must be None or (low, high), not {feature_range!r}")
    if len(feature_range) != 2:
        raise ValueError(
            f"feature_range must have 2 entries, (low, high), not {len(feature_range)}"
        )
    limits = []
    for name, values in zip(("low", "high"), feature_range):
        values = as_real(values, f"the {name} of feature_range")
        if values.shape not in ((), (n_features,)):
            raise ValueError(
                f"the {name} of feature_range must be a number or have shape ({n_features},), one "
                f"number per feature, not shape {values.shape}"
            )
        limits.append(np.broadcast_to(values, (n_features,)).copy())
    low, high = limits
    wrong = np.flatnonzero(~(np.isfinite(low) & np.isfinite(high) & (low < high)))
    if len(wrong):
        feature = wrong[0]
        raise ValueError(
            f"feature_range of feature {feature} must be finite with low below high, not "
            f"({low[feature]:g}, {high[feature]:g})"
        )
    return low, high


def sides(X: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Tell on which side of the limits values are.

    A value that is outside by `RANGE_ROUNDING` or `LIMIT_ROUNDING` counts as the limit:
    `scale_features` clips it.

    Parameters
    ----------
    X : ndarray of float64 of shape (n_samples, n_features)
        The samples.
    low, high : ndarray of float64 of shape (n_features,)
        The limits of each feature.

    Returns
    -------
    ndarray of int8 of shape (n_samples, n_features)
        -1 for a value below the limits, 0 within, 1 above.
    """
    # Each limit is multiplied on its own, as their difference may overflow.
    tolerance = np.maximum(
        RANGE_ROUNDING * high - RANGE_ROUNDING * low,
        LIMIT_ROUNDING * np.maximum(np.abs(low), np.abs(high)),
    )
    with np.errstate(over="ignore"):  # the largest float64 plus its tolerance is infinite
        return (X > high + tolerance).astype(np.int8) - (X < low - tolerance)


def check_inside(X: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    """Refuse values outside of the limits, except for rounding (`sides`).

    Parameters
    ----------
    X : ndarray of float of shape (n_samples, n_features)
        The samples.
    low, high : ndarray of float of shape (n_features,)
        The limits of each feature.

    Raises
    ------
    ValueError
        If a value is outside; the message names feature, sample, value and limits.
    """
    outside = np.argwhere(sides(X, low, high))
    if len(outside):
        sample, feature = outside[0]
        raise ValueError(
            f"feature {feature} of sample {sample} is {X[sample, feature]:.9g}; feature_range "
            f"promises {low[feature]:.9g} to {high[feature]:.9g}"
        )


def scale_features(
    X: np.ndarray, low: np.ndarray, high: np.ndarray, knots: Knots | None = None
) -> np.ndarray:
    """Scale features so that low becomes 0 and high becomes 1; clip what lies outside.

    A constant feature (low equal to high) becomes 0. A missing value (NaN) stays one.

    Parameters
    ----------
    X : ndarray of float64 of shape (n_samples, n_features)
        The samples.
    low, high : ndarray of float64 of shape (n_features,)
        The limits of each feature.
    knots : Knots, optional
        What the values between the limits become; by default the scale is linear.

    Returns
    -------
    ndarray of float64 of shape (n_samples, n_features)
        Values in [0, 1].
    """
    scaled = _scaled(X, low, high, knots)
    gaps = np.isnan(X)
    if gaps.any():
        scaled[gaps] = np.nan  # a constant feature divides by zero, and would have 0
    return scaled


def _scaled(X: np.ndarray, low: np.ndarray, high: np.ndarray, knots: Knots | None) -> np.ndarray:
    if knots is not None:
        return knots.scale(X)
    # All terms are halved: the difference of two large numbers of opposite sign can overflow.
    span = high / 2 - low / 2
    offset = np.clip(X, low, high) / 2 - low / 2
    return np.divide(offset, span, out=np.zeros_like(offset), where=span > 0)


def rounded_levels(
    X: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    knots: Knots | None = None,
    missing: bool = False,
) -> np.ndarray:
    """Round features to levels, whether or not they are within the limits.

    Parameters
    ----------
    X : ndarray of float64 of shape (n_samples, n_features)
        The samples, without NaN unless `missing` is set.
    low, high : ndarray of float64 of shape (n_features,)
        The limits of each feature, for which the least and the highest level of a value stand.
    knots : Knots, optional
        What the values between the limits become; by default the scale is linear.
    missing : bool
        Whether missing values (NaN) have `MISSING_LEVEL`, and values only the levels below.

    Returns
    -------
    ndarray of uint8 of shape (n_samples, n_features)
        The levels.
    """
    scaled = scale_features(X, low, high, knots)
    if not missing:
        return np.rint(scaled * MISSING_LEVEL).astype(np.uint8)
    levels = np.rint(scaled * (MISSING_LEVEL - 1))
    return np.where(np.isnan(levels), MISSING_LEVEL, levels).astype(np.uint8)


def feature_levels(
    X,
    low: np.ndarray,
    high: np.ndarray,
    clip: bool,
    knots: Knots | None = None,
    missing: bool = False,
    names: Sequence[str] | None = None,
) -> np.ndarray:
    """Round features to levels, the bytes that a device is sent.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        The samples.
    low, high : ndarray of float64 of shape (n_features,)
        The limits of each feature, for which the least and the highest level of a value stand.
    clip : bool
        Whether values outside of the limits are clipped; if not, they are refused, except for
        rounding (`sides`).
    knots : Knots, optional
        What the values between the limits become; by default the scale is linear.
    missing : bool
        Whether missing values (NaN) have `MISSING_LEVEL`; if not, they are refused.
    names : sequence of str, optional
        Names of the features, for messages.

    Returns
    -------
    ndarray of uint8 of shape (n_samples, n_features)
        The levels.

    Raises
    ------
    ValueError
        If X has another shape, holds something other than finite numbers, or is outside of the
        limits and `clip` is False.
    TypeError
        If X is a sparse matrix.
    """
    X = as_real(X, "X")
    if X.ndim != 2 or X.shape[1] != len(low):
        raise ValueError(
            f"X has shape {X.shape}; this program needs (n, {len(low)}), one column a feature"
        )
    check_finite(X, missing, names)
    if not clip:
        check_inside(X, low, high)
    return rounded_levels(X, low, high, knots, missing)
