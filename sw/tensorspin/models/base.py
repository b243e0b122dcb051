"""What all estimators share whose networks the accelerator contracts."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ..compiler.mixed_bits import mixed_bits
from ..compiler.network_program import NetworkProgram
from ..compiler.nodes import FloatNode
from ..compiler.outputs import Classification, Task
from ..compiler.quantise import check_weight_bits
from ..compiler.scaling import check_feature_range, check_inside, scale_features
from ..contract.device.boards import find_board
from ..contract.fixed import WEIGHT
from ..progress import progress_over
from .augmentation import Augmentation
from .deployed import BoardClassifier, BoardEstimator
from .descent import Schedule
from .feature_maps import FeatureMap
from .feature_order import check_image_size
from .logits import LogitsMixin, normalised_logits

# Samples contracted at once in prediction; bounds the memory, hardly changes the time.
PREDICTION_BATCH = 512


class FeatureMapEstimator(BaseEstimator):
    """Base of the estimators that map each feature to a vector and contract a tensor network.

    Subclasses have the parameters ``feature_map``, ``feature_range``, ``batch_size``,
    ``random_state`` and ``verbose``, call `_learn_features` in ``fit``, and define `_nodes`,
    `_task` and `_deployed_type`.

    Attributes
    ----------
    feature_map_ : FeatureMap
    feature_minimum_, feature_maximum_ : float64 arrays (n_features,)
        The values scaled to 0 and 1.
    site_features_ : int array (n_sites,)
        The feature that each site reads. A single feature is read by two sites.
    """

    _deployed_type: type[BoardEstimator]
    """The class of the same estimator on a board."""

    def quantize(self, weight_bits=None, *, board=None) -> NetworkProgram:
        """Round the network to the accelerator's number formats.

        Parameters
        ----------
        weight_bits : None, 8, 4 or "auto", default=None
            Bits of the weights. None: those that the network was trained for, else 8. "auto": 8,
            but 4 for as many nodes as it takes to fit `board`, those first that lose least; see
            `tensorspin.compiler.mixed_bits`. For weights of 4 bits that a chain was not trained
            for, it is first brought to canonical form.
        board : str, optional
            Name of a board, such as "icebreaker"; with "auto" only.

        Returns
        -------
        NetworkProgram
            Can be saved, loaded, run on the golden model and on a board.

        Raises
        ------
        ValueError
            If an argument is none of these.
        CapacityError
            If there are more features or outputs than any device takes; with "auto", if even
            weights of 4 bits do not fit the board.
        """
        check_is_fitted(self)
        check_weight_bits(weight_bits, "weight_bits", None, "auto")
        if (weight_bits == "auto") != (board is not None):
            raise ValueError(
                f'weight_bits="auto" and the name of a board belong together, got weight_bits='
                f"{weight_bits!r} and board={board!r}"
            )
        trained_for = getattr(self, "weight_bits", None)
        if weight_bits is None:
            weight_bits = trained_for or WEIGHT.width
        nodes = self._nodes() if weight_bits in (trained_for, WEIGHT.width) else self._tough_nodes()
        if weight_bits == "auto":
            weight_bits = mixed_bits(nodes, find_board(board).require_contractor())
        return NetworkProgram.from_nodes(
            nodes,
            self.feature_map_.table(),
            feature_minimum=self.feature_minimum_,
            feature_maximum=self.feature_maximum_,
            clip=self.feature_range is None,
            task=self._task(),
            weight_bits=weight_bits,
        )

    def deploy(self, board):
        """The same estimator, predicting on a board.

        Parameters
        ----------
        board : str or Board
            URL, such as ``/dev/ttyUSB1``, ``sim://icebreaker`` or ``golden://icebreaker``, or an
            open board.

        Returns
        -------
        BoardEstimator
            Of the kind that fits: `BoardClassifier`, `BoardRegressor` or `BoardAnomalyDetector`.
        """
        return self._deployed_type(self.quantize(), board)

    def _nodes(self) -> list[FloatNode]:
        """The fitted network as bilinear nodes in the order of their execution."""
        raise NotImplementedError

    def _tough_nodes(self) -> list[FloatNode]:
        """The same network, in a form that rounding to 4 bits harms less, if there is one."""
        return self._nodes()

    def _task(self) -> Task:
        """What the network's scores mean."""
        raise NotImplementedError

    def _learn_features(self, X: np.ndarray) -> None:
        """Set the feature map, the range of each feature and the feature of each site."""
        self.feature_map_ = FeatureMap(self.feature_map)
        if self.feature_range is None:
            self.feature_minimum_, self.feature_maximum_ = X.min(axis=0), X.max(axis=0)
        else:
            self.feature_minimum_, self.feature_maximum_ = check_feature_range(
                self.feature_range, self.n_features_in_
            )
        self.site_features_ = (
            np.arange(self.n_features_in_) if self.n_features_in_ > 1 else np.zeros(2, dtype=int)
        )

    def _scaled(self, X: np.ndarray) -> np.ndarray:
        """Scaled features: float64 (n_samples, n_features) in [0, 1]."""
        if self.feature_range is not None:
            check_inside(X, self.feature_minimum_, self.feature_maximum_)
        return scale_features(X, self.feature_minimum_, self.feature_maximum_)

    def _site_inputs(self, X: np.ndarray) -> np.ndarray:
        """Scaled features in the order of the sites: float64 (n_samples, n_sites) in [0, 1]."""
        return self._scaled(X)[:, self.site_features_]

    def _validated_inputs(self, X) -> np.ndarray:
        """`_site_inputs` of samples that a user gives to a fitted estimator."""
        check_is_fitted(self)
        return self._site_inputs(validate_data(self, X, dtype=np.float64, reset=False))

    def _generator(self) -> np.random.Generator:
        """The random numbers of one fit."""
        return np.random.default_rng(check_random_state(self.random_state).randint(2**31))

    def _chosen_batch_size(self, n_samples: int) -> int:
        """Samples per update of the training."""
        if isinstance(self.batch_size, str):
            return min(max(n_samples // 24, 16), 256)
        return self.batch_size

    def _augmentation(self) -> Augmentation:
        """What training does to the samples."""
        of_images = {name: getattr(self, name, 0) for name in ("max_shift", "distortion")}
        wanted = [f"{name}={value}" for name, value in of_images.items() if value]
        if not wanted:
            return Augmentation(self.input_noise)
        size = check_image_size(self.image_size, self.n_features_in_)
        if len(self.site_features_) != self.n_features_in_:
            raise ValueError(f"{wanted[0]} needs images of at least 2 pixels, got 1")
        pixels = np.argsort(self.site_features_).reshape(size)
        return Augmentation(self.input_noise, **of_images, pixels=pixels)

    def _schedule(self, n_samples: int) -> Schedule:
        """How to train on so many samples."""
        return Schedule(
            epochs=self.epochs,
            batch_size=self._chosen_batch_size(n_samples),
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            augmentation=self._augmentation(),
            weight_bits=getattr(self, "weight_bits", None),
        )

    def _progress(self):
        """Wrapper of the iterable of epochs."""
        return _progress_bar if self.verbose else iter


class NetworkClassifier(LogitsMixin, ClassifierMixin, FeatureMapEstimator):
    """Base of the classifiers; subclasses define ``fit``, `_nodes` and `_network_scores`.

    Attributes
    ----------
    classes_ : array (n_classes,)
    temperature_ : float
        Largest logit.
    """

    _deployed_type = BoardClassifier

    def scores(self, X):
        """Multilinear scores of the network, each sample's normalised by a positive factor.

        Parameters
        ----------
        X : array-like (n_samples, n_features)

        Returns
        -------
        float64 array (n_samples, n_classes)

        Raises
        ------
        ValueError
            If X is invalid or outside a feature_range that was promised.
        """
        return self._network_scores(self._validated_inputs(X))

    def logits_from_scores(self, scores):
        """Logits from scores, whichever positive factor each sample's scores carry.

        Serves the scores that `scores` computes and those that an accelerator returns.

        Parameters
        ----------
        scores : array-like (n_samples, n_classes)

        Returns
        -------
        float64 array (n_samples, n_classes), within plus or minus ``temperature_``
        """
        return normalised_logits(np.asarray(scores, dtype=float), self.temperature_)

    def predict(self, X):
        """Predict the class of each sample.

        Parameters
        ----------
        X : array-like (n_samples, n_features)

        Returns
        -------
        array (n_samples,) of the dtype of ``classes_``
        """
        chosen = self.scores(X).argmax(axis=1)
        return self.classes_[chosen]

    def _network_scores(self, inputs: np.ndarray) -> np.ndarray:
        """Scores (n_samples, n_classes) of scaled inputs (n_samples, n_sites), both float64."""
        raise NotImplementedError

    def _task(self) -> Classification:
        return Classification(self.classes_, float(self.temperature_))

    def _logits(self, X):
        return self.logits_from_scores(self.scores(X))

    def _learn_classes(self, y) -> np.ndarray:
        """Set the classes; return the index of each sample's class."""
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"at least 2 classes are needed, got 1 class: {self.classes_[0]}")
        return labels


def _progress_bar(epochs):
    return progress_over(epochs, "training", "epoch")
