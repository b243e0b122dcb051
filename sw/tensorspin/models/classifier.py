"""What all classifiers share: classes and their weights, logits, and the scale of the tensors."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from ..compiler.outputs import Classification
from ..compiler.quantise import check_weight_bits
from .augmentation import Augmentation
from .base import NetworkEstimator
from .calibration import fit_temperature
from .deployed import BoardClassifier
from .early_stopping import Score
from .feature_order import check_image_size
from .held_out import check_calibration, held_out_temperature, is_calibrated
from .logits import LogitsMixin, normalised_logits
from .losses import CrossEntropy
from .parameters import CLASSIFIER_LIMITS
from .weighting import Samples, class_weights, combined, weighted_mean

LARGEST_ENTRY = 127 / 128
"""Largest magnitude of an entry of a classifier's fitted tensors: 127, the largest int8, in steps
of 1/128."""


class NetworkClassifier(LogitsMixin, ClassifierMixin, NetworkEstimator):
    """Base of the classifiers; subclasses define the network and `_network_scores`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted.
    temperature_ : float
        The largest logit that the classifier can give.
    calibrated_temperature_ : float
        The same of the logits from which probabilities are computed.
    """

    classes_: np.ndarray
    _deployed_type = BoardClassifier
    _limits = CLASSIFIER_LIMITS

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train the network and its temperature.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training samples: finite numbers.
        y : array-like of shape (n_samples,)
            Class label of each sample; at least two different ones.
        sample_weight : None or array-like of shape (n_samples,), default=None
            How much each sample counts, relative to the others: numbers of at least 0. A sample of
            weight 0 is left out, as if it were not there. None: all count the same.

        Returns
        -------
        self
            The fitted classifier.

        Raises
        ------
        ValueError
            If a parameter is out of its limits, if X, y or a weight is invalid, if a value of X is
            outside `feature_range`, or if `warm_start` is set, but parameters or classes ask for
            another network than before.
        FloatingPointError
            If the training diverges.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train the network with one pass over a part of the data, and keep what it has learnt.

        Nobody knows which call is the last, so the learning rate falls with the root of the number
        of updates, not to zero. The first call, unless `fit` came before, fixes what later calls
        can't change: the classes, the order of the features and, without `feature_range`, the scale
        of each feature. Later values outside of that scale are clipped, and a feature that has one
        value only is never read: if the first part does not show all values, set `feature_range`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples: finite numbers.
        y : array-like of shape (n_samples,)
            Class label of each sample. Not every class needs to be there.
        classes : None or array-like of shape (n_classes,), default=None
            All labels that y may have in any call. Needed in the first call; later it may be left
            out.
        sample_weight : None or array-like of shape (n_samples,), default=None
            How much each sample counts, relative to the others of this call; see `fit`.

        Returns
        -------
        self
            The classifier, which can predict after the first call.

        Raises
        ------
        ValueError
            As `fit`; also if y has a label that is not among the classes, or if `early_stopping` or
            ``class_weight="balanced"`` is set, which need all the data.
        FloatingPointError
            If the training diverges; the network then stays as it was.
        """
        return self._partial_fit(X, y, sample_weight, classes=classes)

    def scores(self, X: ArrayLike) -> np.ndarray:
        """Compute the multilinear scores of the network, up to a positive factor per sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64 of shape (n_samples, n_classes)
            The greatest score of a sample is that of its predicted class.

        Raises
        ------
        ValueError
            If X is invalid or outside a feature_range that was promised.
        """
        return self._network_scores(self._validated_inputs(X))

    def logits_from_scores(self, scores: ArrayLike) -> np.ndarray:
        """Compute logits from scores, whichever positive factor each sample's scores carry.

        The scores may come from `scores` or from an accelerator, which return different factors.

        Parameters
        ----------
        scores : array-like of shape (n_samples, n_classes)
            Scores of each sample up to a positive factor.

        Returns
        -------
        ndarray of float64 of shape (n_samples, n_classes)
            The logits, within plus or minus ``temperature_``.
        """
        return normalised_logits(np.asarray(scores, dtype=float), self.temperature_)

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict the class of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            Class labels, of the dtype of ``classes_``.
        """
        chosen = self.scores(X).argmax(axis=1)
        return self.classes_[chosen]

    @abstractmethod
    def _network_scores(self, inputs: np.ndarray) -> np.ndarray:
        """Return scores (n_samples, n_classes) of scaled inputs (n_samples, n_sites)."""

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_weight_bits(self.weight_bits, "weight_bits", None)
        check_calibration(self.calibration)

    def _validated(self, X, y, reset: bool) -> tuple[np.ndarray, np.ndarray]:
        X, y = self._checked(X, y, reset=reset)
        check_classification_targets(y)
        return X, y

    def _learn_target(self, samples: Samples, **known) -> None:
        labels = samples.y
        if "classes" in known:  # a part of the data, which need not have all of them
            labels = known["classes"]
            if labels is None:
                raise ValueError(
                    "classes must be given in the first call of partial_fit: all labels that y may "
                    "have in any call"
                )
            labels = column_or_1d(labels)
            check_classification_targets(labels)
        classes = np.unique(labels)
        if len(classes) < 2:
            raise ValueError(f"at least 2 classes are needed, not 1 class: {classes[0]}")
        class_indices(classes, samples.y)
        self.classes_ = classes

    def _category_targets(self, samples: Samples) -> np.ndarray:
        return class_indicators(self.classes_, samples.y)

    def _check_target(self, samples: Samples, part: bool, classes: Any = None) -> None:
        class_indices(self.classes_, samples.y)
        # All of fit's classes are in its y; partial_fit is told of them, if at all.
        labels = samples.y if not part else classes
        if labels is not None and np.unique(labels).tolist() != self.classes_.tolist():
            raise ValueError(
                f"{'classes' if part else 'y'} must have the classes of the training so far, "
                f"{self.classes_.tolist()}, not {np.unique(labels).tolist()}"
            )

    def _weights(self, samples: Samples, part: bool) -> np.ndarray | None:
        if part and isinstance(self.class_weight, str):
            raise ValueError(
                'class_weight="balanced" needs all the data, which partial_fit does not have; set '
                "class_weight to a dict, such as compute_class_weight of sklearn.utils makes from "
                "a large enough sample"
            )
        labels = class_indices(self.classes_, samples.y)
        of_classes = class_weights(self.class_weight, self.classes_, labels, samples.weights)
        return combined(samples.weights, of_classes, labels)

    def _loss(self, samples: Samples) -> CrossEntropy:
        labels = class_indices(self.classes_, samples.y)
        return CrossEntropy(labels, self.label_smoothing_, samples.weights)

    def _validation_score(self, inputs: np.ndarray, samples: Samples, loss: CrossEntropy) -> Score:
        """Compute the accuracy, and the mean log-probability of the true classes in nats."""
        scores = self._network_scores(inputs)
        labels = class_indices(self.classes_, samples.y)
        logs = log_softmax(normalised_logits(scores, loss.temperature), axis=1)
        return Score(
            weighted_mean(scores.argmax(axis=1) == labels, samples.weights),
            weighted_mean(logs[np.arange(len(labels)), labels], samples.weights),
        )

    @property
    def _n_outputs(self) -> int:
        return len(self.classes_)

    def _augmentation(self) -> Augmentation:
        of_images = {"max_shift": self.max_shift, "distortion": self.distortion}
        wanted = [f"{name}={value}" for name, value in of_images.items() if value]
        if not wanted:
            return super()._augmentation()
        size = check_image_size(self.image_size, self.n_features_in_)
        if self.n_features_in_ == 1:
            raise ValueError(f"{wanted[0]} needs images of at least 2 pixels, not 1")
        # Sites sorted by the pixel that they read; if several read one, each is of another copy.
        sites = np.argsort(self.site_features_, kind="stable").reshape(self.n_features_in_, -1)
        pixels = sites.T.reshape(-1, *size)
        return Augmentation(self.input_noise_, **of_images, pixels=pixels)

    def _finish(self, samples: Samples, loss: CrossEntropy) -> None:
        self.temperature_ = self.calibrated_temperature_ = loss.temperature

    def _calibrate(self, samples: Samples, held_out: Samples | None) -> None:
        if not is_calibrated(self, len(samples)):
            return
        if held_out is None:
            self.calibrated_temperature_ = held_out_temperature(self, samples)
        else:  # by early stopping
            labels = class_indices(self.classes_, held_out.y)
            scores = self._network_scores(self._site_inputs(held_out.X))
            self.calibrated_temperature_ = fit_temperature(
                scores, labels, self.temperature_, held_out.weights
            )

    @property
    def _certainty(self) -> float:
        # Estimators of earlier versions, or of tensors trained elsewhere, have one temperature.
        return getattr(self, "calibrated_temperature_", self.temperature_) / self.temperature_

    def _task(self) -> Classification:
        temperature = float(self.temperature_)
        return Classification(self.classes_, temperature, temperature * self._certainty)

    def _logits(self, X: ArrayLike) -> np.ndarray:
        return self.logits_from_scores(self.scores(X))


def class_indicators(classes: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return classes as numbers whose means are shares of classes.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The labels of the classes, sorted.
    y : ndarray of shape (n_samples,)
        Class label of each sample.

    Returns
    -------
    ndarray of float64 of shape (n_samples, n_targets)
        1 for the class of each sample, else 0; of two classes the second alone.
    """
    of_each = np.eye(len(classes))[class_indices(classes, y)]
    return of_each[:, 1:] if len(classes) == 2 else of_each


def class_indices(classes: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Find the index of each sample's class.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The labels of the classes, sorted.
    y : ndarray of shape (n_samples,)
        Class label of each sample.

    Returns
    -------
    ndarray of int of shape (n_samples,)
        Indices into `classes`.

    Raises
    ------
    ValueError
        If y has another label.
    """
    labels, places = np.unique(y, return_inverse=True)
    # A dict tells the text "1" from the number 1, which NumPy would convert to each other.
    indices = {label: index for index, label in enumerate(classes.tolist())}
    unknown = [label for label in labels.tolist() if label not in indices]
    if unknown:
        raise ValueError(
            f"y must have no classes but {classes.tolist()}, not {unknown}; a new class needs a "
            "new training"
        )
    return np.array([indices[label] for label in labels.tolist()])[places]


def rescaled(tensor: np.ndarray) -> np.ndarray:
    """Scale a classifier's tensor so that its largest entry is `LARGEST_ENTRY`.

    The class does not depend on the scale of a tensor.

    Parameters
    ----------
    tensor : ndarray of float
        A tensor of any shape.

    Returns
    -------
    ndarray of float64
        The scaled tensor; one of zeros stays as it is.
    """
    tensor = tensor.astype(np.float64)
    largest = np.abs(tensor).max()
    return tensor * (LARGEST_ENTRY / largest) if largest > 0 else tensor
