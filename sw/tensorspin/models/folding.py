"""Fold scalers and selections of features into the levels of a program.

A step is a black box that is known to work on each column by itself and to grow with it: from a
floating-point number to the next it never falls, as rounding does not change an order. So the least
value with a certain level is found by bisection, with the step's own arithmetic, and every value
that a floating-point number can have gets the level that the steps give it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn import config_context

from ..compiler.categories import Categories
from ..compiler.columns import TYPES, Boundaries, ColumnLevels
from ..compiler.network_program import NetworkProgram
from ..compiler.scaling import rounded_levels, sides
from ..contract.contractor.memory import LEVELS
from .bisection import BATCH_VALUES, from_keys, least_keys, to_keys
from .foldable import Step

CHECKED_VALUES = 250
"""Values of each column, spread over all floating-point numbers, at which what was found is
compared with the steps."""


def fold(
    steps: Sequence[Step], program: NetworkProgram, categories: Categories | None = None
) -> NetworkProgram:
    """Put steps in front of a program.

    Parameters
    ----------
    steps : sequence of Step
        At least one, in their order.
    program : NetworkProgram
        Takes what the last step returns.
    categories : Categories, optional
        The columns of words that become numbers before the first step.

    Returns
    -------
    NetworkProgram
        Takes what the first step takes, and computes the same levels: for all samples as float64,
        float32 or float16, those that are refused included. It has no names of columns.

    Raises
    ------
    ValueError
        If steps and program do not fit each other, or a column has no value that all of them
        accept.
    """
    if program.categories is not None:
        raise ValueError(
            "columns of categories can't be folded behind other steps: give the estimator all "
            "columns"
        )
    if program.columns is not None:
        raise ValueError("the program has a pipeline in it already; fold all steps at once")
    widths = [len(_kept(step)) for step in steps]
    takes = [step.n_columns for step in steps[1:]] + [program.n_features]
    for step, width, taken in zip(steps, widths, takes):
        if width != taken:
            raise ValueError(f"{step.name} returns {width} columns, what follows takes {taken}")
    front = _Front(steps, program)
    found = {name: _boundaries(front, np.dtype(name)) for name in TYPES}
    exact = found[TYPES[0]]
    empty = np.flatnonzero(exact.least > exact.greatest)
    if len(empty):
        raise ValueError(
            f"no value of column {empty[0]} passes all steps and the range of the features that "
            f"the estimator was promised"
        )
    low, high = front.limits(exact)
    accepts_nan = front.accepts_nan.copy()
    never = np.all([each.refused for each in found.values()], axis=0)
    accepts_nan[front.features[never]] = False
    columns = ColumnLevels(front.features, accepts_nan, found)
    for name in TYPES:
        _compare(front, columns, np.dtype(name))
    return replace(
        program,
        columns=columns,
        knots=None,  # the boundaries of the levels have them
        feature_minimum=low,
        feature_maximum=high,
        feature_names=None,
        categories=categories,
    )


def _kept(step: Step) -> np.ndarray:
    return np.arange(step.n_columns) if step.kept is None else step.kept


@dataclass(frozen=True)
class _Passed:
    """What becomes of samples of shape (n_samples, n_columns).

    `sides` is -1 where a value is too small to be accepted, 1 where it is too large, else 0; of
    shape (n_samples, n_columns). `values` are the features, of shape (n_samples, n_features).
    """

    sides: np.ndarray
    values: np.ndarray


class _Front:
    """What stands in front of the network: steps, and the limits of the program's features.

    Attributes
    ----------
    n_columns : int
        Number of columns of the samples.
    features : ndarray of int of shape (n_features,)
        The column that each feature reads.
    accepts_nan : ndarray of bool of shape (n_columns,)
        Whether a column may have missing values.
    """

    def __init__(self, steps: Sequence[Step], program: NetworkProgram) -> None:
        self._steps = steps
        self._low, self._high = program.feature_minimum, program.feature_maximum
        self._knots = program.knots
        self._clip = program.clip
        self._missing = program.missing
        self.n_columns = steps[0].n_columns
        # The columns that each step is given, by their numbers in the samples.
        self._given = [np.arange(self.n_columns)]
        self.accepts_nan = np.ones(self.n_columns, dtype=bool)
        filled = np.zeros(self.n_columns, dtype=bool)  # what a step is given, not the columns
        for step in steps:
            given = self._given[-1]
            np.logical_and.at(self.accepts_nan, given, step.accepts_nan | filled)
            filled = (filled | step.fills)[_kept(step)]
            self._given.append(given[_kept(step)])
        self.features = self._given[-1]
        np.logical_and.at(self.accepts_nan, self.features, self._missing | filled)
        # Columns that are not selected need not be computed where only features count.
        places = np.arange(len(self.features))
        self._narrowed: list[Callable[[np.ndarray], np.ndarray]] = []
        for step in reversed(steps):
            places = _kept(step)[places]
            self._narrowed.insert(0, step.narrowed(places))

    def __call__(self, X: np.ndarray) -> _Passed:
        """Pass samples through all steps, those that are refused, too."""
        found = np.zeros(X.shape, np.int8)

        def refuse(columns: np.ndarray, where: np.ndarray) -> None:
            for column, side in zip(columns, where.T):  # some columns may be read twice
                found[:, column] = np.where(found[:, column] == 0, side, found[:, column])

        values = X
        with config_context(assume_finite=True):
            for step, given in zip(self._steps, self._given):
                strict = ~np.broadcast_to(step.accepts_infinity, given.shape)
                if strict.any():
                    refuse(given[strict], _infinities(values[:, strict]))
                values = step(values)
        values = _finished(values)
        refuse(self.features, _infinities(values))
        if not self._clip:
            refuse(self.features, sides(values, self._low, self._high))
        return _Passed(found, values)

    def values(self, X: np.ndarray) -> np.ndarray:
        """Return what becomes of the features' columns: shape (n_samples, n_features)."""
        with config_context(assume_finite=True):
            for step in self._narrowed:
                X = step(X)
        return _finished(X)

    def levels(self, values: np.ndarray) -> np.ndarray:
        """Round features to levels, as the program does: int of shape (n_samples, n_features)."""
        levels = rounded_levels(values, self._low, self._high, self._knots, self._missing)
        return levels.astype(np.int64)

    def missing_levels(self, dtype: np.dtype) -> np.ndarray:
        """Return the level of a missing value: int16 of shape (n_features,), -1 where refused."""
        values = np.full((1, len(self.features)), np.nan, dtype)
        with config_context(assume_finite=True):
            for step in self._narrowed:
                values = step(values)
        values = values.astype(np.float64)
        accepted = self.accepts_nan[self.features] & ~np.isinf(values)
        if not self._missing:
            accepted &= ~np.isnan(values)
        if not self._clip:
            accepted &= sides(values, self._low, self._high) == 0
        levels = self.levels(np.where(accepted, values, self._low))
        return np.where(accepted, levels, -1)[0].astype(np.int16)

    def limits(self, boundaries: Boundaries) -> tuple[np.ndarray, np.ndarray]:
        """Find the accepted values that become the program's limits, or come nearest to them."""

        def beyond(X: np.ndarray, rows: slice) -> np.ndarray:
            values = self.values(X)
            return np.where(
                np.array([[True], [False]])[rows], values > self._low, values >= self._high
            )

        dtype = np.dtype(np.float64)
        above, high = least_keys(dtype, (2, len(self.features)), beyond)
        largest = np.finfo(dtype).max
        found = np.clip(
            from_keys(np.stack([above - 1, high]), dtype),
            np.maximum(boundaries.least, -largest)[self.features],
            np.minimum(boundaries.greatest, largest)[self.features],
        )
        # Many values of a constant feature become its only one.
        return found.min(axis=0), found.max(axis=0)


def _finished(values: np.ndarray) -> np.ndarray:
    """Return values as the estimator is given them; what is no number counts as infinite."""
    values = values.astype(np.float64)
    values[np.isnan(values)] = np.inf
    return values


def _infinities(values: np.ndarray) -> np.ndarray:
    """Return -1 for minus infinity, 1 for infinity and for what is no number, else 0."""
    return np.where(np.isfinite(values), 0, np.where(values == -np.inf, -1, 1))


def _boundaries(front: _Front, dtype: np.dtype) -> Boundaries:
    """Search the boundaries for values of one type."""
    steps = np.arange(1, LEVELS)[:, None]
    levels = least_keys(
        dtype,
        (LEVELS - 1, len(front.features)),
        lambda X, rows: front.levels(front.values(X)) >= steps[rows],
    )
    accepted = np.array([[0], [1]])
    least, above = least_keys(
        dtype,
        (2, front.n_columns),
        lambda X, rows: front(X).sides >= accepted[rows],
        infinite=True,
    )
    # Beyond infinity there is no number; a column that accepts nothing has its limits crossed.
    infinity = int(to_keys(np.array([np.inf], dtype))[0])
    nothing = least >= above
    return Boundaries(
        np.where(nothing, np.inf, from_keys(np.minimum(least, infinity), dtype)).astype(dtype),
        np.where(nothing, -np.inf, from_keys(above - 1, dtype)).astype(dtype),
        from_keys(levels.T, dtype),
        front.missing_levels(dtype),
    )


def _compare(front: _Front, columns: ColumnLevels, dtype: np.dtype) -> None:
    """Compare what was found with the steps, in case that one does not grow with its columns."""
    found = columns.boundaries[dtype.name]
    first, last = to_keys(np.array([-np.inf, np.inf], dtype)).tolist()
    spread = np.linspace(first, last, CHECKED_VALUES).astype(np.int64)
    near = np.concatenate([found.levels[:, ::5].T, found.least[front.features][None]])
    near = near.clip(-np.finfo(dtype).max, np.finfo(dtype).max)
    keys = np.concatenate(
        [
            np.repeat(spread[:, None].clip(first + 1, last - 1), len(front.features), axis=1),
            *(to_keys(near) + difference for difference in (-1, 0, 1)),
        ]
    ).clip(first + 1, last - 1)
    height = max(1, BATCH_VALUES // front.n_columns)
    for start in range(0, len(keys), height):
        values = from_keys(keys[start : start + height], dtype)
        X = np.zeros((len(values), front.n_columns), dtype)
        X[:, front.features] = values
        values = X[:, front.features]  # of features that read one column, the last one decides
        passed = front(X)
        least, greatest = found.least[front.features], found.greatest[front.features]
        accepted = (least <= values) & (values <= greatest)
        levels = [
            np.searchsorted(boundaries, column, side="right")
            for boundaries, column in zip(found.levels, values.T)
        ]
        same = np.stack(levels, axis=1) == front.levels(passed.values)
        same &= accepted == (passed.sides[:, front.features] == 0)
        if not np.all(same):
            column = front.features[np.argwhere(~same)[0][1]]
            raise ValueError(
                f"column {column} can't be folded into levels: what the steps make of it does not "
                f"grow with it"
            )
