"""Columns of words: a number for each word, so that words become levels as numbers do."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from .once import read_only
from .scaling import MISSING_LEVEL
from .values import column_numbers, is_gap, named_column, table_columns

MOST_CATEGORIES = MISSING_LEVEL
"""Most categories of a column: one level for each, and one for what is missing."""

_SHOWN = 5
"""Most categories that a message lists."""


@dataclass(frozen=True, eq=False)
class CategoryColumn:
    """The categories of one column.

    Parameters
    ----------
    values : tuple of str or tuple of float
        The categories, all different: words, or numbers that count as names.
    numbers : ndarray of float64 of shape (n_categories,)
        The number that stands for each.
    unknown : float, optional
        The number that stands for any other value; NaN: it counts as missing. None: it is refused.
    missing : float, optional
        The number that stands for a missing value; NaN: it stays one. None: it is refused.

    Raises
    ------
    ValueError
        If there are no categories, too many, or one twice; or if numbers are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.compiler.categories import CategoryColumn
    >>> colours = CategoryColumn(("red", "green"), np.array([0.0, 1.0]), missing=np.nan)
    >>> colours.encode(np.array(["green", None, "red"], dtype=object), "column 0").tolist()
    [1.0, nan, 0.0]
    """

    values: tuple[Any, ...]
    numbers: np.ndarray
    unknown: float | None = None
    missing: float | None = None

    def __post_init__(self) -> None:
        values, numbers = self.values, self.numbers
        if not 1 <= len(values) <= MOST_CATEGORIES:
            raise ValueError(
                f"a column may have 1 to {MOST_CATEGORIES} categories, not {len(values)}"
            )
        texts = all(isinstance(value, str) for value in values)
        if not texts and not all(type(value) is float for value in values):
            raise ValueError(f"categories must all be text or all float, not {values[:_SHOWN]!r}")
        if len(set(values)) < len(values) or any(value != value for value in values):
            raise ValueError(f"categories must be different, not {values[:_SHOWN]!r}")
        if numbers.dtype != np.float64 or numbers.shape != (len(values),):
            raise ValueError(
                f"numbers of {len(values)} categories must be float64, one for each, not "
                f"{numbers.dtype} of shape {numbers.shape}"
            )
        if not np.isfinite(numbers).all() or any(
            number is not None and np.isinf(number) for number in (self.unknown, self.missing)
        ):
            raise ValueError("numbers of categories must be finite")
        object.__setattr__(self, "numbers", read_only(numbers))

    @property
    def texts(self) -> bool:
        """Whether the categories are words."""
        return isinstance(self.values[0], str)

    def encode(self, values: np.ndarray, place: str) -> np.ndarray:
        """Return the number of each value.

        Parameters
        ----------
        values : ndarray of shape (n_samples,)
            The column.
        place : str
            Which column it is, for messages.

        Returns
        -------
        ndarray of float64 of shape (n_samples,)
            The numbers; NaN for what counts as missing.

        Raises
        ------
        ValueError
            If a value is no category, or is missing, and has no number.
        """
        known: dict[Any, float | None] = dict(zip(self.values, self.numbers.tolist()))
        found = np.empty(len(values))
        for sample, value in enumerate(values.tolist()):
            number = known.get(value) if self._hashes(value) else None
            if number is None:
                number = self._otherwise(value, known, f"{place} of sample {sample}")
            found[sample] = number
        return found

    def _hashes(self, value: object) -> bool:
        """Tell whether a value can be looked up as it is: True is no 1, and 1 no word."""
        if self.texts:
            return isinstance(value, str)
        return isinstance(value, float | int) and not isinstance(value, bool) and value == value

    def _otherwise(self, value: Any, known: Mapping[Any, float | None], place: str) -> float:
        """Return the number of a value that can't be looked up as it is, or refuse it."""
        if is_gap(value):
            if self.missing is None:
                raise ValueError(
                    f'{place} is missing ({value}); fill it in, or train with missing="level"'
                )
            return self.missing
        number = known.get(self._as_category(value), self.unknown)
        if number is None:
            listed = ", ".join(map(repr, self.values[:_SHOWN]))
            more = f" and {len(self.values) - _SHOWN} more" if len(self.values) > _SHOWN else ""
            raise ValueError(
                f"{place} is {reprlib.repr(value)}, which is none of its categories: {listed}"
                f'{more}; train with this one, too, or with missing="level", which takes it as '
                f"missing"
            )
        return number

    def _as_category(self, value: Any) -> object:
        if self.texts:
            # pandas reads the words True and False as bool.
            return str(value) if isinstance(value, str | bool | np.bool_) else None
        if isinstance(value, str | Real | np.bool_):
            try:
                return float(value)
            except (ValueError, OverflowError):
                pass
        return None


@dataclass(frozen=True, eq=False)
class Categories:
    """Which columns of a table hold categories; all others hold numbers.

    Parameters
    ----------
    n_columns : int
        Number of columns of the table.
    columns : mapping of int to CategoryColumn
        The columns of categories, by their number from 0.
    ignored : frozenset of int
        Columns that nothing reads, which may hold anything.

    Raises
    ------
    ValueError
        If there is no such column.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.compiler.categories import Categories, CategoryColumn
    >>> sizes = CategoryColumn(("small", "large"), np.array([0.0, 1.0]))
    >>> Categories(2, {1: sizes}).numbers([[3.5, "large"], [2, "small"]]).tolist()
    [[3.5, 1.0], [2.0, 0.0]]
    """

    n_columns: int
    columns: Mapping[int, CategoryColumn]
    ignored: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        wrong = [
            column for column in [*self.columns, *self.ignored] if not 0 <= column < self.n_columns
        ]
        if wrong:
            raise ValueError(f"there are columns 0 to {self.n_columns - 1}, not {wrong[0]}")
        object.__setattr__(self, "columns", dict(self.columns))

    def numbers(self, X, names: Sequence[str] | None = None) -> np.ndarray:
        """Return a table of numbers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            A data frame, an array or a list of rows.
        names : sequence of str, optional
            Names of the columns, for messages.

        Returns
        -------
        ndarray of float of shape (n_samples, n_columns)
            The numbers; NaN for what is missing. They are float64, or of the type of the columns of
            numbers if all are float32 or all float16.

        Raises
        ------
        ValueError
            If X has another number of columns; or if a value is no number or none of the
            categories of its column: the message names both.
        """
        found = table_columns(X)
        if len(found) != self.n_columns:
            raise ValueError(f"X has {len(found)} columns, not {self.n_columns}")
        other = self.columns.keys() | self.ignored
        plain = {column.values.dtype for k, column in enumerate(found) if k not in other}
        # A pipeline's steps compute with the type that all numbers have.
        small = len(plain) == 1 and plain <= {np.dtype(np.float32), np.dtype(np.float16)}
        numbers = np.empty((len(X), self.n_columns), plain.pop() if small else np.float64)
        for place, column in enumerate(found):
            described = named_column(place, names)
            categories = self.columns.get(place)
            if place in self.ignored:
                numbers[:, place] = 0
            elif categories is None:
                numbers[:, place] = column_numbers(column.values, described)
            else:
                numbers[:, place] = categories.encode(column.values, described)
        return numbers

    def entry(self) -> dict[str, Any]:
        """Return all of it as what JSON can hold; `from_entry` reads it.

        Returns
        -------
        dict
            Numbers, texts and lists, by name. NaN is the word "nan".
        """

        def plain(number: float | None) -> float | str | None:
            return "nan" if number is not None and np.isnan(number) else number

        return {
            "n_columns": self.n_columns,
            "ignored": sorted(self.ignored),
            "columns": [
                {
                    "column": place,
                    "values": list(column.values),
                    "numbers": column.numbers.tolist(),
                    "unknown": plain(column.unknown),
                    "missing": plain(column.missing),
                }
                for place, column in self.columns.items()
            ],
        }

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> Categories:
        """Make it from what `entry` returned.

        Parameters
        ----------
        entry : mapping of str to object
            From a file; nothing of it is trusted.

        Returns
        -------
        Categories
            The same as before.

        Raises
        ------
        KeyError
            If something is missing.
        ValueError
            If something is not what it must be.
        """

        def number(value: object) -> float:
            if value == "nan":
                return np.nan
            if not isinstance(value, float | int) or isinstance(value, bool):
                raise ValueError(f"{value!r} should be a number")
            return float(value)

        def optional(value: object) -> float | None:
            return None if value is None else number(value)

        def category(value: object) -> str | float:
            return value if isinstance(value, str) else number(value)

        columns = {}
        ignored = entry.get("ignored", [])
        places = [entry["n_columns"], *(column["column"] for column in entry["columns"]), *ignored]
        if not all(isinstance(place, int) and not isinstance(place, bool) for place in places):
            raise ValueError(f"numbers of columns must be integers, not {places}")
        for column in entry["columns"]:
            columns[column["column"]] = CategoryColumn(
                tuple(map(category, column["values"])),
                np.array([number(value) for value in column["numbers"]], dtype=np.float64),
                optional(column["unknown"]),
                optional(column["missing"]),
            )
        return cls(places[0], columns, frozenset(ignored))
