"""From readings to levels by comparisons of integers alone, exactly as on the host.

A level never falls while the reading of its feature rises. So 255 thresholds for each feature, the
least reading of each level above 0, describe it whatever the scale is, and no arithmetic of the
host need be repeated on a microcontroller, where it would be rounded in another way. Readings of
floating-point numbers have the order of integers, their keys (`tensorspin.models.bisection`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..compiler.columns import Boundaries
from ..compiler.knots import Knots
from ..compiler.network_program import NetworkProgram
from ..compiler.scaling import MISSING_LEVEL, rounded_levels, sides
from ..contract.contractor.memory import LEVELS
from ..models.bisection import from_keys, least_keys, to_keys

KEYS = np.iinfo(np.int32)
"""Range of the keys of float32."""

INFINITY = int(to_keys(np.array([np.inf], np.float32))[0])
"""Key of infinity in float32. Those of NaN are above it, and below that of minus infinity."""

SHORTS = np.iinfo(np.int16)
"""Range of readings of 16 bits."""


@dataclass(frozen=True, eq=False)
class Thresholds:
    """How readings of one type become levels.

    A reading is accepted if its key is within the limits of its column, or if it is NaN and its
    column may miss values. Its level is the number of thresholds that are not above its key, or
    the level of a missing value if it is NaN.

    Parameters
    ----------
    columns : ndarray of uint16 of shape (n_features,)
        Column of the readings that each feature reads.
    limits : ndarray of int32 of shape (n_columns, 2)
        Least and greatest key that is accepted in each column. If the first is above the second, no
        reading is.
    accepts_nan : ndarray of bool of shape (n_columns,)
        Whether a reading may be NaN.
    rows : ndarray of int32 of shape (n_rows, 255)
        Rows of thresholds in rising order, each once. A threshold that no reading reaches is above
        the greatest key.
    row : ndarray of uint16 of shape (n_features,)
        Row of each feature.
    missing : ndarray of int16 of shape (n_features,)
        Level of each feature if its reading is NaN; -1 if that is refused.

    Examples
    --------
    >>> import numpy as np
    >>> thresholds = Thresholds(
    ...     columns=np.array([1], np.uint16),
    ...     limits=np.array([[-100, 100], [0, 255]], np.int32),
    ...     accepts_nan=np.zeros(2, bool),
    ...     rows=np.arange(1, 256, dtype=np.int32)[np.newaxis],
    ...     row=np.array([0], np.uint16),
    ...     missing=np.array([-1], np.int16),
    ... )
    >>> thresholds.levels(np.array([[-100, 0], [0, 255]])).tolist()
    [[0], [255]]
    """

    columns: np.ndarray
    limits: np.ndarray
    accepts_nan: np.ndarray
    rows: np.ndarray
    row: np.ndarray
    missing: np.ndarray

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
        accepted = (self.limits[:, 0] <= keys) & (keys <= self.limits[:, 1])
        accepted |= self.accepts_nan & (np.abs(keys) > INFINITY)
        if not accepted.all():
            sample, column = np.argwhere(~accepted)[0]
            raise ValueError(f"column {column} of sample {sample} is not accepted")
        found = [
            np.where(
                np.abs(keys[:, column]) > INFINITY,
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
        They give each reading the level of `NetworkProgram.levels`, and refuse what it refuses.

    Raises
    ------
    ValueError
        If a column holds categories, whose levels do not grow with a number.
    """
    found = _boundaries(program, "float32")
    limits = np.stack([to_keys(found.least), to_keys(found.greatest)], axis=1)
    keys = to_keys(found.levels.astype(np.float32))
    keys = np.where(found.levels == np.inf, KEYS.max, keys)
    return _compact(program, found, limits, keys)


def short_thresholds(program: NetworkProgram) -> Thresholds:
    """Find the thresholds of readings of int16.

    Parameters
    ----------
    program : NetworkProgram
        The program.

    Returns
    -------
    Thresholds
        They give each reading the level of `NetworkProgram.levels`, and refuse what it refuses.

    Raises
    ------
    ValueError
        If a column holds categories, whose levels do not grow with a number.
    """
    # On the host integers become float64.
    found = _boundaries(program, "float64")
    beyond = SHORTS.max + 1
    least = np.clip(np.ceil(found.least), SHORTS.min, beyond)
    greatest = np.clip(np.floor(found.greatest), SHORTS.min - 1, SHORTS.max)
    # Where no reading is accepted, the limits still have to be numbers of 16 bits.
    none = least > greatest
    limits = np.stack([np.where(none, 1, least), np.where(none, 0, greatest)], axis=1)
    keys = np.clip(np.ceil(found.levels), SHORTS.min, beyond)
    return _compact(program, found, limits.astype(np.int64), keys.astype(np.int64))


def _compact(
    program: NetworkProgram, found: Boundaries, limits: np.ndarray, keys: np.ndarray
) -> Thresholds:
    """Keep equal rows of thresholds once."""
    rows, row = np.unique(keys, axis=0, return_inverse=True)
    features = program.n_features
    if program.columns is None:
        columns, accepts_nan = np.arange(features), np.full(features, bool(program.missing))
    else:
        columns = program.columns.features
        accepts_nan = program.columns.accepts_missing(found.least.dtype.name)
    missing = np.full(features, -1) if found.missing is None else found.missing
    return Thresholds(
        columns.astype(np.uint16),
        limits.astype(np.int32),
        accepts_nan,
        rows.astype(np.int32),
        row.ravel().astype(np.uint16),
        np.where(accepts_nan[columns], missing, -1).astype(np.int16),
    )


def _boundaries(program: NetworkProgram, kind: str) -> Boundaries:
    """Find limits and boundaries of levels for values of a type."""
    if program.categories is not None:
        column = min(program.categories.columns)
        raise ValueError(
            f"a program whose features hold categories, as column {column} does, can't be "
            f"exported: clients take numbers that have an order; train with one column for each "
            f"category"
        )
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
