"""The boards that the live page asks: opened inside of the server when they are first used."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping

from ....driver.board import Board
from ...refusal import Refusal
from ..inside import open_inside
from ..shared import SharedBoard

OWNER = "live page"
"""Owner of the page's turns: all its visitors together have the share of one token."""

_QUEUE_SECONDS = 20.0
"""Seconds that a visitor waits for a turn."""


class PageBoards:
    """Boards by name, for threads of the server.

    Parameters
    ----------
    boards : mapping of str to SharedBoard
        The server's boards.
    """

    def __init__(self, boards: Mapping[str, SharedBoard]) -> None:
        self.boards = boards
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opened: dict[str, Board] = {}
        self._lock = threading.Lock()

    def follow(self) -> None:
        """Learn the event loop that this is called in, which is the server's."""
        self._loop = asyncio.get_running_loop()

    def names(self, engine: str) -> list[str]:
        """List boards with an engine.

        Parameters
        ----------
        engine : {"contractor", "annealer"}
            The engine.

        Returns
        -------
        list of str
            Names of boards.
        """
        return [
            name
            for name, board in self.boards.items()
            if getattr(board.device.description, engine) is not None
        ]

    def open(self, name: str, engine: str) -> Board:
        """Give a board, which is opened if need be; from a thread other than the server's loop.

        Parameters
        ----------
        name : str
            Its name.
        engine : {"contractor", "annealer"}
            What it must have.

        Returns
        -------
        Board
            The board, which threads share.

        Raises
        ------
        Refusal
            If there is none of that name with that engine.
        TensorspinError
            If it is lost, or not free in time.
        """
        if name not in self.names(engine):
            raise Refusal(404, "board", f"there is no board {name[:40]!r} with a {engine} here")
        assert self._loop is not None
        with self._lock:
            if name not in self._opened:
                self._opened[name] = open_inside(
                    self.boards[name], OWNER, self._loop, _QUEUE_SECONDS
                )
            return self._opened[name]
