"""What all estimators share: one way to train, and the scaling of features.

Each estimator trains a tensor network: a function that is linear in the vector of each feature,
made of many small tensors that are contracted with these vectors and with each other. Training is
the same for all of them. What differs between networks (a chain or a tree) and between tasks
(classes, numbers, likelihoods) is in a few methods that `NetworkEstimator` lists.
"""

from __future__ import annotations

import copy
import inspect
from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, is_classifier, is_outlier_detector
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..compiler.scaling import check_inside, scale_features
from ..contract.device.boards import find_board
from ..progress import progress_over
from .augmentation import Augmentation
from .automatic import AutomaticMixin
from .chain_shapes import Shape
from .columns import ColumnsMixin
from .deployment import DeployableMixin
from .descent import Descent, Loss, Network, descend
from .early_stopping import EarlyStopping, Score, split
from .feature_order import chosen_order
from .importance import ImportanceMixin
from .learnt_network import LearntNetwork, with_learnt_map
from .optimiser import Adam, Schedule
from .parameters import TRAINING_LIMITS, check_parameters, flattened
from .repeats import repeated_order, sites_of_each
from .scales import SCALINGS, check_scaling
from .training_state import TrainingState
from .weighting import Samples, check_sample_weight, scaled_to_mean_one

_EARLIER = {"n_repeats": 1, "feature_margin": 0.0, "scaling": "range", "label_smoothing": 0.0}
"""What estimators did before they had parameters whose default is now "auto"."""


class NetworkEstimator(
    ColumnsMixin, AutomaticMixin, DeployableMixin, ImportanceMixin, BaseEstimator
):
    """Base of the estimators that map each feature to a vector and contract a tensor network.

    A subclass has a public ``fit`` and ``partial_fit``, which end in `_train`. It calls, in this
    order:

    - `_validated`: validate X and y;
    - `_learn_target`: learn what the targets are (classes, a scale);
    - `_weights`: how much each sample counts;
    - `_settle`: the values of parameters that are "auto";
    - `_learn_sites`: which feature each site or leaf of the network reads;
    - `_loss`: what to minimise;
    - `_initial_network`: the network to start from;
    - `descend`, which trains it;
    - `_keep`: take over the trained tensors;
    - `_finish`: learn what depends on the trained network;
    - `_calibrate`, unless the training is a part or goes on: learn how certain it may be.

    A training that goes on from an earlier one (`warm_start`, `partial_fit`) calls `_check_target`
    instead of `_learn_target`, keeps ranges and sites, and packs the tensors of its
    `TrainingState` with `_packed` and `_mask`.

    Attributes
    ----------
    feature_minimum_, feature_maximum_ : ndarray of float64 of shape (n_features,)
        The values of each feature that are scaled to 0 and 1.
    feature_knots_ : None or Knots
        The scale between these values; None if it is linear.
    site_features_ : ndarray of int of shape (n_sites,)
        The feature that each site reads. A single feature is read by at least two sites.
    loss_curve_ : list of float
        Mean loss of each epoch.
    n_iter_ : int
        Number of epochs of the last call of `fit`.
    """

    loss_curve_: list[float]
    _limits = TRAINING_LIMITS

    _scalings: tuple[str, ...] = SCALINGS
    """Values that the parameter `scaling` may have, beside "auto"."""

    _shape_parameters: tuple[str, ...] = (
        "bond_dim",
        "feature_map",
        "feature_order",
        "image_size",
        "n_repeats",
        "repeat_order",
        "local_dim",
        "feature_range",
        "feature_margin",
        "scaling",
        "board",
        "missing",
        "categorical_features",
    )
    """Parameters that fix the shapes and the meaning of the tensors: a training that goes on from
    these tensors needs the same ones."""

    _training_state: TrainingState | None = None

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        # Estimators that were pickled by an earlier version lack the parameters that are new.
        for name, parameter in inspect.signature(type(self)).parameters.items():
            if not hasattr(self, name):
                setattr(self, name, _EARLIER.get(name, parameter.default))

    def _fit(self, X, y, sample_weight=None) -> Self:
        """Train the network anew, or go on if `warm_start` is set and it was trained before."""
        self._check_parameters()
        return self._train(X, y, sample_weight, self._state() if self.warm_start else None)

    def _partial_fit(self, X, y, sample_weight=None, **known) -> Self:
        """Train the network with one pass over a part of the data.

        `known` is passed to `_learn_target` and `_check_target`.
        """
        self._check_parameters()
        if self.early_stopping:
            raise ValueError(
                "partial_fit does not support early_stopping=True: it makes one pass over the data"
            )
        return self._train(X, y, sample_weight, self._state(), part=True, **known)

    def _train(
        self, X, y, sample_weight, state: TrainingState | None, part: bool = False, **known
    ) -> Self:
        """Train the network in the order that the class describes.

        `state` is that of the training to go on from; None stands for a new one. `part` tells that
        the data is one of an unknown number of parts.
        """
        new = state is None
        X, y = self._validated(X, y, reset=new)
        samples = Samples(X, y, None).weighted(check_sample_weight(sample_weight, len(X)))
        if new:
            # If this training fails, nothing is left to go on from.
            self._training_state = None
            self._learn_target(samples, **known)
        else:
            self._check_target(samples, part, **known)
        samples = samples.weighted(self._weights(samples, part))
        if new:
            samples = self._with_ordered_categories(samples)
        self._settle(samples, new, part)
        if new:
            self._learn_scale(samples, part)
            self._warn_of_capacity()
        rng = self._generator(state)
        if new:
            self._learn_sites(samples, rng)
        # Half the memory and time of float64; noise and rounding are far above its precision.
        inputs = self._site_inputs(samples.X).astype(np.float32)

        split_seed = None if state is None else state.split_seed
        trained, held_out = samples, None
        if self.early_stopping:
            if split_seed is None:
                split_seed = int(rng.integers(2**31))
            labels = samples.y if is_classifier(self) else None
            chosen, held = split(len(samples), self.validation_fraction, labels, split_seed)
            trained, held_out, inputs = samples.take(chosen), samples.take(held), inputs[chosen]
        schedule = self._schedule(len(inputs), part)
        loss = self._loss(Samples(trained.X, trained.y, scaled_to_mean_one(trained.weights)))
        if state is None:
            network, rest, trainable = self._initial_network(inputs, loss, rng)
        else:
            network, rest = self._packed(state.tensors), self._packed(state.rest)
            trainable = self._mask([tensor.shape for tensor in state.tensors])
            if loss.parameters is not None:
                loss.parameters[...] = state.loss_parameters
        network, rest, trainable = with_learnt_map(self.feature_map_, network, rest, trainable)
        watch = None if held_out is None else self._watch(held_out, loss)
        optimiser = Adam()
        if part and state is not None and state.optimiser is not None:
            optimiser = copy.deepcopy(state.optimiser)
        descent = descend(
            network,
            rest,
            trainable,
            inputs,
            self._training_map(),
            loss,
            schedule,
            rng,
            _progress_bar(watch) if self.verbose else iter,
            watch,
            optimiser,
        )
        self._keep_trained(network)
        self._finish(samples, loss)
        if new and not part:
            self._calibrate(samples, held_out)
        if not is_outlier_detector(self):
            self._keep_levels(samples.X)
        self._record(descent, watch, new)
        self._training_state = TrainingState(
            {name: flattened(getattr(self, name)) for name in self._shape_parameters},
            network.unpack(descent.arrays),
            rest.unpack(),
            None if loss.parameters is None else loss.parameters.copy(),
            rng,
            split_seed,
            optimiser if part else None,
        )
        return self

    def _state(self) -> TrainingState | None:
        """Return the state of the training so far; None if there was none."""
        state = self._training_state
        if state is not None:
            state.check_unchanged(self)
        elif hasattr(self, "n_iter_"):
            raise ValueError(
                "there is no training to go on from: the bonds of this model were compressed, its "
                "last fit failed, or an earlier version of Tensorspin trained it; fit with "
                "warm_start=False to train anew"
            )
        return state

    def _generator(self, state: TrainingState | None) -> np.random.Generator:
        """Return the source of random numbers: a new one, or that of the training so far."""
        if state is not None:
            return copy.deepcopy(state.rng)
        # `random_state` is what it is everywhere in scikit-learn; the seed of NumPy's newer
        # generator is drawn from it.
        return np.random.default_rng(check_random_state(self.random_state).randint(2**31))

    def _watch(self, held_out: Samples, loss: Loss[Any]) -> EarlyStopping:
        """Return what scores the network on samples that don't train it."""
        inputs = self._site_inputs(held_out.X)
        # Scores are those of a fitted estimator, so a copy of this one takes over the tensors.
        candidate = copy.copy(self)

        def score(network) -> Score:
            candidate._keep_trained(network)
            return candidate._validation_score(inputs, held_out, loss)

        return EarlyStopping(score, self.n_iter_no_change, self.tol)

    def _record(self, descent: Descent, watch: EarlyStopping | None, new: bool) -> None:
        """Set the attributes that tell of the training; those of one that goes on are appended."""
        self.n_iter_ = len(descent.loss_curve)
        self.loss_curve_ = ([] if new else self.loss_curve_) + descent.loss_curve
        earlier = [] if new else vars(self).get("validation_scores_", [])
        if watch is not None:
            self.validation_scores_ = earlier + watch.scores
            self.best_validation_score_ = float(watch.best)
        elif new:
            for name in ("validation_scores_", "best_validation_score_"):
                self.__dict__.pop(name, None)

    def _check_parameters(self) -> None:
        """Refuse parameters out of their limits."""
        check_parameters(self, self._limits, self._automatic)
        if self.board is not None:
            find_board(self.board).require_contractor()
        automatic = "scaling" in self._automatic
        check_scaling(self.scaling, self.feature_range, automatic, self._scalings)

    @abstractmethod
    def _validated(self, X, y, reset: bool) -> tuple[np.ndarray, np.ndarray | None]:
        """Validate X and y; `reset` tells that they are the first of this training."""

    def _learn_target(self, samples: Samples) -> None:
        """Learn what the targets are."""

    def _check_target(self, samples: Samples, part: bool) -> None:
        """Refuse targets that a training so far does not know."""

    def _weights(self, samples: Samples, part: bool) -> np.ndarray | None:
        """Return how much each sample counts, relative to the others; None: all the same."""
        return samples.weights

    @abstractmethod
    def _loss(self, samples: Samples) -> Loss[Any]:
        """Return the loss, which knows the targets and weights; the weights have the mean 1."""

    @abstractmethod
    def _validation_score(self, inputs: np.ndarray, samples: Samples, loss: Any) -> Score:
        """Score the trained network on samples whose scaled `inputs` are given."""

    def _learn_sites(self, samples: Samples, rng: np.random.Generator) -> None:
        """Set the feature that each site reads."""
        order = chosen_order(
            self.feature_order, self.image_size, self._scaled(samples.X), rng, samples.weights
        )
        self.site_features_ = repeated_order(order, self._sites_of_each, self.repeat_order)

    @property
    def _sites_of_each(self) -> int:
        """Number of sites that read each feature."""
        return sites_of_each(self.n_features_in_, self.n_repeats_)

    @abstractmethod
    def _initial_network(
        self, inputs: np.ndarray, loss: Any, rng: np.random.Generator
    ) -> tuple[Network, Network, Network]:
        """Return what `descend` takes as network, rest and trainable.

        `inputs` are scaled features, ndarray of float32 of shape (n_samples, n_sites).
        """

    @abstractmethod
    def _packed(self, tensors: list[np.ndarray]) -> Network:
        """Return the network of the given tensors."""

    @abstractmethod
    def _mask(self, shapes: Sequence[Shape]) -> Network:
        """Return a network of tensors of these shapes: 1 where an entry may change, else 0."""

    @abstractmethod
    def _keep(self, network: Any) -> None:
        """Take over the tensors of the trained network."""

    def _keep_trained(self, network: Any) -> None:
        """Take over the tensors of the trained network, and the map if it was trained, too."""
        if isinstance(network, LearntNetwork):
            self.feature_map_ = network.trained_map()
            network = network.network
        self._keep(network)

    @abstractmethod
    def _finish(self, samples: Samples, loss: Any) -> None:
        """Learn what depends on the trained network; `samples` are all that `fit` was given."""

    def _calibrate(self, samples: Samples, held_out: Samples | None) -> None:
        """Learn how certain the trained network may be; `held_out` are samples of `samples`."""

    def _augmentation(self) -> Augmentation:
        """Return how samples are changed while training."""
        return Augmentation(self.input_noise_)

    def _schedule(self, n_samples: int, part: bool) -> Schedule:
        """Return how the training proceeds: in all epochs, or in one pass over a part."""
        return Schedule(
            1 if part else self.epochs,
            self._chosen_batch_size(n_samples),
            self.learning_rate_,
            self.weight_decay_,
            self._augmentation(),
            self.weight_bits,
            annealed=not part,
        )

    def _chosen_batch_size(self, n_samples: int) -> int:
        """Return the number of samples per update."""
        if isinstance(self.batch_size, str):
            return min(max(n_samples // 24, 16), 256)
        return self.batch_size

    def _training_map(self):
        """Return the map from scaled features to the vectors that are contracted in training."""
        return self.feature_map_.basis

    def _scaled(self, X: np.ndarray) -> np.ndarray:
        """Scale samples: ndarray of float64 of shape (n_samples, n_features) in [0, 1]."""
        if self.feature_range is not None:
            check_inside(X, self.feature_minimum_, self.feature_maximum_)
        return scale_features(X, self.feature_minimum_, self.feature_maximum_, self.feature_knots_)

    def _site_inputs(self, X: np.ndarray) -> np.ndarray:
        """Scale samples, in the order of the sites: shape (n_samples, n_sites)."""
        return self._scaled(X)[:, self.site_features_]

    def _validated_inputs(self, X: ArrayLike) -> np.ndarray:
        """Validate samples that a user gives to a fitted estimator; return the sites' inputs."""
        check_is_fitted(self)
        return self._site_inputs(self._checked(X, reset=False))


def _progress_bar(watch: EarlyStopping | None) -> Callable[[Iterable], Iterable]:
    """Return what wraps the iterable of epochs, so that a bar counts them and tells the scores."""

    def shown(epochs):
        bar = progress_over(epochs, "training", "epoch")
        if watch is not None:
            watch.report = lambda line: bar.set_postfix_str(line, refresh=False)
        return bar

    return shown
