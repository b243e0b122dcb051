"""Scaling of features to [0, 1]."""

from __future__ import annotations

import numpy as np


def check_feature_range(feature_range, n_features: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the limits of each feature.

    Parameters
    ----------
    feature_range : (low, high), each a number or an array of one number per feature
    n_features : int

    Returns
    -------
    low, high : float64 arrays (n_features,)

    Raises
    ------
    ValueError
        If it is not a pair, has a wrong length, or some low is not a finite number below its high.
    """
    if isinstance(feature_range, str) or not hasattr(feature_range, "__len__"):
        raise ValueError(f"feature_range must be None or (low, high), got {feature_range!r}")
    if len(feature_range) != 2:
        raise ValueError(
            f"feature_range must have 2 entries, (low, high), got {len(feature_range)}"
        )
    limits = []
    for name, values in zip(("low", "high"), feature_range):
        values = np.asarray(values, dtype=np.float64)
        if values.shape not in ((), (n_features,)):
            raise ValueError(
                f"the {name} of feature_range must be a number or have shape ({n_features},), one "
                f"number per feature; got shape {values.shape}"
            )
        limits.append(np.broadcast_to(values, (n_features,)).copy())
    low, high = limits
    wrong = np.flatnonzero(~(np.isfinite(low) & np.isfinite(high) & (low < high)))
    if len(wrong):
        feature = wrong[0]
        raise ValueError(
            f"feature_range of feature {feature} must be finite with low below high, got "
            f"({low[feature]:g}, {high[feature]:g})"
        )
    return low, high


def check_inside(X: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    """Raise ValueError, naming feature, value and limits, if a value of X is outside.

    Parameters
    ----------
    X : float array (n_samples, n_features)
    low, high : float arrays (n_features,)
    """
    outside = np.argwhere((X < low) | (X > high))
    if len(outside):
        sample, feature = outside[0]
        raise ValueError(
            f"feature {feature} of sample {sample} is {X[sample, feature]:g}; feature_range "
            f"promises {low[feature]:g} to {high[feature]:g}"
        )


def scale_features(X: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Scale features so that low becomes 0 and high becomes 1; clip what lies outside.

    A constant feature (low equal to high) becomes 0.

    Parameters
    ----------
    X : float64 array (n_samples, n_features)
    low, high : float64 arrays (n_features,)

    Returns
    -------
    float64 array (n_samples, n_features), values in [0, 1]
    """
    # Halved, because the difference of two large numbers of opposite sign can overflow.
    span = high / 2 - low / 2
    offset = np.clip(X, low, high) / 2 - low / 2
    return np.divide(offset, span, out=np.zeros_like(offset), where=span > 0)
