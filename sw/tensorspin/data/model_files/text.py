"""Text of model files: lines with their numbers, and the numbers in them.

A message names the line of the file, comments and empty lines included, as an editor counts it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..reading import as_number

MOST_DIGITS = 30
"""Greatest number of digits of a count. Python refuses to read numbers of thousands of digits."""

_LINE_END = re.compile(r"\r\n|\r|\n")
"""What ends a line. `str.splitlines` also splits at characters that editors show within a line."""

_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""Byte order marks of UTF-16, in which some shells of Windows redirect output to files."""

Line = tuple[int, str]
"""A line of a file: its number, counted from 1, and its text without white space around it."""


def decode(path: Path, content: bytes) -> str:
    """Decode a text file in UTF-8, or in UTF-16 with a byte order mark.

    Parameters
    ----------
    path : Path
        The file, for messages.
    content : bytes
        Its content.

    Returns
    -------
    str
        The text, without a byte order mark.

    Raises
    ------
    DataError
        If it is no text.
    """
    try:
        return content.decode("utf-16" if content.startswith(_WIDE) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text: {error}") from error


def all_lines(text: str) -> list[Line]:
    """Split a text into its lines that are not empty."""
    lines = enumerate(_LINE_END.split(text), start=1)
    return [(number, line.strip()) for number, line in lines if not line.isspace() and line]


def data_lines(text: str, comments: str) -> list[Line]:
    """Split a text into its lines that are neither empty nor comments.

    Parameters
    ----------
    text : str
        The text.
    comments : str
        Characters that begin a comment when they stand first in a line. A ``#`` among them also
        ends a line of data.

    Returns
    -------
    list of (int, str)
        The lines.
    """
    lines = [(number, line) for number, line in all_lines(text) if line[0] not in comments]
    if "#" in comments and "#" in text:
        lines = [(number, line.partition("#")[0].rstrip()) for number, line in lines]
    return lines


def count(path: Path, line: int, field: str, what: str) -> int:
    """Read a number of variables or entries.

    Parameters
    ----------
    path : Path
        The file, for messages.
    line : int
        Number of the line.
    field : str
        The number as text.
    what : str
        What is counted.

    Returns
    -------
    int
        The number.

    Raises
    ------
    DataError
        If it is no count, or has more than `MOST_DIGITS` digits.
    """
    # isdigit() alone is true for superscripts, too, which int() does not take.
    if not (field.isascii() and field.isdigit()):
        raise DataError(f"{path}: line {line}: {field[:MOST_DIGITS]!r} is no count of {what}")
    if len(field) > MOST_DIGITS:
        raise DataError(f"{path}: line {line} announces {what} in a number of {len(field)} digits")
    return int(field)


def numbers(path: Path, lines: Sequence[Line], columns: int) -> np.ndarray:
    """Read lines of numbers.

    Parameters
    ----------
    path : Path
        The file, for messages.
    lines : sequence of (int, str)
        The lines.
    columns : int
        How many numbers stand in each.

    Returns
    -------
    ndarray of float64 of shape (n_lines, columns)
        The numbers.

    Raises
    ------
    DataError
        If a line has more or fewer columns, or something else than finite numbers.
    """
    fields = [line.split() for _, line in lines]
    for (number, _), row in zip(lines, fields):
        if len(row) != columns:
            raise DataError(f"{path}: line {number} has {len(row)} columns, not {columns}")
    try:
        if any("_" in line or not line.isascii() for _, line in lines):
            raise ValueError("NumPy also reads 1_000 and digits of other scripts")
        table = np.array(fields, dtype=np.float64).reshape(-1, columns)
    except ValueError:
        raise _no_number(path, lines, fields) from None
    wrong = np.flatnonzero(~np.isfinite(table).all(axis=1))
    if len(wrong):
        raise DataError(f"{path}: line {lines[wrong[0]][0]} holds a number that is not finite")
    return table


def _no_number(path: Path, lines: Sequence[Line], fields: list[list[str]]) -> DataError:
    """Find the first field that is no number."""
    for (line, _), row in zip(lines, fields):
        for field in row:
            if as_number(field) is None:
                return DataError(f"{path}: line {line}: could not convert {field!r} to a number")
    return DataError(f"{path} holds something else than numbers")


def check_pairs(path: Path, lines: Sequence[Line], pairs: np.ndarray, first: int, n: int) -> None:
    """Refuse entries that name variables which a model does not have.

    Parameters
    ----------
    path : Path
        The file, for messages.
    lines : sequence of (int, str)
        The line of each entry.
    pairs : ndarray of float64 of shape (n_entries, 2)
        The two variables of each entry.
    first, n : int
        Number of the first variable, and how many there are.

    Raises
    ------
    DataError
        If there is such an entry.
    """
    wrong = np.flatnonzero(
        np.any((pairs % 1 != 0) | (pairs < first) | (pairs >= first + n), axis=1)
    )
    if len(wrong):
        entry = int(wrong[0])
        raise DataError(
            f"{path}: line {lines[entry][0]}: entry {entry + 1} names {pairs[entry].tolist()}; "
            f"variables are {first} to {first + n - 1}"
        )
