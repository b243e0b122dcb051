"""The steps of a pipeline that can be folded into a program: scalers, imputers, selections."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from copy import copy

import numpy as np
from sklearn import config_context
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils.validation import check_is_fitted

SCALERS = (
    StandardScaler,
    MinMaxScaler,
    MaxAbsScaler,
    RobustScaler,
    QuantileTransformer,
    SimpleImputer,
)
"""Classes of scikit-learn whose objects can be folded, besides selections of features."""

FOLDABLE = (
    f"{', '.join(scaler.__name__ for scaler in SCALERS)} and selections of features, such as "
    f"SelectKBest"
)
"""What can be folded, for messages."""

_PARAMETERS = ("scale_", "mean_", "center_", "min_", "quantiles_", "statistics_")
"""Attributes of `SCALERS` that their ``transform`` computes with: a number for each column, or of
shape (n_quantiles, n_columns), or None."""


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
    accepts_nan, accepts_infinity : bool or ndarray of bool of shape (n_columns,)
        Whether it lets missing values and infinities pass.
    fills : bool or ndarray of bool of shape (n_columns,)
        Whether it puts a number in the place of missing values.

    Raises
    ------
    ValueError
        If the step can't be folded.
    sklearn.exceptions.NotFittedError
        If it has not been fitted.
    """

    n_columns: int
    kept: np.ndarray | None
    accepts_nan: bool | np.ndarray
    accepts_infinity: bool | np.ndarray
    fills: bool | np.ndarray = False

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
        self.fills = scaler is SimpleImputer
        if self.fills:
            self._check_imputer(transformer)
        self.n_columns = int(
            transformer.n_features_in_
            if hasattr(transformer, "n_features_in_")
            else len(transformer.get_support())
        )
        self.kept = np.flatnonzero(transformer.get_support()) if selects else None
        for parameter in _PARAMETERS:
            values = getattr(transformer, parameter, None)
            if not selects and values is not None:
                values = np.asarray(values, dtype=np.float64)
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

    def _check_imputer(self, imputer: SimpleImputer) -> None:
        """Refuse an imputer that does more than fill in NaN."""
        marks = imputer.missing_values
        if not isinstance(marks, float) or not np.isnan(marks):
            raise ValueError(
                f"{self.name} can't be folded with missing_values={marks!r}, only with NaN: what "
                f"it makes of a column must grow with it"
            )
        if imputer.add_indicator:
            raise ValueError(
                f"{self.name} can't be folded with add_indicator=True; leave the imputer out, and "
                f'give the estimator missing="level", by which it can tell missing values, too'
            )

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
