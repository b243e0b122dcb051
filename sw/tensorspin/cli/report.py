"""What a command reports on standard output: text for people, or one JSON document for programs.

A command fills the `Report` that it finds as ``options.report``. Each quantity is given once, with
its number and with the text that people read, so that both forms tell the same. Everything else
(progress, warnings, errors) goes to standard error, by `tensorspin.cli.logs`.
"""

from __future__ import annotations

import dataclasses
import io
import json
import math
import os
import re
import sys
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Characters that move a terminal's cursor, change its colours or turn the direction of its text;
tabs and ends of lines are not among them."""


class ReaderGone(Exception):
    """Whoever read the command's output reads no more of it, as in ``tensorspin ... | head``."""


@dataclasses.dataclass(frozen=True)
class Line:
    """One quantity of a report: a line of text, and a member of the JSON document.

    Parameters
    ----------
    name : str
        What people read before the value.
    value : object
        The number, text, list or mapping of the JSON document, in units without a prefix: seconds,
        bytes, a share of 1.
    shown : object, optional
        What people read instead of the value, such as a number with its unit.
    key : str, optional
        Name of the member in the JSON document, with the unit at its end if it has one. By default
        the name with underscores.

    Examples
    --------
    >>> Line("accuracy, float", 0.975, "97.50%").member
    'accuracy_float'
    """

    name: str
    value: Any
    shown: object = None
    key: str | None = None

    @property
    def member(self) -> str:
        """Name of the member in the JSON document."""
        return self.key or re.sub(r"[^0-9a-z]+", "_", self.name.lower()).strip("_")

    @property
    def text(self) -> str:
        """What people read after the name."""
        return str(self.value if self.shown is None else self.shown)


class Report:
    """What one command reports.

    Parameters
    ----------
    command : str
        Name of the command; the JSON document begins with it.
    as_json : bool
        Whether to write JSON instead of text.

    Examples
    --------
    >>> report = Report("run", as_json=True)
    >>> report.say("only people read this")
    >>> report.table(Line("accuracy", 0.5, "50%"), Line("loss", float("nan")))
    >>> report.finish()
    {"command": "run", "accuracy": 0.5, "loss": null}
    """

    def __init__(self, command: str, as_json: bool) -> None:
        self.as_json = as_json
        self._command = command
        self._document: dict[str, Any] = {"command": command}
        self._streams = False

    def say(self, text: str = "") -> None:
        """Print a heading or a sentence, which JSON leaves out.

        Parameters
        ----------
        text : str
            One line or several, without the last end of line.
        """
        if not self.as_json:
            _write(printable(text) + "\n")

    def table(self, *lines: Line | tuple[str, object]) -> None:
        """Report quantities: as two columns of text, or as members of the document.

        Parameters
        ----------
        *lines : Line or tuple of (str, object)
            The quantities; what is given as a name and a text is for people alone.
        """
        rows = [
            tuple(map(_in_line, (each.name, each.text) if isinstance(each, Line) else each))
            for each in lines
        ]
        width = max((len(name) for name, _ in rows), default=0) + 2
        for name, text in rows:
            self.say(f"{name:<{width}}{text}")
        self.record(**{each.member: each.value for each in lines if isinstance(each, Line)})

    def record(self, **values: Any) -> None:
        """Add members to the JSON document alone.

        Parameters
        ----------
        **values : object
            Members of the document: what `jsonable` takes.

        Raises
        ------
        KeyError
            If the document already has a member of that name.
        """
        for key, value in values.items():
            if key in self._document:
                raise KeyError(f"the report already has a member {key!r}")
            self._document[key] = value

    def stream(self, values: Mapping[str, Any] | None = None) -> None:
        """Write a JSON document of one line; from then on `finish` writes none.

        Parameters
        ----------
        values : mapping, optional
            The document. Without it nothing is written yet: the command writes lines by `write`.
        """
        self._streams = True
        if values is not None:
            _write(_dumped(values) + "\n")

    def write(self, text: str) -> None:
        """Write text as it is: rows of a table, or JSON lines.

        Parameters
        ----------
        text : str
            Lines with their ends. A terminal shows what would steer it as escapes. A pipe or a file
            gets UTF-8 whatever the locale, as all files do, so that no label is changed.
        """
        terminal = sys.stdout is not None and sys.stdout.isatty()
        if isinstance(sys.stdout, io.TextIOWrapper) and not terminal:
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
        _write(printable(text) if terminal else text)

    def flush(self) -> None:
        """Hand the operating system what was written so far."""
        flush()

    def finish(self) -> None:
        """Write the document, if JSON was asked for, and everything that is still in a buffer."""
        if self.as_json and not self._streams:
            _write(_dumped(self._document) + "\n")
        flush()

    def fail(self, error: BaseException | str, **members: Any) -> None:
        """Write a document that tells of an error, if JSON was asked for, instead of the report.

        Parameters
        ----------
        error : BaseException or str
            What went wrong.
        **members : object
            Further members of the document.
        """
        if self.as_json:
            failure = {"error": one_line(error), **members}
            if isinstance(error, BaseException):
                failure["type"] = type(error).__name__
            _write(_dumped({"command": self._command, **failure}) + "\n")
        flush()


def one_line(message: object) -> str:
    """Put a message, which is wrapped for the source code, on one line."""
    return " ".join(str(message).split())


def _in_line(text: object) -> str:
    """Show ends of lines as escapes, too: a value with one would forge another line of a table."""
    return str(text).replace("\n", "\\n")


def printable(text: str) -> str:
    r"""Show characters that would steer a terminal as escapes.

    Names of files, columns and classes come from others, who might hide or forge lines with them.

    Parameters
    ----------
    text : str
        Any text. Its tabs and ends of lines stay.

    Returns
    -------
    str
        Text that is safe to print.

    Examples
    --------
    >>> print(printable("red: \x1b[31m"))
    red: \x1b[31m
    """
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def jsonable(value: Any) -> Any:
    """Turn a value into what JSON has: null, booleans, finite numbers, text, lists and objects.

    Parameters
    ----------
    value : object
        Any value of NumPy or Python; a dataclass becomes an object of its fields.

    Returns
    -------
    object
        The value for `json.dumps`. A number that is not finite becomes None, bytes become
        hexadecimal digits, and what JSON has no form for becomes its text.

    Examples
    --------
    >>> jsonable({"share": float("inf"), "counts": (1, 2)})
    {'share': None, 'counts': [1, 2]}
    """
    if hasattr(value, "tolist"):  # of NumPy, which commands that need none of it don't import
        value = value.tolist()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)  # enumerations lose their names
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value.hex()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset | range):
        return [jsonable(item) for item in value]
    return str(value) if not isinstance(value, PurePath) else os.fspath(value)


def _dumped(values: Mapping[str, Any]) -> str:
    """Return one line of JSON. Characters beyond ASCII are escaped, whatever the locale is."""
    return json.dumps(jsonable(values), allow_nan=False)


def _write(text: str) -> None:
    if sys.stdout is None:  # the shell has closed it: tensorspin ... >&-
        return
    try:
        sys.stdout.write(text)
    except BrokenPipeError as error:
        raise ReaderGone from error


def flush() -> None:
    """Hand the operating system what was printed so far.

    Raises
    ------
    ReaderGone
        If nobody reads it any more.
    """
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except BrokenPipeError as error:
        raise ReaderGone from error


def discard_output() -> None:
    """Send what is still in the buffer of standard output nowhere.

    Python would otherwise try to write it once more at its end, and complain.
    """
    try:
        number = sys.stdout.fileno()
    except (OSError, ValueError):
        return  # it is no file, as in tests
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
