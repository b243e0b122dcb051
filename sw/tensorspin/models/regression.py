"""A matrix product state as a scikit-learn regressor."""

from __future__ import annotations

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.utils.validation import validate_data

from ..compiler.outputs import Regression
from .deployed import BoardRegressor
from .descent import descend
from .half_chains import HalfChains, contract, gradients, log_norms
from .mps_base import MPSEstimator, spread, trainable_entries
from .tensors import constant_combination

# Strength of the ridge regression that training starts from.
RIDGE = 1.0

# Largest entry of the initial cores that adds a feature's share to the running sum.
LARGEST_SHARE = 0.5

# Noise in the initial cores where it does not change the output yet.
INITIAL_NOISE = 0.1


class MPSRegressor(RegressorMixin, MPSEstimator):
    """Regressor whose model is a matrix product state (MPS) with one output.

    The chain of `MPSClassifier` with a single score, which is the standardised target. The score's
    true scale counts here: a contractor returns it through the block exponent.

    Training minimises the squared error of all cores at once by gradient descent. It starts from
    the solution of ridge regression on the mapped features, which is an MPS of bond dimension 2
    (a bond carries a one and the sum so far); the further components of the bonds start at random.
    So chains of hundreds of sites start at a sensible scale.

    Parameters
    ----------
    bond_dim : int, default=8
        Bond dimension, 2 to 32. Bonds near the ends are narrower.
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
        See `FeatureMap`. Some combination of its components should be constant, as in "linear" and
        "polynomial": then the output does not depend on a product of all features' lengths, which
        in long chains can vary over orders of magnitude.
    feature_range : None or (low, high), default=None
        See `MPSClassifier`.
    learning_rate : float, default=0.002
        Largest step of Adam; see `MPSClassifier`.
    epochs : int, default=50
        Passes over the training data.
    batch_size : int or "auto", default="auto"
        Samples per update. "auto": a 24th of the training samples, at least 16, at most 256.
    weight_decay : float, default=1.0
        Strength of the pull of the cores back to ridge regression.
    input_noise : float, default=0.1
        Standard deviation of the Gaussian noise added to the scaled features at each update (then
        clipped to [0, 1]).
    random_state : int, RandomState or None, default=None
        Seed of the initial cores, the order of samples and the noise.
    verbose : bool, default=False
        Show progress on stderr.

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : array (n_features,), only if X had string column names
    cores_ : list of n_sites float64 arrays (left_bond, local_dim, right_bond)
    label_tensor_ : float64 array (1, left_bond, right_bond)
    label_position_ : int
        The sites before it form the left half-chain.
    site_features_ : int array (n_sites,)
        The feature that each site reads. A single feature is read by two sites.
    feature_map_ : FeatureMap
    feature_minimum_, feature_maximum_ : float64 arrays (n_features,)
        The values scaled to 0 and 1.
    target_mean_, target_scale_ : float
        Mean and standard deviation of the training targets (1 if they are all equal): the
        prediction is ``target_mean_ + target_scale_ * output``.
    loss_curve_ : list of float
        Mean squared error of the standardised target in each epoch.
    n_iter_ : int
        Number of epochs.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from tensorspin.models import MPSRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = MPSRegressor(random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.45)
    True
    """

    _deployed_type = BoardRegressor

    def __init__(
        self,
        bond_dim=8,
        *,
        feature_order=None,
        image_size=None,
        feature_map="linear",
        feature_range=None,
        learning_rate=0.002,
        epochs=50,
        batch_size="auto",
        weight_decay=1.0,
        input_noise=0.1,
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
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y):
        """Train the network.

        Parameters
        ----------
        X : array-like (n_samples, n_features), finite numbers
        y : array-like (n_samples,), finite numbers

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter is out of its limits, X or y is invalid, or X is outside feature_range.
        FloatingPointError
            If the training diverges.
        """
        self._check_training()
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        rng = self._generator()
        inputs = self._learn_sites(X, rng).astype(np.float32)
        # Divided first, so that the squares of large targets don't overflow.
        largest = max(np.abs(y).max(), np.finfo(float).tiny)
        y = y / largest
        mean, deviation = y.mean(), y.std()
        if not deviation > 1e-12 * abs(mean):
            deviation = 1.0
        self.target_mean_ = float(mean * largest)
        self.target_scale_ = float(deviation * largest)
        targets = (y - mean) / deviation
        self._train(inputs, targets, rng)
        self.n_iter_ = self.epochs
        return self

    def predict(self, X):
        """Predict the target of each sample.

        Parameters
        ----------
        X : array-like (n_samples, n_features)

        Returns
        -------
        float64 array (n_samples,)

        Raises
        ------
        ValueError
            If X is invalid or outside a feature_range that was promised.
        """
        scores, logs = self._contract(self._validated_inputs(X))
        return self.target_mean_ + self.target_scale_ * (scores[:, 0] * np.exp(logs))

    def _task(self):
        return Regression(self.target_mean_, self.target_scale_)

    def _adopt(self, chain):
        *self.cores_, self.label_tensor_ = spread([*chain.cores(), chain.centre], chain.log_norm)

    def _train(self, inputs, targets, rng):
        position, local_dim = self.label_position_, self.feature_map_.local_dim
        shapes, label_shape = self._shapes(local_dim, 1)
        cores, label = self._ridge_network(inputs, targets, shapes, label_shape)
        rest = HalfChains.pack(cores, label, position)
        noise = INITIAL_NOISE / np.sqrt(local_dim)
        for site, core in enumerate(cores):
            # Into the components from the third on, which the label tensor does not read yet.
            unread = core[:, :, 2:] if site < position else core[2:]
            unread += noise * rng.standard_normal(unread.shape)
        chains = HalfChains.pack(cores, label, position)
        targets = targets.astype(np.float32)

        def objective(batch, chosen):
            contraction = contract(chains, chains.encode(batch, self.feature_map_))
            loss, score_gradient = squared_error(
                contraction.scores, log_norms(contraction), targets[chosen]
            )
            return loss, gradients(chains, contraction, score_gradient)

        self.loss_curve_ = descend(
            chains,
            rest,
            trainable_entries(shapes, label_shape, position),
            inputs,
            objective,
            self._schedule(len(inputs)),
            rng,
            self._progress(),
        )
        cores, label = chains.unpack(shapes, label_shape)
        self.cores_ = [core.astype(np.float64) for core in cores]
        self.label_tensor_ = label.astype(np.float64)
        if targets.any():
            # Rounded to 8 bits in canonical form, the output changes about half as much. (A network
            # that is zero everywhere has no canonical form.)
            self._adopt(self._canonical_chain().truncated()[0])

    def _ridge_network(self, inputs, targets, shapes, label_shape):
        """Cores and label tensor whose output is that of ridge regression."""
        components = self.feature_map_(inputs).astype(np.float64)
        n_sites, local_dim = components.shape[1:]
        ridge = Ridge(RIDGE).fit(components.reshape(len(inputs), -1), targets)
        shares = ridge.coef_.reshape(n_sites, local_dim)
        largest = np.abs(shares).max()
        gauge = LARGEST_SHARE / largest if largest > 0 else 1.0
        weights = constant_combination(self.feature_map_.table())
        cores = []
        for site, shape in enumerate(shapes):
            mirrored = site >= self.label_position_
            outer, inner = (shape[2], shape[0]) if mirrored else (shape[0], shape[2])
            core = np.einsum("p,oi->opi", weights, np.eye(outer, inner))
            core[0, :, 1] += gauge * shares[site]
            cores.append(core.T if mirrored else core)
        label = np.zeros(label_shape)
        label[0, 0, 0] = ridge.intercept_
        label[0, 0, 1] = label[0, 1, 0] = 1 / gauge
        return cores, label


def squared_error(
    scores: np.ndarray, log_norms: np.ndarray, targets: np.ndarray
) -> tuple[float, np.ndarray]:
    """Mean squared error of a network's own scores, and its gradient.

    Parameters
    ----------
    scores : array (1, batch)
        Normalised; the network's own are ``scores * exp(log_norms)``.
    log_norms, targets : arrays (batch,)

    Returns
    -------
    loss : float
    score_gradient : array (1, batch)
        With respect to the normalised scores.
    """
    scales = np.exp(log_norms)
    errors = scores[0] * scales - targets
    loss = float(np.mean(errors.astype(np.float64) ** 2))
    return loss, (errors * scales * (2 / len(targets)))[None].astype(scores.dtype)
