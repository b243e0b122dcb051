"""A matrix product state as a scikit-learn regressor."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from ..compiler.nodes import FloatNode
from ..compiler.outputs import Regression
from .canonical import CanonicalChain
from .chain_estimator import MPSEstimator, spread
from .chain_shapes import Shape
from .deployed import BoardRegressor
from .early_stopping import Score
from .forecast import planned_chain
from .half_chains import HalfChains
from .losses import SquaredError
from .recipes import MPS_REGRESSOR
from .shared_docs import with_shared_docs
from .weighting import Samples

RIDGE = 1.0
"""Strength of the penalty in the ridge regression that training starts from."""

LARGEST_SHARE = 0.5
"""Largest entry of the initial cores that adds a feature's share to the running sum."""

INITIAL_NOISE = 0.1
"""Standard deviation of the noise in the initial cores where it does not change the output yet."""


@with_shared_docs
class MPSRegressor(RegressorMixin, MPSEstimator):
    """Regressor whose model is a matrix product state (MPS) with one output.

    The network is the chain of `MPSClassifier` with a single score, which is the standardised
    target. The score's true scale counts here: a device returns it as a mantissa and an exponent.

    Training minimises the squared error of all cores at once by gradient descent. It starts from
    the solution of ridge regression on the mapped features, which is an MPS of bond dimension 2
    (a bond carries a one and the sum so far); the further components of the bonds start at random.
    So chains of hundreds of sites start at a sensible scale.

    Parameters
    ----------
    bond_dim : int or "auto", default="auto"
        Largest bond dimension, 2 to 32: how much one part of the chain can tell another. Bonds near
        the ends of the chain are narrower. "auto": 8.
    %(chain_order)s
    %(image_size)s
    %(repeats)s
    %(feature_map)s
        Some combination of its components should be constant, as in "linear" and "polynomial":
        then the output does not depend on a product of all features' lengths, which in long chains
        can vary over orders of magnitude.
    %(feature_range)s
    %(range_scaling)s
    %(missing)s
    %(categorical_features)s
    learning_rate : float or "auto", default="auto"
        Largest change of a tensor's entry in one update; see `MPSClassifier`. "auto": 0.005 for up
        to 48 features, 0.002 for more.
    %(epochs_50)s
    %(batch_size)s
    weight_decay : float or "auto", default="auto"
        Strength of the pull of the cores back to ridge regression. "auto": 5 for up to 32
        features, 1 for more.
    input_noise : float or "auto", default="auto"
        Standard deviation of the Gaussian noise added to the scaled features at each update (then
        clipped to [0, 1]). "auto": 0.03 for up to 48 features, 0.1 for more.
    %(board)s
    %(warm_start)s
    %(early_stopping)s
    %(random_state)s
    %(verbose)s

    Attributes
    ----------
    %(features_in_)s
    cores_ : list of ndarray of float64 of shape (left_bond, local_dim, right_bond)
        The core of each site.
    label_tensor_ : ndarray of float64 of shape (1, left_bond, right_bond)
        The tensor that joins the half-chains.
    %(chain_)s
    %(scaling_)s
    %(settled_of_regressor_)s
    target_mean_, target_scale_ : float
        Mean and standard deviation of the training targets (1 if they are all equal): the
        prediction is ``target_mean_ + target_scale_ * output``.
    loss_curve_ : list of float
        Mean squared error of the standardised target in each epoch.
    %(n_iter_)s
    %(validation_)s

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
    _recipe = MPS_REGRESSOR

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
        epochs=50,
        batch_size="auto",
        weight_decay="auto",
        input_noise="auto",
        board=None,
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
        self.board = board
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training samples: finite numbers.
        y : array-like of shape (n_samples,)
            Target of each sample: a finite number.
        sample_weight : None or array-like of shape (n_samples,), default=None
            How much each sample counts, relative to the others: numbers of at least 0. A sample of
            weight 0 is left out, as if it were not there. None: all count the same.

        Returns
        -------
        self
            The fitted regressor.

        Raises
        ------
        ValueError
            If a parameter is out of its limits, if X, y or a weight is invalid, if a value of X is
            outside `feature_range`, or if `warm_start` is set, but parameters ask for another
            network than before.
        FloatingPointError
            If the training diverges.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Train the network with one pass over a part of the data, and keep what it has learnt.

        Nobody knows which call is the last, so the learning rate falls with the root of the number
        of updates, not to zero. The first call, unless `fit` came before, fixes what later calls
        can't change: the ridge regression from which training starts, mean and scale of the target,
        the order of the features and, without `feature_range`, the scale of each feature. Later
        values outside of that scale are clipped, and a feature that has one value only is never
        read: the first part should be large enough to show them all.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples: finite numbers.
        y : array-like of shape (n_samples,)
            Target of each sample: a finite number.
        sample_weight : None or array-like of shape (n_samples,), default=None
            How much each sample counts, relative to the others of this call; see `fit`.

        Returns
        -------
        self
            The regressor, which can predict after the first call.

        Raises
        ------
        ValueError
            As `fit`; also if `early_stopping` is set, which needs all the data.
        FloatingPointError
            If the training diverges; the network then stays as it was.
        """
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict the target of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64 of shape (n_samples,)
            Predicted targets, in the scale of the training targets.

        Raises
        ------
        ValueError
            If X is invalid or outside a feature_range that was promised.
        """
        return self._predicted(self._validated_inputs(X))

    def _predicted(self, inputs: np.ndarray) -> np.ndarray:
        """Predict targets from scaled features."""
        scores, logs = self._contract(inputs)
        return self.target_mean_ + self.target_scale_ * (scores[:, 0] * np.exp(logs))

    def _task(self) -> Regression:
        return Regression(self.target_mean_, self.target_scale_)

    def _validated(self, X, y, reset: bool) -> tuple[np.ndarray, np.ndarray]:
        _refuse_text(y)
        return self._checked(X, y, y_numeric=True, reset=reset)

    def _learn_target(self, samples: Samples) -> None:
        # Targets are divided first, so that the squares of large ones don't overflow.
        largest = max(np.abs(samples.y).max(), np.finfo(float).tiny)
        y = samples.y / largest
        if samples.weights is None:
            mean, deviation = y.mean(), y.std()
        else:
            mean = np.average(y, weights=samples.weights)
            deviation = np.sqrt(np.average((y - mean) ** 2, weights=samples.weights))
        if y.min() == y.max() or not deviation > 0:
            mean, deviation = y[0], 1.0  # the mean of equal numbers may be rounded
        self.target_mean_ = float(mean * largest)
        self.target_scale_ = float(deviation * largest)
        self._standardisation = float(largest), float(mean), float(deviation)

    def _category_targets(self, samples: Samples) -> np.ndarray:
        return (samples.y / self._standardisation[0])[:, None]

    def _loss(self, samples: Samples) -> SquaredError:
        largest, mean, deviation = self._standardisation
        return SquaredError((samples.y / largest - mean) / deviation, samples.weights)

    def _validation_score(self, inputs: np.ndarray, samples: Samples, loss: SquaredError) -> Score:
        """Compute R^2, the coefficient of determination."""
        predictions = self._predicted(inputs)
        if not np.isfinite(predictions).all():
            return Score(-np.inf, -np.inf)
        score = float(r2_score(samples.y, predictions, sample_weight=samples.weights))
        return Score(score, score)

    def _planned_nodes(self) -> list[FloatNode]:
        # The label tensor begins with two components of its bonds, and how many more it learns to
        # read depends on the training; `_finish` drops those that it does not read.
        local_dim = self.feature_map_.local_dim
        return planned_chain(self._n_sites, local_dim, self.bond_dim_, 1, label_rank=2)

    def _largest_nodes(self) -> list[FloatNode]:
        return planned_chain(self._n_sites, self.feature_map_.local_dim, self.bond_dim_, 1)

    def _initial_network(
        self, inputs: np.ndarray, loss: SquaredError, rng: np.random.Generator
    ) -> tuple[HalfChains, HalfChains, HalfChains]:
        local_dim = self.feature_map_.local_dim
        shapes, label_shape = self._lay_out(local_dim, 1)
        position = self.label_position_
        cores, label = self._ridge_network(inputs, loss, shapes, label_shape)
        rest = HalfChains.pack(cores, label, position)
        noise = INITIAL_NOISE / np.sqrt(local_dim)
        for site, core in enumerate(cores):
            # Noise goes into the components of each bond from the third on. The label tensor does
            # not read them yet, so the output stays that of ridge regression.
            unread = core[:, :, 2:] if site < position else core[2:]
            unread += noise * rng.standard_normal(unread.shape)
        return (
            HalfChains.pack(cores, label, position),
            rest,
            self._mask([*shapes, label_shape]),
        )

    def _ridge_network(
        self, inputs: np.ndarray, loss: SquaredError, shapes: list[Shape], label_shape: Shape
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """Return cores and label tensor whose output is that of ridge regression.

        Component 0 of each bond is 1. Component 1 is the sum of the shares of all features up to
        that bond, times a factor that keeps the cores' entries at most `LARGEST_SHARE`; the label
        tensor adds up the sums of both half-chains and takes the factor out again.
        """
        components = self.feature_map_(inputs).astype(np.float64)
        n_sites, local_dim = components.shape[1:]
        ridge = Ridge(RIDGE).fit(components.reshape(len(inputs), -1), loss.targets, loss.weights)
        shares = ridge.coef_.reshape(n_sites, local_dim)
        largest = np.abs(shares).max()
        factor = LARGEST_SHARE / largest if largest > 0 else 1.0
        cores = []
        for site, shape in enumerate(shapes):
            mirrored = site >= self.label_position_
            outer, inner = (shape[2], shape[0]) if mirrored else (shape[0], shape[2])
            core = np.einsum("p,oi->opi", self.feature_map_.constant, np.eye(outer, inner))
            core[0, :, 1] += factor * shares[site]
            cores.append(core.T if mirrored else core)
        label = np.zeros(label_shape)
        label[0, 0, 0] = ridge.intercept_
        label[0, 0, 1] = label[0, 1, 0] = 1 / factor
        return cores, label

    def _keep(self, network: HalfChains) -> None:
        *self.cores_, self.label_tensor_ = (
            tensor.astype(np.float64) for tensor in network.unpack()
        )

    def _finish(self, samples: Samples, loss: SquaredError) -> None:
        if loss.targets.any():
            # Rounding to 8 bits changes the output of a chain in canonical form about half as much.
            # (A network that is zero everywhere has no canonical form.)
            self._adopt(self._canonical_chain().truncated()[0])

    def _adopt(self, chain: CanonicalChain) -> None:
        *self.cores_, self.label_tensor_ = spread([*chain.cores(), chain.centre], chain.log_norm)


def _refuse_text(y: ArrayLike) -> None:
    """Refuse targets that are words, which NumPy would report in terms of its own."""
    targets = np.asarray(y)
    if targets.dtype.kind in "USMm":
        wrong = targets.ravel()[:1].tolist()
    elif targets.dtype.kind == "O":
        wrong = [target for target in targets.ravel() if isinstance(target, str | bytes)][:1]
    else:
        return
    if wrong:
        raise ValueError(
            f"y must be numbers, not {type(wrong[0]).__name__} such as {wrong[0]!r}; for classes "
            f"take MPSClassifier, for numbers written as text y.astype(float)"
        )
