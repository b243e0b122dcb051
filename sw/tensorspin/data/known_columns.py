"""Which columns of a table are the features that a program was trained with, and which the target.

Features are found by their names where program and table have some, otherwise by their places.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from .checks import is_missing
from .column_names import (
    INDEX_NAMES,
    described,
    find_column,
    find_columns,
    listed,
    targets_by_name,
)
from .columns import (
    FEWEST_ROWS,
    Columns,
    is_running,
    undropped,
    without_blank_end,
    without_index,
)
from .errors import DataError
from .reading import NO_TARGET, Reading, as_number, is_number

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """What a program that was trained before expects of a table.

    Parameters
    ----------
    features : int
        Number of its features.
    names : sequence of str, optional
        Their names.
    classes : sequence of str, optional
        Names of its classes, as text.
    words : frozenset of int
        Features that hold words, by number from 0.
    categorical : frozenset of int
        Features that hold categories: those words, and numbers that are names.
    gaps : frozenset of int
        Features that may be missing.

    Examples
    --------
    >>> Known(2, names=["length", "width"]).features
    2
    """

    features: int
    names: Sequence[str] | None = None
    classes: Sequence[str] | None = None
    words: frozenset[int] = frozenset()
    categorical: frozenset[int] = frozenset()
    gaps: frozenset[int] = frozenset()


def match_columns(
    where: str, names: list[str] | None, rows: list[list[str]], known: Known, reading: Reading
) -> Columns:
    """Find the features that a program was trained with, and the target if there is one.

    Parameters
    ----------
    where : str
        The file, for messages.
    names : list of str, optional
        Names of the columns.
    rows : list of list of str
        Cells of some samples, at least one.
    known : Known
        What the program expects.
    reading : Reading
        What the user says.

    Returns
    -------
    Columns
        The choice.

    Raises
    ------
    DataError
        If a feature is missing, or it is not clear which columns are the features.
    """
    columns = len(rows[0])
    chosen = _matched(where, names, rows, known, reading)
    check_categorical(where, names, chosen.features, columns, known, reading)
    return chosen


def check_categorical(
    where: str,
    names: list[str] | None,
    features: Sequence[int],
    columns: int,
    known: Known,
    reading: Reading,
) -> None:
    """Refuse columns that the user calls categorical, and in which the program takes numbers.

    Parameters
    ----------
    where : str
        The file, for messages.
    names : list of str, optional
        Names of the columns.
    features : sequence of int
        The column of each feature.
    columns : int
        Number of columns.
    known : Known
        What the program expects.
    reading : Reading
        What the user says.

    Raises
    ------
    DataError
        If there is such a column, or one of these does not exist.
    """
    for place in find_columns(reading.categorical, names, columns, where):
        if place not in features or features.index(place) not in known.categorical:
            what = "takes as numbers" if place in features else "does not use"
            raise DataError(
                f"{where}: --categorical names {described(place, names, columns)}, which the "
                f"program {what}: train it with --categorical, or leave the option out"
            )


def _matched(
    where: str, names: list[str] | None, rows: list[list[str]], known: Known, reading: Reading
) -> Columns:
    """Find features and target; what `match_columns` has to check stands there."""
    columns = len(rows[0])
    left = undropped(where, names, columns, reading)
    target = None
    if reading.target not in (None, NO_TARGET):
        target = find_column(reading.target or 0, names, columns, where)
    if names is not None and known.names is not None:
        features = _by_name(where, names, known.names)
        if target in features:
            raise DataError(
                f"{where}: --target {reading.target} is a feature of the program; leave it out"
            )
        for place in features:
            if place not in left:
                raise DataError(
                    f"{where}: --drop leaves out {names[place]!r}, a feature of the program"
                )
        rest = [place for place in left if place not in features]
        if target is None and reading.target is None and rest:
            target = _known_target(names, rows, rest, known)
        return Columns(features, target)
    left = [place for place in left if place != target]
    if len(left) > known.features:
        left = without_blank_end(where, names, rows, left, reading)
    if len(left) > known.features and target is None and len(left) != known.features + 1:
        left = without_index(where, names, rows, left)
    if len(left) == known.features + 1 and target is None and reading.target is None:
        target = _spare_column(where, names, rows, left, known, reading)
        left = [place for place in left if place != target]
        if names is not None and not names[target] and target == 0:
            target = None  # an index
    if len(left) != known.features:
        raise DataError(
            f"{where} has {columns} columns; the program needs {known.features}, one a feature, "
            f"or one more with the target: choose with --target and --drop"
        )
    return Columns(left, target)


def _by_name(where: str, names: list[str], wanted: Sequence[str]) -> list[int]:
    missing = [name for name in wanted if name not in names]
    if missing:
        raise DataError(
            f"{where} lacks columns of the program: {listed(missing)}; it has {listed(names)}"
        )
    double = [name for name in wanted if names.count(name) > 1]
    if double:
        raise DataError(f"{where} has several columns called {double[0]!r}; remove all but one")
    return [names.index(name) for name in wanted]


def _known_target(
    names: list[str], rows: list[list[str]], rest: list[int], known: Known
) -> int | None:
    """Find the target among the columns that are no features, of a table with names."""
    named = targets_by_name(names, rest)
    plausible = [place for place in rest if not INDEX_NAMES.fullmatch(names[place])]
    of_classes = [
        place
        for place in rest
        if known.classes is not None and all(_is_class(row[place], known.classes) for row in rows)
    ]
    for places in (named, of_classes, plausible):
        if len(places) == 1:
            return places[0]
    return None


def _spare_column(
    where: str,
    names: list[str] | None,
    rows: list[list[str]],
    left: list[int],
    known: Known,
    reading: Reading,
) -> int:
    """Find the one column that is no feature, in a table of one more than the features."""
    first, last = left[0], left[-1]
    if names is not None and not names[first] and first == 0:
        return first
    texts = [place for place in left if not all(is_number(row[place]) for row in rows)]
    if known.words or known.gaps:
        fits = [end for end in (last, first) if _fit(texts, rows, left, end, known)]
        if fits:
            # Of two ends that fit, the first is the target only if words make it one.
            texts = [] if len(fits) == 2 else [place for place in texts if place in fits]
            if len(fits) == 1 and not texts:
                return fits[0]
    named = targets_by_name(names, left)
    indices = [place for place in left if names is not None and INDEX_NAMES.fullmatch(names[place])]
    numbered = [row[first] for row in rows]
    doubtful = reading.task is None and len(rows) >= FEWEST_ROWS and is_running(numbered)
    if len(texts) == 1 and texts[0] in (first, last):
        chosen = texts[0]
    elif len(named) == 1 and not texts:
        return named[0]
    elif indices == [first] and reading.task is None and not texts:
        chosen = first  # rows without a target, but with a number
    elif known.classes is None or texts:
        chosen = last
    else:
        fits = [all(_is_class(row[place], known.classes) for row in rows) for place in left]
        # A comparison with the last column's labels refuses them, and names the classes.
        if not fits[0] and not fits[-1] and reading.task is None:
            raise DataError(
                f"{where} has one column more than the program has features, and neither the "
                f"first nor the last holds its classes: choose with --target or --drop"
            )
        different = [len({row[place] for row in rows}) > 1 for place in left]
        chosen = last
        if fits[0]:
            # Classes differ from row to row; a feature that has the values of classes may be
            # constant, as the pixels at the edges of images are.
            if not fits[-1] or different[0] > different[-1]:
                chosen = first
            elif different[0] == different[-1]:
                # Classes are written as they were for the training: 2, not 2.0.
                as_then = [all(row[end] in known.classes for row in rows) for end in (first, last)]
                chosen = first if as_then == [True, False] else last
            doubtful |= different[0] == different[-1]
    tell = _logger.debug if chosen == last and not doubtful else _logger.warning
    tell(
        "%s: %s is taken for the target; choose another with --target",
        where,
        described(chosen, names, len(rows[0])),
    )
    return chosen


def _fit(
    texts: list[int], rows: list[list[str]], left: list[int], target: int, known: Known
) -> bool:
    """Tell whether the columns beside a target hold words where the program's features do."""
    features = [place for place in left if place != target]
    return all(
        (feature in known.words)
        if any(not is_number(row[place]) and not is_missing(row[place]) for row in rows)
        else (place not in texts or feature in known.gaps or feature in known.words)
        for feature, place in enumerate(features)
    )


def _is_class(cell: str, classes: Sequence[str]) -> bool:
    if cell in classes or not cell:
        return True
    number = as_number(cell)
    return number is not None and any(as_number(name) == number for name in classes)
