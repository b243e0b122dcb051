"""A board of a pool: where it is, whether it is open, and what it has done so far."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from ...contract.device.description import DeviceDescription
from ...errors import DeviceError, LinkError, ProtocolVersionError, TransportError
from ..board import Board

_logger = logging.getLogger(__name__)

BOARD_FAILS = (TransportError, LinkError, DeviceError, ProtocolVersionError, OSError)
"""Errors of a board or its line, after which another board is asked."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds after which a board that has failed is tried again: at first, and at most. They double
from failure to failure."""

GIVEN_UP = 2
"""Failures in a row after which a board is left alone for a while."""


@dataclass(frozen=True)
class BoardStatistics:
    """What a board of a pool has done so far.

    Parameters
    ----------
    url : str
        Where the board is.
    board : str or None
        Its name, as the device tells it; None if it was never open.
    state : str
        "closed" (it is opened when it is needed), "ready", "busy" or "failed".
    pieces : int
        Pieces of work that it has done: groups of samples, or runs of the annealer.
    samples : int
        Samples in them.
    in_vain : int
        Pieces that it has done, or begun, and that another board had done before.
    failures : int
        How often it has failed.
    seconds : float
        Seconds for which it had work.
    error : str or None
        How it failed last; None if it never has.
    """

    url: str
    board: str | None = None
    state: str = "closed"
    pieces: int = 0
    samples: int = 0
    in_vain: int = 0
    failures: int = 0
    seconds: float = 0.0
    error: str | None = None


class Member:
    """A board of a crew. Its fields change only while the crew's lock is held, but for `board`.

    Parameters
    ----------
    url : str
        Where the board is, for messages.
    open_board : callable
        Opens it; called again after it was lost.
    together : bool, default=False
        Whether the board is quicker if it is told what will probably follow, as a golden model is.
    """

    def __init__(
        self, url: str, open_board: Callable[[], Board], *, together: bool = False
    ) -> None:
        self.url = url
        self.open_board = open_board
        self.together = together
        self.board: Board | None = None
        self.info: DeviceDescription | None = None
        self.name: str | None = None
        self.thread: threading.Thread | None = None
        self.wake: threading.Condition
        self.busy = False
        self.closing = False
        self.streak = 0
        self.retry_at = 0.0
        self.pieces = self.samples = self.in_vain = self.failures = 0
        self.seconds = 0.0
        self.error: str | None = None

    @property
    def title(self) -> str:
        """The board as messages name it."""
        return self.url if self.name is None else f"{self.url} ({self.name})"

    def failed(self, error: BaseException, now: float, opening: bool) -> None:
        """Note a failure, and when the board is to be tried again.

        A board that worked is tried again at once: a line that broke may be there again. One that
        cannot be opened is not.

        Parameters
        ----------
        error : BaseException
            What happened.
        now : float
            The time, by `time.monotonic`.
        opening : bool
            Whether the board could not even be opened.
        """
        self.failures += 1
        self.streak = max(GIVEN_UP, self.streak + 1) if opening else self.streak + 1
        self.error = str(error) or type(error).__name__
        over = self.streak - GIVEN_UP
        pause = 0.0 if over < 0 else min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(over, 10))
        self.retry_at = now + pause

    def worked(self, samples: int, seconds: float, in_vain: bool) -> None:
        """Note a piece of work that was done.

        Parameters
        ----------
        samples : int
            Samples in it.
        seconds : float
            Time that it took.
        in_vain : bool
            Whether another board had done it before.
        """
        if self.streak:
            _logger.info("%s works again", self.title)
        self.streak = 0
        self.seconds += seconds
        if in_vain:
            self.in_vain += 1
        else:
            self.pieces += 1
            self.samples += samples

    def drop(self) -> None:
        """Close the board, whatever state it is in."""
        board, self.board = self.board, None
        if board is not None:
            with contextlib.suppress(Exception):  # it is lost in any case
                board.close()

    def statistics(self) -> BoardStatistics:
        """Give what the board has done so far."""
        if self.streak:
            state = "failed"
        elif self.busy:
            state = "busy"
        else:
            state = "closed" if self.board is None else "ready"
        return BoardStatistics(
            self.url,
            self.name,
            state,
            self.pieces,
            self.samples,
            self.in_vain,
            self.failures,
            self.seconds,
            self.error,
        )
