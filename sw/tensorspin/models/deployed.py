"""A trained classifier whose predictions a board computes."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import validate_data

from ..board import Board, RunResult
from ..compiler.network_program import NetworkProgram
from .logits import LogitsMixin, normalised_logits


class BoardClassifier(LogitsMixin, ClassifierMixin, BaseEstimator):
    """A fitted classifier that predicts on a board.

    Made by `MPSClassifier.deploy`, or from a program that was loaded from a file. It keeps the URL
    of its board and opens it at the first prediction, so that it can be copied to another process;
    an open `Board` can be given instead.

    Parameters
    ----------
    program : NetworkProgram
    board : str or Board
        URL, such as ``/dev/ttyUSB1``, ``sim://icebreaker``, ``golden://icebreaker``; or a board
        that is open already, which `close` leaves open.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    n_features_in_ : int
    last_run_ : RunResult
        What the board answered at the last prediction: scores, exponents, cycles.
    """

    def __init__(self, program: NetworkProgram, board: str | Board) -> None:
        self.program = program
        self.board = board

    @property
    def classes_(self) -> np.ndarray:
        """Labels of the scores."""
        return self.program.classes

    @property
    def n_features_in_(self) -> int:
        """Features of a sample."""
        return self.program.n_features

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X, y):
        """Refuse: the network was trained before it came to the board."""
        raise TypeError("a deployed classifier can't be trained: fit an MPSClassifier, deploy it")

    def run(self, X) -> RunResult:
        """What the board answers.

        Parameters
        ----------
        X : array-like (n_samples, n_features)

        Returns
        -------
        RunResult

        Raises
        ------
        ValueError
            If X is invalid or outside a feature range that was promised.
        TensorspinError
            If the board does not hold the program or does not answer.
        """
        levels = self.program.levels(validate_data(self, X, dtype=np.float64, reset=False))
        board = self._open()
        board.load(self.program)
        self.last_run_ = board.run(levels)
        return self.last_run_

    def predict(self, X) -> np.ndarray:
        """Class of each sample, shape (n_samples,): the board's own choice."""
        return self.classes_[self.run(X).classes]

    def close(self) -> None:
        """Release the board if this classifier opened it; the next prediction opens it again."""
        if self.__dict__.get("_opened") is not None:
            self._opened.close()
            self._opened = None

    def __enter__(self) -> BoardClassifier:
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def __getstate__(self) -> dict:
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_opened"}

    def _logits(self, X) -> np.ndarray:
        return normalised_logits(self.run(X).scores.astype(float), self.program.temperature)

    def _open(self) -> Board:
        if isinstance(self.board, Board):
            return self.board
        if self.__dict__.get("_opened") is None:
            self._opened = Board.open(self.board)
        return self._opened
