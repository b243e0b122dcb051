"""The feature map "learnt": sums of polynomials whose coefficients are trained with the network.

All features share the map, as a board has one feature table. What differs between features lies in
their scales and in the tensors that read them.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from ..contract.contractor.memory import LEVELS
from .feature_maps import (
    COMPONENT_LIMIT,
    LEARNT,
    FeatureMap,
    check_components,
    constant_combination,
)

N_FUNCTIONS = 8
"""Number of Bernstein polynomials of which each component is a sum: as many as a learnt map may
have components, so that a training can start from any Bernstein map."""


class LearntMap(FeatureMap):
    """A feature map whose components are sums of the eight Bernstein polynomials of degree 7.

    It begins as the map "bernstein" of as many components; an estimator trains the coefficients of
    the sums. As the polynomials are positive and sum to 1, no component exceeds the largest
    coefficient, which is kept within 1.

    Parameters
    ----------
    local_dim : int, optional
        Number of components of a value's vector, 2 to 8; 4 by default.
    start : FeatureMap, optional
        The map to begin with; by default "bernstein" of `local_dim` components.
    missing : None or ndarray of float64 of shape (start.local_dim,)
        The vector of a missing value to begin with; None: no value may be missing.

    Attributes
    ----------
    start : ndarray of float64 of shape (n_functions, local_dim)
        Coefficients before the training. There are 8 functions, and one more, which is 1 for a
        missing value and 0 for any other, if values may be missing.
    coefficients : ndarray of float64 of shape (n_functions, local_dim)
        Coefficients that the map has, within plus and minus 1.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.models import FeatureMap
    >>> from tensorspin.models.learnt_map import LearntMap
    >>> learnt = LearntMap(local_dim=3)
    >>> learnt.name, learnt.coefficients.shape
    ('learnt', (8, 3))
    >>> np.allclose(learnt.table(), FeatureMap("bernstein", 3).table())
    True
    """

    def __init__(
        self,
        local_dim: int | None = None,
        start: FeatureMap | None = None,
        missing: np.ndarray | None = None,
    ) -> None:
        self.name = LEARNT
        if start is None:
            start = start_map(local_dim)
        self.local_dim = start.local_dim
        self._value_dim = start.value_dim
        functions = FeatureMap("bernstein", N_FUNCTIONS)
        self._functions = functions if missing is None else FunctionsWithGap(functions)
        places = np.linspace(0, 1, 4 * N_FUNCTIONS)
        # Exact but for rounding: a polynomial of any lower degree is a sum of these.
        self.start = np.linalg.lstsq(functions(places), start(places), rcond=None)[0]
        if missing is not None:
            self.start = np.vstack([self.start, missing])
        self.start = _within_limit(self.start)
        self.coefficients = self.start
        self._has_gap = missing is not None
        self.constant = constant_combination(self.table())

    @property
    def value_dim(self) -> int:
        """Number of components of the map that it began with, without one for missing values."""
        return self._value_dim

    @property
    def basis(self) -> FeatureMap | FunctionsWithGap:
        """The functions that are summed, as the map of a network that is trained."""
        return self._functions

    def trained(self, coefficients: np.ndarray) -> Self:
        """Return the map with other coefficients.

        Parameters
        ----------
        coefficients : ndarray of float of shape (n_functions, local_dim)
            The coefficients; what is beyond plus or minus 1 becomes that.

        Returns
        -------
        LearntMap
            A new map.
        """
        result = type(self).__new__(type(self))
        vars(result).update(vars(self), coefficients=_within_limit(coefficients))
        result.constant = constant_combination(result.table())
        return result

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Map scaled features, as `FeatureMap` does; also NaN if values may be missing."""
        return self._functions(x) @ self.coefficients.astype(x.dtype)

    def table(self, levels: int = LEVELS) -> np.ndarray:
        """Tabulate the map, as `FeatureMap` and, if values may be missing, `MissingMap` do."""
        if not self._has_gap:
            return super().table(levels)
        return np.vstack([super().table(levels - 1), self.coefficients[-1]])


class FunctionsWithGap:
    """Basis functions of a feature, and one more that is 1 where it is missing.

    Parameters
    ----------
    functions : FeatureMap
        The functions of values, which are 0 where the feature is missing.
    """

    def __init__(self, functions: FeatureMap) -> None:
        self.functions = functions

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Map scaled features or NaN: the shape of x with one further axis."""
        gaps = np.isnan(x)
        values = self.functions(np.where(gaps, x.dtype.type(0), x))
        values[gaps] = 0
        return np.concatenate([values, gaps[..., None].astype(x.dtype)], axis=-1)


def start_map(local_dim: int | None) -> FeatureMap:
    """Return the map that a learnt map of that many components begins with.

    Raises
    ------
    ValueError
        If the number is none of a learnt map.
    """
    if local_dim is not None:
        check_components(LEARNT, local_dim)
    return FeatureMap("bernstein", local_dim)


def _within_limit(coefficients: np.ndarray) -> np.ndarray:
    return np.clip(coefficients.astype(np.float64), -COMPONENT_LIMIT, COMPONENT_LIMIT)
