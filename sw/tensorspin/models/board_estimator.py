"""What all estimators on a board share: the program, the board, and how samples get there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from ..compiler.network_program import NetworkProgram
from ..compiler.outputs import Task
from ..compiler.values import holds_objects
from ..contract.contractor.results import ContractorResults
from ..contract.contractor.rows import Mode, check_mode
from ..driver.board import Board
from ..driver.pool.backend import PooledBoards
from ..errors import DeviceError, LinkError

_logger = logging.getLogger(__name__)

OnFault = Literal["raise", "reload"]

_Results = TypeVar("_Results")

SELF_TEST_EVERY = 10_000
"""Samples after which a board is tested again, where `on_fault` asks for tests."""


def check_on_fault(on_fault: object) -> None:
    """Refuse a parameter `on_fault` that is none.

    Parameters
    ----------
    on_fault : object
        The parameter.

    Raises
    ------
    ValueError
        If it is neither None nor "raise" nor "reload".
    """
    if on_fault not in (None, "raise", "reload"):
        raise ValueError(f'on_fault must be None, "raise" or "reload", not {on_fault!r}')


def run_tested(run: Callable[..., _Results], on_fault: OnFault | None) -> _Results:
    """Load and run; after a fault, once more if that is asked for.

    Parameters
    ----------
    run : callable
        Loads with the options of `Board.load` that it is given, and runs.
    on_fault : {None, "raise", "reload"}
        As for `BoardEstimator`.

    Returns
    -------
    object
        What `run` returns.
    """
    if on_fault is None:
        return run()
    tested = {"self_test": True, "every": SELF_TEST_EVERY}
    try:
        return run(**tested)
    # A fault in the program's structure may end in an answer of another length, too.
    except (DeviceError, LinkError) as error:
        if on_fault == "raise":
            raise
        _logger.warning("the program is loaded again: %s", error)
        return run(force=True, **tested)


class BoardEstimator(BaseEstimator):
    """Base of the fitted estimators that predict on a board.

    Such an estimator is made by the ``deploy`` of a trainable one, or from a program that was
    loaded from a file. It keeps the URL of its board and opens it at the first prediction, so that
    it can be copied to another process. An open `Board` can be given instead. Threads may share an
    estimator, and estimators may share an open board: each prediction has the board to itself, and
    other threads wait until it is done.

    Parameters
    ----------
    program : NetworkProgram
        The quantised network.
    board : str, Board or BoardPool
        URL, such as ``/dev/ttyUSB1``, ``sim://icebreaker`` or ``golden://icebreaker``; or a board
        that is open already, which `close` leaves open; or a `tensorspin.BoardPool`, where threads
        do not wait for each other, and whose boards do the work of one that has a fault.
    on_fault : {None, "raise", "reload"}, default=None
        "raise": the board is tested with known answers when the program is loaded and every 10,000
        samples, and `FaultError` is raised if it is wrong. "reload": the program is then loaded
        again, and the samples are predicted anew, once. None: no such tests.
    mode : {"throughput", "single"}, default=None
        What the groups of the board's contractor do, as for `tensorspin.Board.run`: each contracts
        a sample of its own, or all of them contract one sample after the other. None: "single" for
        a prediction of one sample, "throughput" for more. Predictions do not depend on it.

    Attributes
    ----------
    n_features_in_ : int
        Number of features of a sample.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Names of the features, if the network was trained with names. Samples are checked against
        them.
    last_run_ : ContractorResults
        What the board answered at the last prediction: scores, exponents, cycles.
    """

    _task_type: type[Task]
    """Class of the task that the program must have."""

    _trainable_name: str
    """Name of the estimator that can be fitted instead, for error messages."""

    on_fault: OnFault | None = None
    """Estimators that were pickled by an earlier version have no such parameter."""

    # The attributes that begin with `_opened` are no parameters, so scikit-learn doesn't copy them
    # to clones; nor are they pickled.
    _opened: Board | None = None
    """The board that this estimator has opened itself."""

    _opened_url: str | None = None
    """The URL that it was opened with."""

    mode: Mode | str | None = None
    """Estimators that were pickled by an earlier version have made no choice."""

    def __init__(
        self,
        program: NetworkProgram,
        board: str | Board | PooledBoards,
        on_fault: OnFault | None = None,
        mode: Mode | str | None = None,
    ) -> None:
        self.program = program
        self.board = board
        self.on_fault = on_fault
        self.mode = mode
        self._opened_lock = threading.RLock()

    @property
    def n_features_in_(self) -> int:
        """Number of features of a sample."""
        return self.program.n_features_in_

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the features; no attribute if the network was trained without names."""
        return self.program.feature_names_in_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = getattr(self.program, "missing", False)
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X, y=None):
        """Refuse to be fitted: the network was trained before it came to the board.

        Parameters
        ----------
        X : object
            Ignored.
        y : object, optional
            Ignored.

        Raises
        ------
        TypeError
            Always.
        """
        raise TypeError(
            f"a {type(self).__name__} can't be trained: fit an {self._trainable_name}, deploy it"
        )

    def run(self, X) -> ContractorResults:
        """Contract samples on the board.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ContractorResults
            What the board answers.

        Raises
        ------
        ValueError
            If `on_fault` or `mode` is none of its values, or X is invalid, has other names of
            features, or is outside a feature range that was promised.
        TypeError
            If `program` is no program or one for another task, or `board` is neither a URL nor a
            board.
        TensorspinError
            If the board does not hold the program or does not answer.
        """
        return self._run_levels(self._encode(X))

    def _run_levels(self, levels: np.ndarray) -> ContractorResults:
        """Run samples whose levels are known."""
        program, mode = self.program, check_mode(self.mode)
        if isinstance(self.board, PooledBoards):
            tested = self.on_fault is not None
            results = self.board.run_program(program, levels, mode=mode, tested=tested)
            self.last_run_ = results
            return results
        # No other thread may load its program between this one's loading and running.
        with self._held_board() as board:
            # If the board holds the program already, this call costs one question. Without the
            # question a board that has lost the program, or runs somebody else's, would not be
            # noticed.
            self.last_run_ = results = self._run(board, program, levels, mode)
            return results

    @contextmanager
    def _held_board(self) -> Iterator[Board]:
        """Have the board for this thread alone."""
        while True:
            board = self._open()
            with board.exclusive():
                if board is self._opened or board is self.board:
                    yield board
                    return
                # Another thread has closed it meanwhile.

    def _encode(self, X) -> np.ndarray:
        """Check the parameters and samples, and give the levels of the samples."""
        program = self.program
        check_on_fault(self.on_fault)
        if not isinstance(program, NetworkProgram):
            raise TypeError(f"program must be a NetworkProgram, not {type(program).__name__}")
        if not isinstance(program.task, self._task_type):
            raise TypeError(
                f"a {type(self).__name__} needs a program for {self._task_type.__name__}, not for "
                f"{type(program.task).__name__}"
            )
        if program.categories is not None or holds_objects(X):
            validate_data(self, X, reset=False, skip_check_array=True)
        else:
            # Which type a scaler computes with, and whether values may be missing, is for the
            # program to say.
            X = validate_data(
                self,
                X,
                dtype=[np.float64, np.float32, np.float16],
                ensure_all_finite=False,
                reset=False,
            )
        return program.encode(X)

    def _run(
        self, board: Board, program: NetworkProgram, levels: np.ndarray, mode: Mode | None
    ) -> ContractorResults:
        """Load and run; after a fault, once more if `on_fault` asks for it."""

        def run(**options: Any) -> ContractorResults:
            board.load(program, **options)
            return board.run(levels, mode=mode)

        return run_tested(run, self.on_fault)

    def close(self) -> None:
        """Release the board if this estimator opened it; the next prediction opens it again.

        A prediction of another thread is waited for.
        """
        with self._opened_lock:
            opened = self._opened
            if opened is not None:
                with opened.exclusive():
                    opened.close()
                    self._opened = None

    def __enter__(self):
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def __getstate__(self) -> dict:
        # An open port stays with the process that opened it.
        state = super().__getstate__()
        return {name: value for name, value in state.items() if not name.startswith("_opened")}

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)
        self._opened_lock = threading.RLock()

    def _open(self) -> Board:
        """Return the board; of several threads only one opens it."""
        board, opened = self.board, self._opened
        if not isinstance(board, (str, Board)):
            raise TypeError(
                f"board must be a URL, an open Board or a BoardPool, not {type(board).__name__}"
            )
        if opened is None and isinstance(board, Board):
            return board
        if opened is not None and self._opened_url == board:
            return opened
        with self._opened_lock:
            if self._opened is not None and self._opened_url != board:
                self.close()  # set_params chose another board
            if isinstance(board, Board):
                return board
            if self._opened is None:
                # The URL comes first: whoever sees the board without the lock sees its URL too.
                self._opened_url = board
                self._opened = Board.open(board)
            return self._opened
