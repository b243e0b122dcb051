"""Fold scalers and selections of features into the levels of a program.

A step is a black box that is known to work on each column by itself and to grow with it: from a
floating-point number to the next it never falls, as rounding does not change an order. So the least
value with a certain level is found by bisection, with the step's own arithmetic, and every value
that a floating-point number can have gets the level that the steps give it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
from sklearn import config_context
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils.validation import check_is_fitted

from ..compiler.columns import TYPES, Boundaries, ColumnLevels
from ..compiler.network_program import NetworkProgram
from ..compiler.scaling import rounded_levels, sides
from ..contract.contractor.memory import LEVELS
from .bisection import BATCH_VALUES, from_keys, least_keys, to_keys

SCALERS = (StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler, QuantileTransformer)
"""Classes of scikit-learn whose objects can be folded, besides selections of features."""

FOLDABLE = (
    f"{', '.join(scaler.__name__ for scaler in SCALERS)} and selections of features, such as "
    f"SelectKBest"
)
"""What can be folded, for messages."""

_PARAMETERS = ("scale_", "mean_", "center_", "min_", "quantiles_")
"""Attributes of `SCALERS` that their ``transform`` computes with: a number for each column, or of
shape (n_quantiles, n_columns), or None."""

CHECKED_VALUES = 250
"""Values of each column, spread over all floating-point numbers, at which what was found is
compared with the steps."""


class Step:
    """A fitted step of a pipeline that can be folded.

    Parameters
    ----------
    name : str
        Name in the pipeline, for messages.
    transformer : object
        One of `SCALERS`, or anything with ``get_support``, whatever it was fitted with.

    Attributes
    ----------
    n_columns : int
        Number of columns that it takes.
    kept : ndarray of int or None
        The columns that a selection keeps; None for a scaler.
    accepts_nan, accepts_infinity : bool
        Whether it lets missing values and infinities pass.

    Raises
    ------
    ValueError
        If the step can't be folded.
    sklearn.exceptions.NotFittedError
        If it has not been fitted.
    """

    def __init__(self, name: str, transformer) -> None:
        self.name = f"step {name!r} ({type(transformer).__name__})"
        self._transformer = transformer
        scaler = next((kind for kind in SCALERS if isinstance(transformer, kind)), None)
        selects = hasattr(transformer, "get_support")
        # A class that was derived from a scaler may transform otherwise.
        if not selects and (scaler is None or type(transformer).transform is not scaler.transform):
            raise ValueError(
                f"{self.name} can't be folded into a program, only {FOLDABLE} can; transform the "
                f"samples on the host, and deploy the estimator alone"
            )
        check_is_fitted(transformer)
        if scaler is QuantileTransformer and transformer.output_distribution != "uniform":
            raise ValueError(
                f"{self.name} can't be folded with output_distribution="
                f'"{transformer.output_distribution}", only with "uniform", which gives the '
                f"network the same order of values"
            )
        self.n_columns = int(
            transformer.n_features_in_
            if hasattr(transformer, "n_features_in_")
            else len(transformer.get_support())
        )
        self.kept = np.flatnonzero(transformer.get_support()) if selects else None
        for parameter in _PARAMETERS:
            values = getattr(transformer, parameter, None)
            if not selects and values is not None:
                good = np.isfinite(values) & ((values > 0) | (parameter != "scale_"))
                if not np.all(good):
                    column = np.argwhere(~good)[0][-1]
                    raise ValueError(
                        f"{self.name} can't be folded: {parameter} of its column {column} is "
                        f"{values[..., column]}; remove the column, or fit without it"
                    )
        if self.kept is not None:
            numbers = np.arange(self.n_columns, dtype=np.float64)[None]
            if not np.array_equal(self(numbers), numbers[:, self.kept]):
                raise ValueError(
                    f"{self.name} can't be folded: it does not just select the columns that "
                    f"get_support names"
                )
        self.accepts_nan, self.accepts_infinity = (
            self._accepts(np.array([[value] + [0.0] * (self.n_columns - 1)]))
            for value in (np.nan, np.inf)
        )

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Transform samples; an array of floating-point numbers stays one of its type."""
        # A scaler with copy=False writes into what it is given. One that was fitted with names
        # warns of an array, and with set_output it returns a data frame.
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return np.asarray(self._transformer.transform(X.copy()))

    def narrowed(self, columns: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """Return what a scaler makes of some of its columns alone; a selection leaves them."""
        if self.kept is not None:
            return np.asarray
        narrow = copy(self)
        narrow._transformer = scaler = copy(self._transformer)
        for name in _PARAMETERS:
            if getattr(scaler, name, None) is not None:
                setattr(scaler, name, getattr(scaler, name)[..., columns])
        scaler.n_features_in_ = len(columns)
        vars(scaler).pop("feature_names_in_", None)
        return narrow

    def _accepts(self, X: np.ndarray) -> bool:
        # A program refuses what scikit-learn does without a user's own configuration.
        with config_context(assume_finite=False):
            try:
                self(X)
            except ValueError:
                return False
        return True


def fold(steps: Sequence[Step], program: NetworkProgram) -> NetworkProgram:
    """Put steps in front of a program.

    Parameters
    ----------
    steps : sequence of Step
        At least one, in their order.
    program : NetworkProgram
        Takes what the last step returns.

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
    columns = ColumnLevels(front.features, front.accepts_nan, found)
    for name in TYPES:
        _compare(front, columns, np.dtype(name))
    return replace(
        program,
        columns=columns,
        knots=None,  # the boundaries of the levels have them
        feature_minimum=low,
        feature_maximum=high,
        feature_names=None,
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
        self.n_columns = steps[0].n_columns
        # The columns that each step is given, by their numbers in the samples.
        self._given = [np.arange(self.n_columns)]
        self.accepts_nan = np.ones(self.n_columns, dtype=bool)
        for step in steps:
            given = self._given[-1]
            self.accepts_nan[given] &= step.accepts_nan
            self._given.append(given[_kept(step)])
        self.features = self._given[-1]
        self.accepts_nan[self.features] = False
        # Columns that are not selected need not be computed where only features count.
        self._narrowed = [
            step.narrowed(np.searchsorted(given, self.features))
            for step, given in zip(steps, self._given)
        ]

    def __call__(self, X: np.ndarray) -> _Passed:
        """Pass samples through all steps, those that are refused, too."""
        found = np.zeros(X.shape, np.int8)

        def refuse(columns: np.ndarray, where: np.ndarray) -> None:
            found[:, columns] = np.where(found[:, columns] == 0, where, found[:, columns])

        values = X
        with config_context(assume_finite=True):
            for step, given in zip(self._steps, self._given):
                if not step.accepts_infinity:
                    refuse(given, _infinities(values))
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
        return rounded_levels(values, self._low, self._high, self._knots).astype(np.int64)

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
