"""Which scale suits many features, by how their values are spread.

Pixels and the values of a series fill their range. Counts of words, prices or concentrations do
not: most are near one end, and a few are many times as large. A scale from the least to the
greatest value then gives most samples a few of the 256 levels.
"""

from __future__ import annotations

import numpy as np

from .distribution import Distribution

WIDE = 2.5
"""Range of a feature in parts of that from its 1st to its 99th percentile from which on outliers
take too many levels. It is 1 for values that fill their range, 1.5 for 2,000 normally distributed
ones, and up to 2.5 for electrocardiograms."""

CROWDED = 3.5
"""Range from the 1st to the 99th percentile in parts of that from the 10th to the 90th from which
on most samples have too few levels even without outliers. It is 1.8 for a normal distribution."""

MOST_ROWS = 2000
"""Most samples that are looked at: two percentiles need no more."""

_SHARES = np.array([0.0, 0.01, 0.1, 0.9, 0.99, 1.0])


def suited_scaling(X: np.ndarray, weights: np.ndarray | None = None) -> str:
    """Choose the scale of all features of a table by the middle one of them.

    Parameters
    ----------
    X : ndarray of float64 of shape (n_samples, n_features)
        Training samples, at least one. Missing values (NaN) are left out.
    weights : None or ndarray of float64 of shape (n_samples,)
        Weight of each sample, above zero; None: all count the same.

    Returns
    -------
    str
        A value of the parameter `scaling`: "range" if features fill their ranges, "percentile" if
        half of them have outliers, and "quantile" if most values of these are crowded, too.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.models.spread import suited_scaling
    >>> X = np.random.default_rng(0).normal(size=(1000, 3))
    >>> suited_scaling(X), suited_scaling(np.exp(3 * X))
    ('range', 'quantile')
    >>> suited_scaling(np.where(np.arange(1000)[:, None] % 200 < 1, 100 * X, X))
    'percentile'
    """
    rows = slice(None, None, -(-len(X) // MOST_ROWS))
    shares = np.ones(len(X)) if weights is None else weights
    X, shares = X[rows], shares[rows]
    wide, crowded = [], []
    for column in X.T:
        present = ~np.isnan(column)
        if not present.any():
            continue
        # Of half the values no difference overflows.
        distribution = Distribution(column[present] / 2, shares[present])
        least, first, low, high, last, greatest = distribution.quantiles(_SHARES)
        if least == greatest:
            continue
        if first == last:  # a column of zeros and a few ones, say, of which the scale is the range
            first, last = least, greatest
        wide.append((greatest - least) / (last - first))
        crowded.append((last - first) / (high - low) if low < high else np.inf)
    if not wide or np.median(wide) <= WIDE:
        return "range"
    inner = np.array(crowded)[np.array(wide) > WIDE]
    return "quantile" if np.median(inner) > CROWDED else "percentile"
