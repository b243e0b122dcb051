"""A board that is open, or opened when it is first needed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Literal

from ..contract.annealer.job import AnnealJob
from ..contract.annealer.size import AnnealerSize
from ..driver.annealer import BoardAnnealResults
from ..driver.board import Board
from ..errors import FaultError, TensorspinError

_logger = logging.getLogger(__name__)


class BoardHolder:
    """Holds a board with an annealer, and runs jobs on it for several threads.

    Parameters
    ----------
    board : Board or str
        An open board, which stays the caller's to close; or a URL as `Board.open` takes it.
    on_fault : {"raise", "reload"}, default="raise"
        What follows if the board finds that its memories do not hold what was written: the
        `FaultError` goes to the caller, or everything is sent again and the job is run once more.
    """

    def __init__(self, board: Board | str, on_fault: Literal["raise", "reload"] = "raise") -> None:
        if on_fault not in ("raise", "reload"):
            raise ValueError(f'on_fault must be "raise" or "reload", not {on_fault!r}')
        if not isinstance(board, (Board, str)):
            raise TypeError(f"board must be a Board or a URL, not {board!r}")
        self._url = board if isinstance(board, str) else None
        self._board = None if isinstance(board, str) else board
        self._opening = threading.RLock()
        self._on_fault = on_fault

    def __getstate__(self) -> dict:
        state = self.__dict__.copy()
        del state["_opening"]  # a lock belongs to its process, and each copy opens its own board
        if self._url is not None:
            state["_board"] = None
        return state

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._opening = threading.RLock()

    @property
    def url(self) -> str:
        """What the board is opened with, or was; it need not be open."""
        if self._url is not None:
            return self._url
        assert self._board is not None  # without a URL a board was given, and is never dropped
        return self._board.url

    @property
    def board(self) -> Board:
        """The board, which is opened if it is not open yet; of several threads only one opens it.

        Raises
        ------
        TensorspinError
            If the board can't be opened, or has no annealer.
        """
        board = self._board
        if board is None:
            assert self._url is not None  # without a URL a board was given, and is never dropped
            with self._opening:
                board = self._board
                if board is None:
                    board = self._board = Board.open(self._url)
        annealer_of(board)
        return board

    def close(self) -> None:
        """Close the board if this sampler has opened it. It is opened again when it is needed.

        A run of another thread is waited for.
        """
        with self._opening:
            board = self._board
            if self._url is not None and board is not None:
                with board.exclusive():
                    board.close()
                    self._board = None

    def run(
        self,
        job: AnnealJob,
        expected: Sequence[AnnealJob],
        interrupt_function: Callable[[], bool] | None,
    ) -> BoardAnnealResults:
        """Run a job on the board, which is opened anew if another thread has closed it.

        Parameters
        ----------
        job : AnnealJob
            The job.
        expected : sequence of AnnealJob
            Jobs that will probably follow.
        interrupt_function : callable, optional
            Asked while the run goes on; if it returns True, the run is stopped.

        Returns
        -------
        BoardAnnealResults
            What the board gives.

        Raises
        ------
        FaultError
            If the board's memories do not hold what was written: at once, or with
            ``on_fault="reload"`` if that happens twice.
        """
        while True:
            board = self.board
            with board.exclusive():
                if board is not self._board:
                    continue
                try:
                    return board.anneal_job(
                        job, expected=expected, interrupt_function=interrupt_function
                    )
                except FaultError as fault:
                    if self._on_fault == "raise":
                        raise
                    _logger.warning("%s; the job is sent again", fault)
                return board.anneal_job(
                    job, expected=expected, interrupt_function=interrupt_function
                )


def annealer_of(board: Board) -> AnnealerSize:
    """Return the size of a board's annealer, or raise an error if the board has none.

    Parameters
    ----------
    board : Board
        An open board.

    Returns
    -------
    AnnealerSize
        The size.

    Raises
    ------
    TensorspinError
        If the board has no annealer.
    """
    size = board.info.annealer
    if size is None:
        raise TensorspinError(f"the board {board.info.board} has no annealer in its bitstream")
    return size
