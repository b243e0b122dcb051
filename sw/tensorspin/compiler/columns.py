"""From columns as a user has them to levels, where a scaler or a selection comes in between.

A pipeline of scikit-learn computes with floating-point numbers and rounds at each of its steps. Its
steps could be merged into one by arithmetic, but the results would differ by rounding, and a value
near the boundary of two levels would get the other one. So a program keeps the boundaries
themselves, found by search (`tensorspin.models.folding`), for each type of floating-point numbers
that scikit-learn computes with: the pipeline's rounding depends on the type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..contract.contractor.memory import LEVELS
from .once import read_only
from .values import as_array

TYPES = ("float64", "float32", "float16")
"""Types that scikit-learn's scalers compute with; the first is for all others, such as integers."""


@dataclass(frozen=True, eq=False)
class Boundaries:
    """Where levels begin and end, for values of one type.

    Parameters
    ----------
    least, greatest : ndarray of float of shape (n_columns,)
        Least and greatest value of each column that is accepted. If the first is above the second,
        no value is.
    levels : ndarray of float of shape (n_features, 255)
        Entry k of a feature is the least value with a level above k; infinite if there is none.
        The type is that of `least` and `greatest`.
    missing : ndarray of int16 of shape (n_features,), optional
        Level of a missing value of each feature; -1 if it is refused. None: all are.
    """

    least: np.ndarray
    greatest: np.ndarray
    levels: np.ndarray
    missing: np.ndarray | None = None

    @property
    def refused(self) -> np.ndarray:
        """Whether a missing value of each feature is refused: bool of shape (n_features,)."""
        if self.missing is None:
            return np.ones(len(self.levels), dtype=bool)
        return self.missing < 0


@dataclass(frozen=True, eq=False)
class ColumnLevels:
    """The columns that a program's features read, and the levels of their values.

    Parameters
    ----------
    features : ndarray of int of shape (n_features,)
        Column that each feature reads, counted from 0.
    accepts_nan : ndarray of bool of shape (n_columns,)
        Whether a column may have missing values. In one that a feature reads they also need a
        level.
    boundaries : mapping of str to Boundaries
        Boundaries for each of `TYPES`.

    Raises
    ------
    ValueError
        If shapes or types do not fit each other, a feature reads no column, or boundaries are not
        in order.

    Examples
    --------
    One feature that reads the second of two columns, with level 255 from 0.5 on:

    >>> import numpy as np
    >>> from tensorspin.compiler.columns import TYPES, Boundaries, ColumnLevels
    >>> def boundaries(dtype):
    ...     limit = np.ones(2, dtype)
    ...     return Boundaries(-limit, limit, np.full((1, 255), 0.5, dtype))
    >>> columns = ColumnLevels(
    ...     np.array([1]), np.array([True, False]), {name: boundaries(name) for name in TYPES}
    ... )
    >>> columns.encode([[np.nan, 0.4], [0.1, 0.6]]).tolist()
    [[0], [255]]
    """

    features: np.ndarray
    accepts_nan: np.ndarray
    boundaries: Mapping[str, Boundaries]

    def __post_init__(self) -> None:
        self._check()
        self._protect_arrays()

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._protect_arrays()  # copied and unpickled arrays are writable

    @property
    def n_columns(self) -> int:
        """Number of columns of the samples."""
        return len(self.accepts_nan)

    @property
    def n_features(self) -> int:
        """Number of features: the levels of a sample."""
        return len(self.features)

    def encode(self, X, names: Sequence[str] | None = None) -> np.ndarray:
        """Round columns to levels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Samples. Numbers that are no floating-point numbers of `TYPES` become float64, as in
            scikit-learn.
        names : sequence of str, optional
            Names of the columns, for messages.

        Returns
        -------
        ndarray of uint8 of shape (n_samples, n_features)
            The levels.

        Raises
        ------
        ValueError
            If X has another shape, or a value is not accepted.
        """
        # Imported here, as a program can be made and saved without scikit-learn. Its own function
        # decides which type is computed with.
        from sklearn.utils import check_array

        X = as_array(X)
        X = check_array(
            X,
            dtype=[np.dtype(name) for name in TYPES],
            ensure_all_finite=False,
            ensure_2d=False,
            allow_nd=True,
            ensure_min_samples=0,
            ensure_min_features=0,
        )
        if X.ndim != 2 or X.shape[1] != self.n_columns:
            raise ValueError(
                f"X has shape {X.shape}; this program needs (n, {self.n_columns}), one number for "
                f"each column that the pipeline was trained with"
            )
        found = self.boundaries[X.dtype.name]
        accepts_nan = self.accepts_missing(X.dtype.name)
        accepted = (found.least <= X) & (X <= found.greatest) | np.isnan(X) & accepts_nan
        refused = np.argwhere(~accepted)
        if len(refused):
            sample, column = refused[0]
            name = "" if names is None else f" ({names[column]!r})"
            value, place = X[sample, column], f"column {column}{name} of sample {sample}"
            if not np.isfinite(value):
                raise ValueError(f"{place} is {value}; it must be finite")
            raise ValueError(
                f"{place} is {value:.9g}; this program takes {found.least[column]:.9g} to "
                f"{found.greatest[column]:.9g} there"
            )
        levels = np.empty((len(X), self.n_features), np.uint8)
        for feature, column in enumerate(self.features):
            values = X[:, column]
            levels[:, feature] = np.searchsorted(found.levels[feature], values, side="right")
            if found.missing is not None and accepts_nan[column]:
                levels[np.isnan(values), feature] = found.missing[feature]
        return levels

    def accepts_missing(self, name: str = TYPES[0]) -> np.ndarray:
        """Tell which columns may have missing values.

        Parameters
        ----------
        name : str
            Type of the values, one of `TYPES`: a number that is filled in may be accepted as one
            type, and be beyond the range of another.

        Returns
        -------
        ndarray of bool of shape (n_columns,)
            Whether they may.
        """
        accepts = self.accepts_nan.copy()
        accepts[self.features[self.boundaries[name].refused]] = False
        return accepts

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all of it as arrays by name, for a file; `from_arrays` reads them."""
        found = {"columns": self.features, "columns_nan": self.accepts_nan}
        for name, boundaries in self.boundaries.items():
            found[f"columns_{name}"] = np.stack([boundaries.least, boundaries.greatest])
            found[f"columns_{name}_levels"] = boundaries.levels
            if boundaries.missing is not None:
                found[f"columns_{name}_missing"] = boundaries.missing
        return found

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> ColumnLevels:
        """Make it from what `arrays` returned.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            The arrays; others may be among them.

        Returns
        -------
        ColumnLevels
            The same as before.

        Raises
        ------
        KeyError
            If an array is missing.
        ValueError
            If an array is not what it must be.
        """
        boundaries = {}
        for name in TYPES:
            limits = arrays[f"columns_{name}"]
            if limits.ndim != 2 or len(limits) != 2:
                raise ValueError(f"columns_{name} has shape {limits.shape}, not (2, n_columns)")
            boundaries[name] = Boundaries(
                limits[0],
                limits[1],
                arrays[f"columns_{name}_levels"],
                arrays.get(f"columns_{name}_missing"),  # not in files of versions before 6
            )
        return cls(arrays["columns"], arrays["columns_nan"], boundaries)

    def _check(self) -> None:
        features, columns = self.features, self.accepts_nan
        if features.ndim != 1 or features.dtype.kind not in "iu":
            raise ValueError(f"columns of features must be a row of integers, not {features!r}")
        if columns.ndim != 1 or columns.dtype != bool:
            raise ValueError(f"accepts_nan must be a row of bool, not {columns!r}")
        if len(features) and not 0 <= features.min() <= features.max() < len(columns):
            raise ValueError(f"features read columns 0 to {len(columns) - 1}, not {features}")
        if sorted(self.boundaries) != sorted(TYPES):
            raise ValueError(f"boundaries must be for {', '.join(TYPES)}")
        for name, found in self.boundaries.items():
            shapes = [found.least.shape, found.greatest.shape, found.levels.shape]
            if shapes != [columns.shape, columns.shape, (len(features), LEVELS - 1)]:
                raise ValueError(
                    f"boundaries for {len(columns)} columns and {len(features)} features can't "
                    f"have shapes {', '.join(map(str, shapes))}"
                )
            for array in (found.least, found.greatest, found.levels):
                if array.dtype != name or np.any(np.isnan(array)):
                    raise ValueError(f"boundaries must be numbers of {name}, not {array.dtype}")
            if np.any(found.levels[:, 1:] < found.levels[:, :-1]):
                raise ValueError("boundaries of levels must be in order")
            if found.missing is not None:
                self._check_missing(found.missing)
        never = np.all([found.refused for found in self.boundaries.values()], axis=0)
        if np.any(columns[features] & never):
            raise ValueError(
                "a column that a feature reads can't have missing values without a level"
            )

    def _check_missing(self, missing: np.ndarray) -> None:
        if missing.shape != self.features.shape or missing.dtype != np.int16:
            raise ValueError(
                f"levels of missing values must be int16 of shape {self.features.shape}, not "
                f"{missing.dtype} of shape {missing.shape}"
            )
        if np.any((missing < -1) | (missing >= LEVELS)):
            raise ValueError(f"levels of missing values must be -1 to {LEVELS - 1}")

    def _protect_arrays(self) -> None:
        object.__setattr__(self, "features", read_only(self.features))
        object.__setattr__(self, "accepts_nan", read_only(self.accepts_nan))
        protected = {
            name: Boundaries(
                read_only(found.least),
                read_only(found.greatest),
                read_only(found.levels),
                None if found.missing is None else read_only(found.missing),
            )
            for name, found in self.boundaries.items()
        }
        object.__setattr__(self, "boundaries", protected)
