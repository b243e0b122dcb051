"""A matrix product state as a scikit-learn regressor."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.utils.validation import validate_data

from ..compiler.nodes import FloatNode
from ..compiler.outputs import Regression
from .canonical import CanonicalChain
from .deployed import BoardRegressor
from .forecast import planned_chain
from .half_chains import HalfChains, Shape
from .losses import SquaredError
from .mps import MPSEstimator, spread
from .shared_docs import with_shared_docs

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
    bond_dim : int, default=8
        Largest bond dimension, 2 to 32: how much one part of the chain can tell another. Bonds near
        the ends of the chain are narrower.
    %(chain_order)s
    %(image_size)s
    %(feature_map)s
        Some combination of its components should be constant, as in "linear" and "polynomial":
        then the output does not depend on a product of all features' lengths, which in long chains
        can vary over orders of magnitude.
    %(feature_range)s
    learning_rate : float, default=0.002
        Largest change of a tensor's entry in one update; see `MPSClassifier`.
    %(epochs_50)s
    %(batch_size)s
    weight_decay : float, default=1.0
        Strength of the pull of the cores back to ridge regression.
    input_noise : float, default=0.1
        Standard deviation of the Gaussian noise added to the scaled features at each update (then
        clipped to [0, 1]).
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
    target_mean_, target_scale_ : float
        Mean and standard deviation of the training targets (1 if they are all equal): the
        prediction is ``target_mean_ + target_scale_ * output``.
    loss_curve_ : list of float
        Mean squared error of the standardised target in each epoch.
    %(n_iter_)s

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

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training samples: finite numbers.
        y : array-like of shape (n_samples,)
            Target of each sample: a finite number.

        Returns
        -------
        self
            The fitted regressor.

        Raises
        ------
        ValueError
            If a parameter is out of its limits, if X or y is invalid, or if a value of X is outside
            `feature_range`.
        FloatingPointError
            If the training diverges.
        """
        return self._fit(X, y)

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
        scores, logs = self._contract(self._validated_inputs(X))
        return self.target_mean_ + self.target_scale_ * (scores[:, 0] * np.exp(logs))

    def _task(self) -> Regression:
        return Regression(self.target_mean_, self.target_scale_)

    def _learn_target(self, X, y) -> tuple[np.ndarray, SquaredError]:
        _refuse_text(y)
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        # Targets are divided first, so that the squares of large ones don't overflow.
        largest = max(np.abs(y).max(), np.finfo(float).tiny)
        y = y / largest
        mean, deviation = y.mean(), y.std()
        if not deviation > 1e-12 * abs(mean):
            deviation = 1.0
        self.target_mean_ = float(mean * largest)
        self.target_scale_ = float(deviation * largest)
        return X, SquaredError((y - mean) / deviation)

    def _planned_nodes(self) -> list[FloatNode]:
        # The label tensor begins with two components of its bonds, and how many more it learns to
        # read depends on the training; `_finish` drops those that it does not read.
        local_dim = self.feature_map_.local_dim
        return planned_chain(self.n_features_in_, local_dim, self.bond_dim, 1, label_rank=2)

    def _initial_network(
        self, inputs: np.ndarray, loss: SquaredError, rng: np.random.Generator
    ) -> tuple[HalfChains, HalfChains, HalfChains]:
        local_dim = self.feature_map_.local_dim
        shapes, label_shape = self._lay_out(local_dim, 1)
        position = self.label_position_
        cores, label = self._ridge_network(inputs, loss.targets, shapes, label_shape)
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
            HalfChains.mask(shapes, label_shape, position),
        )

    def _ridge_network(
        self, inputs: np.ndarray, targets: np.ndarray, shapes: list[Shape], label_shape: Shape
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """Return cores and label tensor whose output is that of ridge regression.

        Component 0 of each bond is 1. Component 1 is the sum of the shares of all features up to
        that bond, times a factor that keeps the cores' entries at most `LARGEST_SHARE`; the label
        tensor adds up the sums of both half-chains and takes the factor out again.
        """
        components = self.feature_map_(inputs).astype(np.float64)
        n_sites, local_dim = components.shape[1:]
        ridge = Ridge(RIDGE).fit(components.reshape(len(inputs), -1), targets)
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

    def _finish(self, X: np.ndarray, loss: SquaredError) -> None:
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
