"""Structured logs: one JSON object a line, without tokens, bodies or headers."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

_logger = logging.getLogger(__name__)


def record(event: str, **fields: object) -> None:
    """Log that something happened.

    Parameters
    ----------
    event : str
        What happened, such as ``request``.
    **fields : object
        Numbers and short texts. What is None is left out.

    Examples
    --------
    >>> logging.getLogger("tensorspin").level
    0
    >>> record("stop", reason="SIGTERM")
    """
    if _logger.isEnabledFor(logging.INFO):
        said = {key: value for key, value in fields.items() if value is not None}
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        _logger.info("%s", json.dumps({"time": time, "event": event, **said}, default=str))


class Forward(logging.Handler):
    """Turns the messages of uvicorn into structured ones."""

    def emit(self, message: logging.LogRecord) -> None:
        """Log a message.

        Parameters
        ----------
        message : logging.LogRecord
            The message; of an exception the type and text are logged, and the rest is for
            ``--verbose``.
        """
        error = message.exc_info[1] if message.exc_info else None
        record(
            "server",
            level=message.levelname.lower(),
            message=message.getMessage()[:500].splitlines()[0] if message.getMessage() else "",
            error=None if error is None else f"{type(error).__name__}: {error}"[:500],
        )
        if message.exc_info:
            _logger.debug("where it happened:", exc_info=message.exc_info)
