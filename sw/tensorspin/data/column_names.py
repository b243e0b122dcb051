"""Names of columns: which one is meant, what a name tells, and how messages call it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .errors import DataError

_TARGET_WORDS = frozenset(
    {"class", "classes", "label", "labels", "target", "species", "category", "diagnosis", "outcome"}
)
"""Words that name the target if they are part of a column's name."""

_TARGET_NAMES = frozenset({"y", "type", "result", "outlier", "anomaly"})
"""Whole names, in lower case, that name the target."""

INDEX_NAMES = re.compile(r"(unnamed: 0)?|index|id|row", re.IGNORECASE)
"""Names of columns that number the rows. pandas calls one without a name "Unnamed: 0"."""


def find_column(wanted: str | int, names: list[str] | None, columns: int, where: str) -> int:
    """Find a column by its name, or by its number.

    Parameters
    ----------
    wanted : str or int
        The name; or a number from 0, as int or text; negative numbers count from the end.
    names : list of str, optional
        Names of the columns, if there are any.
    columns : int
        Number of columns.
    where : str
        The file, for messages.

    Returns
    -------
    int
        Number of the column, from 0.

    Raises
    ------
    DataError
        If there is no such column, or several have that name.
    """
    matches = [place for place, name in enumerate(names or ()) if name == str(wanted).strip()]
    if len(matches) > 1:
        raise DataError(f"{where} has {len(matches)} columns called {wanted!r}; use a number")
    if matches:
        return matches[0]
    try:
        place = int(wanted)
    except ValueError:
        known = "it has no names, use numbers" if not names else f"it has {listed(names)}"
        raise DataError(f"{where} has no column called {wanted!r}; {known}") from None
    if not -columns <= place < columns:
        raise DataError(f"{where} has columns 0 to {columns - 1}, not {place}")
    return place % columns


def listed(names: Iterable[object], most: int = 10) -> str:
    """List names for a message, the first ten of many."""
    texts = list(map(str, names))
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more


def described(place: int, names: list[str] | None, columns: int) -> str:
    """Name a column for people: its number, its name, and whether it is the first or last.

    Parameters
    ----------
    place : int
        Number of the column, from 0.
    names : list of str, optional
        Names of the columns.
    columns : int
        Number of columns.

    Returns
    -------
    str
        Text such as ``column 4 'species', the last``.
    """
    name = f" {names[place]!r}" if names is not None and names[place] else ""
    ends = {0: ", the first", columns - 1: ", the last"}
    return f"column {place}{name}{ends.get(place, '')}"


def find_columns(
    wanted: Iterable[str | int], names: list[str] | None, columns: int, where: str
) -> list[int]:
    """Find columns by their names or numbers, several of which a text may list between commas.

    Parameters
    ----------
    wanted : iterable of (str or int)
        Names, numbers, and lists of these such as ``region,3``. A name may have commas in it.
    names : list of str, optional
        Names of the columns, if there are any.
    columns : int
        Number of columns.
    where : str
        The file, for messages.

    Returns
    -------
    list of int
        Numbers of the columns, from 0, in the order in which they were named.

    Raises
    ------
    DataError
        If there is no such column, or several have that name.

    Examples
    --------
    >>> find_columns(["b,0"], ["a", "b", "c"], 3, "data.csv")
    [1, 0]
    """
    found = []
    for each in wanted:
        parts: list[str | int] = [each]
        if isinstance(each, str) and each.strip() not in (names or ()):
            parts = [part.strip() for part in each.split(",")]
        found += [find_column(part, names, columns, where) for part in parts]
    return found


def targets_by_name(names: list[str] | None, places: list[int]) -> list[int]:
    """Return the columns whose names say that they are targets, such as ``Class label``.

    Parameters
    ----------
    names : list of str, optional
        Names of all columns.
    places : list of int
        Columns to look at.

    Returns
    -------
    list of int
        Those of `places` that have such a name. Beside x and another column, y is a coordinate.
    """
    found = []
    lower = [name.lower() for name in names or ()]
    for place in places if lower else ():
        words = re.findall(r"[a-z]+", lower[place])
        coordinate = lower[place] == "y" and "x" in lower and len(lower) > 2
        if not _TARGET_WORDS.isdisjoint(words) or lower[place] in _TARGET_NAMES and not coordinate:
            found.append(place)
    return found
