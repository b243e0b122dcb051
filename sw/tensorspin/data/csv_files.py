"""Samples from ``.csv`` files: which line holds names, and what the last column means."""

from __future__ import annotations

import csv
import logging
import re
from collections import Counter
from pathlib import Path

import numpy as np

from .checks import check_finite, check_labels, check_targets, is_missing
from .errors import DataError

_logger = logging.getLogger(__name__)

HEADERS = ("auto", "yes", "no")
"""Whether the first line of a file holds names of columns; ``auto`` decides by what it holds."""

_INTEGER = re.compile(r"[+-]?[0-9]+")

_Row = tuple[int, list[str]]
"""Number of a line, counted from 1, and its cells without spaces around them."""


def read_csv(path: Path, header: str = "auto") -> tuple[np.ndarray, np.ndarray]:
    """Read features and targets, and refuse every line that is not understood.

    Parameters
    ----------
    path : Path
        The file, encoded as UTF-8, with or without a byte order mark.
    header : str
        One of `HEADERS`.

    Returns
    -------
    X : ndarray of float64 of shape (n_samples, n_features)
        All columns but the last.
    y : ndarray of shape (n_samples,)
        The last column. Its type is the narrowest that holds all of it: int64, float64 or text.

    Raises
    ------
    DataError
        If the file holds no samples, if lines have different numbers of columns, if a feature is
        not a finite number, if a label is missing, if two labels differ in leading zeros alone,
        or if the first line could be names as well as a sample.
    """
    rows = _rows(path)
    names = rows.pop(0) if rows and _has_header(path, rows, header) else None
    if not rows:
        raise DataError(f"{path} has no samples")
    columns = len(rows[0][1])
    if columns < 2:
        raise DataError(f"{path} needs at least 2 columns, features and class, not {columns}")
    # R, for one, writes a column of row numbers which the line of names leaves out.
    if names is not None and len(names[1]) != columns:
        raise DataError(
            f"{path}: line {names[0]} names {len(names[1])} columns, the samples have {columns}"
        )
    X = np.empty((len(rows), columns - 1))
    for sample, (_, cells) in enumerate(rows):
        if len(cells) != columns:
            raise DataError(f"{path}: sample {sample} has {len(cells)} columns, not {columns}")
        for column, cell in enumerate(cells[:-1]):
            number = _number(cell)
            if number is None:
                hint = "; if this line holds names, use --header yes" if sample == 0 else ""
                raise DataError(
                    f"{path}: feature {column} of sample {sample} is {cell!r}, not a number"
                    + (hint if names is None and not is_missing(cell) else "")
                )
            X[sample, column] = number
    check_finite(X, str(path))
    _logger.debug(
        "%s: %d samples of %d features, %s line of names",
        path,
        *X.shape,
        "no" if names is None else "and a",
    )
    return X, _targets(path, [(line, cells[-1]) for line, cells in rows])


def _rows(path: Path) -> list[_Row]:
    """Read all lines that are not blank."""
    rows: list[_Row] = []
    # Spreadsheets begin a file with a byte order mark, which would hide the first number; the
    # encoding utf-8-sig skips the mark if there is one.
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, skipinitialspace=True)
        line = 1
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells) or len(cells) > 1:
                rows.append((line, cells))
            # A cell in quotation marks may go over several lines; its row counts as the first.
            line = reader.line_num + 1
    return rows


def _has_header(path: Path, rows: list[_Row], header: str) -> bool:
    """Decide whether the first line holds names of columns.

    A line with a number in it is a sample, so that a mistake elsewhere in that line is reported,
    not skipped. There are two exceptions: a word above a column of numbers is that column's name,
    and programs write running integers where columns have no names.
    """
    if header != "auto":
        return header == "yes"
    (line, first), others = rows[0], [cells for _, cells in rows[1:]]
    features = first[:-1] or first
    if not any(_is_number(cell) for cell in features):
        return not all(is_missing(cell) for cell in features)
    if any(len(cells) != len(first) for cells in others):
        return False
    labels = [cells[-1] for cells in others]
    if not _is_number(first[-1]):
        word = not is_missing(first[-1])
        return word and bool(labels) and all(_is_number(label) for label in labels)
    if len(first) < 2 or not _is_running(first):
        return False
    # From here on all of the line is integers in order. They are names if they do not fit the
    # lines below: beside labels that are words, beside labels that all occur more than once
    # (these are classes, and the line would be the only sample of its class), or above a column
    # whose numbers all have a decimal point.
    if labels and not any(_is_number(label) for label in labels):
        return True
    counts = Counter(_number(label) for label in labels)
    if counts and _number(first[-1]) not in counts and min(counts.values()) > 1:
        return True
    if others and any(
        all(_is_number(cell) and not _INTEGER.fullmatch(cell) for cell in column)
        for column in zip(*others)
    ):
        return True
    shown = ",".join(first if len(first) < 8 else [*first[:4], "...", first[-1]])
    raise DataError(
        f"{path}: line {line} ({shown}) may hold numbers of columns or a sample; say which: "
        f"--header yes or --header no, or write names of the columns above the samples"
    )


def _is_running(cells: list[str]) -> bool:
    """Return whether cells are 0, 1, 2 and so on, or 1, 2, 3 and so on."""
    return any(
        all(cell == str(number) for number, cell in enumerate(cells, start)) for start in (0, 1)
    )


def _targets(path: Path, labels: list[tuple[int, str]]) -> np.ndarray:
    """Return the last column in the narrowest type that holds all of it.

    Class 1 is not to become class 1.0, and a column with a single word in it is a column of words.
    """
    texts = [label for _, label in labels]
    check_labels(texts, lambda sample: f"{path}, line {labels[sample][0]}")
    numbers = [_number(text) for text in texts]
    if None in numbers:
        return np.array(texts)
    _check_zeros(path, labels)
    if not all(_INTEGER.fullmatch(text) for text in texts):
        y = np.array(numbers, dtype=np.float64)
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


def _number(text: str) -> float | None:
    """Return the number that a cell holds, or None.

    Python also reads 1_000 and digits of other scripts as numbers, which no other program does.
    """
    try:
        number = float(text)
    except ValueError:
        return None
    return number if text.isascii() and "_" not in text else None


def _is_number(text: str) -> bool:
    return _number(text) is not None
