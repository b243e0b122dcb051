"""A classifier behind a guard: it refuses to answer instead of guessing."""

from __future__ import annotations

from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.model_selection import train_test_split
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from ..compiler.values import holds_objects
from ..driver.board import Board
from ..driver.pool.backend import PooledBoards
from .board_guarded import BoardGuardedClassifier
from .guard import fit_limits
from .guarded_program import GuardedProgram, Refusing, checked_label
from .parameters import is_number
from .pipelines import quantize

_FEWEST = 20
"""Fewest samples from which limits are chosen."""


class GuardedClassifier(Refusing, MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    """A classifier with a detector in front of it, which together refuse instead of guessing.

    A sample is refused if the classifier is too uncertain of its class, or if the detector finds it
    too unlikely. Both limits are chosen with samples that trained neither of the two. A guard is no
    defence: who knows it can find samples that deceive both; see docs/models.md.

    Parameters
    ----------
    classifier : classifier or Pipeline
        An `MPSClassifier`, `TTNClassifier` or `EnsembleClassifier`, or a pipeline that ends in one;
        it is cloned. In a `sklearn.frozen.FrozenEstimator` it stays as it was trained.
    detector : MPSAnomalyDetector or Pipeline
        The detector, likewise; it learns from the same samples, without their classes.
    false_alarms : float, default=0.05
        Share of usual samples that may be refused, above 0 and below 1.
    refused_label : "auto", int, float or str, default="auto"
        What `predict` returns for a sample that is refused. "auto": -1 where classes are numbers,
        "refused" where they are texts.
    validation_fraction : float or None, default=0.2
        Share of the samples that is held out to choose the limits, the same of each class. None:
        all samples choose them, which must then have trained neither of two frozen estimators.
    random_state : int, RandomState or None, default=None
        Where the samples that are held out come from.

    Attributes
    ----------
    classifier_, detector_ : estimator
        The fitted estimators.
    classes_ : ndarray of shape (n_classes,)
        The classes, without what stands for a refusal.
    limits_ : GuardLimits
        Least confidence and log-likelihood of what is accepted.
    refused_label_ : object
        What stands for a refusal.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Names of the features, if they have any.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from tensorspin import GuardedClassifier, MPSAnomalyDetector, MPSClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = MPSClassifier(4, epochs=20, random_state=0)
    >>> detector = MPSAnomalyDetector(4, epochs=20, random_state=0)
    >>> guarded = GuardedClassifier(classifier, detector, 0.02, random_state=0).fit(X, y)
    >>> guarded.predict([[5.0, 3.4, 1.5, 0.2], [50.0, 34.0, 15.0, 2.0]]).tolist()
    [0, -1]
    """

    def __init__(
        self,
        classifier: Any,
        detector: Any,
        false_alarms: float = 0.05,
        *,
        refused_label: Any = "auto",
        validation_fraction: float | None = 0.2,
        random_state: Any = None,
    ) -> None:
        self.classifier = classifier
        self.detector = detector
        self.false_alarms = false_alarms
        self.refused_label = refused_label
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train both estimators, and choose the limits with samples that are held out.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Usual samples.
        y : array-like of shape (n_samples,)
            Class labels.

        Returns
        -------
        GuardedClassifier
            The fitted estimator itself.

        Raises
        ------
        ValueError
            If a parameter is outside of its range, or there are too few samples.
        """
        self._check()
        check_classification_targets(y)
        labels = np.asarray(y)
        self.refused_label_ = checked_label(self.refused_label, np.unique(labels))
        rows = np.arange(len(labels))
        train = usual = rows
        if self.validation_fraction is not None:
            train, usual = train_test_split(
                rows,
                test_size=self.validation_fraction,
                random_state=self.random_state,
                stratify=labels,
            )
        if len(usual) < _FEWEST:
            raise ValueError(
                f"limits need at least {_FEWEST} samples that are held out, not {len(usual)}: give "
                f"more samples, or a greater validation_fraction"
            )
        self.classifier_ = clone(self.classifier).fit(_rows(X, train), labels[train])
        self.detector_ = clone(self.detector).fit(_rows(X, train), None)
        self.classes_ = self.classifier_.classes_
        self.n_features_in_ = self.classifier_.n_features_in_
        if hasattr(self.classifier_, "feature_names_in_"):
            self.feature_names_in_ = self.classifier_.feature_names_in_
        _, confidence, likelihood = self._answers(_rows(X, usual))
        self.limits_ = fit_limits(confidence, likelihood, self.false_alarms)
        return self

    def _check(self) -> None:
        shares = {"false_alarms": self.false_alarms}
        if self.validation_fraction is not None:
            shares["validation_fraction"] = self.validation_fraction
        for name, share in shares.items():
            if not is_number(share, Real) or not 0 < share < 1:
                raise ValueError(f"{name} must be above 0 and below 1, not {share!r}")
        if not hasattr(self.classifier, "predict_proba"):
            kind = type(self.classifier).__name__
            raise TypeError(f"classifier must give probabilities (predict_proba), not {kind}")
        if not hasattr(self.detector, "score_samples"):
            kind = type(self.detector).__name__
            raise TypeError(f"detector must score samples (score_samples), not {kind}")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = getattr(self.classifier, "__sklearn_tags__", None)
        if inner is not None:
            tags.input_tags.allow_nan = inner().input_tags.allow_nan
        return tags

    def _answers(self, X) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        check_is_fitted(self)
        probabilities = self.classifier_.predict_proba(X)
        labels = self.classes_[probabilities.argmax(axis=1)]
        return labels, probabilities.max(axis=1), self.detector_.score_samples(X)

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
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
        check_is_fitted(self)
        return self.classifier_.predict_proba(X)

    def quantize(self) -> GuardedProgram:
        """Round both networks to the accelerator's number formats.

        Returns
        -------
        GuardedProgram
            Both programs and the limits. They can be saved, loaded and run on boards.
        """
        check_is_fitted(self)
        return GuardedProgram(
            quantize(_thawed(self.classifier_)),
            quantize(_thawed(self.detector_)),
            self.limits_,
            self.refused_label_,
        )

    def deploy(
        self,
        board: str | Board | PooledBoards,
        detector_board: str | Board | PooledBoards | None = None,
    ) -> BoardGuardedClassifier:
        """Return the same estimator, predicting on one board or on two.

        Parameters
        ----------
        board : str or Board
            URL of a board, or an open one.
        detector_board : str or Board, optional
            Another board, for the detector. By default the first one computes both: one that holds
            two programs keeps them, on another they are loaded in turn, each time that samples are
            predicted.

        Returns
        -------
        BoardGuardedClassifier
            The estimator on the boards.
        """
        return BoardGuardedClassifier(self.quantize(), board, detector_board)


def _thawed(estimator: Any) -> Any:
    """Return what is in a `FrozenEstimator`."""
    from sklearn.frozen import FrozenEstimator

    return estimator.estimator if isinstance(estimator, FrozenEstimator) else estimator


def _rows(X, rows: np.ndarray):
    """Return some rows of what may be a data frame, an array or a list of rows."""
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    if hasattr(X, "columns"):  # another kind of data frame
        return X[rows.tolist()]
    if holds_objects(X):
        return [X[row] for row in rows.tolist()] if isinstance(X, list) else np.asarray(X)[rows]
    return np.asarray(X)[rows]
