"""How tables of text are read: separators, decimal marks, names of columns.

`Reading` holds what the user says; what the user leaves open is recognised from the file, and told
to the logger.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import chain

HEADERS = ("auto", "yes", "no")
"""Whether the first line of a file holds names of columns; ``auto`` decides by what it holds."""

TASKS = ("classes", "numbers", "outliers")
"""What a model learns from a table: to tell classes, to predict numbers, or to find outliers."""

NO_TARGET = "none"
"""Target of a table without one: all columns are features."""

SEPARATORS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "space": " ", "pipe": "|"}
"""Words for separators, beside the characters themselves."""

_CANDIDATES = ("\t", ";", ",", "|", " ")
"""Separators that are recognised. Of equally good ones the first counts: a comma may also be a
decimal mark, and a space a part of a name."""

_COMMA_NUMBER = re.compile(r"[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?")
_GROUPED = re.compile(
    r"[+-]?[0-9]{1,3}(\.[0-9]{3})+(,[0-9]+)?|[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?"
)
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+")


@dataclass(frozen=True)
class Reading:
    """What a user says of a table of text, such as a ``.csv`` file.

    Parameters
    ----------
    header : {"auto", "yes", "no"}
        Whether the first line holds names of columns.
    separator : str, optional
        The character between columns, or a word of `SEPARATORS`; by default recognised.
    decimal : {".", ","}, optional
        The decimal mark; by default recognised.
    target : str or int, optional
        Name or number (from 0) of the column with the class or the number to predict; `NO_TARGET`
        if there is none. By default it is recognised, mostly the last.
    drop : tuple of (str or int)
        Names or numbers of columns to leave out.
    categorical : tuple of (str or int)
        Names or numbers of features whose values are names, even if they are written as numbers;
        a text may list several between commas.
    task : {"classes", "numbers", "outliers"}, optional
        What is to be learnt, which helps to recognise the target. Without it the last column is
        the target.
    words : bool
        Whether columns of words may be features.
    missing : bool
        Whether features may be missing.

    Raises
    ------
    ValueError
        If a value is none of those.

    Examples
    --------
    >>> from tensorspin.data import Reading
    >>> Reading(separator="semicolon", target="species").separator
    ';'
    """

    header: str = "auto"
    separator: str | None = None
    decimal: str | None = None
    target: str | int | None = None
    drop: tuple[str | int, ...] = ()
    categorical: tuple[str | int, ...] = ()
    task: str | None = None
    words: bool = False
    missing: bool = False

    def __post_init__(self) -> None:
        if self.header not in HEADERS:
            raise ValueError(f"header must be one of {', '.join(HEADERS)}, not {self.header!r}")
        if self.separator is not None:
            separator = SEPARATORS.get(self.separator, self.separator)
            if len(separator) != 1 or separator in '"\r\n' or separator.isalnum():
                raise ValueError(
                    f"separator must be one character that is no letter, digit or quotation mark, "
                    f"or one of {', '.join(SEPARATORS)}, not {self.separator!r}"
                )
            object.__setattr__(self, "separator", separator)
        if self.decimal not in (None, ".", ","):
            raise ValueError(f"decimal must be . or , not {self.decimal!r}")
        if self.separator is not None and self.separator == self.decimal:
            raise ValueError(f"separator and decimal can't both be {self.separator!r}")
        if self.task is not None and self.task not in TASKS:
            raise ValueError(f"task must be one of {', '.join(TASKS)}, not {self.task!r}")

    def given(self) -> dict[str, object]:
        """Return what the user says of the file, by name: all that is not left open.

        Returns
        -------
        dict of str to object
            Fields that differ from their defaults, but for `categorical`, `task`, `words` and
            `missing`, which say what the model takes.
        """
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        defaults = {item.name: item.default for item in fields(self)}
        return {
            name: value
            for name, value in values.items()
            if name not in ("categorical", "task", "words", "missing") and value != defaults[name]
        }


class Numbers:
    """Reads numbers with one decimal mark throughout; the first one decides if none is given.

    Parameters
    ----------
    decimal : {".", ","}, optional
        The decimal mark; None recognises it.
    separator : str
        What separates columns. Where it is a comma, 1,234 in quotation marks may be a thousand.

    Examples
    --------
    >>> numbers = Numbers(None, ";")
    >>> numbers.read("1,5"), numbers.decimal, numbers.read("2.5")
    (1.5, ',', None)
    """

    def __init__(self, decimal: str | None, separator: str) -> None:
        self.decimal = decimal
        self._separator = separator

    def read(self, cell: str) -> float | None:
        """Read a cell.

        Parameters
        ----------
        cell : str
            Text without spaces around it.

        Returns
        -------
        float or None
            The number; None if the cell holds none, or one with the other decimal mark.
        """
        number = as_number(cell)
        if number is not None:
            if "." in cell:
                if self.decimal is None:
                    self.decimal = "."
                return number if self.decimal == "." else None
            return number
        if self.decimal == "." or not _COMMA_NUMBER.fullmatch(cell) or not cell.isascii():
            return None
        if self.decimal is None:
            if self._separator == "," and _THOUSANDS.fullmatch(cell):
                return None
            self.decimal = ","
        return float(cell.replace(",", "."))

    def advice(self, cell: str) -> str:
        """Say what to do about a cell that is no number, as the end of a message.

        Parameters
        ----------
        cell : str
            A cell that `read` does not take.

        Returns
        -------
        str
            Advice that begins with a semicolon, or nothing.
        """
        if _THOUSANDS.fullmatch(cell) and self.decimal != ",":
            return (
                "; if the comma is a decimal mark, use --decimal , and if it separates thousands, "
                "write the numbers without it"
            )
        if self.decimal == "." and _COMMA_NUMBER.fullmatch(cell):
            return "; other numbers have decimal points: write all with the same mark"
        if self.decimal == "," and as_number(cell) is not None:
            return "; other numbers have decimal commas: write all with the same mark"
        if "." in cell and as_number(cell.replace(".", "").replace(",", ".")) is not None:
            return "; write numbers without separators of thousands"
        return ""


def as_number(text: str) -> float | None:
    """Return the number that a cell holds with a decimal point, or None.

    Python also reads 1_000 and digits of other scripts as numbers, which no other program does.
    """
    try:
        number = float(text)
    except ValueError:
        return None
    return number if text.isascii() and "_" not in text else None


def is_number(text: str) -> bool:
    """Return whether a cell holds a number, with a decimal point or a decimal comma."""
    return as_number(text) is not None or bool(text.isascii() and _COMMA_NUMBER.fullmatch(text))


def separator_line(line: str) -> str | None:
    """Return the separator that a first line such as ``sep=;`` names, as Excel writes and reads it.

    Parameters
    ----------
    line : str
        The first line of a file.

    Returns
    -------
    str or None
        The separator; None if the line is none of that kind.
    """
    found = re.fullmatch(r'"?sep=(.)"?\s*', line, re.IGNORECASE)
    return found[1] if found else None


def looks_like_number(text: str) -> bool:
    """Return whether a cell is a number, if perhaps one with separators of thousands.

    Parameters
    ----------
    text : str
        The cell, without spaces around it.

    Returns
    -------
    bool
        Whether it is.
    """
    return is_number(text) or bool(_GROUPED.fullmatch(text))


def split_lines(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    """Split lines into cells without spaces around them; quotation marks protect separators.

    Parameters
    ----------
    lines : iterable of str
        Lines, each with its end.
    separator : str
        The character between columns. A space stands for any number of spaces.

    Yields
    ------
    list of str
        Cells of a line; of several lines if a quoted cell goes over them.
    """
    if separator == " ":
        lines = (line.strip() + "\n" for line in lines)
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=separator != "\t")
    for row in reader:
        yield [cell.strip() for cell in row]


def leading_comments(rows: Iterable[list[str]]) -> int:
    """Count the comments above a table: they begin with # and have not as many cells as its rows.

    Parameters
    ----------
    rows : iterable of list of str
        Cells of the first lines that are not blank.

    Returns
    -------
    int
        Number of rows to skip. A line of names that begins with # is none of them.
    """
    above: list[int] = []
    for cells in rows:
        if not cells[0].startswith("#"):
            return next((n for n, count in enumerate(above) if count == len(cells)), len(above))
        above.append(len(cells))
    return 0


def recognise_separator(lines: list[str], expected: Collection[int] = ()) -> str:
    """Find the separator under which lines look most like a table of numbers.

    Parameters
    ----------
    lines : list of str
        The first lines that are not blank, at least one.
    expected : collection of int
        Numbers of columns that are most likely, if known; so many at least are numbers.

    Returns
    -------
    str
        The separator; a comma if nothing tells.
    """

    def score(separator: str) -> tuple[bool, bool, bool, float, float, int]:
        try:
            rows = [row for row in split_lines(lines, separator) if row]
        except csv.Error:
            return False, False, False, 0, 0, 0
        # The line of names, if there is one, has no numbers, and may have a column fewer.
        rows = rows[1:] or rows
        columns, count = Counter(map(len, rows)).most_common(1)[0] if rows else (0, 0)
        numbers = sum(map(looks_like_number, chain.from_iterable(rows)))
        # Decimal commas divide columns into as many as are expected, too, but few are numbers then.
        enough = bool(expected) and numbers >= min(expected) * len(rows)
        if columns < 2:
            return enough, 1 in expected and columns == 1, False, 0, 0, 0
        share = numbers / sum(map(len, rows)) if expected else 0
        return (
            enough,
            columns in expected,
            count == len(rows),
            numbers / len(rows),
            share,
            columns,
        )

    scores = {separator: score(separator) for separator in _CANDIDATES}
    best = max(_CANDIDATES, key=lambda separator: scores[separator])
    return best if any(scores[best]) else ","
