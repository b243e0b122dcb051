"""Quantiles and ranks of weighted values, in which a weight counts as that many repetitions."""

from __future__ import annotations

import numpy as np

_TIE = 1e-12
"""Share of all weights by which two sums of weights may differ through rounding alone."""


class Distribution:
    """The distribution of one feature's values, each of which has a weight.

    Attributes
    ----------
    values : ndarray of float64
        The different values, sorted.
    """

    def __init__(self, column: np.ndarray, weights: np.ndarray) -> None:
        # Zero has two signs, and which of them is kept must not depend on the order of samples.
        self.values, places = np.unique(column + 0.0, return_inverse=True)
        sums = np.bincount(places.ravel(), weights)
        self._below = np.concatenate([[0.0], np.cumsum(sums)])
        self._total = self._below[-1]

    def quantiles(self, shares: np.ndarray) -> np.ndarray:
        """Return the least value up to which there is a share of the weights.

        Where that share ends exactly between two values, it is their mean: NumPy's method
        "averaged_inverted_cdf", which does not change if all samples are repeated.
        """
        upto, wanted, tie = self._below[1:], shares * self._total, _TIE * self._total
        last = len(self.values) - 1
        first = np.minimum(np.searchsorted(upto, wanted - tie, side="left"), last)
        second = np.minimum(np.searchsorted(upto, wanted + tie, side="right"), last)
        low, high = self.values[first], self.values[second]
        return np.where(low == high, low, low / 2 + high / 2)

    def ranks(self, values: np.ndarray) -> np.ndarray:
        """Return the weight of what is below each value, and half of what is equal to it."""
        below = self._below[np.searchsorted(self.values, values, side="left")]
        upto = self._below[np.searchsorted(self.values, values, side="right")]
        return (below + upto) / 2
