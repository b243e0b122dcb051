"""How much a command tells on standard error while it works: quiet, normal or verbose.

The library logs below the logger ``tensorspin`` and never prints. For as long as a command runs,
`logs_on_stderr` shows these messages, and warnings of any library, one line each.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from .report import one_line, printable

LOGGER = logging.getLogger("tensorspin")
"""The logger above those of all modules; its level is that of the command."""

QUIET, NORMAL, VERBOSE = logging.WARNING, logging.INFO, logging.DEBUG
"""Least level that each of the three levels of a command shows. Progress bars are shown where
`NORMAL` messages are (`tensorspin.progress`)."""


class _Format(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        message = printable(one_line(record.getMessage()))
        if record.levelno >= logging.ERROR:
            return f"tensorspin: {message}"
        if record.levelno >= logging.WARNING:
            return f"tensorspin: warning: {message}"
        if record.levelno >= logging.INFO:
            return message
        details = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return f"{record.name}: {message}{printable(details)}"


class _StandardError(logging.Handler):
    """Writes to standard error, above a progress bar if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm  # imported when there is something to say: help and answers have none

        try:
            tqdm.write(self.format(record), file=sys.stderr)
        except Exception:
            self.handleError(record)


@contextmanager
def logs_on_stderr(level: int) -> Iterator[None]:
    """Show log messages and warnings on standard error for as long as the context lasts.

    Parameters
    ----------
    level : int
        Least level to show: `QUIET`, `NORMAL` or `VERBOSE`.
    """
    handler, before = _StandardError(), LOGGER.level
    handler.setFormatter(_Format())

    def show(message, category, filename, lineno, file=None, line=None) -> None:
        LOGGER.warning("%s", message)
        LOGGER.debug("this was a %s of %s, line %d", category.__name__, filename, lineno)

    with warnings.catch_warnings():
        warnings.showwarning = show
        LOGGER.addHandler(handler)
        LOGGER.setLevel(level)
        try:
            yield
        finally:
            LOGGER.removeHandler(handler)
            LOGGER.setLevel(before)
