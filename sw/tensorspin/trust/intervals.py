"""Numbers that are measured with a limited number of samples, and how sure they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

CONFIDENCE = 0.95
"""Probability with which an interval holds the true number."""

_RESAMPLES = 1000
"""Samples of the bootstrap."""


class Estimate(NamedTuple):
    """A measured number with its 95 % confidence interval.

    Parameters
    ----------
    value : float
        The number.
    low, high : float
        Ends of the interval.
    """

    value: float
    low: float
    high: float


def share(hits: np.ndarray) -> Estimate:
    """Return the share of hits, with Wilson's interval, which holds for few samples, too.

    Parameters
    ----------
    hits : ndarray of bool of shape (n_samples,)
        Hits and misses, at least one.

    Returns
    -------
    Estimate
        Numbers from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.trust.intervals import share
    >>> [round(each, 3) for each in share(np.array([True] * 9 + [False]))]
    [0.9, 0.596, 0.982]
    """
    n, p = len(hits), float(np.mean(hits))
    z = float(ndtri((1 + CONFIDENCE) / 2))
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Estimate(p, max(0.0, float(middle - half)), min(1.0, float(middle + half)))


def bootstrap(
    values: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray], seed: int
) -> Estimate:
    """Return a statistic of samples, with the percentile interval of the bootstrap.

    Parameters
    ----------
    values : ndarray of float64 of shape (n_samples,)
        A number of each sample.
    statistic : callable
        Takes an array of shape (..., n_samples) and reduces its last axis.
    seed : int
        Seed of the draws.

    Returns
    -------
    Estimate
        The statistic.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.trust.intervals import bootstrap
    >>> found = bootstrap(np.arange(100.0), lambda each: each.mean(axis=-1), seed=0)
    >>> found.value, bool(40 < found.low < found.value < found.high < 60)
    (49.5, True)
    """
    rng = np.random.default_rng(seed)
    drawn = np.array(
        [statistic(values[rng.integers(0, len(values), len(values))]) for _ in range(_RESAMPLES)]
    )
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Estimate(float(statistic(values)), float(low), float(high))
