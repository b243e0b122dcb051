"""What all estimators share: one `fit`, the checks of parameters, and the scaling of features.

Each estimator trains a tensor network: a function that is linear in the vector of each feature,
made of many small tensors that are contracted with these vectors and with each other. `fit` is the
same for all of them. What differs between networks (a chain or a tree) and between tasks (classes,
numbers, likelihoods) is in a few methods that `NetworkEstimator` lists.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ..compiler.outputs import Classification
from ..compiler.quantise import check_weight_bits
from ..compiler.scaling import check_feature_range, check_inside, scale_features
from ..progress import progress_over
from .augmentation import Augmentation
from .deployed import BoardClassifier
from .deployment import DeployableMixin
from .descent import Loss, Network, Schedule, descend
from .feature_maps import FeatureMap
from .feature_order import check_image_size, chosen_order
from .forecast import ForecastMixin
from .logits import LogitsMixin, normalised_logits
from .losses import CrossEntropy

PREDICTION_BATCH = 512
"""Number of samples contracted at once in prediction.

It bounds the memory that a prediction takes, and hardly changes its time."""

LARGEST_ENTRY = 127 / 128
"""Largest magnitude of an entry of a classifier's fitted tensors: 127, the largest int8, in steps
of 1/128."""

Limit = tuple[type, float, float]
"""Kind of a number, Integral or Real, and its least and greatest value."""

TRAINING_LIMITS: dict[str, Limit] = {
    # With bonds of dimension 1 no part of a network could tell another anything.
    "bond_dim": (Integral, 2, 32),
    "epochs": (Integral, 1, np.inf),
    "batch_size": (Integral, 1, np.inf),
    "learning_rate": (Real, 0, np.inf),
    "weight_decay": (Real, 0, np.inf),
    "input_noise": (Real, 0, np.inf),
}
"""Limits of the parameters that all estimators have; `batch_size` may be "auto" too."""

CLASSIFIER_LIMITS: dict[str, Limit] = {
    **TRAINING_LIMITS,
    "label_smoothing": (Real, 0, 1),
    "max_shift": (Real, 0, np.inf),
    "distortion": (Real, 0, np.inf),
}
"""Limits of the parameters of classifiers."""


class NetworkEstimator(ForecastMixin, DeployableMixin, BaseEstimator):
    """Base of the estimators that map each feature to a vector and contract a tensor network.

    A subclass has a public ``fit`` that calls `_fit`, which calls, in this order:

    - `_learn_target`: check the parameters of the task, validate X and y, and learn what the
      targets are (classes, a scale);
    - `_learn_sites`: which feature each site or leaf of the network reads;
    - `_initial_network`: the network to start from;
    - `descend`, which trains it;
    - `_keep`: take over the trained tensors;
    - `_finish`: learn what depends on the trained network.

    Attributes
    ----------
    feature_map_ : FeatureMap
        The map from a scaled feature to its vector.
    feature_minimum_, feature_maximum_ : ndarray of float64 of shape (n_features,)
        The values of each feature that are scaled to 0 and 1.
    site_features_ : ndarray of int of shape (n_sites,)
        The feature that each site reads. A single feature is read by two sites.
    loss_curve_ : list of float
        Mean loss of each epoch.
    n_iter_ : int
        Number of epochs.
    """

    _limits = TRAINING_LIMITS

    def _fit(self, X, y) -> Self:
        """Train the network, in the order that the class describes."""
        self._check_parameters()
        X, loss = self._learn_target(X, y)
        self.feature_map_ = FeatureMap(self.feature_map)
        self._learn_ranges(X)
        self._warn_of_capacity()
        # `random_state` is what it is everywhere in scikit-learn; the seed of NumPy's newer
        # generator is drawn from it.
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        self._learn_sites(X, rng)
        # Half the memory and time of float64; noise and rounding are far above its precision.
        inputs = self._site_inputs(X).astype(np.float32)
        training_map = self._training_map()
        batch_size = self._chosen_batch_size(len(X))
        augmentation = self._augmentation()
        network, rest, trainable = self._initial_network(inputs, loss, rng)
        self.loss_curve_ = descend(
            network,
            rest,
            trainable,
            inputs,
            training_map,
            loss,
            Schedule(
                self.epochs,
                batch_size,
                self.learning_rate,
                self.weight_decay,
                augmentation,
                self.weight_bits,
            ),
            rng,
            _progress_bar if self.verbose else iter,
        )
        self._keep(network)
        self._finish(X, loss)
        self.n_iter_ = self.epochs
        return self

    def _check_parameters(self) -> None:
        """Refuse parameters that are not numbers within their limits."""
        for name, (kind, least, most) in self._limits.items():
            value: Any = getattr(self, name)
            if name == "batch_size" and isinstance(value, str) and value == "auto":
                continue
            described = "an integer" if kind is Integral else "a finite number"
            bounds = f"from {least} to {most}" if most < np.inf else f"of at least {least}"
            if not is_number(value, kind):
                raise ValueError(f"{name} must be {described} {bounds}, not {value!r}")
            if not least <= value <= most or not np.isfinite(value):
                raise ValueError(f"{name} must be {described} {bounds}, not {value}")

    @abstractmethod
    def _learn_target(self, X, y) -> tuple[np.ndarray, Loss[Any]]:
        """Return the validated X, and the loss, which knows the targets.

        On the way, check the parameters of the task, validate y, and learn what the targets are.
        """

    def _learn_ranges(self, X: np.ndarray) -> None:
        """Set the values of each feature that become 0 and 1."""
        if self.feature_range is None:
            self.feature_minimum_, self.feature_maximum_ = X.min(axis=0), X.max(axis=0)
        else:
            self.feature_minimum_, self.feature_maximum_ = check_feature_range(
                self.feature_range, self.n_features_in_
            )

    def _learn_sites(self, X: np.ndarray, rng: np.random.Generator) -> None:
        """Set the feature that each site reads."""
        order = chosen_order(self.feature_order, self.image_size, self._scaled(X), rng)
        # A network has at least two sites.
        self.site_features_ = order if self.n_features_in_ > 1 else np.zeros(2, dtype=int)

    @abstractmethod
    def _initial_network(
        self, inputs: np.ndarray, loss: Any, rng: np.random.Generator
    ) -> tuple[Network, Network, Network]:
        """Return what `descend` takes as network, rest and trainable.

        `inputs` are scaled features, ndarray of float32 of shape (n_samples, n_sites).
        """

    @abstractmethod
    def _keep(self, network: Any) -> None:
        """Take over the tensors of the trained network."""

    @abstractmethod
    def _finish(self, X: np.ndarray, loss: Any) -> None:
        """Learn what depends on the trained network; X holds the validated training samples."""

    def _augmentation(self) -> Augmentation:
        """Return how samples are changed while training."""
        return Augmentation(self.input_noise)

    def _chosen_batch_size(self, n_samples: int) -> int:
        """Return the number of samples per update."""
        if isinstance(self.batch_size, str):
            return min(max(n_samples // 24, 16), 256)
        return self.batch_size

    def _training_map(self):
        """Return the map from scaled features to the vectors that are contracted in training."""
        return self.feature_map_

    def _scaled(self, X: np.ndarray) -> np.ndarray:
        """Scale samples: ndarray of float64 of shape (n_samples, n_features) in [0, 1]."""
        if self.feature_range is not None:
            check_inside(X, self.feature_minimum_, self.feature_maximum_)
        return scale_features(X, self.feature_minimum_, self.feature_maximum_)

    def _site_inputs(self, X: np.ndarray) -> np.ndarray:
        """Scale samples, in the order of the sites: shape (n_samples, n_sites)."""
        return self._scaled(X)[:, self.site_features_]

    def _validated_inputs(self, X: ArrayLike) -> np.ndarray:
        """Validate samples that a user gives to a fitted estimator; return the sites' inputs."""
        check_is_fitted(self)
        return self._site_inputs(validate_data(self, X, dtype=np.float64, reset=False))


class NetworkClassifier(LogitsMixin, ClassifierMixin, NetworkEstimator):
    """Base of the classifiers; subclasses define the network and `_network_scores`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted.
    temperature_ : float
        The largest logit that the classifier can give.
    """

    classes_: np.ndarray
    _deployed_type = BoardClassifier
    _limits = CLASSIFIER_LIMITS

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train the network and its temperature.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training samples: finite numbers.
        y : array-like of shape (n_samples,)
            Class label of each sample; at least two different ones.

        Returns
        -------
        self
            The fitted classifier.

        Raises
        ------
        ValueError
            If a parameter is out of its limits, if X or y is invalid, or if a value of X is outside
            `feature_range`.
        FloatingPointError
            If the training diverges.
        """
        return self._fit(X, y)

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

    def _learn_target(self, X, y) -> tuple[np.ndarray, CrossEntropy]:
        check_weight_bits(self.weight_bits, "weight_bits", None)
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"at least 2 classes are needed, not 1 class: {self.classes_[0]}")
        return X, CrossEntropy(labels, self.label_smoothing)

    @property
    def _n_outputs(self) -> int:
        return len(self.classes_)

    def _augmentation(self) -> Augmentation:
        of_images = {"max_shift": self.max_shift, "distortion": self.distortion}
        wanted = [f"{name}={value}" for name, value in of_images.items() if value]
        if not wanted:
            return super()._augmentation()
        size = check_image_size(self.image_size, self.n_features_in_)
        if len(self.site_features_) != self.n_features_in_:
            raise ValueError(f"{wanted[0]} needs images of at least 2 pixels, not 1")
        pixels = np.argsort(self.site_features_).reshape(size)
        return Augmentation(self.input_noise, **of_images, pixels=pixels)

    def _finish(self, X: np.ndarray, loss: CrossEntropy) -> None:
        self.temperature_ = loss.temperature

    def _task(self) -> Classification:
        return Classification(self.classes_, float(self.temperature_))

    def _logits(self, X: ArrayLike) -> np.ndarray:
        return self.logits_from_scores(self.scores(X))


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


def is_number(value: object, kind: type) -> bool:
    """Tell whether a user's value is a number of a kind, Integral or Real, and not a bool."""
    return isinstance(value, kind) and not isinstance(value, bool)


def prediction_batches(n_samples: int) -> Iterator[slice]:
    """Return the slices of samples that are contracted at once in prediction."""
    for start in range(0, n_samples, PREDICTION_BATCH):
        yield slice(start, start + PREDICTION_BATCH)


def _progress_bar(epochs):
    return progress_over(epochs, "training", "epoch")
