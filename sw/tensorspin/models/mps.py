"""A matrix product state as a scikit-learn classifier."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ..compiler.chain import chain_nodes
from ..compiler.network_program import NetworkProgram
from ..progress import progress_over
from ..scaling import check_feature_range, check_inside, scale_features
from .deployed import BoardClassifier
from .entanglement import entanglement_entropy
from .feature_maps import FeatureMap
from .half_chains import HalfChains, bond_dimensions, contract
from .logits import LogitsMixin, normalised_logits
from .training import Schedule, train

BOND_DIM_RANGE = (2, 32)
"""Least and largest bond dimension. At 1 the half-chains would only scale the label tensor."""

# Initial cores are identities with this much noise, less in long chains, whose noise adds up.
INITIAL_NOISE = 0.05

INITIAL_LABEL_NOISE = 0.3

# The largest entry of each fitted core: 127 steps of 1/128, the largest int8.
LARGEST_ENTRY = 127 / 128

# Samples contracted at once in prediction; bounds the memory, hardly changes the time.
PREDICTION_BATCH = 512


class MPSClassifier(LogitsMixin, ClassifierMixin, BaseEstimator):
    """Classifier whose model is a matrix product state (MPS).

    A chain of sites, each with a core of shape (left_bond, local_dim, right_bond), is contracted
    with the feature vectors of a sample. A label tensor in the middle of the chain joins the
    vectors of the two half-chains::

        scores[k] = sum over a, b of  label[k, a, b] * left[a] * right[b]

    The model follows Stoudenmire and Schwab 2016, arXiv:1605.05775. All cores are trained at once
    by gradient descent on the cross entropy of ``temperature * scores / ||scores||``, so that the
    class does not depend on the scale of a sample's scores.

    Parameters
    ----------
    bond_dim : int, default=16
        Bond dimension, 2 to 32: how much one part of the chain can tell another. Bonds near the
        ends are narrower.
    feature_map : {"linear", "trigonometric", "polynomial"}, callable or table, default="linear"
        From a feature scaled to [0, 1] to the vector that a site contracts; see
        `FeatureMap`.
    feature_range : None or (low, high), default=None
        None: the least and largest value of each feature are learnt from the training data; later
        values outside are clipped, as by a sensor that saturates. (low, high), two numbers or two
        arrays of one number per feature: a promise; values outside raise ValueError.
    learning_rate : float, default=0.005
        Largest step of Adam; the rate falls to zero along a half cosine. In half-chains of
        more than 32 sites the cores take smaller steps, in inverse proportion to the length.
    epochs : int, default=100
        Passes over the training data.
    batch_size : int or "auto", default="auto"
        Samples per update. "auto": a 24th of the training samples, at least 16, at most 256.
    weight_decay : float, default=0.3
        Strength of the pull of the cores towards the identity and of the label tensor to zero.
    input_noise : float, default=0.1
        Standard deviation of the Gaussian noise added to the scaled features at each update (then
        clipped to [0, 1]). The main means against overfitting.
    random_state : int, RandomState or None, default=None
        Seed of the initial cores, the order of samples and the noise.
    verbose : bool, default=False
        Show progress on stderr.

    Attributes
    ----------
    classes_ : array (n_classes,)
    n_features_in_ : int
    feature_names_in_ : array (n_features,), only if X had string column names
    cores_ : list of n_sites float64 arrays (left_bond, local_dim, right_bond)
        The largest entry of each is 127/128 in magnitude.
    label_tensor_ : float64 array (n_classes, left_bond, right_bond)
        The largest entry is 127/128 in magnitude.
    label_position_ : int
        The sites before it form the left half-chain.
    site_features_ : int array (n_sites,)
        The feature that each site reads. A single feature is read by two sites.
    feature_map_ : FeatureMap
    feature_minimum_, feature_maximum_ : float64 arrays (n_features,)
        The values scaled to 0 and 1.
    temperature_ : float
        Largest logit.
    loss_curve_ : list of float
        Mean training loss of each epoch in nats.
    n_iter_ : int
        Number of epochs.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from tensorspin.models import MPSClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MPSClassifier(bond_dim=4, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.9)
    True
    """

    def __init__(
        self,
        bond_dim=16,
        *,
        feature_map="linear",
        feature_range=None,
        learning_rate=0.005,
        epochs=100,
        batch_size="auto",
        weight_decay=0.3,
        input_noise=0.1,
        random_state=None,
        verbose=False,
    ):
        self.bond_dim = bond_dim
        self.feature_map = feature_map
        self.feature_range = feature_range
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.input_noise = input_noise
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y):
        """Train the network.

        Parameters
        ----------
        X : array-like (n_samples, n_features), finite numbers
        y : array-like (n_samples,), class labels, at least two different ones

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter is out of its limits, X or y is invalid, or X is outside feature_range.
        """
        self._check_parameters()
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"at least 2 classes are needed, got 1 class: {self.classes_[0]}")
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
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
        self.label_position_ = len(self.site_features_) // 2
        inputs = self._site_inputs(X).astype(np.float32)
        self._train(inputs, labels, rng)
        self.n_iter_ = self.epochs
        return self

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
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        inputs = self._site_inputs(X)
        # float64: a sample's scores must not depend on its neighbours in the batch.
        chains = HalfChains.pack(
            self.cores_, self.label_tensor_, self.label_position_, dtype=np.float64
        )
        scores = np.empty((len(X), len(self.classes_)))
        for start in range(0, len(X), PREDICTION_BATCH):
            batch = slice(start, start + PREDICTION_BATCH)
            features = chains.encode(inputs[batch], self.feature_map_)
            scores[batch] = contract(chains, features, record=False).scores.T
        return scores

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

    def entanglement_entropy(self):
        """Entanglement entropy at each bond of the trained network.

        Returns
        -------
        float64 array (n_sites,), in bits
            Entry i is the entropy at the bond of site i on the side of the label tensor; see
            `entanglement_entropy`.
        """
        check_is_fitted(self)
        return entanglement_entropy(self.cores_, self.label_tensor_, self.label_position_)

    def quantize(self):
        """Round the network to the accelerator's number formats.

        Returns
        -------
        NetworkProgram
            Can be saved, loaded, run on the golden model and on a board.

        Raises
        ------
        CapacityError
            If there are more features or classes than any device takes.
        """
        check_is_fitted(self)
        return NetworkProgram.from_nodes(
            chain_nodes(self.cores_, self.label_tensor_, self.label_position_, self.site_features_),
            self.feature_map_.table(),
            feature_minimum=self.feature_minimum_,
            feature_maximum=self.feature_maximum_,
            clip=self.feature_range is None,
            classes=self.classes_,
            temperature=self.temperature_,
        )

    def deploy(self, board):
        """The same classifier, predicting on a board.

        Parameters
        ----------
        board : str or Board
            URL, such as ``/dev/ttyUSB1``, ``sim://icebreaker`` or ``golden://icebreaker``, or an
            open board.

        Returns
        -------
        BoardClassifier
        """
        return BoardClassifier(self.quantize(), board)

    def _logits(self, X):
        return self.logits_from_scores(self.scores(X))

    def _check_parameters(self):
        limits = {
            "bond_dim": (Integral, *BOND_DIM_RANGE),
            "epochs": (Integral, 1, np.inf),
            "batch_size": (Integral, 1, np.inf),
            "learning_rate": (Real, 0, np.inf),
            "weight_decay": (Real, 0, np.inf),
            "input_noise": (Real, 0, np.inf),
        }
        for name, (kind, least, most) in limits.items():
            value = getattr(self, name)
            if name == "batch_size" and isinstance(value, str) and value == "auto":
                continue
            described = "an integer" if kind is Integral else "a number"
            bounds = f"from {least} to {most}" if most < np.inf else f"of at least {least}"
            if isinstance(value, bool) or not isinstance(value, kind):
                raise ValueError(f"{name} must be {described} {bounds}, got {value!r}")
            if not least <= value <= most or not np.isfinite(value):
                raise ValueError(f"{name} must be {described} {bounds}, got {value}")

    def _site_inputs(self, X):
        """Scaled features in the order of the sites: float64 (n_samples, n_sites) in [0, 1]."""
        if self.feature_range is not None:
            check_inside(X, self.feature_minimum_, self.feature_maximum_)
        return scale_features(X, self.feature_minimum_, self.feature_maximum_)[
            :, self.site_features_
        ]

    def _train(self, inputs, labels, rng):
        n_sites, position = len(self.site_features_), self.label_position_
        local_dim = self.feature_map_.local_dim
        bonds = bond_dimensions(n_sites, position, local_dim, self.bond_dim)
        outer = [1, *bonds[: position - 1]] + [*bonds[position + 1 :], 1]
        shapes = [
            (outside, local_dim, inside) if site < position else (inside, local_dim, outside)
            for site, (outside, inside) in enumerate(zip(outer, bonds))
        ]
        label_shape = (len(self.classes_), bonds[position - 1], bonds[position])
        weights = _constant_combination(self.feature_map_.table())
        identities = [np.einsum("p,lr->lpr", weights, np.eye(s[0], s[2])) for s in shapes]

        n_steps = max(position, n_sites - position)
        core_noise = min(INITIAL_NOISE, 1 / np.sqrt(n_steps * max(bonds)))

        def disturbed(tensor, scale):
            return tensor + scale * rng.standard_normal(tensor.shape)

        chains = HalfChains.pack(
            [disturbed(core, core_noise) for core in identities],
            disturbed(np.zeros(label_shape), INITIAL_LABEL_NOISE),
            position,
        )
        rest = HalfChains.pack(identities, np.zeros(label_shape), position)
        trainable = HalfChains.pack([np.ones(s) for s in shapes], np.ones(label_shape), position)
        trainable.weights[trainable.sites < 0] = 0
        batch_size = self.batch_size
        if isinstance(batch_size, str):
            batch_size = min(max(len(inputs) // 24, 16), 256)
        schedule = Schedule(
            epochs=self.epochs,
            batch_size=batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            input_noise=self.input_noise,
        )
        progress = _progress_bar if self.verbose else iter
        self.temperature_, self.loss_curve_ = train(
            chains, rest, trainable, inputs, labels, self.feature_map_, schedule, rng, progress
        )
        cores, label_tensor = chains.unpack(shapes, label_shape)
        self.cores_ = [_rescaled(core) for core in cores]
        self.label_tensor_ = _rescaled(label_tensor)


def _constant_combination(table):
    """Weights (local_dim,) with which a feature map's components sum to about 1 at any feature.

    Identity matrices with these weights make a site pass the bond vector on unchanged.
    """
    ones = np.ones(len(table))
    weights = np.linalg.lstsq(table, ones, rcond=None)[0]
    if np.sqrt(np.mean((table @ weights - ones) ** 2)) > 0.5:
        # The map has no constant part, so no choice passes the vector on; any start is as good.
        weights = ones[: table.shape[1]]
    return weights


def _rescaled(tensor):
    """Scale so that the largest entry is LARGEST_ENTRY; the class does not depend on the scale."""
    tensor = tensor.astype(np.float64)
    largest = np.abs(tensor).max()
    return tensor * (LARGEST_ENTRY / largest) if largest > 0 else tensor


def _progress_bar(epochs):
    return progress_over(epochs, "training", "epoch")
