"""A matrix product state as a scikit-learn classifier."""

from __future__ import annotations

import numpy as np
from sklearn.utils.validation import validate_data

from ..compiler.quantise import check_weight_bits
from .base import NetworkClassifier
from .half_chains import HalfChains
from .limits import CLASSIFIER_LIMITS
from .mps_base import MPSEstimator, trainable_entries
from .tensors import constant_combination, rescaled
from .training import train

# Initial cores are identities with this much noise, less in long chains, whose noise adds up.
INITIAL_NOISE = 0.05

INITIAL_LABEL_NOISE = 0.3


class MPSClassifier(MPSEstimator, NetworkClassifier):
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
    feature_order : None, "snake", "strips", "mutual_information" or int array (n_features,), \
            default=None
        The order in which the sites read the features; neighbours should have to do with each
        other. None: as given. "snake": the rows of an image, every other one backwards.
        "strips": the same with pairs of rows, each walked through column by column.
        "mutual_information": learnt from the training data, see `mutual_information_order`. An
        array: a permutation. No order costs anything on a board.
    image_size : None or (height, width), default=None
        Of the images whose pixels are the features, row by row. None: square.
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
        Large data sets want less, the images of MNIST about 0.05.
    input_noise : float, default=0.1
        Standard deviation of the Gaussian noise added to the scaled features at each update (then
        clipped to [0, 1]). The main means against overfitting.
    max_shift : float, default=0.0
        For images: move each by up to so many pixels along both axes at each update, at random and
        by fractions of a pixel too.
    distortion : float, default=0.0
        For images: displace the pixels of each along both axes at each update, by a smooth random
        field of this root mean square, in pixels. It slants, stretches and bends what the image
        shows, as other hands would draw it (Simard, Steinkraus and Platt 2003). Wants more epochs.
    label_smoothing : float, default=0.0
        Share of the target probability that all classes get alike, 0 to 1 (Szegedy et al.,
        arXiv:1512.00567).
    weight_bits : None, 8 or 4, default=None
        None: train as if weights were real numbers. 8 or 4: train for weights of so many bits,
        which `quantize` then rounds no more; the fitted tensors have at most 255 or 15 different
        entries. 4 bits halve the memory that a device needs, so that bonds can be wider.
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
        feature_order=None,
        image_size=None,
        feature_map="linear",
        feature_range=None,
        learning_rate=0.005,
        epochs=100,
        batch_size="auto",
        weight_decay=0.3,
        input_noise=0.1,
        max_shift=0.0,
        distortion=0.0,
        label_smoothing=0.0,
        weight_bits=None,
        random_state=None,
        verbose=False,
    ):
        self.bond_dim = bond_dim
        self.feature_order = feature_order
        self.image_size = image_size
        self.feature_map = feature_map
        self.feature_range = feature_range
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.input_noise = input_noise
        self.max_shift = max_shift
        self.distortion = distortion
        self.label_smoothing = label_smoothing
        self.weight_bits = weight_bits
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
        self._check_training(CLASSIFIER_LIMITS)
        check_weight_bits(self.weight_bits, "weight_bits", None)
        X, y = validate_data(self, X, y, dtype=np.float64)
        labels = self._learn_classes(y)
        rng = self._generator()
        inputs = self._learn_sites(X, rng).astype(np.float32)
        self._train(inputs, labels, rng)
        self.n_iter_ = self.epochs
        return self

    def _network_scores(self, inputs):
        return self._contract(inputs)[0]

    def _adopt(self, chain):
        self.cores_ = [rescaled(core) for core in chain.cores()]
        self.label_tensor_ = rescaled(chain.centre)

    def _train(self, inputs, labels, rng):
        cores, label, rest, fixed_sites = self._initial_network(rng)
        position, shapes = self.label_position_, [core.shape for core in cores]
        chains = HalfChains.pack(cores, label, position)
        self.temperature_, self.loss_curve_ = train(
            chains,
            HalfChains.pack(rest, np.zeros(label.shape), position),
            trainable_entries(shapes, label.shape, position, fixed_sites),
            inputs,
            labels,
            self.feature_map_,
            self._schedule(len(inputs)),
            rng,
            self._progress(),
            self.label_smoothing,
        )
        cores, label = chains.unpack(shapes, label.shape)
        self.cores_ = [rescaled(core) for core in cores]
        self.label_tensor_ = rescaled(label)

    def _initial_network(self, rng):
        """Cores and label tensor to start from, cores at rest, and the sites not to train."""
        position, local_dim = self.label_position_, self.feature_map_.local_dim
        rounded = self.weight_bits is not None
        shapes, label_shape = self._shapes(local_dim, len(self.classes_), identity_ends=rounded)
        weights = constant_combination(self.feature_map_.table())
        rest = [np.einsum("p,lr->lpr", weights, np.eye(s[0], s[2])) for s in shapes]
        fixed_sites = []
        if rounded:
            # The compiler merges the outermost two cores of a half-chain. If the first is an
            # identity, which costs no generality, the merged node is the second, as rounded.
            last = len(shapes) - 1
            fixed_sites = [0, last]
            for site in fixed_sites:
                rest[site] = np.eye(local_dim).reshape(shapes[site])
            # The next core makes the constant of it that the outermost would have made.
            for length, core in ((position, rest[1]), (last + 1 - position, rest[last - 1].T)):
                if length > 1:
                    core[...] = 0
                    core[:, :, 0] = np.outer(weights, weights)
        n_steps = max(position, len(shapes) - position)
        noise = min(INITIAL_NOISE, 1 / np.sqrt(n_steps * max(label_shape[1:])))
        cores = [
            core if site in fixed_sites else core + noise * rng.standard_normal(core.shape)
            for site, core in enumerate(rest)
        ]
        return cores, INITIAL_LABEL_NOISE * rng.standard_normal(label_shape), rest, fixed_sites
