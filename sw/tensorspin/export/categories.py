"""Columns of categories on a microcontroller: a reading is the place of a category in a list.

A client has no table of words. The categories of a column are listed in the order of the numbers
that stand for them, so that levels do not fall while the place rises, and thresholds tell them as
they tell those of any other reading.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..compiler.categories import CategoryColumn
from ..compiler.columns import Boundaries
from ..compiler.network_program import NetworkProgram

_Entry = tuple[float, str | None]


def category_names(column: CategoryColumn) -> tuple[str | None, ...]:
    """List the categories of a column in the order of their places.

    Parameters
    ----------
    column : CategoryColumn
        The column.

    Returns
    -------
    tuple of (str or None)
        Their names; a category that is a number is written as a number. None stands for any other
        value, if the column has a number for it.

    Examples
    --------
    >>> category_names(CategoryColumn(("low", "high", "mid"), np.array([0.0, 2.0, 1.0])))
    ('low', 'mid', 'high')
    >>> category_names(CategoryColumn((7.0, 2.5), np.array([1.0, 2.0]), unknown=0.0))
    (None, '7', '2.5')
    """
    return tuple(name for _, name in _entries(column))


def _entries(column: CategoryColumn) -> list[_Entry]:
    """List number and name of each category, in the order of the numbers."""
    found: list[_Entry] = [
        (number, value if isinstance(value, str) else f"{value:.17g}")
        for number, value in zip(column.numbers.tolist(), column.values, strict=True)
    ]
    if column.unknown is not None and not np.isnan(column.unknown):
        found.append((column.unknown, None))
    return sorted(found, key=lambda entry: entry[0])


def with_places(
    program: NetworkProgram, found: Boundaries, columns: np.ndarray, accepts: np.ndarray
) -> tuple[Boundaries, np.ndarray]:
    """Turn boundaries between numbers of categories into boundaries between their places.

    Parameters
    ----------
    program : NetworkProgram
        The program.
    found : Boundaries
        Of the numbers that stand for categories, and of all other columns.
    columns : ndarray of int of shape (n_features,)
        Column that each feature reads.
    accepts : ndarray of bool of shape (n_columns,)
        Which columns may miss values.

    Returns
    -------
    found : Boundaries
        Of the places.
    accepts : ndarray of bool of shape (n_columns,)
        Which columns may miss values.

    Raises
    ------
    ValueError
        If the network refuses a category.
    """
    if program.categories is None:
        return found, accepts
    least, greatest, levels = found.least.copy(), found.greatest.copy(), found.levels.copy()
    missing = np.full(len(levels), -1, np.int16) if found.missing is None else found.missing.copy()
    accepts = accepts.copy()
    for place, column in program.categories.columns.items():
        numbers = np.array([number for number, _ in _entries(column)]).astype(levels.dtype)
        if numbers[0] < least[place] or numbers[-1] > greatest[place]:
            raise ValueError(
                f"a category of column {place} is out of the network's range; train it again"
            )
        least[place], greatest[place] = 0, len(numbers) - 1
        for feature in np.flatnonzero(columns == place):
            places = np.searchsorted(numbers, levels[feature]).astype(levels.dtype)
            if column.missing is not None and not np.isnan(column.missing):
                missing[feature] = (levels[feature] <= levels.dtype.type(column.missing)).sum()
            levels[feature] = np.where(places == len(numbers), np.inf, places)
    accepts[:] = False
    accepts[program.columns_with_gaps] = True
    for place in program.categories.ignored:
        least[place], greatest[place] = -np.inf, np.inf
    return replace(found, least=least, greatest=greatest, levels=levels, missing=missing), accepts
