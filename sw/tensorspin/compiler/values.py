"""Samples as users bring them: columns of numbers, of text, with gaps."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_INSTEAD_OF_TIMES = "; for times write numbers, such as hours since a start"


@dataclass(frozen=True, eq=False)
class Column:
    """One column of a table.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Numbers, text or objects.
    declared : tuple, optional
        The categories that a column of pandas's type category, or of polars's Enum, declares.
    ordered : bool
        Whether they are declared in an order that means something.
    """

    values: np.ndarray
    declared: tuple | None = None
    ordered: bool = False


def table_columns(X) -> list[Column]:
    """Take a table apart.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_columns)
        A data frame of pandas or polars, an array, or a list of rows.

    Returns
    -------
    list of Column
        Its columns. Numbers that pandas keeps beside a mask are float64, with NaN for what is
        missing.

    Raises
    ------
    ValueError
        If X has no two dimensions.
    """
    if hasattr(X, "iloc") and hasattr(X, "columns"):
        return [_of_pandas(X.iloc[:, place]) for place in range(X.shape[1])]
    if hasattr(X, "get_columns"):  # polars
        return [_of_polars(series) for series in X.get_columns()]
    if isinstance(X, np.ma.MaskedArray):
        kind = np.float64 if X.dtype.kind in "biuf" else object
        X = np.where(np.ma.getmaskarray(X), np.nan, X.data.astype(kind))
    X = np.asarray(X)
    if X.ndim != 2:
        raise ValueError(f"X must have two dimensions, samples and columns, not shape {X.shape}")
    return [Column(values) for values in X.T]


def holds_objects(X) -> bool:
    """Tell whether a table may hold something other than numbers.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_columns)
        A data frame, an array or a list of rows.

    Returns
    -------
    bool
        False if all of it is numbers, or if scikit-learn refuses it anyway.
    """
    if hasattr(X, "toarray"):
        return False
    if isinstance(X, np.ma.MaskedArray):  # what is masked is missing
        return X.ndim == 2
    if hasattr(X, "iloc") and hasattr(X, "columns"):
        return not all(isinstance(kind, np.dtype) and kind.kind in "biuf" for kind in X.dtypes)
    if hasattr(X, "get_columns"):
        return True
    try:
        array = np.asarray(X)
    except ValueError:  # rows of different lengths
        return False
    return array.ndim == 2 and array.dtype.kind in "OUT"


def _of_pandas(series) -> Column:
    kind = series.dtype
    if isinstance(kind, np.dtype):
        return Column(series.to_numpy())
    if hasattr(kind, "categories"):
        return Column(
            series.to_numpy(dtype=object), tuple(kind.categories.tolist()), bool(kind.ordered)
        )
    if getattr(kind, "_is_numeric", False):  # Int64, Float32, boolean and their like
        return Column(series.to_numpy(dtype=np.float64, na_value=np.nan))
    return Column(series.to_numpy(dtype=object))


def _of_polars(series) -> Column:
    values = series.to_numpy()
    if type(series.dtype).__name__ == "Enum":  # the order counts, as in a frame for pandas
        return Column(values, tuple(series.dtype.categories.to_list()), True)
    return Column(values)  # a Categorical declares no categories: it grows with its data


def column_numbers(values: np.ndarray, place: str) -> np.ndarray:
    """Read a column as numbers.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        The column.
    place : str
        Which column it is, for messages.

    Returns
    -------
    ndarray of float64 of shape (n_samples,)
        The numbers, with NaN for what is missing. A text that writes a number counts as one.

    Raises
    ------
    ValueError
        If a value is no real number.
    TypeError
        If one is neither a number nor text.
    """
    if values.dtype.kind in "cmM":
        cure = _INSTEAD_OF_TIMES if values.dtype.kind in "mM" else ""
        raise ValueError(f"{place} must hold numbers or words, not {values.dtype}{cure}")
    if values.dtype == object:
        values = without_marks(values)
    try:
        return values.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        for sample, value in enumerate(values.tolist()):
            if not is_real(value):
                # Of what is neither text nor number, the error is a TypeError, as in scikit-learn.
                kind = TypeError if isinstance(error, TypeError) else ValueError
                why = f": {error}" if kind is TypeError else ""
                # Times of the standard library and of pandas have one of these.
                time = hasattr(value, "strftime") or hasattr(value, "total_seconds")
                what = f"not a number{_INSTEAD_OF_TIMES if time else ''}{why}"
                shown = reprlib.repr(value)
                raise kind(f"{place} of sample {sample} is {shown}, {what}") from error
        raise


def named_column(column: int, names: Sequence[str] | None) -> str:
    """Name a column in a message, by its number from 0 and its name if it has one.

    Parameters
    ----------
    column : int
        Its number.
    names : sequence of str, optional
        Names of all columns.

    Returns
    -------
    str
        Text such as ``column 3 ('age')``.
    """
    return f"column {column}" + ("" if names is None else f" ({names[column]!r})")


def as_array(X):
    """Return a table with NaN for each mark of a missing value, if it is made of objects.

    Parameters
    ----------
    X : array-like
        The table.

    Returns
    -------
    array-like
        X itself, if it holds numbers alone, or is sparse.
    """
    if hasattr(X, "toarray") or (isinstance(X, np.ndarray) and X.dtype != object):
        return X
    array = np.asarray(X)
    return without_marks(array) if array.dtype == object else X


def as_real(values, what: str) -> np.ndarray:
    """Return values as float64, but refuse those of which NumPy would make numbers silently.

    Parameters
    ----------
    values : array-like
        The values.
    what : str
        What they are, for messages.

    Returns
    -------
    ndarray of float64
        The values, in their shape.

    Raises
    ------
    ValueError
        If one is no real number that float64 can hold.
    TypeError
        If they are a sparse matrix.
    """
    if hasattr(values, "toarray"):  # a sparse matrix: scikit-learn refuses it by this exception
        raise TypeError(f"{what} is sparse, but must be dense; use toarray()")
    values = np.asarray(values)
    if values.dtype.kind in "cmM":  # complex numbers, times, dates
        raise ValueError(f"{what} must hold real numbers, not {values.dtype}")
    try:
        return values.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        wrong = next((value for value in values.ravel() if not is_real(value)), error)
        raise ValueError(f"{what} must hold real numbers, not {reprlib.repr(wrong)}") from error


def without_marks(values: np.ndarray) -> np.ndarray:
    """Return an array of objects with NaN for each mark of a missing value, such as None.

    Parameters
    ----------
    values : ndarray of object
        The values, of any shape.

    Returns
    -------
    ndarray of object
        The same array if it has no marks, else a copy.
    """
    marks = np.array([is_mark(value) for value in values.ravel()], dtype=bool)
    if not marks.any():
        return values
    values = values.copy()
    values[marks.reshape(values.shape)] = np.nan
    return values


def is_mark(value: object) -> bool:
    """Tell whether an object stands for a missing value.

    Parameters
    ----------
    value : object
        None, NaN, and pandas's NA and NaT do. Texts don't.

    Returns
    -------
    bool
        Whether it does.
    """
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def is_real(value) -> bool:
    """Tell whether float64 can hold a value: pandas.NA, a date or 10**400 are none of these.

    Parameters
    ----------
    value : object
        A value. A text that writes a number counts as one.

    Returns
    -------
    bool
        Whether it can.
    """
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def check_finite(X: np.ndarray, missing: bool, names: Sequence[str] | None = None) -> None:
    """Refuse infinities, and missing values unless they have a level.

    Parameters
    ----------
    X : ndarray of float of shape (n_samples, n_features)
        The samples.
    missing : bool
        Whether missing values (NaN) have a level.
    names : sequence of str, optional
        Names of the features, for the message.

    Raises
    ------
    ValueError
        If there is one; the message names feature, sample and value.
    """
    bad = ~np.isfinite(X)
    if not bad.any():
        return
    if missing:
        bad &= ~np.isnan(X)
    where = np.argwhere(bad)
    if len(where):
        sample, feature = where[0]
        value = X[sample, feature]
        name = "" if names is None else f" ({names[feature]!r})"
        wrong = f"feature {feature}{name} of sample {sample} is {value}; it must be finite"
        if np.isnan(value):
            raise ValueError(
                f"Input X contains NaN: {wrong}; fill in what is missing, or train with "
                f'missing="level", which gives missing values a level of their own'
            )
        raise ValueError(f"Input X contains infinity: {wrong}")


def is_gap(value: object) -> bool:
    """Tell whether a value of a column of words is missing.

    Parameters
    ----------
    value : object
        What `is_mark` knows, and the text "nan" in any case, as NumPy and pandas write NaN in a
        column of text.

    Returns
    -------
    bool
        Whether it is.
    """
    return is_mark(value) or (isinstance(value, str) and value.strip().lower() == "nan")
