"""Which column of a table is the target, which are features, and which are left out.

What is recognised is told to the logger, with the option that chooses otherwise: as a warning if
it is not what a table usually has.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from dataclasses import dataclass

from .column_names import (
    INDEX_NAMES,
    described,
    find_column,
    find_columns,
    targets_by_name,
)
from .errors import DataError
from .reading import NO_TARGET, Reading, as_number, is_number

_logger = logging.getLogger(__name__)

_MOST_CLASSES = 64
"""Most different integers that are taken for classes: as many as a program may have."""

FEWEST_ROWS = 5
"""Rows from which on different integers in a nameless column are taken for an index."""

_MANY_ROWS = 20
"""The same in a table without names, where only a warning is given."""


@dataclass(frozen=True)
class Columns:
    """Columns of a table, by number from 0.

    Parameters
    ----------
    features : list of int
        The features, in the order in which a model takes them.
    target : int, optional
        The target; None if there is none.
    categorical : frozenset of int
        Those features whose values are names, by what the user says.
    """

    features: list[int]
    target: int | None
    categorical: frozenset[int] = frozenset()


def choose_columns(
    where: str, names: list[str] | None, rows: list[list[str]], reading: Reading
) -> Columns:
    """Choose features and target of a table to train with.

    Parameters
    ----------
    where : str
        The file, for messages.
    names : list of str, optional
        Names of the columns.
    rows : list of list of str
        Cells of all samples, at least one; all rows have the same length.
    reading : Reading
        What the user says.

    Returns
    -------
    Columns
        The choice.

    Raises
    ------
    DataError
        If there is no such column as the user says, no feature is left, or a target cannot be
        recognised.
    """
    columns = len(rows[0])
    left = without_blank_end(where, names, rows, undropped(where, names, columns, reading), reading)
    categorical = frozenset(find_columns(reading.categorical, names, columns, where))
    given = reading.target not in (None, NO_TARGET)
    if 0 not in categorical:
        if not given or find_column(reading.target or 0, names, columns, where) != 0:
            left = without_index(where, names, rows, left)
    target = _target(where, names, rows, [p for p in left if p not in categorical], reading)
    _check_categorical(where, names, columns, categorical, left, target, reading)
    features = [place for place in left if place != target]
    if not features:
        raise DataError(f"{where} has no features beside the target; choose it with --target")
    return Columns(features, target, categorical)


def _check_categorical(
    where: str,
    names: list[str] | None,
    columns: int,
    categorical: frozenset[int],
    left: list[int],
    target: int | None,
    reading: Reading,
) -> None:
    """Refuse categorical columns that are left out, or that should be the target."""
    usual = set(targets_by_name(names, left))
    if not usual and reading.task != "outliers":
        usual = set(left[-1:])
    doubtful = reading.target is None and usual <= categorical
    for place in sorted(categorical):
        why = "is left out" if place not in left else "is the target" if place == target else ""
        if doubtful and place in usual:
            why = "would be the target: choose another with --target"
        if why:
            raise DataError(
                f"{where}: --categorical names {described(place, names, columns)}, which {why}"
            )


def undropped(where: str, names: list[str] | None, columns: int, reading: Reading) -> list[int]:
    """Return the columns that the user does not leave out.

    Parameters
    ----------
    where : str
        The file, for messages.
    names : list of str, optional
        Names of the columns.
    columns : int
        Number of columns.
    reading : Reading
        What the user says.

    Returns
    -------
    list of int
        Numbers of the columns, in ascending order.

    Raises
    ------
    DataError
        If there is no column that the user names, or the target is left out.
    """
    dropped = {find_column(wanted, names, columns, where) for wanted in reading.drop}
    if reading.target not in (None, NO_TARGET):
        if find_column(reading.target or 0, names, columns, where) in dropped:
            raise DataError(f"{where}: --target {reading.target} is left out by --drop")
    return [place for place in range(columns) if place not in dropped]


def without_blank_end(
    where: str,
    names: list[str] | None,
    rows: list[list[str]],
    left: list[int],
    reading: Reading,
) -> list[int]:
    """Leave out last columns with neither name nor values, which separators at line ends make.

    Parameters
    ----------
    where : str
        The file, for messages.
    names : list of str, optional
        Names of the columns.
    rows : list of list of str
        Cells of some samples, at least one.
    left : list of int
        Columns that are not left out so far.
    reading : Reading
        What the user says. A target that the user has chosen stays.

    Returns
    -------
    list of int
        Columns that are still left.
    """
    columns = len(rows[0])
    chosen = None
    if reading.target not in (None, NO_TARGET):
        chosen = find_column(reading.target or 0, names, columns, where)
    kept = list(left)
    while kept and kept[-1] != chosen:
        last = kept[-1]
        if (names is not None and names[last]) or any(row[last] for row in rows):
            break
        kept.pop()
    if kept and kept != left:
        # Without names it may also be the class, of which all labels are missing.
        tell = _logger.warning if names is None else _logger.info
        tell(
            "%s: %s has neither name nor values; it is left out",
            where,
            described(left[-1], names, columns),
        )
    return kept or left


def without_index(
    where: str, names: list[str] | None, rows: list[list[str]], left: list[int]
) -> list[int]:
    """Leave out a first column without a name that numbers the rows, as pandas writes it.

    A column with a name, or of a table without names, stays, and a warning tells of it.

    Parameters
    ----------
    where : str
        The file, for messages.
    names : list of str, optional
        Names of the columns.
    rows : list of list of str
        Cells of some samples, at least one.
    left : list of int
        Columns that are not left out so far.

    Returns
    -------
    list of int
        Columns that are still left.
    """
    if not left or left[0] != 0 or len(left) < 2:
        return left
    cells = [row[0] for row in rows]
    running = is_running(cells)
    name = None if names is None else names[0]
    if name is not None and not INDEX_NAMES.fullmatch(name):
        return left
    nameless = name is not None and name.lower() in ("", "unnamed: 0")
    different = len(cells) >= FEWEST_ROWS and len(set(cells)) == len(cells)
    whole = all(re.fullmatch(r"[0-9]+", cell) for cell in cells)
    if nameless and (running or (different and (whole or _is_text(cells)))):
        _logger.info(
            "%s: column 0 has no name and numbers the rows; it is left out. Give it a name to use "
            "it as a feature",
            where,
        )
        return left[1:]
    numbers_rows = running or (different and whole and (name or len(cells) >= _MANY_ROWS))
    if len(left) > 2 and len(cells) >= FEWEST_ROWS and numbers_rows:
        _logger.warning(
            "%s: %s seems to number the rows, and is used as a feature; leave it out with --drop 0",
            where,
            described(0, names, len(rows[0])),
        )
    return left


def _target(
    where: str,
    names: list[str] | None,
    rows: list[list[str]],
    left: list[int],
    reading: Reading,
) -> int | None:
    """Choose the target among the columns that are left."""
    columns = len(rows[0])
    if reading.target == NO_TARGET and NO_TARGET not in (names or ()):
        if reading.task != "outliers":
            raise DataError(f"{where}: only --estimator anomaly learns without a target")
        return None
    if reading.target is not None:
        return find_column(reading.target, names, columns, where)
    if not left:
        return None
    first, last = left[0], left[-1]
    text = {place for place in left if _is_text([row[place] for row in rows])}
    named = targets_by_name(names, left)
    if reading.task == "outliers":
        return _outlier_target(where, names, rows, left, text, named)
    if len(named) == 1 and named[0] != last and last not in text and reading.task is not None:
        return _told(where, names, columns, named[0], "its name", warn=True)
    if last in text:
        if reading.words and first in text and first != last and last not in named:
            _tell_of_first(where, names, columns, first, last)
        return _told(where, names, columns, last, "", warn=False)
    words = [row[first] for row in rows]
    # Words that are all different are names of the samples.
    repeated = len(words) < FEWEST_ROWS or len(set(words)) < len(words)
    if reading.words and len(text) > 1:
        repeated = False  # in a table of many words they tell nothing
    if first in text and len(left) > 1 and reading.task != "numbers" and repeated:
        if last in named:
            return _told(where, names, columns, last, "its name", warn=False)
        return _told(where, names, columns, first, "it holds words", warn=True)
    if reading.task == "classes" and len(left) > 1 and last not in named:
        cells = {place: [row[place] for row in rows] for place in (first, last)}
        count = len(set(cells[last]))
        why = "the last column is constant"
        if count > 1:
            why = f"the last column has {count} different numbers"
        if _holds_classes(cells[first]):
            if count == 1 or not _may_hold_classes(cells[last]):
                return _told(where, names, columns, first, why, warn=True)
            _tell_of_first(where, names, columns, first, last)
    return _told(where, names, columns, last, "", warn=False)


def _tell_of_first(
    where: str, names: list[str] | None, columns: int, first: int, last: int
) -> None:
    """Tell that the first column could be the target as well as the last, which is taken."""
    _logger.info(
        "%s: the target is %s; if the class is in %s, use --target %d",
        where,
        described(last, names, columns),
        described(first, names, columns),
        first,
    )


def _told(
    where: str, names: list[str] | None, columns: int, place: int, why: str, warn: bool
) -> int:
    reason = f" ({why})" if why else ""
    (_logger.warning if warn else _logger.debug)(
        "%s: the target is %s%s; choose another with --target",
        where,
        described(place, names, columns),
        reason,
    )
    return place


def _outlier_target(
    where: str,
    names: list[str] | None,
    rows: list[list[str]],
    left: list[int],
    text: set[int],
    named: list[int],
) -> int | None:
    """Choose the column that tells outliers from others; a table for a detector may have none."""
    columns = len(rows[0])
    if len(named) == 1:
        return _told(where, names, columns, named[0], "its name", warn=named[0] != left[-1])
    for place in (left[-1], left[0]):
        if place in text and len(left) > 1:
            return _told(where, names, columns, place, "it holds words", warn=place != left[-1])
    numbers = {as_number(row[left[-1]]) for row in rows}
    if len(left) > 1 and numbers in ({0, 1}, {-1, 1}):
        why = "it holds two numbers; --target none uses it as a feature"
        return _told(where, names, columns, left[-1], why, warn=True)
    _logger.info("%s: all %d columns are features; --target names one that is not", where, columns)
    return None


def is_running(cells: list[str]) -> bool:
    """Return whether cells count the rows, from 0 or from 1."""
    return cells in ([str(i + start) for i in range(len(cells))] for start in (0, 1))


def _is_text(cells: list[str]) -> bool:
    return not any(is_number(cell) for cell in cells)


def _holds_classes(cells: list[str]) -> bool:
    """Return whether cells are few different integers, each of which occurs more than once.

    They may be written as 1.0 or 1.000e+00: numpy.savetxt writes all numbers alike.
    """
    counts = Counter(as_number(cell.replace(",", ".")) for cell in cells)
    return (
        2 <= len(counts) <= _MOST_CLASSES
        and min(counts.values()) > 1
        and all(number is not None and number % 1 == 0 for number in counts)
    )


def _may_hold_classes(cells: list[str]) -> bool:
    """Return whether cells may be classes, if perhaps rare ones."""
    numbers = {as_number(cell.replace(",", ".")) for cell in cells}
    whole = all(number is None or number % 1 == 0 for number in numbers)
    return whole and len(numbers) <= max(2, min(_MOST_CLASSES, len(cells) / 2))
