"""A classifier and its guard on boards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Self, cast

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin

from ..compiler.outputs import Classification
from ..contract.contractor.results import ContractorResults
from ..driver.board import Board
from ..driver.pairs import pair_refusal
from ..driver.pool.backend import PooledBoards
from ..errors import CapacityError
from .board_estimator import OnFault, run_tested
from .deployed import BoardAnomalyDetector, BoardClassifier
from .guard import GuardLimits
from .guarded_program import GuardedProgram, Refusing
from .logits import normalised_logits


class BoardGuardedClassifier(Refusing, ClassifierMixin, BaseEstimator):
    """A classifier and its guard on one board or on two.

    A board that holds two programs (`resident/NAME`) keeps both. If the levels of the samples are
    the same for both, which they are where classifier and detector share the scale of each feature
    (the same `feature_range`, or the same `scaling` and `feature_margin`), each sample is sent
    once, and both programs contract it. Else the samples are sent for each of the programs, and a
    single request goes from one to the other. On another board both programs are loaded in turn
    each time, which takes some tenths of a second over a serial line; so predict many samples at
    once there, or use two boards.

    Parameters
    ----------
    program : GuardedProgram
        Both programs.
    board : str or Board
        URL of the classifier's board; or an open board or a `tensorspin.BoardPool`, which `close`
        leaves open.
    detector_board : str or Board, optional
        The detector's board; by default the same.
    on_fault : {None, "raise", "reload"}, default=None
        "raise": the board is tested with known answers when the program is loaded and every 10,000
        samples, and `FaultError` is raised if it is wrong. "reload": the program is then loaded
        again, and the samples are predicted anew, once. None: no such tests.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, without what stands for a refusal.
    n_features_in_ : int
        Number of features of a sample.
    sent_once_ : bool
        Whether each sample of the last prediction was sent once for both programs.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from tensorspin import GuardedClassifier, MPSAnomalyDetector, MPSClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> parts = MPSClassifier(4, epochs=20, random_state=0), MPSAnomalyDetector(4, random_state=0)
    >>> guarded = GuardedClassifier(*parts, 0.02, random_state=0).fit(X, y)
    >>> with guarded.deploy("golden://icebreaker") as on_board:
    ...     on_board.predict([[5.0, 3.4, 1.5, 0.2], [50.0, 34.0, 15.0, 2.0]]).tolist()
    [0, -1]
    """

    def __init__(
        self,
        program: GuardedProgram,
        board: str | Board | PooledBoards,
        detector_board: str | Board | PooledBoards | None = None,
        on_fault: OnFault | None = None,
    ) -> None:
        self.program = program
        self.board = board
        self.detector_board = detector_board
        self.on_fault = on_fault

    # The attributes that begin with `_opened` are no parameters, and are not pickled.
    _opened: tuple[BoardClassifier, BoardAnomalyDetector] | None = None

    @property
    def limits_(self) -> GuardLimits:  # type: ignore[override]  # it follows from the program
        """Least confidence and log-likelihood of what is accepted."""
        return self.program.limits

    @property
    def refused_label_(self) -> Any:
        """What stands for a refusal."""
        return self.program.refused_label

    @property
    def classes_(self) -> np.ndarray:
        """The classes, without what stands for a refusal."""
        return self.program.classifier.classes

    @property
    def n_features_in_(self) -> int:
        """Number of features of a sample."""
        return self.program.classifier.n_features_in_

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X, y=None):
        """Refuse to be fitted: the networks were trained before they came to the board.

        Parameters
        ----------
        X, y : object
            Ignored.

        Raises
        ------
        TypeError
            Always.
        """
        raise TypeError(
            "a BoardGuardedClassifier can't be trained: fit a GuardedClassifier, deploy it"
        )

    def quantize(self) -> GuardedProgram:
        """Return the programs as they are.

        Returns
        -------
        GuardedProgram
            Both programs and the limits.
        """
        return self.program

    def _parts(self) -> tuple[BoardClassifier, BoardAnomalyDetector]:
        """Return both estimators; on one board they share it."""
        if self._opened is None:
            program = self.program
            classifier = BoardClassifier(program.classifier, self.board, self.on_fault)
            board = self.detector_board
            if board is None:
                pooled = isinstance(self.board, PooledBoards)
                board = self.board if pooled else classifier._open()
            detector = BoardAnomalyDetector(program.detector, board, self.on_fault)
            self._opened = classifier, detector
        return self._opened

    def _answers(self, X) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        classifier, detector = self._parts()
        levels, watched = classifier._encode(X), detector._encode(X)
        both = self._run_both(levels, watched)
        if both is None:
            with _too_large("classifier"):
                results = classifier._run_levels(levels)
            with _too_large("detector"):
                unusual = detector._run_levels(watched)
        else:
            results, unusual = both
        task = cast(Classification, classifier.program.task)
        logits = normalised_logits(results.scores.astype(float), task.probability_temperature)
        confidence = softmax(logits, axis=1).max(axis=1)
        return self.classes_[results.classes], confidence, detector._log_likelihood(unusual)

    def _run_both(
        self, levels: np.ndarray, watched: np.ndarray
    ) -> tuple[ContractorResults, ContractorResults] | None:
        """Run both programs on samples that are sent once; None if that can't be done."""
        self.sent_once_ = False
        classifier, detector = self._parts()
        programs = classifier.program, detector.program
        if self.detector_board is not None or isinstance(self.board, PooledBoards):
            return None
        contractor = classifier._open().info.contractor
        if contractor is None or not contractor.resident or pair_refusal(*programs):
            return None
        if not np.array_equal(levels, watched):
            return None

        def run(**options: Any) -> tuple[ContractorResults, ContractorResults]:
            with _too_large("classifier"):
                board.load(programs[0], **options)
            with _too_large("detector"):
                board.load(programs[1], standby=True, verify=options.get("force", False))
            return board.run_both(levels)

        with classifier._held_board() as board:
            both = run_tested(run, self.on_fault)
        classifier.last_run_, detector.last_run_ = both
        self.sent_once_ = True
        return both

    def predict_proba(self, X) -> np.ndarray:
        """Compute class probabilities, also of samples that are refused.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64 of shape (n_samples, n_classes)
            The classifier's probabilities.
        """
        return self._parts()[0].predict_proba(X)

    def close(self) -> None:
        """Release the boards that this estimator opened; the next prediction opens them again."""
        if self._opened is not None:
            for part in reversed(self._opened):
                part.close()
            self._opened = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def __getstate__(self) -> dict:
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_opened"}


@contextlib.contextmanager
def _too_large(part: str) -> Iterator[None]:
    """Say of an error which part of the guard is too large for the board."""
    try:
        yield
    except CapacityError as error:
        raise CapacityError(
            f"{part}: {error.what}", error.needed, error.limit, error.advice
        ) from error
