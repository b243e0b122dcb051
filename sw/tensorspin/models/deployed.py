"""Trained estimators whose predictions a board computes."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, OutlierMixin, RegressorMixin
from sklearn.utils.validation import validate_data

from ..compiler.network_program import NetworkProgram
from ..compiler.outputs import Classification, OutlierDetection, Regression, Task
from ..contract.contractor.results import ContractorResults
from ..driver.board import Board
from .logits import LogitsMixin, normalised_logits


class BoardEstimator(BaseEstimator):
    """Base of the fitted estimators that predict on a board.

    Made by the ``deploy`` of an estimator, or from a program that was loaded from a file. It keeps
    the URL of its board and opens it at the first prediction, so that it can be copied to another
    process; an open `Board` can be given instead.

    Parameters
    ----------
    program : NetworkProgram
    board : str or Board
        URL, such as ``/dev/ttyUSB1``, ``sim://icebreaker``, ``golden://icebreaker``; or a board
        that is open already, which `close` leaves open.

    Attributes
    ----------
    n_features_in_ : int
    last_run_ : ContractorResults
        What the board answered at the last prediction: scores, exponents, cycles.

    """

    _task_type: type[Task]
    _trainable_name: str
    """The estimator to fit instead, for messages."""

    def __init__(self, program: NetworkProgram, board: str | Board) -> None:
        self.program = program
        self.board = board

    @property
    def n_features_in_(self) -> int:
        """Features of a sample."""
        return self.program.n_features

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X, y=None):
        """Refuse: the network was trained before it came to the board."""
        raise TypeError(
            f"a {type(self).__name__} can't be trained: fit an {self._trainable_name}, deploy it"
        )

    def run(self, X) -> ContractorResults:
        """What the board answers.

        Parameters
        ----------
        X : array-like (n_samples, n_features)

        Returns
        -------
        ContractorResults

        Raises
        ------
        ValueError
            If X is invalid or outside a feature range that was promised.
        TypeError
            If `program` is no program or one for another task, or `board` is neither a URL nor a
            board.
        TensorspinError
            If the board does not hold the program or does not answer.
        """
        if not isinstance(self.program, NetworkProgram):
            raise TypeError(f"program must be a NetworkProgram, not {type(self.program).__name__}")
        if not isinstance(self.program.task, self._task_type):
            raise TypeError(
                f"a {type(self).__name__} needs a program for {self._task_type.__name__}, not for "
                f"{type(self.program.task).__name__}"
            )
        levels = self.program.levels(validate_data(self, X, dtype=np.float64, reset=False))
        board = self._open()
        board.load(self.program)
        self.last_run_ = board.run(levels)
        return self.last_run_

    def close(self) -> None:
        """Release the board if this estimator opened it; the next prediction opens it again."""
        if self.__dict__.get("_opened") is not None:
            self._opened.close()
            self._opened = None

    def __enter__(self):
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def __getstate__(self) -> dict:
        state = super().__getstate__()
        return {name: value for name, value in state.items() if not name.startswith("_opened")}

    def _open(self) -> Board:
        if not isinstance(self.board, (str, Board)):
            raise TypeError(
                f"board must be a URL or an open Board, not {type(self.board).__name__}"
            )
        if self.__dict__.get("_opened") is not None and self._opened_url != self.board:
            self.close()  # set_params chose another board
        if isinstance(self.board, Board):
            return self.board
        if self.__dict__.get("_opened") is None:
            self._opened, self._opened_url = Board.open(self.board), self.board
        return self._opened


class BoardClassifier(LogitsMixin, ClassifierMixin, BoardEstimator):
    """A fitted classifier that predicts on a board.

    See `BoardEstimator` for what it keeps.

    Parameters
    ----------
    program : NetworkProgram
        For `Classification`.
    board : str or Board

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    n_features_in_ : int
    last_run_ : ContractorResults
    """

    _task_type = Classification
    _trainable_name = "MPSClassifier or TTNClassifier"

    @property
    def classes_(self) -> np.ndarray:
        """Labels of the scores."""
        return self.program.classes

    def predict(self, X) -> np.ndarray:
        """Class of each sample, shape (n_samples,): the board's own choice."""
        result = self.run(X)
        return self.program.classes[result.classes]

    def _logits(self, X) -> np.ndarray:
        scores = self.run(X).scores.astype(float)
        return normalised_logits(scores, self.program.task.temperature)


class BoardRegressor(RegressorMixin, BoardEstimator):
    """A fitted regressor that predicts on a board.

    See `BoardEstimator` for what it keeps.

    Parameters
    ----------
    program : NetworkProgram
        For `Regression`.
    board : str or Board

    Attributes
    ----------
    n_features_in_ : int
    last_run_ : ContractorResults
    """

    _task_type = Regression
    _trainable_name = "MPSRegressor"

    def predict(self, X) -> np.ndarray:
        """Predicted target of each sample, float64, shape (n_samples,)."""
        result = self.run(X)
        return self.program.interpret(result.scores, result.exponents)


class BoardAnomalyDetector(OutlierMixin, BoardEstimator):
    """A fitted anomaly detector that scores samples on a board.

    See `BoardEstimator` for what it keeps.

    Parameters
    ----------
    program : NetworkProgram
        For `OutlierDetection`.
    board : str or Board

    Attributes
    ----------
    offset_ : float
        Log-likelihood in nats below which a sample is an outlier.
    n_features_in_ : int
    last_run_ : ContractorResults
    """

    _task_type = OutlierDetection
    _trainable_name = "MPSAnomalyDetector"

    @property
    def offset_(self) -> float:
        """Log-likelihood in nats below which a sample is an outlier."""
        return self.program.task.offset

    def score_samples(self, X) -> np.ndarray:
        """Log-likelihood of each sample in nats, float64, shape (n_samples,), always finite.

        From the mantissa and the exponent of one score; see
        `tensorspin.compiler.outputs.log_magnitudes`.
        """
        result = self.run(X)
        program = self.program
        return program.task.log_likelihood(result.scores, result.exponents, program.log2_scale)

    def decision_function(self, X) -> np.ndarray:
        """``score_samples(X) - offset_``: negative for outliers; shape (n_samples,)."""
        return self.score_samples(X) - self.offset_

    def predict(self, X) -> np.ndarray:
        """1 for an inlier, -1 for an outlier; int64, shape (n_samples,)."""
        result = self.run(X)
        return self.program.interpret(result.scores, result.exponents)
