"""Predictions of estimators on many boards."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from ..contract.contractor.results import ContractorResults
from ..contract.contractor.rows import Mode
from ..driver.pool.backend import Backend, PooledBoards, run_program
from ..models.board_estimator import BoardEstimator, OnFault
from ..models.board_guarded import BoardGuardedClassifier
from ..models.board_pipeline import BoardPipeline
from ..models.pipelines import deploy
from ..progress import progress_bar

if TYPE_CHECKING:
    from ..compiler.network_program import NetworkProgram

BAR_DELAY = 2.0
"""Seconds after which a bar shows how far a call is."""


class PoolPrediction(PooledBoards):
    """Adds predictions to a pool. Subclasses have a `_backend`."""

    @property
    @abstractmethod
    def _backend(self) -> Backend:
        """Who gives work to the boards."""

    def deploy(
        self, model, *, on_fault: OnFault | None = None, mode: Mode | str | None = None
    ) -> BoardEstimator | BoardPipeline | BoardGuardedClassifier:
        """Return an estimator or a pipeline as one estimator that predicts on these boards.

        Parameters
        ----------
        model : estimator, Pipeline or NetworkProgram
            As `tensorspin.deploy` takes it.
        on_fault : {None, "raise", "reload"}, default=None
            If it is not None, each board must answer samples with known answers after each piece of
            work. A board that fails loses its piece to others, loads the program again, and is left
            out for a while if it fails again.
        mode : {"throughput", "single"}, optional
            As for `tensorspin.deploy`.

        Returns
        -------
        BoardEstimator, BoardPipeline or BoardGuardedClassifier
            The estimator. Its `close` leaves the pool open.
        """
        return deploy(model, self, on_fault=on_fault, mode=mode)

    def predict(self, model, X) -> np.ndarray:
        """Predict samples on the boards.

        The model is rounded to a program in each call: for many calls, use what `deploy` returns.

        Parameters
        ----------
        model : estimator, Pipeline or NetworkProgram
            As `tensorspin.deploy` takes it.
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            What the model predicts.

        Raises
        ------
        CapacityError
            If no board can hold the model; the message has each board's limit.
        PoolError
            If no board is left; the message has each board's reason.

        Warns
        -----
        BoardLostWarning
            If a board fails, and others do its work.
        """
        return self._asked("predict", model, X)

    def predict_proba(self, model, X) -> np.ndarray:
        """Compute probabilities of classes on the boards; parameters and errors as for `predict`.

        Parameters
        ----------
        model : estimator, Pipeline or NetworkProgram
            A classifier.
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64 of shape (n_samples, n_classes)
            Probabilities.
        """
        return self._asked("predict_proba", model, X)

    def decision_function(self, model, X) -> np.ndarray:
        """Compute a classifier's logits, or how far samples are from being outliers.

        Parameters
        ----------
        model : estimator, Pipeline or NetworkProgram
            A classifier or an anomaly detector.
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64
            What the model's own method returns.
        """
        return self._asked("decision_function", model, X)

    def score_samples(self, model, X) -> np.ndarray:
        """Compute an anomaly detector's log-likelihoods on the boards.

        Parameters
        ----------
        model : estimator, Pipeline or NetworkProgram
            An anomaly detector.
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64 of shape (n_samples,)
            Log-likelihoods in nats.
        """
        return self._asked("score_samples", model, X)

    def transform(self, model, X) -> np.ndarray:
        """Transform samples on the boards, with a model that does so on a board.

        Parameters
        ----------
        model : estimator, Pipeline or NetworkProgram
            A model whose form on a board has this method; no estimator of this version has.
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray
            What the model's own method returns.

        Raises
        ------
        AttributeError
            If the model has no such method.
        """
        return self._asked("transform", model, X)

    def _asked(self, name: str, model, X) -> Any:
        deployed = self.deploy(model)
        if not hasattr(deployed, name):
            raise AttributeError(f"a {type(deployed).__name__} has no method {name}")
        return getattr(deployed, name)(X)

    def run_program(
        self,
        program: NetworkProgram,
        levels: np.ndarray,
        *,
        mode: Mode | None = None,
        tested: bool = False,
    ) -> ContractorResults:
        """Compute the scores of samples, as estimators on this pool ask for them.

        Parameters
        ----------
        program : NetworkProgram
            The network.
        levels : ndarray of uint8 of shape (n_samples, n_features)
            The samples, as ``program.encode`` gives them.
        mode : Mode, optional
            What the groups of a contractor do; by default ``Mode.SINGLE`` for one sample, and
            ``Mode.THROUGHPUT`` for more.
        tested : bool, default=False
            Whether boards must answer samples with known answers after each piece of work.

        Returns
        -------
        ContractorResults
            The answers; all but the cycles are those of any single board.
        """
        with progress_bar("predicting", "sample", delay=BAR_DELAY) as bar:
            return run_program(
                self._backend, program, levels, mode=mode, tested=tested, progress=bar
            )
