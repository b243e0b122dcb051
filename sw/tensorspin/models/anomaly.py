"""A Born machine as a scikit-learn outlier detector."""

from __future__ import annotations

from numbers import Real

import numpy as np
from sklearn.base import OutlierMixin
from sklearn.utils.validation import validate_data

from ..compiler.outputs import OutlierDetection
from ..contract.contractor.memory import LEVELS
from ..contract.fixed import LEVEL
from .born import log_partition, log_squares, negative_log_square, orthonormal_basis
from .canonical import CanonicalChain
from .deployed import BoardAnomalyDetector
from .descent import descend
from .half_chains import HalfChains, contract, gradients
from .mps_base import MPSEstimator, spread, trainable_entries

# Initial cores are identities with this much noise, less in long chains, whose noise adds up.
INITIAL_NOISE = 0.05


class MPSAnomalyDetector(OutlierMixin, MPSEstimator):
    """Outlier detector whose model of the data is a Born machine.

    A matrix product state (MPS) with one output, the amplitude psi. Features are rounded to 256
    levels, as on the accelerator, and the probability of a sample is ``psi^2 / Z``, with Z the sum
    of psi^2 over all combinations of levels, computed exactly (Han et al. 2018, arXiv:1709.01662).
    All cores are trained at once by gradient ascent on the likelihood. Samples of low likelihood
    are outliers.

    On the accelerator the logarithm costs nothing: it is mostly the exponent of the score.

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
        See `FeatureMap`. The more components, the finer the probability can follow a feature.
    feature_range : None or (low, high), default=None
        See `MPSClassifier`. With None, values beyond those of training count as the least or
        greatest one; promise a range if outliers lie there.
    contamination : float, default=0.1
        Share of the training samples that count as outliers, more than 0, at most 0.5. It sets
        ``offset_`` and has no influence on the training.
    learning_rate : float, default=0.005
        Largest step of Adam; see `MPSClassifier`.
    epochs : int, default=50
        Passes over the training data.
    batch_size : int or "auto", default="auto"
        Samples per update. "auto": a 24th of the training samples, at least 16, at most 256.
    weight_decay : float, default=0.3
        Strength of the pull towards independent features.
    input_noise : float, default=0.1
        Standard deviation of the Gaussian noise added to the scaled features at each update (then
        clipped to [0, 1]). It keeps the probability from being zero beside the training samples.
    random_state : int, RandomState or None, default=None
        Seed of the initial cores, the order of samples and the noise.
    verbose : bool, default=False
        Show progress on stderr.

    Attributes
    ----------
    n_features_in_ : int, at least 2
    feature_names_in_ : array (n_features,), only if X had string column names
    cores_ : list of n_sites float64 arrays (left_bond, local_dim, right_bond)
    label_tensor_ : float64 array (1, left_bond, right_bond)
        The network is normalised: the sum of psi^2 over all combinations of levels is 1.
    label_position_ : int
        The sites before it form the left half-chain.
    site_features_ : int array (n_sites,)
        The feature that each site reads.
    feature_map_ : FeatureMap
    feature_minimum_, feature_maximum_ : float64 arrays (n_features,)
        The values scaled to 0 and 1.
    offset_ : float
        Log-likelihood in nats below which a sample is an outlier.
    loss_curve_ : list of float
        Mean negative log-likelihood of each epoch in nats, against that of uniform levels.
    n_iter_ : int
        Number of epochs.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from tensorspin.models import MPSAnomalyDetector
    >>> X, y = load_digits(return_X_y=True)
    >>> model = MPSAnomalyDetector(feature_range=(0, 16), epochs=10, random_state=0)
    >>> model = model.fit(X[y == 0])
    >>> bool((model.predict(X[y == 1]) == -1).mean() > 0.9)
    True
    """

    _deployed_type = BoardAnomalyDetector

    def __init__(
        self,
        bond_dim=8,
        *,
        feature_order=None,
        image_size=None,
        feature_map="linear",
        feature_range=None,
        contamination=0.1,
        learning_rate=0.005,
        epochs=50,
        batch_size="auto",
        weight_decay=0.3,
        input_noise=0.1,
        random_state=None,
        verbose=False,
    ):
        self.bond_dim = bond_dim
        self.feature_order = feature_order
        self.image_size = image_size
        self.feature_map = feature_map
        self.feature_range = feature_range
        self.contamination = contamination
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.input_noise = input_noise
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y=None):
        """Train the network.

        Parameters
        ----------
        X : array-like (n_samples, n_features), finite numbers
            At least two features.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter is out of its limits, X is invalid or outside feature_range.
        FloatingPointError
            If the training diverges.
        """
        self._check_training()
        contamination = self.contamination
        if isinstance(contamination, bool) or not isinstance(contamination, Real):
            raise ValueError(f"contamination must be a number, got {contamination!r}")
        if not 0 < contamination <= 0.5:
            raise ValueError(
                f"contamination must be more than 0 and at most 0.5, got {contamination}"
            )
        X = validate_data(self, X, dtype=np.float64)
        if X.shape[1] < 2:
            # Two sites that read the same feature are not independent, so Z would be wrong.
            raise ValueError("at least 2 features are needed, got 1 feature(s)")
        rng = self._generator()
        inputs = self._learn_sites(X, rng)
        self._train(inputs.astype(np.float32), rng)
        self.offset_ = float(np.percentile(self._log_likelihood(inputs), 100 * contamination))
        self.n_iter_ = self.epochs
        return self

    def score_samples(self, X):
        """Log-likelihood of each sample.

        Parameters
        ----------
        X : array-like (n_samples, n_features)

        Returns
        -------
        float64 array (n_samples,), in nats
            Logarithm of the probability among all combinations of 256 levels a feature. Always
            finite: an amplitude of zero counts as a very small one.

        Raises
        ------
        ValueError
            If X is invalid or outside a feature_range that was promised.
        """
        return self._log_likelihood(self._validated_inputs(X))

    def decision_function(self, X):
        """``score_samples(X) - offset_``: negative for outliers; float64 array (n_samples,)."""
        return self.score_samples(X) - self.offset_

    def predict(self, X):
        """1 for an inlier, -1 for an outlier; int array (n_samples,)."""
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def _task(self):
        return OutlierDetection(self.offset_)

    def _site_inputs(self, X):
        return np.rint(super()._site_inputs(X) * LEVEL.maximum) / LEVEL.maximum

    def _log_likelihood(self, inputs):
        scores, logs = self._contract(inputs)
        return log_squares(scores[:, 0], logs)

    def _canonical_chain(self):
        # In a basis in which the norm of the tensor is that of the probabilities.
        basis = orthonormal_basis(self.feature_map_.table())
        inverse = np.linalg.pinv(basis)
        cores = [np.einsum("lpr,pq->lqr", core, inverse) for core in self.cores_]
        return CanonicalChain.of(cores, self.label_tensor_, self.label_position_)

    def _adopt(self, chain):
        self._keep_normalised(chain.cores(), chain.centre)

    def _keep_normalised(self, cores, label):
        """Store a network given in the orthonormal basis of features, normalised to Z = 1."""
        chains = HalfChains.pack(cores, label, self.label_position_, dtype=np.float64)
        log_mean, _, _ = log_partition(chains)
        log_z = log_mean + len(cores) * np.log(LEVELS)
        basis = orthonormal_basis(self.feature_map_.table())
        cores = [np.einsum("lqr,qp->lpr", core, basis) for core in cores]
        *self.cores_, self.label_tensor_ = spread([*cores, label], -log_z / 2)

    def _train(self, inputs, rng):
        position = self.label_position_
        basis = orthonormal_basis(self.feature_map_.table()).astype(np.float32)

        def orthonormal_features(x):
            return self.feature_map_(x).astype(np.float32) @ basis.T

        shapes, label_shape = self._shapes(len(basis), 1)
        means = orthonormal_features(inputs).mean(axis=0)
        means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        cores = [np.einsum("p,lr->lpr", mean, np.eye(s[0], s[2])) for mean, s in zip(means, shapes)]
        label = np.zeros(label_shape)
        label[0, 0, 0] = 1
        rest = HalfChains.pack(cores, label, position)
        n_steps = max(position, len(cores) - position)
        noise = min(INITIAL_NOISE, 1 / np.sqrt(n_steps * max(label_shape[1:])))
        chains = HalfChains.pack(
            [core + noise * rng.standard_normal(core.shape) for core in cores],
            label + INITIAL_NOISE * rng.standard_normal(label_shape),
            position,
        )

        def objective(batch, chosen):
            contraction = contract(chains, chains.encode(batch, orthonormal_features))
            loss, score_gradient = negative_log_square(contraction)
            weight_gradient, label_gradient = gradients(chains, contraction, score_gradient)
            log_z, weight_gradient_z, label_gradient_z = log_partition(chains)
            return loss + log_z, (
                weight_gradient + weight_gradient_z,
                label_gradient + label_gradient_z,
            )

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
        self._keep_normalised([core.astype(float) for core in cores], label.astype(float))
