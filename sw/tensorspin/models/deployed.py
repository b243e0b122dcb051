"""Trained estimators whose predictions a board computes."""

from __future__ import annotations

from typing import cast

import numpy as np
from sklearn.base import ClassifierMixin, OutlierMixin, RegressorMixin

from ..compiler.outputs import Classification, OutlierDetection, Regression
from ..contract.contractor.results import ContractorResults
from .board_estimator import BoardEstimator
from .logits import LogitsMixin, normalised_logits


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
    on_fault : {None, "raise", "reload"}, default=None
        "raise": the board is tested with known answers when the program is loaded and every 10,000
        samples, and `FaultError` is raised if it is wrong. "reload": the program is then loaded
        again, and the samples are predicted anew, once. None: no such tests.
    mode : {"throughput", "single"}, default=None
        What the groups of the board's contractor do, as for `tensorspin.Board.run`; None: "single"
        for a prediction of one sample, "throughput" for more.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class label of each score.
    n_features_in_ : int
        Number of features of a sample.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Names of the features, if the network was trained with names.
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
    _trainable_name = "MPSClassifier, TTNClassifier or EnsembleClassifier"

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

    @property
    def _certainty(self) -> float:
        task = cast(Classification, self.program.task)
        return task.probability_temperature / task.temperature


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
    on_fault : {None, "raise", "reload"}, default=None
        "raise": the board is tested with known answers when the program is loaded and every 10,000
        samples, and `FaultError` is raised if it is wrong. "reload": the program is then loaded
        again, and the samples are predicted anew, once. None: no such tests.
    mode : {"throughput", "single"}, default=None
        What the groups of the board's contractor do, as for `tensorspin.Board.run`; None: "single"
        for a prediction of one sample, "throughput" for more.

    Attributes
    ----------
    n_features_in_ : int
        Number of features of a sample.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Names of the features, if the network was trained with names.
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
    on_fault : {None, "raise", "reload"}, default=None
        "raise": the board is tested with known answers when the program is loaded and every 10,000
        samples, and `FaultError` is raised if it is wrong. "reload": the program is then loaded
        again, and the samples are predicted anew, once. None: no such tests.
    mode : {"throughput", "single"}, default=None
        What the groups of the board's contractor do, as for `tensorspin.Board.run`; None: "single"
        for a prediction of one sample, "throughput" for more.

    Attributes
    ----------
    offset_ : float
        Log-likelihood in nats below which a sample is an outlier.
    n_features_in_ : int
        Number of features of a sample.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Names of the features, if the network was trained with names.
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
    ...     on_board.predict([[0.5, 0.5], [0.9, 0.1]]).tolist()
    [1, -1]
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
        return self._log_likelihood(self.run(X))

    def _log_likelihood(self, results: ContractorResults) -> np.ndarray:
        task = cast(OutlierDetection, self.program.task)
        return task.log_likelihood(results.scores, results.exponents, self.program.log2_scale)

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
