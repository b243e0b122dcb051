"""Samples from ``.csv`` files: which line holds names, and what the columns mean."""

from __future__ import annotations

import csv
import logging
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from .checks import check_labels, check_targets, is_missing
from .column_names import described
from .columns import choose_columns
from .errors import DataError
from .feature_cells import read_features
from .known_columns import Known, match_columns
from .reading import (
    Numbers,
    Reading,
    as_number,
    is_number,
    leading_comments,
    recognise_separator,
    separator_line,
    split_lines,
)
from .text_lines import TextLines, open_lines

_logger = logging.getLogger(__name__)

MOST_BYTES = 1 << 29
"""Most bytes that a file compressed by gzip may expand to, and that are read from standard input:
512 MiB. A file without compression has no limit."""

_SAMPLE_LINES = 32
"""Lines by which the separator is recognised."""

_INTEGER = re.compile(r"[+-]?[0-9]+")

_Row = tuple[int, list[str]]
"""Number of a line, counted from 1, and its cells without spaces around them."""


@dataclass(frozen=True)
class Table:
    """Samples of a file.

    Parameters
    ----------
    X : ndarray of float64 or object of shape (n_samples, n_features)
        The features: float64; or objects if some hold words, and None where a word is missing.
    y : ndarray of shape (n_samples,) or (0,)
        The target, in the narrowest type that holds all of it: int64, float64 or text. It has no
        entries if the table has no target.
    names : tuple of str, optional
        Names of the features.
    target : str
        Which column the target is, for people; empty if there is none.
    categorical : tuple of int
        Features whose values are names, by what the user says; these are text.
    """

    X: np.ndarray
    y: np.ndarray
    names: tuple[str, ...] | None
    target: str
    categorical: tuple[int, ...] = ()


def read_csv(path: Path, reading: Reading | None = None, known: Known | None = None) -> Table:
    """Read features and targets, and refuse every line that is not understood.

    Parameters
    ----------
    path : Path
        The file, encoded as UTF-8, with or without a byte order mark, or compressed by gzip.
    reading : Reading, optional
        What the user says of the file.
    known : Known, optional
        What a program that was trained before expects. Its features are found by name, in whatever
        order they are, if it and the file have names.

    Returns
    -------
    Table
        The samples.

    Raises
    ------
    DataError
        If the file holds no samples, if lines have different numbers of columns, if a feature is
        not a finite number, if a label is missing, if two labels differ in leading zeros alone,
        or if the first line could be names as well as a sample.
    """
    reading = reading or Reading()
    with open_lines(path, MOST_BYTES) as lines:
        separator, rows = _rows(lines, reading)
    header = rows.pop(0) if rows and has_header(str(path), rows, reading.header) else None
    if not rows:
        raise DataError(f"{path} has no samples")
    columns = len(rows[0][1])
    if columns < 2 and reading.task != "outliers" and known is None:
        raise DataError(f"{path} needs at least 2 columns, features and class, not {columns}")
    names = None if header is None else names_of_columns(str(path), header, rows, columns)
    for sample, (line, cells) in enumerate(rows):
        if len(cells) != columns:
            raise DataError(
                f"{path}: sample {sample} has {len(cells)} columns, not {columns} (line {line}, "
                f"columns separated by {separator!r})"
            )
    cells_of = [cells for _, cells in rows]
    if known is None:
        chosen = choose_columns(str(path), names, cells_of, reading)
    else:
        chosen = match_columns(str(path), names, cells_of, known, reading)
    numbers = Numbers(reading.decimal, separator)
    X = read_features(path, rows, chosen, names, numbers, reading, known)
    y = np.empty(0)
    if chosen.target is not None:
        place = chosen.target
        y = _targets(path, [(line, cells[place]) for line, cells in rows], numbers)
    _logger.debug(
        "%s: %d samples of %d features, %s line of names, separator %r, decimal mark %r",
        path,
        *X.shape,
        "no" if names is None else "and a",
        separator,
        numbers.decimal or ".",
    )
    if numbers.decimal == "," and reading.decimal is None:
        _logger.info("%s: commas are read as decimal marks; --decimal . if they are not", path)
    return Table(
        X,
        y,
        None if names is None else tuple(names[place] for place in chosen.features),
        "" if chosen.target is None else described(chosen.target, names, columns),
        tuple(k for k, place in enumerate(chosen.features) if place in chosen.categorical),
    )


def _rows(lines: TextLines, reading: Reading) -> tuple[str, list[_Row]]:
    """Read all lines that are not blank; return the separator, too."""
    first = list(islice(lines, _SAMPLE_LINES))
    separator, line = reading.separator, 1
    said = separator_line(first[0]) if first else None
    if said is not None:
        del first[0]
        line = 2
    separator = separator or said
    if separator is None:
        filled = [line for line in first if line.strip()]
        table = [line for line in filled if not line.startswith("#")]
        separator = recognise_separator(table or filled or [""])

    def every():
        yield from first
        yield from lines

    rows: list[_Row] = []
    counted = _Counted(every(), line - 1)
    try:
        for cells in split_lines(counted, separator):
            if any(cells) or (len(cells) > 1 and separator != " "):
                rows.append((line, cells))
            # A cell in quotation marks may go over several lines; its row counts as the first.
            line = counted.number + 1
    except csv.Error as error:
        raise DataError(f"{lines.name}, line {line}: {error}") from error
    return separator, rows[leading_comments(cells for _, cells in rows) :]


class _Counted:
    """Counts the lines that were given."""

    def __init__(self, lines, number: int) -> None:
        self._lines = iter(lines)
        self.number = number

    def __iter__(self):
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        return line


def names_of_columns(where: str, header: _Row, rows: list[_Row], columns: int) -> list[str]:
    """Return the names of the columns, as many as the samples have.

    Parameters
    ----------
    where : str
        The file, for messages.
    header : tuple of (int, list of str)
        Number of the line of names, and its cells.
    rows : list of (int, list of str)
        Samples.
    columns : int
        Number of their columns.

    Returns
    -------
    list of str
        The names. A column of row numbers that has none gets an empty one.

    Raises
    ------
    DataError
        If there are more or fewer names.
    """
    line, names = header
    # numpy.savetxt writes its line of names as a comment.
    names = [names[0].removeprefix("#").strip(), *names[1:]]
    if len(names) == columns - 1:
        # R, for one, writes a column of row numbers or names which the line of names leaves out.
        first = [cells[0] for _, cells in rows]
        numbered = first == [str(row + 1) for row in range(len(rows))]
        quoted = not any(is_number(cell) for cell in first) and len(set(first)) == len(first) > 4
        if len(first) > 4 and (numbered or quoted):
            return ["", *names]
    if len(names) != columns:
        raise DataError(
            f"{where}: line {line} names {len(names)} columns, the samples have {columns}"
        )
    return names


def has_header(where: str, rows: list[_Row], header: str, labelled: bool = True) -> bool:
    """Decide whether the first line holds names of columns.

    A line with a number in it is a sample, so that a mistake elsewhere in that line is reported,
    not skipped. There are two exceptions: a word above a column of numbers is that column's name,
    and programs write running integers where columns have no names.

    Parameters
    ----------
    where : str
        The file, for messages.
    rows : list of (int, list of str)
        Lines with their numbers, at least one.
    header : str
        What the user says: one of `HEADERS`.
    labelled : bool
        Whether the last column may hold classes, which show whether the first line is a sample.

    Returns
    -------
    bool
        Whether the first line holds names.

    Raises
    ------
    DataError
        If that is not clear.
    """
    if header != "auto":
        return header == "yes"
    (line, first), others = rows[0], [cells for _, cells in rows[1:]]
    features = first[:-1] or first
    same = bool(others) and all(len(cells) == len(first) for cells in others)
    if not any(is_number(cell) for cell in features):
        if same and len(first) > 1 and is_number(first[-1]):
            # Words, with a number at the end: a sample whose class is first, unless words are
            # names of the columns of numbers below.
            return any(is_number(cells[0]) for cells in others)
        if same and _is_sample_of_words(first, others):
            return False
        return not all(is_missing(cell) for cell in features)
    if others and not same:
        return False
    if not first[0] and same and len(first) > 2 and _is_running(first[1:-1]):
        if _is_running([cells[0] for cells in others]):
            return True  # pandas: no name above the index, and columns that are numbered
    labels = [cells[-1] for cells in others]
    if not is_number(first[-1]):
        word = not is_missing(first[-1])
        return word and bool(labels) and all(is_number(label) for label in labels)
    if len(first) < 2 or not _is_running(first):
        return False
    # From here on all of the line is integers in order. They are names if they do not fit the
    # lines below: above a column of words, beside labels that all occur more than once (these are
    # classes, and the line would be the only sample of its class), or above a column whose numbers
    # all have a decimal point.
    if others and any(not any(map(is_number, column)) for column in zip(*others)):
        return True
    counts = Counter(as_number(label) for label in labels)
    if labelled and counts and as_number(first[-1]) not in counts and min(counts.values()) > 1:
        return True
    if others and any(
        all(is_number(cell) and not _INTEGER.fullmatch(cell) for cell in column)
        for column in zip(*others)
    ):
        return True
    shown = ",".join(first if len(first) < 8 else [*first[:4], "...", first[-1]])
    raise DataError(
        f"{where}: line {line} ({shown}) may hold numbers of columns or a sample; say which: "
        f"--header yes or --header no, or write names of the columns above the samples"
    )


def _is_sample_of_words(first: list[str], others: list[list[str]]) -> bool:
    """Tell whether words in the first line are values: all occur again below, in their columns.

    Names of columns do not. In a table with a column of numbers a word above it is its name.
    """
    columns = list(zip(*others))
    if any(any(map(is_number, column)) for column in columns):
        return False
    return all(cell in column for cell, column in zip(first, columns) if not is_missing(cell))


def _is_running(cells: list[str]) -> bool:
    """Return whether cells are 0, 1, 2 and so on, or 1, 2, 3 and so on."""
    return any(
        all(cell == str(number) for number, cell in enumerate(cells, start)) for start in (0, 1)
    )


def _targets(path: Path, labels: list[tuple[int, str]], numbers: Numbers) -> np.ndarray:
    """Return the target in the narrowest type that holds all of it.

    Class 1 is not to become class 1.0, and a column with a single word in it is a column of words.
    """
    texts = [label for _, label in labels]
    check_labels(texts, lambda sample: f"{path}, line {labels[sample][0]}")
    values = [numbers.read(text) for text in texts]
    if None in values:
        if all(map(is_number, texts)):
            line, text = labels[values.index(None)]
            raise DataError(f"{path}, line {line}: the target is {text}{numbers.advice(text)}")
        return np.array(texts)
    _check_zeros(path, labels)
    if not all(_INTEGER.fullmatch(text) for text in texts):
        y = np.array(values, dtype=np.float64)
        check_targets(y, str(path))
        return y
    integers = [int(text) for text in texts]
    limits = np.iinfo(np.int64)
    for (line, text), integer in zip(labels, integers):
        # As float64, integers as large as that would no longer differ from their neighbours.
        if not limits.min <= integer <= limits.max:
            raise DataError(
                f"{path}, line {line}: the label must be {limits.min} to {limits.max}, not "
                f"{text}; use shorter numbers, or words"
            )
    return np.array(integers, dtype=np.int64)


def _check_zeros(path: Path, labels: list[tuple[int, str]]) -> None:
    """Refuse labels such as 007 and 7: as numbers they are one class, as codes they are two."""
    seen: dict[int, tuple[int, str]] = {}
    for line, text in labels:
        if _INTEGER.fullmatch(text):
            first_line, first = seen.setdefault(int(text), (line, text))
            if len(first.lstrip("+-")) != len(text.lstrip("+-")):
                raise DataError(
                    f"{path}, line {line}: the label {text} is the same number as {first} in "
                    f"line {first_line}; write both alike, or as words if they are two classes"
                )
