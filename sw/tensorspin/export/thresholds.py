"""From readings to levels by comparisons of integers alone, exactly as on the host.

A level never falls while the reading of its feature rises. So 255 thresholds for each feature, the
least reading of each level above 0, describe it whatever the scale is, and no arithmetic of the
host need be repeated on a microcontroller, where it would be rounded in another way. Readings of
floating-point numbers have the order of integers, their keys (`tensorspin.models.bisection`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..compiler.columns import Boundaries
from ..compiler.knots import Knots
from ..compiler.network_program import NetworkProgram
from ..compiler.scaling import MISSING_LEVEL, rounded_levels, sides
from ..contract.contractor.memory import LEVELS
from ..models.bisection import from_keys, least_keys, to_keys
from .categories import with_places

KEYS = np.iinfo(np.int32)
"""Range of the keys of float32."""

INFINITY = int(to_keys(np.array([np.inf], np.float32))[0])
"""Key of infinity in float32. Those of NaN are above it, and below that of minus infinity."""

SHORTS = np.iinfo(np.int16)
"""Range of readings of 16 bits."""

MISSING_SHORT = int(SHORTS.min)
"""Reading of 16 bits that is a missing one, in columns that may miss values; in others it is a
number."""


@dataclass(frozen=True, eq=False)
class Thresholds:
    """How readings of one type become levels.

    A reading is accepted if its key is within the limits of its column, or if it is missing and its
    column may miss values. Its level is the number of thresholds that are not above its key, or
    the level of a missing value if it is missing. NaN is a missing reading of float32, and
    `MISSING_SHORT` one of int16.

    Parameters
    ----------
    columns : ndarray of uint16 of shape (n_features,)
        Column of the readings that each feature reads.
    limits : ndarray of int32 of shape (n_columns, 2)
        Least and greatest key that is accepted in each column. If the first is above the second, no
        reading is.
    accepts_missing : ndarray of bool of shape (n_columns,)
        Whether a reading may be missing.
    rows : ndarray of int32 of shape (n_rows, 255)
        Rows of thresholds in rising order, each once. A threshold that no reading reaches is above
        the greatest key.
    row : ndarray of uint16 of shape (n_features,)
        Row of each feature.
    missing : ndarray of int16 of shape (n_features,)
        Level of each feature if its reading is missing; -1 if that is refused.
    missing_key : int, optional
        Key of a missing reading; None: those of NaN are, in float32.

    Examples
    --------
    >>> import numpy as np
    >>> thresholds = Thresholds(
    ...     columns=np.array([1], np.uint16),
    ...     limits=np.array([[-100, 100], [0, 255]], np.int32),
    ...     accepts_missing=np.zeros(2, bool),
    ...     rows=np.arange(1, 256, dtype=np.int32)[np.newaxis],
    ...     row=np.array([0], np.uint16),
    ...     missing=np.array([-1], np.int16),
    ... )
    >>> thresholds.levels(np.array([[-100, 0], [0, 255]])).tolist()
    [[0], [255]]
    """

    columns: np.ndarray
    limits: np.ndarray
    accepts_missing: np.ndarray
    rows: np.ndarray
    row: np.ndarray
    missing: np.ndarray
    missing_key: int | None = None

    def levels(self, keys: np.ndarray) -> np.ndarray:
        """Compute levels as a client does.

        Parameters
        ----------
        keys : ndarray of int of shape (n_samples, n_columns)
            Keys of readings; those of readings of 16 bits are the readings themselves.

        Returns
        -------
        ndarray of uint8 of shape (n_samples, n_features)
            The levels.

        Raises
        ------
        ValueError
            If a reading is not accepted.
        """
        nan = np.abs(keys) > INFINITY if self.missing_key is None else keys == self.missing_key
        accepted = np.where(
            nan & self.accepts_missing,
            True,
            (self.limits[:, 0] <= keys) & (keys <= self.limits[:, 1]),
        )
        if not accepted.all():
            sample, column = np.argwhere(~accepted)[0]
            raise ValueError(f"column {column} of sample {sample} is not accepted")
        found = [
            np.where(
                nan[:, column] & self.accepts_missing[column],
                missing,
                np.searchsorted(self.rows[row], keys[:, column], side="right"),
            )
            for row, column, missing in zip(self.row, self.columns, self.missing)
        ]
        return np.array(found).astype(np.uint8).T

    @property
    def n_columns(self) -> int:
        """Number of readings of a sample."""
        return len(self.limits)


def float_thresholds(program: NetworkProgram) -> Thresholds:
    """Find the thresholds of readings of float32.

    Parameters
    ----------
    program : NetworkProgram
        The program.

    Returns
    -------
    Thresholds
        They give each reading the level of `NetworkProgram.levels`, and refuse what it refuses. The
        reading of a column of categories is a place (`tensorspin.export.categories`).

    Raises
    ------
    ValueError
        If the network refuses one of its categories.
    """

    def to_limits(least: np.ndarray, greatest: np.ndarray) -> np.ndarray:
        return np.stack([to_keys(least), to_keys(greatest)], axis=1)

    def to_row(levels: np.ndarray) -> np.ndarray:
        return np.where(levels == np.inf, KEYS.max, to_keys(levels.astype(np.float32)))

    return _compact(program, "float32", to_limits, to_row)


def short_thresholds(program: NetworkProgram) -> Thresholds:
    """Find the thresholds of readings of int16.

    Parameters
    ----------
    program : NetworkProgram
        The program.

    Returns
    -------
    Thresholds
        They give each reading the level of `NetworkProgram.levels`, and refuse what it refuses. The
        reading of a column of categories is a place (`tensorspin.export.categories`).

    Raises
    ------
    ValueError
        If the network refuses one of its categories.
    """
    beyond = SHORTS.max + 1

    def to_limits(least: np.ndarray, greatest: np.ndarray) -> np.ndarray:
        least = np.clip(np.ceil(least), SHORTS.min, beyond)
        greatest = np.clip(np.floor(greatest), SHORTS.min - 1, SHORTS.max)
        # Where no reading is accepted, the limits still have to be numbers of 16 bits.
        none = least > greatest
        limits = np.stack([np.where(none, 1, least), np.where(none, 0, greatest)], axis=1)
        return limits.astype(np.int64)

    def to_row(levels: np.ndarray) -> np.ndarray:
        return np.clip(np.ceil(levels), SHORTS.min, beyond).astype(np.int64)

    # On the host integers become float64.
    return _compact(program, "float64", to_limits, to_row, MISSING_SHORT)


def _compact(
    program: NetworkProgram,
    kind: str,
    to_limits: Callable[[np.ndarray, np.ndarray], np.ndarray],
    to_row: Callable[[np.ndarray], np.ndarray],
    missing_key: int | None = None,
) -> Thresholds:
    """Find the boundaries for values of a type, make them keys, and keep equal rows once."""
    found = _boundaries(program, kind)
    features = program.n_features
    if program.columns is None:
        columns, accepts = np.arange(features), np.full(features, bool(program.missing))
    else:
        columns = program.columns.features
        accepts = program.columns.accepts_missing(kind)
    found, accepts = with_places(program, found, columns, accepts)
    rows, row = np.unique(to_row(found.levels), axis=0, return_inverse=True)
    limits = to_limits(found.least, found.greatest)
    missing = np.full(features, -1) if found.missing is None else found.missing
    missing = np.where(accepts[columns], missing, -1)
    if missing_key is not None:
        # A key that is a number elsewhere is none where values may be missing.
        limits[accepts, 0] = np.maximum(limits[accepts, 0], missing_key + 1)
    return Thresholds(
        columns.astype(np.uint16),
        limits.astype(np.int32),
        accepts,
        rows.astype(np.int32),
        row.ravel().astype(np.uint16),
        missing.astype(np.int16),
        missing_key,
    )


def _boundaries(program: NetworkProgram, kind: str) -> Boundaries:
    """Find limits and boundaries of levels for values of a type."""
    if program.columns is not None:
        return program.columns.boundaries[kind]
    # The host computes with float64, whatever the values are, so that float32 is enough to search
    # among: it holds all integers of 16 bits, too.
    dtype = np.dtype(np.float32)
    low, high, knots = program.feature_minimum, program.feature_maximum, program.knots
    features = program.n_features
    wanted = np.arange(1, LEVELS, dtype=np.uint8)

    def reaches(values: np.ndarray, rows: slice) -> np.ndarray:
        part = None if knots is None else Knots(knots.values[rows], knots.positions[rows])
        samples = values.T.astype(np.float64)
        found = rounded_levels(samples, low[rows], high[rows], part, bool(program.missing))
        return found.T >= wanted

    keys = least_keys(dtype, (features, LEVELS - 1), reaches)
    greatest = np.full(features, np.finfo(dtype).max, dtype)
    beyond = keys > to_keys(greatest)[:, None]
    levels = np.where(beyond, np.inf, from_keys(np.where(beyond, 0, keys), dtype))
    missing = np.full(features, MISSING_LEVEL, np.int16) if program.missing else None
    if program.clip:
        return Boundaries(-greatest, greatest, levels, missing)

    def inside(values: np.ndarray, rows: slice) -> np.ndarray:
        which = sides(values.T.astype(np.float64), low[rows], high[rows]).T
        return which >= np.array([0, 1])  # at or above the least; above the greatest

    ends = least_keys(dtype, (features, 2), inside)
    none = ends[:, 0] >= ends[:, 1]
    first, last = from_keys(np.stack([ends[:, 0], ends[:, 1] - 1]), dtype)
    least, most = np.where(none, dtype.type(1), first), np.where(none, dtype.type(0), last)
    return Boundaries(least, most, levels, missing)
