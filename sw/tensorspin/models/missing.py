"""The feature map of an estimator, which may give missing values a level of their own.

Level 255 of the feature table is that of a missing value, and values have levels 0 to 254. The
vector of a missing value begins with the mean vector of all values: scores are linear in it, so
that a network that has not learnt otherwise gives the mean of its scores over all values. What else
a gap means is learnt by a component of its own, which values have not. Where one component more
would not fit a board that all others fit, a part of the direction in which the vectors of values
differ least is added to the mean instead.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..contract.contractor.memory import LEVELS
from ..contract.device.boards import CONTRACTORS
from .feature_maps import (
    COMPONENT_LIMIT,
    LEARNT,
    LOCAL_DIM_RANGE,
    FeatureMap,
    constant_combination,
)
from .learnt_map import LearntMap, start_map

MISSING = ("refuse", "level")
"""Values of the parameter `missing`."""

VALUE_LEVELS = LEVELS - 1
"""Number of levels of values where a missing value has a level."""

OWN_COMPONENT = 0.5
"""The component of its own that a missing value has. With 1, networks learn more noise."""

OWN_DIRECTION = 0.25
"""Share of what the limits of components allow of the direction that takes its place."""

FULL = frozenset(
    {board.require_contractor().components for board in CONTRACTORS.values()} | {LOCAL_DIM_RANGE[1]}
)
"""Numbers of components that can't grow: as many as the feature table of some board has."""


def check_missing(missing: object) -> None:
    """Refuse a parameter `missing` that is none.

    Parameters
    ----------
    missing : object
        The parameter of an estimator.

    Raises
    ------
    ValueError
        If it is not one of `MISSING`.
    """
    if not isinstance(missing, str) or missing not in MISSING:
        raise ValueError(f'missing must be "refuse" or "level", not {missing!r}')


class MissingMap(FeatureMap):
    """A feature map that also maps a missing value, NaN.

    Parameters
    ----------
    definition : str, callable or array-like
        The map of values; see `FeatureMap`.
    local_dim : int, optional
        Number of its components.

    Attributes
    ----------
    values : FeatureMap
        The map of values alone.
    local_dim : int
        Number of components with that of the missing value: one more than those of values, unless
        that number is one of `FULL`.
    constant : ndarray of float64 of shape (local_dim,)
        Weights with which the components sum to about 1 whatever the feature, missing or not.
    missing : ndarray of float64 of shape (local_dim,)
        The vector of a missing value.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.models.missing import MissingMap
    >>> MissingMap("linear")(np.array([0.25, np.nan])).round(3).tolist()
    [[0.75, 0.25, 0.0], [0.5, 0.5, 0.5]]
    """

    def __init__(
        self, definition: str | Callable | np.ndarray = "linear", local_dim: int | None = None
    ):
        self.values = FeatureMap(definition, local_dim)
        self.name = self.values.name
        known = self.values.table(VALUE_LEVELS)
        if self.values.local_dim in FULL:
            self.missing = _beside_mean(known)
        else:
            self.missing = np.append(known.mean(axis=0), OWN_COMPONENT)
        self.local_dim = len(self.missing)
        self.constant = constant_combination(self.table())

    @property
    def value_dim(self) -> int:
        """Number of components of the map of values."""
        return self.values.local_dim

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Map scaled features.

        Parameters
        ----------
        x : ndarray of float
            Features in [0, 1], or NaN, of any shape.

        Returns
        -------
        ndarray of float
            The shape of x with one further axis, of length local_dim.
        """
        gaps = np.isnan(x)
        # A user's map need not know NaN.
        known = self.values(np.where(gaps, x.dtype.type(0), x) if gaps.any() else x)
        components = np.zeros((*x.shape, self.local_dim), known.dtype)
        components[..., : known.shape[-1]] = known
        components[gaps] = self.missing
        return components

    def table(self, levels: int = LEVELS) -> np.ndarray:
        """Tabulate the map: values at x = level / (levels - 2), then a missing value.

        Parameters
        ----------
        levels : int, default=256
            Number of levels, at least 3.

        Returns
        -------
        ndarray of float64 of shape (levels, local_dim)
            The feature vector of each level.

        Raises
        ------
        ValueError
            If there are fewer than 3 levels.
        """
        values = self.values.table(levels - 1)
        table = np.zeros((levels, self.local_dim))
        table[:-1, : values.shape[1]] = values
        table[-1] = self.missing
        return table

    def weighed_table(self) -> np.ndarray:
        """Return the table with as many rows for a missing value as for all values.

        A missing value and a value are not alike: where values are missing half of the time, a
        missing one is 255 times as probable as a value. With these rows both are alike.

        Returns
        -------
        ndarray of float64 of shape (510, local_dim)
            The feature vectors.
        """
        table = self.table()
        return np.concatenate([table[:-1], np.repeat(table[-1:], VALUE_LEVELS, axis=0)])


def feature_map(definition, local_dim: int | None, missing: str = "refuse") -> FeatureMap:
    """Return the map that an estimator's parameters ask for.

    Parameters
    ----------
    definition : str, callable or array-like
        Parameter `feature_map`.
    local_dim : int, optional
        Parameter `local_dim`.
    missing : {"refuse", "level"}, default="refuse"
        Parameter `missing`.

    Returns
    -------
    FeatureMap
        The map.
    """
    learnt = isinstance(definition, str) and definition == LEARNT
    if learnt and missing == "level":
        start = MissingMap("bernstein", start_map(local_dim).local_dim)
        return LearntMap(start=start, missing=start.missing)
    if learnt:
        return LearntMap(local_dim)
    return (MissingMap if missing == "level" else FeatureMap)(definition, local_dim)


def _beside_mean(table: np.ndarray) -> np.ndarray:
    """Return a vector near the mean vector of values that is none of a value."""
    mean = table.mean(axis=0)
    least = np.linalg.eigh(table.T @ table)[1][:, 0]
    least *= np.sign(least[np.abs(least).argmax()])  # either sign is an eigenvector
    with np.errstate(divide="ignore"):
        room = np.where(least > 0, COMPONENT_LIMIT - mean, COMPONENT_LIMIT + mean) / np.abs(least)
    vector = mean + OWN_DIRECTION * room.min() * least
    return np.clip(vector, -COMPONENT_LIMIT, COMPONENT_LIMIT)
