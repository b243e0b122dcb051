"""A client of a shared board inside of the server: it waits for its turn as all others do."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from contextlib import ExitStack
from typing import Any, TypeVar

from ...driver.board import Board
from ...driver.transports.remote.connection import explained
from ...driver.transports.remote.protocol import Greeting
from ...driver.transports.remote.transport import RemoteTransport
from ...errors import TransportError
from ..refusal import Refusal
from .keeper import Seat
from .shared import SharedBoard

_PATIENCE = 300.0
"""Seconds after which the server's loop is given up: only one that has ended takes as long."""

_Result = TypeVar("_Result")


class InsideConnection:
    """A seat at a shared board, for threads of the server.

    Parameters
    ----------
    board : SharedBoard
        The board.
    owner : str
        Whose turns they are.
    loop : asyncio.AbstractEventLoop
        The server's event loop, which the caller is not in.
    """

    def __init__(self, board: SharedBoard, owner: str, loop: asyncio.AbstractEventLoop) -> None:
        self._board = board
        self._owner = owner
        self._loop = loop
        self._stack = ExitStack()
        self._seat: Seat | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a seat."""
        return self._seat is not None

    def open(self) -> Greeting:
        """Take a seat."""

        async def sit() -> Greeting:
            greeting = self._board.greeting()
            self._seat = self._stack.enter_context(self._board.seat(self._owner))
            return greeting

        return self._run(sit())

    def take(self, seconds: float) -> bool:
        """Wait for a turn."""
        return self._run(self._board.take(self._own(), seconds))

    def give(self) -> None:
        """Give the board back."""

        async def give() -> None:
            self._board.give(self._own())

        self._run(give())

    def ask(self, seconds: float, data: bytes) -> tuple[float, bytes]:
        """Send bytes and wait for an answer."""
        answer = self._run(self._board.ask(self._own(), seconds, data))
        return answer.clock, answer.data

    def close(self) -> None:
        """Leave the seat."""

        async def leave() -> None:
            self._seat = None
            self._stack.close()

        self._run(leave())

    def _own(self) -> Seat:
        assert self._seat is not None
        return self._seat

    def _run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Let the server's loop do something, and tell errors as a client over the network does."""
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)
        except (CancelledError, TimeoutError, RuntimeError) as error:  # the loop has ended
            raise TransportError(f"{self._board.name}: the server is being stopped") from error
        except Refusal as refusal:
            told = {"code": refusal.code, "message": refusal.message}
            retry = {"retry_after": refusal.retry_after}
            raise explained(self._board.name, told | retry) from refusal


def open_inside(
    board: SharedBoard, owner: str, loop: asyncio.AbstractEventLoop, queue_timeout: float
) -> Board:
    """Open a shared board for threads of the server.

    Parameters
    ----------
    board, owner, loop
        As for `InsideConnection`.
    queue_timeout : float
        Seconds that each call waits for its turn.

    Returns
    -------
    Board
        The board. Closing it is not needed when the server ends.

    Raises
    ------
    TensorspinError
        If the board is lost, or not free in time.
    """
    connection = InsideConnection(board, owner, loop)
    return Board.over(RemoteTransport(board.name, connection, queue_timeout))
