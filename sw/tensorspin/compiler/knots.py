"""Monotone piecewise linear scales: a few knots for each feature, straight lines in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .once import read_only

_BATCH_COMPARISONS = 1 << 22
"""Comparisons of values with knots that are made at once, one byte each."""


@dataclass(frozen=True, eq=False)
class Knots:
    """The knots of a scale that is linear between neighbouring knots and constant beyond the ends.

    Greater values never get a smaller result, whatever is rounded: the scale can be described by
    the least value of each level (`tensorspin.models.folding` finds it by bisection).

    Parameters
    ----------
    values : ndarray of float64 of shape (n_features, n_knots)
        Values of each feature at its knots, finite and in rising order; at least two. A feature
        that needs fewer knots than others repeats its last one.
    positions : ndarray of float64 of shape (n_features, n_knots)
        What these values are scaled to: 0 to 1, in rising order.

    Raises
    ------
    ValueError
        If shapes or types do not fit each other, or numbers are not finite or not in order.

    Examples
    --------
    Half of the levels for the values 0 to 1, the other half for 1 to 100:

    >>> import numpy as np
    >>> from tensorspin.compiler.knots import Knots
    >>> knots = Knots(np.array([[0.0, 1.0, 100.0]]), np.array([[0.0, 0.5, 1.0]]))
    >>> knots.scale(np.array([[-7.0], [0.5], [1.0], [50.5], [1e6]])).ravel().tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """

    values: np.ndarray
    positions: np.ndarray

    def __post_init__(self) -> None:
        for name, array in (("values", self.values), ("positions", self.positions)):
            if array.ndim != 2 or array.shape[1] < 2 or array.dtype != np.float64:
                raise ValueError(
                    f"{name} of knots must be float64 of shape (n_features, at least 2), not "
                    f"{array.dtype} of shape {array.shape}"
                )
            if not np.isfinite(array).all() or np.any(array[:, 1:] < array[:, :-1]):
                raise ValueError(f"{name} of knots must be finite and in rising order")
        if self.values.shape != self.positions.shape:
            raise ValueError(
                f"values of shape {self.values.shape} and positions of shape "
                f"{self.positions.shape} can't be those of the same knots"
            )
        if np.any((self.positions < 0) | (self.positions > 1)):
            raise ValueError("positions of knots must be from 0 to 1")
        self._protect_arrays()

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._protect_arrays()  # copied and unpickled arrays are writable

    def scale(self, X: np.ndarray) -> np.ndarray:
        """Scale features.

        Parameters
        ----------
        X : ndarray of float64 of shape (n_samples, n_features)
            The samples, without NaN. Infinities count as the outermost knots.

        Returns
        -------
        ndarray of float64 of shape (n_samples, n_features)
            Values in [0, 1].
        """
        scaled = np.empty(X.shape)
        height = max(1, _BATCH_COMPARISONS // max(1, self.values.size))
        for start in range(0, len(X), height):
            rows = slice(start, start + height)
            scaled[rows] = self._scale(X[rows])
        return scaled

    def _scale(self, X: np.ndarray) -> np.ndarray:
        values, positions = self.values, self.positions
        features = np.arange(len(values))
        X = np.clip(X, values[:, 0], values[:, -1])
        # The piece of a value is the number of inner knots that it has reached.
        piece = (X[:, :, None] >= values[:, 1:-1]).sum(axis=2)
        low, high = values[features, piece], values[features, piece + 1]
        # All terms are halved: the difference of two large numbers of opposite sign can overflow.
        span, offset = high / 2 - low / 2, X / 2 - low / 2
        share = np.divide(offset, span, out=np.zeros_like(offset), where=span > 0)
        first, last = positions[features, piece], positions[features, piece + 1]
        # The sum can exceed the next knot by rounding, and then values beyond it would be smaller.
        return np.minimum(first + share * (last - first), last)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the knots as arrays by name, for a file; `from_arrays` reads them."""
        return {"knots": self.values, "knots_positions": self.positions}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Knots:
        """Make the knots from what `arrays` returned.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            The arrays; others may be among them.

        Returns
        -------
        Knots
            The same as before.

        Raises
        ------
        KeyError
            If an array is missing.
        ValueError
            If an array is not what it must be.
        """
        return cls(arrays["knots"], arrays["knots_positions"])

    def _protect_arrays(self) -> None:
        for name in ("values", "positions"):
            object.__setattr__(self, name, read_only(getattr(self, name)))
