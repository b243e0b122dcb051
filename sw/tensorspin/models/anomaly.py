"""A Born machine as a scikit-learn outlier detector."""

from __future__ import annotations

from numbers import Real
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import OutlierMixin

from ..compiler.knots import Knots
from ..compiler.outputs import OutlierDetection
from .born import NegativeLogLikelihood
from .born_estimator import BornEstimator
from .dependence import decay_for, dependence
from .deployed import BoardAnomalyDetector
from .feature_maps import LEARNT
from .parameters import is_auto, is_number
from .recipes import DETECTOR
from .scales import SCALINGS, Scale
from .shared_docs import with_shared_docs
from .tails import TAILS, far_samples, inner_knots, tail_scale
from .threshold import threshold
from .weighting import Samples, scaled_to_mean_one


@with_shared_docs
class MPSAnomalyDetector(OutlierMixin, BornEstimator):
    """Outlier detector whose model of the data is a Born machine.

    A Born machine is a tensor network whose squared output is a probability, as in Born's rule of
    quantum mechanics. The network is the chain of `MPSClassifier` with one output, the amplitude
    psi. Features are rounded to 256 levels, as on the accelerator, and the probability of a sample
    is ``psi^2 / Z``, with Z the sum of psi^2 over all combinations of levels, computed exactly (Han
    et al. 2018, arXiv:1709.01662). All cores are trained at once by gradient ascent on the
    likelihood. Samples of low likelihood are outliers.

    On the accelerator the logarithm costs nothing: it is mostly the exponent of the score.

    Parameters
    ----------
    bond_dim : int, default=8
        Largest bond dimension, 2 to 32: how much one part of the chain can tell another. Bonds near
        the ends of the chain are narrower.
    %(chain_order)s
    %(image_size)s
    n_repeats : int, default=1
        Must be 1: the other estimators can let several sites read each feature, but the probability
        needs sites that are independent.
    feature_map : {"auto", "linear", "trigonometric", "polynomial", "bernstein", "bumps", \
"damped_bumps", "bspline"}, callable or array-like of shape (levels, local_dim), default="auto"
        How a feature, scaled to [0, 1], becomes the vector that the network contracts; see
        `FeatureMap`. The more components, the finer the probability can follow a feature; with two
        it is greatest at an edge of the range. "auto": "damped_bumps" with the scale "tails", else
        "bumps".
    local_dim : None or int, default=None
        Number of components of that vector, 2 to 8, for all named maps but "linear" and
        "trigonometric"; None: 4, of "polynomial" 3. An iCEBreaker takes 4, an ULX3S 8.
    feature_range : None or (low, high), default=None
        None: the scale of each feature is learnt from the training data. (low, high), two numbers
        or two arrays of one number per feature: the user promises that all values lie within; a
        value outside, but for rounding, raises ValueError. No levels are then left for what is
        unusual.
    feature_margin : float or "auto", default="auto"
        Share of the range learnt from the training data, 0 to 10, that is added on either side, so
        that outliers are told from the outermost of the training samples. "auto": none for
        "tails", which has its own, and for maps of two components; else a third. It is not used
        with `feature_range`.
    scaling : {"auto", "tails", "range", "percentile", "standard", "quantile"}, default="auto"
        How the values of a feature are spread over the 256 levels, as learnt from the training
        data; values beyond the ends are clipped. "tails": the range of the training data takes the
        middle 60 % of the levels, the others reach as far beyond as normal samples may lie; and
        before anything is learnt, samples in which some feature is far from all others are left
        out, but at most the share `contamination`; see `tensorspin.models.tails`. The others are
        those of `MPSClassifier`. "auto": "tails", but "range" with `feature_range`,
        `feature_margin`, or another `feature_map` than "damped_bumps".
    %(missing)s
    %(categorical_features)s
    contamination : float, default=0.1
        Share of the training samples that count as outliers, more than 0, at most 0.5. It sets
        ``offset_``, and with the scale "tails" bounds how many samples may be left out.
    learning_rate : float, default=0.01
        Largest change of a tensor's entry in one update; see `MPSClassifier`.
    %(epochs_50)s
    %(batch_size)s
    weight_decay : float or "auto", default="auto"
        Strength of the pull towards independent features. "auto": 0.3, up to 30 if the training
        samples are too few, or their features too independent, to tell how features depend on each
        other; see `tensorspin.models.dependence`.
    input_noise : float, default=0.03
        Standard deviation of the Gaussian noise added to the scaled features at each update (then
        clipped to [0, 1]). It keeps the probability from being zero beside the training samples.
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
        The tensor that joins the half-chains. The network is normalised: the sum of psi^2 over all
        combinations of levels is 1.
    %(chain_)s
    %(scaling_)s
    offset_ : float
        Log-likelihood in nats below which a sample is an outlier.
    loss_curve_ : list of float
        Mean negative log-likelihood of each epoch in nats, less that of uniformly distributed
        levels: 0 if all combinations of levels are equally probable; the lower, the better.
    %(n_iter_)s
    %(validation_)s

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from tensorspin.models import MPSAnomalyDetector
    >>> X, y = load_digits(return_X_y=True)
    >>> model = MPSAnomalyDetector(epochs=10, random_state=0).fit(X[y == 0])
    >>> bool((model.predict(X[y == 1]) == -1).mean() > 0.9)
    True
    """

    _deployed_type = BoardAnomalyDetector

    repeat_order = "tile"  # without repeats both orders are the same

    _recipe = DETECTOR
    _scalings = (*SCALINGS, TAILS)

    _far: Samples | None = None
    """Samples far from all others, which are left out of a training, until its end."""

    def __init__(
        self,
        bond_dim=8,
        *,
        feature_order=None,
        image_size=None,
        n_repeats=1,
        feature_map="auto",
        local_dim=None,
        feature_range=None,
        feature_margin="auto",
        scaling="auto",
        missing="refuse",
        categorical_features=None,
        contamination=0.1,
        learning_rate=0.01,
        epochs=50,
        batch_size="auto",
        weight_decay="auto",
        input_noise=0.03,
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
        self.feature_map = feature_map
        self.local_dim = local_dim
        self.feature_range = feature_range
        self.feature_margin = feature_margin
        self.scaling = scaling
        self.missing = missing
        self.categorical_features = categorical_features
        self.contamination = contamination
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.input_noise = input_noise
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training samples: finite numbers.
        y : object, optional
            Ignored; scikit-learn passes it to every estimator.
        sample_weight : None or array-like of shape (n_samples,), default=None
            How much each sample counts, relative to the others: numbers of at least 0. A sample of
            weight 0 is left out, as if it were not there. None: all count the same. `contamination`
            is a share of the weight, too.

        Returns
        -------
        self
            The fitted detector.

        Raises
        ------
        ValueError
            If a parameter is out of its limits, if X or a weight is invalid, if a value of X is
            outside `feature_range`, or if `warm_start` is set, but parameters ask for another
            network than before.
        FloatingPointError
            If the training diverges.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(
        self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Train the network with one pass over a part of the data, and keep what it has learnt.

        Nobody knows which call is the last, so the learning rate falls with the root of the number
        of updates, not to zero. The first call, unless `fit` came before, fixes what later calls
        can't change: the order of the features and, without `feature_range`, the scale of each
        feature. Later values outside of that scale are clipped, and a feature that has one value
        only is never read: if the first part does not show all values, set `feature_range`. Each
        call sets ``offset_`` anew, from its own samples alone.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples: finite numbers.
        y : object, optional
            Ignored; scikit-learn passes it to every estimator.
        sample_weight : None or array-like of shape (n_samples,), default=None
            How much each sample counts, relative to the others of this call; see `fit`.

        Returns
        -------
        self
            The detector, which can predict after the first call.

        Raises
        ------
        ValueError
            As `fit`; also if `early_stopping` is set, which needs all the data.
        FloatingPointError
            If the training diverges; the network then stays as it was.
        """
        return self._partial_fit(X, y, sample_weight)

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Compute the log-likelihood of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64 of shape (n_samples,)
            Natural logarithm of the probability among all combinations of 256 levels a feature, in
            nats. Always finite: an amplitude of zero counts as a very small one.

        Raises
        ------
        ValueError
            If X is invalid or outside a feature_range that was promised.
        """
        return self._log_likelihood(self._validated_inputs(X))

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Compute how far the log-likelihood of each sample is above that of an outlier.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64 of shape (n_samples,)
            ``score_samples(X) - offset_`` in nats: negative for outliers.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Tell outliers from inliers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of int of shape (n_samples,)
            1 for an inlier, -1 for an outlier.
        """
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def _task(self) -> OutlierDetection:
        return OutlierDetection(self.offset_)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.n_repeats > 1:
            raise ValueError(
                f"n_repeats of an anomaly detector must be 1, not {self.n_repeats}: two sites that "
                "read the same feature are not independent, so that the probabilities would not "
                "sum to 1; take a feature_map of more components instead"
            )
        if isinstance(self.feature_map, str) and self.feature_map == LEARNT:
            raise ValueError(
                f'feature_map of an anomaly detector must be a fixed one, not "{LEARNT}": its '
                "shape decides how likely values are that no training sample has, and a map "
                "learnt from the training samples would leave that to chance"
            )
        contamination = self.contamination
        if not is_number(contamination, Real):
            raise ValueError(f"contamination must be a number, not {contamination!r}")
        if not 0 < contamination <= 0.5:
            raise ValueError(
                f"contamination must be more than 0 and at most 0.5, not {contamination}"
            )

    def _validated(self, X, y, reset: bool) -> tuple[np.ndarray, None]:
        X = self._checked(X, reset=reset)
        return X, None

    def _weights(self, samples: Samples, part: bool) -> np.ndarray | None:
        weights, self._far = super()._weights(samples, part), None
        chosen = DETECTOR(None, samples.X.shape[1], vars(self))["scaling"]
        # Who knows a part only does not know which of its samples are far from all others.
        if part or chosen != TAILS:
            return weights
        X = samples.X
        categories = self._categories or self._coded
        if categories is not None:  # the numbers of categories have no distances
            X = np.delete(X, list(categories.columns), axis=1)
        far = far_samples(X, weights, float(self.contamination))
        if not far.any():
            return weights
        weights = np.ones(len(far)) if weights is None else weights
        self._far = samples.weighted(weights).take(far)
        return np.where(far, 0.0, weights)

    def _with_ordered_categories(self, samples: Samples) -> Samples:
        if self._far is None:
            return super()._with_ordered_categories(samples)
        joined, count = super()._with_ordered_categories(samples.joined(self._far)), len(samples)
        self._far = joined.take(np.arange(count, len(joined)))
        return joined.take(np.arange(count))

    def _learnt_scale(self, samples: Samples) -> Scale:
        if self.scaling_ == TAILS:
            return tail_scale(samples.X, samples.weights)
        return super()._learnt_scale(samples)

    def _spread_categories(self) -> None:
        super()._spread_categories()
        categories = self._categories or self._coded
        if categories is None or self.scaling_ != TAILS:
            return
        assert self.feature_knots_ is not None
        knots = self.feature_knots_
        values, positions = knots.values.copy(), knots.positions.copy()
        for place, column in categories.columns.items():
            values[place], positions[place] = inner_knots(len(column.values))
        self.feature_knots_ = Knots(values, positions)
        self.feature_minimum_, self.feature_maximum_ = values[:, 0].copy(), values[:, -1].copy()

    def _learn_sites(self, samples: Samples, rng: np.random.Generator) -> None:
        super()._learn_sites(samples, rng)
        if is_auto(self.weight_decay) and self._choices is not None:
            self._choices["weight_decay"] = decay_for(dependence(self._scaled(samples.X)))
            self._set_attributes()

    def _finish(self, samples: Samples, loss: NegativeLogLikelihood) -> None:
        far, self._far = self._far, None
        if far is not None:  # these have trained nothing, but are samples all the same
            samples = samples.joined(far)
        likelihoods = self._log_likelihood(self._site_inputs(samples.X))
        weights = scaled_to_mean_one(samples.weights)
        self.offset_ = threshold(likelihoods, weights, float(self.contamination))
