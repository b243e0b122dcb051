"""Trained estimators whose predictions a board computes."""

from __future__ import annotations

import threading
from typing import cast

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

    Such an estimator is made by the ``deploy`` of a trainable one, or from a program that was
    loaded from a file. It keeps the URL of its board and opens it at the first prediction, so that
    it can be copied to another process. An open `Board` can be given instead. Threads may share an
    estimator, and estimators may share an open board: each prediction has the board to itself, and
    other threads wait until it is done.

    Parameters
    ----------
    program : NetworkProgram
        The quantised network.
    board : str or Board
        URL, such as ``/dev/ttyUSB1``, ``sim://icebreaker`` or ``golden://icebreaker``; or a board
        that is open already, which `close` leaves open.

    Attributes
    ----------
    n_features_in_ : int
        Number of features of a sample.
    last_run_ : ContractorResults
        What the board answered at the last prediction: scores, exponents, cycles.
    """

    _task_type: type[Task]
    """Class of the task that the program must have."""

    _trainable_name: str
    """Name of the estimator that can be fitted instead, for error messages."""

    # The attributes that begin with `_opened` are no parameters, so scikit-learn doesn't copy them
    # to clones; nor are they pickled.
    _opened: Board | None = None
    """The board that this estimator has opened itself."""

    _opened_url: str | None = None
    """The URL that it was opened with."""

    def __init__(self, program: NetworkProgram, board: str | Board) -> None:
        self.program = program
        self.board = board
        self._opened_lock = threading.RLock()

    @property
    def n_features_in_(self) -> int:
        """Number of features of a sample."""
        return self.program.n_features

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
            If X is invalid or outside a feature range that was promised.
        TypeError
            If `program` is no program or one for another task, or `board` is neither a URL nor a
            board.
        TensorspinError
            If the board does not hold the program or does not answer.
        """
        program = self.program
        if not isinstance(program, NetworkProgram):
            raise TypeError(f"program must be a NetworkProgram, not {type(program).__name__}")
        if not isinstance(program.task, self._task_type):
            raise TypeError(
                f"a {type(self).__name__} needs a program for {self._task_type.__name__}, not for "
                f"{type(program.task).__name__}"
            )
        levels = program.levels(validate_data(self, X, dtype=np.float64, reset=False))
        while True:
            board = self._open()
            # No other thread may load its program between this one's loading and running.
            with board.exclusive():
                if board is not self._opened and board is not self.board:
                    continue  # another thread has closed it meanwhile
                # If the board holds the program already, this call costs one question. Without the
                # question a board that has lost the program, or runs somebody else's, would not be
                # noticed.
                board.load(program)
                self.last_run_ = results = board.run(levels)
                return results

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
            raise TypeError(f"board must be a URL or an open Board, not {type(board).__name__}")
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


class BoardClassifier(LogitsMixin, ClassifierMixin, BoardEstimator):
    """A fitted classifier that predicts on a board.

    It keeps the URL of its board, opens it at the first prediction, and closes it in `close` or at
    the end of a ``with`` block.

    Parameters
    ----------
    program : NetworkProgram
        The quantised network, for `Classification`.
    board : str or Board
        URL, such as ``/dev/ttyUSB1``, ``sim://icebreaker`` or ``golden://icebreaker``; or a board
        that is open already, which `close` leaves open.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class label of each score.
    n_features_in_ : int
        Number of features of a sample.
    last_run_ : ContractorResults
        What the board answered at the last prediction: scores, exponents, cycles.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from tensorspin import MPSClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = MPSClassifier(bond_dim=4, epochs=20, random_state=0).fit(X, y)
    >>> with classifier.deploy("golden://icebreaker") as on_board:
    ...     on_board.predict(X[::50]).tolist()
    [0, 1, 2]
    """

    _task_type = Classification
    _trainable_name = "MPSClassifier or TTNClassifier"

    @property
    def classes_(self) -> np.ndarray:
        """Class label of each score."""
        return self.program.classes

    def predict(self, X) -> np.ndarray:
        """Predict the class of each sample: the board's own choice of the greatest score.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            Class labels.
        """
        result = self.run(X)
        return self.program.classes[result.classes]

    def _logits(self, X) -> np.ndarray:
        scores = self.run(X).scores.astype(float)
        task = cast(Classification, self.program.task)
        return normalised_logits(scores, task.temperature)


class BoardRegressor(RegressorMixin, BoardEstimator):
    """A fitted regressor that predicts on a board.

    It keeps the URL of its board, opens it at the first prediction, and closes it in `close` or at
    the end of a ``with`` block.

    Parameters
    ----------
    program : NetworkProgram
        The quantised network, for `Regression`.
    board : str or Board
        URL, such as ``/dev/ttyUSB1``, ``sim://icebreaker`` or ``golden://icebreaker``; or a board
        that is open already, which `close` leaves open.

    Attributes
    ----------
    n_features_in_ : int
        Number of features of a sample.
    last_run_ : ContractorResults
        What the board answered at the last prediction: scores, exponents, cycles.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin import MPSRegressor
    >>> X = np.random.default_rng(0).random((200, 2))
    >>> regressor = MPSRegressor(bond_dim=4, epochs=30, random_state=0).fit(X, X[:, 0] * X[:, 1])
    >>> with regressor.deploy("golden://icebreaker") as on_board:
    ...     on_board.predict([[0.5, 0.5]]).round(1).tolist()
    [0.2]
    """

    _task_type = Regression
    _trainable_name = "MPSRegressor"

    def predict(self, X) -> np.ndarray:
        """Predict the target of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64 of shape (n_samples,)
            Predicted targets.
        """
        result = self.run(X)
        return self.program.interpret(result.scores, result.exponents)


class BoardAnomalyDetector(OutlierMixin, BoardEstimator):
    """A fitted anomaly detector that scores samples on a board.

    It keeps the URL of its board, opens it at the first prediction, and closes it in `close` or at
    the end of a ``with`` block.

    Parameters
    ----------
    program : NetworkProgram
        The quantised network, for `OutlierDetection`.
    board : str or Board
        URL, such as ``/dev/ttyUSB1``, ``sim://icebreaker`` or ``golden://icebreaker``; or a board
        that is open already, which `close` leaves open.

    Attributes
    ----------
    offset_ : float
        Log-likelihood in nats below which a sample is an outlier.
    n_features_in_ : int
        Number of features of a sample.
    last_run_ : ContractorResults
        What the board answered at the last prediction: scores, exponents, cycles.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin import MPSAnomalyDetector
    >>> x = np.random.default_rng(0).random(300)
    >>> X = np.stack([x, x], axis=1)  # two sensors that agree
    >>> detector = MPSAnomalyDetector(bond_dim=4, epochs=20, random_state=0).fit(X)
    >>> with detector.deploy("golden://icebreaker") as on_board:
    ...     agree, disagree = on_board.score_samples([[0.5, 0.5], [0.9, 0.1]])
    >>> bool(agree > disagree + 2)
    True
    """

    _task_type = OutlierDetection
    _trainable_name = "MPSAnomalyDetector"

    @property
    def offset_(self) -> float:
        """Log-likelihood in nats below which a sample is an outlier."""
        return cast(OutlierDetection, self.program.task).offset

    def score_samples(self, X) -> np.ndarray:
        """Compute the log-likelihood of each sample.

        It follows from the mantissa and the exponent of one score; see
        `tensorspin.compiler.outputs.log_magnitudes`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64 of shape (n_samples,)
            Log-likelihoods in nats, always finite.
        """
        result = self.run(X)
        task = cast(OutlierDetection, self.program.task)
        return task.log_likelihood(result.scores, result.exponents, self.program.log2_scale)

    def decision_function(self, X) -> np.ndarray:
        """Compute how far each sample is from being an outlier: ``score_samples(X) - offset_``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64 of shape (n_samples,)
            Differences in nats, negative for outliers.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X) -> np.ndarray:
        """Tell inliers from outliers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of int64 of shape (n_samples,)
            1 for an inlier, -1 for an outlier.
        """
        result = self.run(X)
        return self.program.interpret(result.scores, result.exponents)
