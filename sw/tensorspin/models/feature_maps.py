"""Feature maps: from a scaled feature in [0, 1] to the vector that a network contracts.

A tensor network takes one vector per feature. The accelerator receives each feature as one byte,
its level, and looks the vector up in a table of 256 rows; `FeatureMap.table` gives that table.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..contract.contractor.memory import LEVELS

COMPONENT_LIMIT = 1.0
"""Largest magnitude of a component of a feature vector: that of the device's feature table, whose
entries are 16-bit fractions."""

COMPONENT_ROUNDING = 4 * float(np.finfo(np.float32).eps)
"""How far beyond `COMPONENT_LIMIT` a component may lie: a callable that computes in float32 rounds.
The device's feature table holds the limit instead."""

LOCAL_DIM_RANGE = (2, 32)
"""Least and largest number of components of a feature vector.

With a single component a network could only scale its scores, all alike; 32 is also the largest
bond dimension."""


def _linear(x):
    return np.stack([1 - x, x], axis=-1)


def _trigonometric(x):
    angle = np.pi / 2 * x
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _polynomial(x):
    return np.stack([np.ones_like(x), x, x * x], axis=-1)


_NAMED = {"linear": _linear, "trigonometric": _trigonometric, "polynomial": _polynomial}


class FeatureMap:
    """A map from a scaled feature x in [0, 1] to a vector of ``local_dim`` components.

    Parameters
    ----------
    definition : {"linear", "trigonometric", "polynomial"}, callable or array-like
        - ``"linear"``: (1 - x, x);
        - ``"trigonometric"``: (cos(pi x / 2), sin(pi x / 2)), the map of Stoudenmire and Schwab,
          arXiv:1605.05775;
        - ``"polynomial"``: (1, x, x^2);
        - a callable that takes a float array of any shape and returns an array with one further
          axis, the components. Give a function of a module, not a lambda, if the model is to be
          pickled;
        - a table of shape (levels, local_dim) with the components at x = level / (levels - 1); a
          feature between two levels takes the nearer one.

    Attributes
    ----------
    local_dim : int
        Number of components, 2 to 32.
    constant : ndarray of float64 of shape (local_dim,)
        Weights with which the components sum to about 1 whatever the feature; see
        `constant_combination`.

    Raises
    ------
    ValueError
        If the name is unknown, a shape is wrong, the number of components is outside 2 to 32, or a
        component on the grid of 256 levels is not finite or exceeds 1 in magnitude.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.models import FeatureMap
    >>> linear = FeatureMap("linear")
    >>> linear(np.array([0.0, 0.25])).tolist()
    [[1.0, 0.0], [0.75, 0.25]]
    >>> linear.table().shape
    (256, 2)

    A function may define the map, too:

    >>> def steps(x):
    ...     return np.stack([x < 0.5, x >= 0.5], axis=-1).astype(float)
    >>> FeatureMap(steps)(np.array([0.2, 0.7])).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, definition: str | Callable | np.ndarray = "linear"):
        self._rows = np.zeros((0, 0))  # filled if the definition is a table
        if isinstance(definition, str):
            if definition not in _NAMED:
                raise ValueError(
                    f"feature map {definition!r} is unknown; choose one of {', '.join(_NAMED)}, "
                    "a callable or a table"
                )
            self._function = _NAMED[definition]
        elif callable(definition):
            self._function = definition
        else:
            rows = np.asarray(definition, dtype=float)
            if rows.ndim != 2 or len(rows) < 2:
                raise ValueError(
                    "a feature map table must have shape (levels, local_dim) with at least 2 "
                    f"levels, not shape {rows.shape}"
                )
            self._rows = rows.copy()
            self._function = self._nearest_row
        table = self._rows if len(self._rows) else self.table()
        self.local_dim = table.shape[1]
        least, most = LOCAL_DIM_RANGE
        if not least <= self.local_dim <= most:
            raise ValueError(
                f"a feature map must have {least} to {most} components, not {self.local_dim}"
            )
        # Written so that NaN fails too.
        wrong = np.argwhere(~(np.abs(table) <= COMPONENT_LIMIT + COMPONENT_ROUNDING))
        if len(wrong):
            level, component = wrong[0]
            raise ValueError(
                f"component {component} of the feature map is {table[level, component]:.9g} at "
                f"x = {level / (len(table) - 1):.4g}; the limit is {COMPONENT_LIMIT:g} in magnitude"
            )
        self.constant = constant_combination(self.table())

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Map scaled features.

        Parameters
        ----------
        x : ndarray of float
            Features in [0, 1], of any shape.

        Returns
        -------
        ndarray of float
            The shape of x with one further axis, of length local_dim. The named maps keep the dtype
            of x.

        Raises
        ------
        ValueError
            If the user's callable returns an array of another shape.
        """
        components = np.asarray(self._function(x))
        if components.ndim != x.ndim + 1 or components.shape[:-1] != x.shape:
            raise ValueError(
                f"the feature map returned shape {components.shape} for features of shape "
                f"{x.shape}; expected {x.shape} with one axis of components appended"
            )
        return components

    def table(self, levels: int = LEVELS) -> np.ndarray:
        """Tabulate the map at x = level / (levels - 1).

        Parameters
        ----------
        levels : int, default=256
            Number of levels, at least 2.

        Returns
        -------
        ndarray of float64 of shape (levels, local_dim)
            The feature vector of each level.

        Raises
        ------
        ValueError
            If there are fewer than 2 levels.
        """
        if levels < 2:
            raise ValueError(f"a feature map table needs at least 2 levels, not {levels}")
        return np.asarray(self(np.arange(levels) / (levels - 1)), dtype=float)

    def _nearest_row(self, x):
        last = len(self._rows) - 1
        return self._rows[np.rint(np.clip(x, 0, 1) * last).astype(int)]


def constant_combination(table: np.ndarray) -> np.ndarray:
    """Find weights with which a feature map's components sum to about 1 at any feature.

    With these weights a tensor can pass on a vector unchanged, whatever the feature.

    Parameters
    ----------
    table : ndarray of float of shape (levels, local_dim)
        From `FeatureMap.table`.

    Returns
    -------
    ndarray of float64 of shape (local_dim,)
        The weights by least squares. All 1 if the map has no constant part.
    """
    ones = np.ones(len(table))
    weights = np.linalg.lstsq(table, ones, rcond=None)[0]
    if np.sqrt(np.mean((table @ weights - ones) ** 2)) > 0.5:
        # The map has no constant part, so no choice passes the vector on; any start is as good.
        weights = ones[: table.shape[1]]
    return weights
