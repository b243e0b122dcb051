"""A matrix product state as a scikit-learn classifier."""

from __future__ import annotations

import numpy as np

from .canonical import CanonicalChain
from .chain_estimator import INITIAL_NOISE, MPSEstimator
from .classifier import NetworkClassifier, rescaled
from .half_chains import HalfChains
from .losses import CrossEntropy
from .recipes import MPS_CLASSIFIER
from .shared_docs import with_shared_docs

INITIAL_LABEL_NOISE = 0.3
"""Standard deviation of the entries of the classifier's initial label tensor.

They are not zero, because the gradients of all cores would then be zero too."""


@with_shared_docs
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
    bond_dim : int or "auto", default="auto"
        Largest bond dimension, 2 to 32: how much one part of the chain can tell another. Bonds near
        the ends of the chain are narrower. "auto": 16, or down to 12 if some board then holds the
        network with weights of 8 bits.
    %(chain_order)s
    %(image_size)s
    %(repeats)s
    %(feature_map)s
    %(feature_range)s
    %(scaling)s
    %(missing)s
    %(categorical_features)s
    learning_rate : float or "auto", default="auto"
        Largest change of a tensor's entry in one update by the optimiser (Adam); it falls to zero
        along a half cosine in the course of the training. In half-chains of more than 32 sites the
        cores take smaller steps, in inverse proportion to the length. "auto": 0.01 for up to 48
        features, 0.005 for more.
    epochs : int, default=100
        Number of passes over the training data.
    %(batch_size)s
    weight_decay : float or "auto", default="auto"
        Strength of the pull of the cores towards the identity and of the label tensor towards zero.
        Large data sets want less, the images of MNIST about 0.05. "auto": for up to 48 features 700
        divided by the number of samples, but at least 0.1 and at most 1 (0.35 in `partial_fit`,
        which does not know how many samples will come); for more features 0.3.
    input_noise : float or "auto", default="auto"
        Standard deviation of the Gaussian noise added to the scaled features at each update (then
        clipped to [0, 1]), against overfitting. "auto": 0.03 for up to 48 features (0.01 with
        weights of 4 bits), 0.1 for more.
    %(max_shift)s
    %(distortion)s
    %(label_smoothing)s
    %(calibration)s
    %(weight_bits)s
    %(board)s
    %(class_weight)s
    %(warm_start)s
    %(early_stopping)s
    %(random_state)s
    %(verbose)s

    Attributes
    ----------
    %(classes_)s
    %(features_in_)s
    cores_ : list of ndarray of float64 of shape (left_bond, local_dim, right_bond)
        The core of each site. Its largest entry is 127/128 in magnitude.
    label_tensor_ : ndarray of float64 of shape (n_classes, left_bond, right_bond)
        The tensor that joins the half-chains. Its largest entry is 127/128 in magnitude.
    %(chain_)s
    %(scaling_)s
    %(settled_)s
    %(temperature_)s
    loss_curve_ : list of float
        Mean training loss of each epoch in nats.
    %(n_iter_)s
    %(validation_)s

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from tensorspin.models import MPSClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MPSClassifier(bond_dim=4, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.9)
    True
    """

    _recipe = MPS_CLASSIFIER

    _shape_parameters = (*MPSEstimator._shape_parameters, "weight_bits")

    def __init__(
        self,
        bond_dim="auto",
        *,
        feature_order=None,
        image_size=None,
        n_repeats="auto",
        repeat_order="tile",
        feature_map="auto",
        local_dim=None,
        feature_range=None,
        feature_margin=0.0,
        scaling="auto",
        missing="refuse",
        categorical_features=None,
        learning_rate="auto",
        epochs=100,
        batch_size="auto",
        weight_decay="auto",
        input_noise="auto",
        max_shift=0.0,
        distortion=0.0,
        label_smoothing="auto",
        calibration="auto",
        weight_bits=None,
        board=None,
        class_weight=None,
        warm_start=False,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=0.0001,
        random_state=None,
        verbose=False,
    ):
        self.bond_dim = bond_dim
        self.feature_order = feature_order
        self.image_size = image_size
        self.n_repeats = n_repeats
        self.repeat_order = repeat_order
        self.feature_map = feature_map
        self.local_dim = local_dim
        self.feature_range = feature_range
        self.feature_margin = feature_margin
        self.scaling = scaling
        self.missing = missing
        self.categorical_features = categorical_features
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.input_noise = input_noise
        self.max_shift = max_shift
        self.distortion = distortion
        self.label_smoothing = label_smoothing
        self.calibration = calibration
        self.weight_bits = weight_bits
        self.board = board
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose

    def _initial_network(
        self, inputs: np.ndarray, loss: CrossEntropy, rng: np.random.Generator
    ) -> tuple[HalfChains, HalfChains, HalfChains]:
        local_dim, constant = self.feature_map_.local_dim, self.feature_map_.constant
        rounded = self.weight_bits is not None
        shapes, label_shape = self._lay_out(local_dim, len(self.classes_), identity_ends=rounded)
        position = self.label_position_
        # At rest each core passes the bond's vector on, whatever the feature.
        rest = [np.einsum("p,lr->lpr", constant, np.eye(s[0], s[2])) for s in shapes]
        fixed_sites = self._fixed_sites()
        if rounded:
            # The compiler merges the outermost two cores of a half-chain into one node. If the
            # outermost core is an identity, which costs no generality, the node is the second core
            # and thus has the entries to which that core was rounded.
            last = len(shapes) - 1
            for site in fixed_sites:
                rest[site] = np.eye(local_dim).reshape(shapes[site])
            # An identity passes the feature's vector on, where an outermost core at rest would
            # reduce it to a constant. The second core does that instead.
            for length, core in ((position, rest[1]), (last + 1 - position, rest[last - 1].T)):
                if length > 1:
                    core[...] = 0
                    core[:, :, 0] = np.outer(constant, constant)
        # The noise of a chain grows as the root of its length times the bond dimension.
        n_steps = max(position, len(shapes) - position)
        noise = min(INITIAL_NOISE, 1 / np.sqrt(n_steps * max(label_shape[1:])))
        cores = [
            core if site in fixed_sites else core + noise * rng.standard_normal(core.shape)
            for site, core in enumerate(rest)
        ]
        label = INITIAL_LABEL_NOISE * rng.standard_normal(label_shape)
        return (
            HalfChains.pack(cores, label, position),
            HalfChains.pack(rest, np.zeros(label_shape), position),
            self._mask([*shapes, label_shape]),
        )

    def _fixed_sites(self) -> list[int]:
        return [] if self.weight_bits is None else [0, len(self.site_features_) - 1]

    def _keep(self, network: HalfChains) -> None:
        *self.cores_, self.label_tensor_ = (rescaled(tensor) for tensor in network.unpack())

    def _adopt(self, chain: CanonicalChain) -> None:
        self.cores_ = [rescaled(core) for core in chain.cores()]
        self.label_tensor_ = rescaled(chain.centre)

    def _network_scores(self, inputs: np.ndarray) -> np.ndarray:
        return self._contract(inputs)[0]
