"""Feature maps: from a scaled feature in [0, 1] to the vector that a network contracts.

A tensor network takes one vector per feature. The accelerator receives each feature as one byte,
its level, and looks the vector up in a table of 256 rows; `FeatureMap.table` gives that table.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import comb
from numbers import Integral
from typing import Any

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


BASIS_DIM_RANGE = (2, 8)
"""Least and largest number of components of the maps that may have any number: no board's feature
table has more than 8."""

BUMP_WIDTH = 0.6
"""Standard deviation of a bump, as a share of the distance of two neighbours' centres: 0.2 for four
bumps. Then neighbours overlap, and the components are far from linearly dependent."""

DAMPED_SHARE = 0.1
"""Share of the levels, at either end, in which "damped_bumps" are damped.

It is the outer half of the levels that the scale "tails" keeps for values beyond the training data,
so that new normal values just beyond these are not damped."""

DAMPING = 80.0
"""How much less the logarithm of a likelihood is at the ends of "damped_bumps", in nats.

The most likely sample of 64 independent features is 40 nats above the threshold of a detector, and
must be an outlier as soon as one of them is at an end. The vector itself is multiplied by exp(-40),
which is 0 in a board's 16-bit mantissas: there the outermost levels are impossible."""


def _linear(x):
    return np.stack([1 - x, x], axis=-1)


def _trigonometric(x):
    angle = np.pi / 2 * x
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _polynomial(x, local_dim=3):
    powers = [np.ones_like(x)]
    for _ in range(1, local_dim):
        powers.append(powers[-1] * x)
    return np.stack(powers, axis=-1)


def _bernstein(x, local_dim):
    degree = local_dim - 1
    rising, falling = _polynomial(x, local_dim), _polynomial(1 - x, local_dim)[..., ::-1]
    return rising * falling * np.array([comb(degree, k) for k in range(local_dim)], x.dtype)


def _bumps(x, local_dim):
    centres = np.linspace(0, 1, local_dim).astype(x.dtype)
    width = BUMP_WIDTH / (local_dim - 1)
    bumps = np.exp(-(((x[..., None] - centres) / width) ** 2) / 2)
    return bumps / np.linalg.norm(bumps, axis=-1, keepdims=True)


def _damped_bumps(x, local_dim):
    distance = np.minimum(x, 1 - x)
    depth = np.maximum(1 - distance / DAMPED_SHARE, 0)
    return _bumps(x, local_dim) * np.exp(-DAMPING / 2 * depth**4).astype(x.dtype)[..., None]


def _bspline(x, local_dim):
    # Imported here, as no other map needs it.
    from scipy.interpolate import BSpline

    degree = min(3, local_dim - 1)
    inner = np.linspace(0, 1, local_dim - degree + 1)
    knots = np.concatenate([np.zeros(degree), inner, np.ones(degree)])
    return BSpline(knots, np.eye(local_dim), degree)(x).astype(x.dtype)


_FIXED = {"linear": _linear, "trigonometric": _trigonometric}

_BASES = {
    "polynomial": (_polynomial, 3),
    "bernstein": (_bernstein, 4),
    "bumps": (_bumps, 4),
    "damped_bumps": (_damped_bumps, 4),
    "bspline": (_bspline, 4),
}
"""Maps of any number of components, and that number if the user gives none."""

LEARNT = "learnt"
"""Name of the map that an estimator trains; see `tensorspin.models.learnt_map`."""

SIZED_MAPS = tuple(_BASES)
"""Names of the maps whose number of components the user may choose."""


class FeatureMap:
    """A map from a scaled feature x in [0, 1] to a vector of ``local_dim`` components.

    Parameters
    ----------
    definition : {"linear", "trigonometric", "polynomial", "bernstein", "bumps", \
"damped_bumps", "bspline"}, callable or array-like
        - ``"linear"``: (1 - x, x);
        - ``"trigonometric"``: (cos(pi x / 2), sin(pi x / 2)), the map of Stoudenmire and Schwab,
          arXiv:1605.05775;
        - ``"polynomial"``: the powers of x, by default (1, x, x^2);
        - ``"bernstein"``: the Bernstein polynomials of degree ``local_dim - 1``, by default four
          cubic ones: (1 - x)^3, 3 x (1 - x)^2, 3 x^2 (1 - x), x^3;
        - ``"bumps"``: Gaussian functions around evenly spaced centres from 0 to 1, divided by their
          norm so that all vectors have length 1. Their standard deviation is 0.6 of the distance of
          two centres: by default four bumps of 0.2;
        - ``"damped_bumps"``: the same, but the vectors shrink over the outer tenth of the levels at
          either end, to a length of 4e-18 at 0 and 1, so that the likelihood of a detector is
          low there whatever it has learnt;
        - ``"bspline"``: cubic B-splines over [0, 1] between evenly spaced knots; with 2 and 3
          components they are of degree 1 and 2, with 4 the same as ``"bernstein"``;
        - a callable that takes a float array of any shape and returns an array with one further
          axis, the components. Give a function of a module, not a lambda, if the model is to be
          pickled;
        - a table of shape (levels, local_dim) with the components at x = level / (levels - 1); a
          feature between two levels takes the nearer one.
    local_dim : int, optional
        Number of components, 2 to 8, of the maps "polynomial", "bernstein", "bumps", "damped_bumps"
        and "bspline"; any other map has a number of its own, which may be repeated here. An
        iCEBreaker takes 4 components, an ULX3S 8.

    Attributes
    ----------
    local_dim : int
        Number of components, 2 to 32.
    name : str
        What the map is called: one of the names above, the name of a callable, or "table".
    constant : ndarray of float64 of shape (local_dim,)
        Weights with which the components sum to about 1 whatever the feature; see
        `constant_combination`.

    Raises
    ------
    ValueError
        If the name is unknown, a shape is wrong, the number of components is outside its limits or
        not what the map has, or a component on the grid of 256 levels is not finite or exceeds 1 in
        magnitude.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.models import FeatureMap
    >>> linear = FeatureMap("linear")
    >>> linear(np.array([0.0, 0.25])).tolist()
    [[1.0, 0.0], [0.75, 0.25]]
    >>> linear.table().shape
    (256, 2)
    >>> FeatureMap("bernstein")(np.array([0.5])).tolist()
    [[0.125, 0.375, 0.375, 0.125]]
    >>> FeatureMap("bspline", local_dim=6).local_dim
    6

    A function may define the map, too:

    >>> def steps(x):
    ...     return np.stack([x < 0.5, x >= 0.5], axis=-1).astype(float)
    >>> FeatureMap(steps)(np.array([0.2, 0.7])).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    bernstein_degree: int | None = None
    """Degree of the Bernstein polynomials that the map consists of, 1 for "linear"; None if it is
    another map."""

    def __init__(
        self, definition: str | Callable | np.ndarray = "linear", local_dim: int | None = None
    ):
        self._rows = np.zeros((0, 0))  # filled if the definition is a table
        if isinstance(definition, str):
            self._function = _named(definition, local_dim)
            self.name = str(definition)
        elif callable(definition):
            self._function = definition
            self.name = getattr(definition, "__name__", type(definition).__name__)
        else:
            self.name = "table"
            rows = np.asarray(definition, dtype=float)
            if rows.ndim != 2 or len(rows) < 2:
                raise ValueError(
                    "a feature map table must have shape (levels, local_dim) with at least 2 "
                    f"levels, not shape {rows.shape}"
                )
            self._rows = rows.copy()
            self._function = self._nearest_row
        table = self._rows if len(self._rows) else self.table()
        self.local_dim: int = table.shape[1]
        least, most = LOCAL_DIM_RANGE
        if not least <= self.local_dim <= most:
            raise ValueError(
                f"a feature map must have {least} to {most} components, not {self.local_dim}"
            )
        if local_dim is not None and local_dim != self.local_dim:
            raise ValueError(
                f"local_dim must be None or {self.local_dim}, the number of components of this "
                f"feature map, not {local_dim!r}; choose it for {', '.join(_BASES)}"
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
        # A subclass may map features otherwise.
        named = isinstance(definition, str) and definition in ("linear", "bernstein")
        if named and type(self) is FeatureMap:
            self.bernstein_degree = self.local_dim - 1

    @property
    def value_dim(self) -> int:
        """Number of components without one that a map may add for missing values."""
        return self.local_dim

    @property
    def basis(self) -> Callable[[np.ndarray], np.ndarray]:
        """The map that a network is trained with: this one, unless it is learnt itself."""
        return self

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


def _named(name: str, local_dim: int | None) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function of a map that has a name."""
    if name in _FIXED:
        return _FIXED[name]
    if name == LEARNT:
        raise ValueError(
            f"feature map {LEARNT!r} has no values before an estimator has trained it; give the "
            "table of its `feature_map_` instead"
        )
    if name not in _BASES:
        names = ", ".join([*_FIXED, *_BASES, LEARNT])
        raise ValueError(
            f"feature map {name!r} is unknown; choose one of {names}, a callable or a table"
        )
    function, usual = _BASES[name]
    if local_dim is None:
        return partial(function, local_dim=usual)
    check_components(name, local_dim)
    return partial(function, local_dim=int(local_dim))


def check_components(name: str, local_dim: Any) -> None:
    """Refuse a number of components that a map of any number cannot have.

    Parameters
    ----------
    name : str
        Name of the map.
    local_dim : object
        The number that a user gives.

    Raises
    ------
    ValueError
        If it is no integer within `BASIS_DIM_RANGE`.
    """
    least, most = BASIS_DIM_RANGE
    whole = isinstance(local_dim, Integral) and not isinstance(local_dim, bool)
    if not whole or not least <= local_dim <= most:
        raise ValueError(
            f"local_dim of feature map {name!r} must be an integer from {least} to {most}, not "
            f"{local_dim!r}"
        )


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
