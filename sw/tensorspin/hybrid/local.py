"""The local side: a board that answers for sure, or the host itself where there is no board."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..compiler.network_program import NetworkProgram
from ..driver.board import Board
from ..driver.transports import is_virtual
from ..errors import CapacityError, DeadlineError, TensorspinError
from ..models.deployed import BoardAnomalyDetector
from ..models.pipelines import deploy
from .deadline import Call, Calls, Deadline

MOST_CALLS = 16
"""Greatest number of calls that wait for the board, which works for one at a time."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LocalAnswer:
    """What the local side answered.

    Parameters
    ----------
    values : ndarray of float64 of shape (n_samples,) or None
        Log-likelihoods in nats, or scores made of them; None if there are none.
    seconds : float
        Seconds that it took, on the board's own clock if it is virtual.
    error : Exception or None
        Why there is no answer.
    """

    values: np.ndarray | None
    seconds: float
    error: Exception | None = None


class LocalBoard:
    """A board, asked in a thread of its own.

    A virtual board takes far more of the computer's time than of its own clock. So it is waited
    for as long as it computes, and the deadline is compared with its own clock, which is modelled.

    Parameters
    ----------
    program : NetworkProgram
        The quantised detector.
    board : str or Board
        URL, or an open board, which `close` leaves open.
    calls : Calls, optional
        What runs it in the background.

    Attributes
    ----------
    virtual : bool
        Whether the board is simulated or a model.
    """

    def __init__(
        self, program: NetworkProgram, board: str | Board, calls: Calls | None = None
    ) -> None:
        if not isinstance(board, (str, Board)):
            raise TypeError(f"board must be a URL or an open Board, not {type(board).__name__}")
        self._program = program
        self._given = board
        self._url = board if isinstance(board, str) else board.url
        self._opened: Board | None = None
        self._lock = threading.RLock()
        self._calls = calls or Calls(MOST_CALLS, "tensorspin board")
        self.virtual = is_virtual(self._url)

    def prepare(self) -> None:
        """Open the board and load the program.

        Raises
        ------
        TensorspinError
            If the board is not there, or does not hold the program.
        """
        board = self._open()
        with board.exclusive():
            board.load(self._program)

    def start(self, X: Any) -> Call | None:
        """Begin to compute.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        Call or None
            None if `MOST_CALLS` earlier calls have not ended.
        """

        def work(call: Call) -> tuple[np.ndarray, float]:
            board = self._open()
            try:
                with board.exclusive():
                    start = board.seconds
                    found = BoardAnomalyDetector(self._program, board).score_samples(X)
                    return found, board.seconds - start
            except TensorspinError:
                self.close()  # a board that was unplugged is found again only if it is opened anew
                raise

        return self._calls.start(work)

    def finish(self, call: Call | None, deadline: Deadline) -> LocalAnswer:
        """Wait for the board's answer.

        Parameters
        ----------
        call : Call or None
            What `start` returned.
        deadline : Deadline
            How long to wait for a real board.

        Returns
        -------
        LocalAnswer
            The answer, or the error.
        """
        limit = deadline.seconds
        if call is None:
            return LocalAnswer(
                None,
                deadline.used(),
                DeadlineError(
                    f"the board at {self._url} has not ended {MOST_CALLS} earlier calls; look at "
                    f"its line with `tensorspin link-test`"
                ),
            )
        try:
            while not call.wait(1.0 if self.virtual else deadline.left()):
                if not self.virtual:
                    call.abandon()
                    return LocalAnswer(
                        None,
                        deadline.used(),
                        DeadlineError(
                            f"the board at {self._url} did not answer within {limit:g} s; give "
                            f"fewer samples at a time, or a longer deadline"
                        ),
                    )
        except BaseException:  # such as Ctrl-C
            call.abandon()
            raise
        try:
            found, seconds = call.answer()
        except Exception as error:
            return LocalAnswer(None, deadline.used(), error)
        if self.virtual and seconds > limit:
            late = DeadlineError(
                f"the board at {self._url} takes {seconds:.3g} s for {len(found)} samples by its "
                f"own clock, more than the deadline of {limit:g} s; give fewer samples at a time, "
                f"or a longer deadline"
            )
            return LocalAnswer(None, seconds, late)
        return LocalAnswer(found, seconds if self.virtual else call.seconds)

    def close(self) -> None:
        """Release the board if it was opened here; the next call opens it again."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def _open(self) -> Board:
        with self._lock:
            if isinstance(self._given, Board):
                return self._given
            if self._opened is None:
                self._opened = Board.open(self._given)
            return self._opened


def local_board(detector: Any, board: str | Board, calls: Calls | None = None) -> LocalBoard:
    """Quantise a detector for a board.

    Parameters
    ----------
    detector : object
        The detector, as `tensorspin.deploy` takes it.
    board : str or Board
        URL, or an open board.
    calls : Calls, optional
        What runs it in the background.

    Returns
    -------
    LocalBoard
        The board, which is not open yet.

    Raises
    ------
    TypeError
        If the detector is none of single samples.
    """
    deployed = deploy(detector, board)
    if not isinstance(deployed, BoardAnomalyDetector):
        raise TypeError(
            "detector must be a detector of single samples, not a pipeline that begins with "
            "WindowFeatures; put that in front of the HybridDetector"
        )
    return LocalBoard(deployed.program, board, calls)


def prepared(local: LocalBoard, alone: bool) -> None:
    """Prepare a board, whose absence is no reason to stop if there is a remote.

    Parameters
    ----------
    local : LocalBoard
        The board.
    alone : bool
        Whether there is no remote.

    Raises
    ------
    TensorspinError
        If the board can't hold the program; or if it is not there, and there is no remote.
    """
    start = time.monotonic()
    try:
        local.prepare()
    except CapacityError:
        raise
    except TensorspinError as error:
        if alone:
            raise
        _logger.warning("the board is not ready, the remote answers alone: %s", error)
    _logger.debug("the board was prepared in %.3f s", time.monotonic() - start)
