"""Select features by solving a quadratic problem with a sampler."""

from __future__ import annotations

from contextlib import nullcontext
from numbers import Integral, Real

import dimod
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin, mutual_info_classif
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from ..compiler.scaling import scale_features
from ..errors import CapacityError
from ..models.feature_order import BINS, mutual_information
from .board_sampler import BoardSampler

DEFAULT_URL = "golden://ulx3s_25f_annealer"
"""Board of the sampler by default: a golden model, which needs no hardware."""

REDUNDANCIES = ("mutual_information", "correlation")
"""Measures of how much two features tell of each other."""

MOST_FEATURES = 8192
"""Greatest number of features with any sampler: the terms of their pairs take 512 MB."""

SEARCHES = 12
"""Greatest number of weights of the relevance that are tried."""


class AnnealingFeatureSelector(SelectorMixin, BaseEstimator):
    """Selects features that tell much of the target and little of each other.

    The selection x (``x_i`` is 1 if feature i is selected, else 0) is the minimum of

        ``-weight * sum_i relevance_i x_i + (1 - weight) * sum_(i<j) redundancy_ij x_i x_j``

    which a sampler searches. The relevance is the mutual information of feature and target. The
    greater the weight, the more features are selected. The weight that gives the number of features
    wanted is found by bisection, as by Muecke, Heese, Mueller, Wolter and Piatkowski, "Feature
    selection on quantum computers", Quantum Machine Intelligence 5 (2023). A constraint on the
    number would need larger coefficients, for which a device's couplings may lack the bits. If no
    weight gives exactly this number, features are added to, or removed from, the nearest selection
    one by one, the best first.

    Parameters
    ----------
    sampler : dimod.Sampler or str, optional
        Any sampler; or the URL of a board, which is opened while fitting. By default the golden
        model of a board. A `BoardSampler` that is given stays open.
    n_features_to_select : int or float, optional
        The number of features, or the fraction of all features above 0 and up to 1; by default half
        of them.
    redundancy : {"mutual_information", "correlation"}, default="mutual_information"
        Redundancy of two features: their mutual information, or the magnitude of Pearson's
        correlation.
    sampler_parameters : dict, optional
        Keyword arguments for the sampler's ``sample``, such as ``{"num_sweeps": 200}``, or
        ``{"refine": None}`` for a board's own states.
    random_state : int, RandomState or None, default=None
        Source of the sampler's seeds, if it takes a seed.

    Attributes
    ----------
    support_ : ndarray of bool of shape (`n_features_in_`,)
        Which features are selected.
    relevance_ : ndarray of float64 of shape (`n_features_in_`,)
        Relevance of each feature, in nats.
    redundancy_ : ndarray of float64 of shape (`n_features_in_`, `n_features_in_`)
        Redundancy of each pair of features; zero on the diagonal.
    weight_ : float
        Weight of the relevance, 0 to 1, in the problem whose solution was taken.
    n_searches_ : int
        Number of problems that were solved.
    n_features_in_ : int
        Number of features in `fit`.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Names of the features, if X has names.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> selector = AnnealingFeatureSelector(n_features_to_select=8, random_state=0)
    >>> selector.fit_transform(X, y).shape
    (569, 8)
    """

    def __init__(
        self,
        sampler=None,
        *,
        n_features_to_select=None,
        redundancy="mutual_information",
        sampler_parameters=None,
        random_state=None,
    ):
        self.sampler = sampler
        self.n_features_to_select = n_features_to_select
        self.redundancy = redundancy
        self.sampler_parameters = sampler_parameters
        self.random_state = random_state

    def fit(self, X, y):
        """Learn which features to select.

        Parameters
        ----------
        X : array-like of float of shape (n_samples, n_features)
            Samples, a row each.
        y : array-like of shape (n_samples,)
            Target of each sample: classes or numbers.

        Returns
        -------
        AnnealingFeatureSelector
            The selector itself.

        Raises
        ------
        ValueError
            If X, y or a parameter is not what it must be.
        TensorspinError
            If there are more features than the board takes, or than `MOST_FEATURES`; or if the
            board fails.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        wanted = self._wanted(X.shape[1])
        if self.redundancy not in REDUNDANCIES:
            known = ", ".join(f'"{name}"' for name in REDUNDANCIES)
            raise ValueError(f"redundancy must be {known}, not {self.redundancy!r}")
        with nullcontext() if wanted == X.shape[1] else self._opened() as sampler:
            _check_features(X.shape[1], sampler)
            scaled = scale_features(X, X.min(axis=0), X.max(axis=0))
            bins = np.minimum((scaled * BINS).astype(int), BINS - 1)
            self.relevance_ = _relevance(bins, y)
            self.redundancy_ = self._redundancy(scaled, _levels(bins))
            rng = check_random_state(self.random_state)
            if sampler is None:
                chosen, self.weight_, self.n_searches_ = np.ones(wanted, dtype=bool), 1.0, 0
            else:
                chosen = self._search(sampler, wanted, rng)
        self.support_ = _corrected(chosen, wanted, self._terms(self.weight_))
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def _get_support_mask(self) -> np.ndarray:
        """Return which features are selected; scikit-learn's `SelectorMixin` needs this method."""
        check_is_fitted(self)
        return self.support_

    def _wanted(self, features: int) -> int:
        """Return the number of features to select if there are `features` of them."""
        number = self.n_features_to_select
        if number is None:
            return max(1, features // 2)
        if isinstance(number, Integral) and not isinstance(number, bool):
            if not 1 <= int(number) <= features:
                raise ValueError(f"n_features_to_select must be 1 to {features}, not {number}")
            return int(number)
        if isinstance(number, Real) and not isinstance(number, bool) and 0 < float(number) <= 1:
            return max(1, round(float(number) * features))
        raise ValueError(
            f"n_features_to_select must be None, an integer, or a part above 0 and up to 1, not "
            f"{number!r}"
        )

    def _redundancy(self, scaled: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """Compute the redundancy of each pair: ndarray of shape (n_features, n_features)."""
        if self.redundancy == "mutual_information":
            bias = _bias(levels[:, None], levels, len(scaled))
            values = np.maximum(mutual_information(scaled) - bias, 0)
        else:
            with np.errstate(divide="ignore", invalid="ignore"):
                values = np.abs(np.corrcoef(scaled, rowvar=False)).reshape(len(scaled.T), -1)
            values[~np.isfinite(values)] = 0  # features that never change
        np.fill_diagonal(values, 0)
        return values

    def _opened(self):
        """Return a context with the open sampler; only a sampler made here is closed at its end."""
        if self.sampler is None or isinstance(self.sampler, str):
            return BoardSampler(self.sampler or DEFAULT_URL)
        if not isinstance(self.sampler, dimod.Sampler):
            raise TypeError(f"sampler must be a dimod.Sampler or a URL, not {self.sampler!r}")
        return nullcontext(self.sampler)

    def _terms(self, weight: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the linear and the quadratic terms of the objective."""
        return -weight * self.relevance_, (1 - weight) * self.redundancy_

    def _search(self, sampler: dimod.Sampler, wanted: int, rng) -> np.ndarray:
        """Find the selection with the nearest number of features; set `weight_`, `n_searches_`."""
        low, high = 0.0, 1.0
        nearest = None
        for search in range(1, SEARCHES + 1):
            weight = (low + high) / 2
            try:
                chosen = self._solve(sampler, weight, rng)
            except CapacityError as error:
                # The greater the weight, the greater the linear terms beside the couplings: the
                # device's fields are too narrow for them, so a smaller weight is tried.
                high, refused = weight, error
                continue
            distance = abs(int(chosen.sum()) - wanted)
            if nearest is None or distance < nearest:
                nearest, found, self.weight_ = distance, chosen, weight
            self.n_searches_ = search
            if not distance:
                break
            if chosen.sum() < wanted:
                low = weight
            else:
                high = weight
        if nearest is None:
            raise refused
        return found

    def _solve(self, sampler: dimod.Sampler, weight: float, rng) -> np.ndarray:
        """Solve the problem with a weight of the relevance; return which features are selected."""
        linear, quadratic = self._terms(weight)
        rows, columns = np.triu_indices(len(linear), 1)
        bqm = dimod.BinaryQuadraticModel.from_numpy_vectors(
            linear,
            (rows, columns, quadratic[rows, columns]),
            0.0,
            dimod.BINARY,
            variable_order=range(len(linear)),
        )
        parameters = dict(self.sampler_parameters or {})
        if "seed" in sampler.parameters:
            parameters.setdefault("seed", int(rng.randint(2**31 - 1)))
        best = sampler.sample(bqm, **parameters).first.sample
        return np.array([best[feature] for feature in range(len(linear))], dtype=bool)


def _check_features(features: int, sampler: dimod.Sampler | None) -> None:
    """Refuse more features than the sampler has spins, or than their pairs have room in memory."""
    spins = {} if sampler is None else sampler.properties.get("annealer", {})
    most = min(spins.get("spins", MOST_FEATURES), MOST_FEATURES)
    if features > most:
        raise CapacityError(
            "features, with a term for each pair of them",
            features,
            most,
            "select some before, for example with sklearn.feature_selection.SelectKBest, or take a "
            "tensorspin.DecomposingSampler as sampler",
        )


def _relevance(bins: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Estimate the mutual information of each feature and the target in nats, from histograms."""
    if type_of_target(y, input_name="y").startswith("continuous"):
        edges = np.quantile(np.asarray(y, np.float64), np.arange(1, BINS) / BINS)
        y = np.searchsorted(edges, y)
    else:
        check_classification_targets(y)
    found = mutual_info_classif(bins, y, discrete_features=True)
    return np.maximum(found - _bias(_levels(bins), len(np.unique(y)), len(y)), 0)


def _levels(bins: np.ndarray) -> np.ndarray:
    """Count the bins in which each feature has samples."""
    return np.array([len(np.unique(column)) for column in bins.T])


def _bias(first, second, samples: int):
    """Estimate by how many nats histograms overestimate mutual information, to first order.

    G. A. Miller, "Note on the bias of information estimates" (1955). If it were not subtracted,
    features that tell nothing would seem relevant where samples are few.
    """
    return (first - 1) * (second - 1) / (2 * samples)


def _corrected(chosen: np.ndarray, wanted: int, terms) -> np.ndarray:
    """Correct a selection until it has the number of features wanted and no swap improves it.

    Features are added or removed one by one, the best first. Then one feature is exchanged for
    another as long as the objective falls: the device has rounded the terms, so its selection may
    not be the best.
    """
    linear, quadratic = terms
    chosen = chosen.copy()
    while True:
        cost = linear + quadratic[:, chosen].sum(axis=1)  # what each feature adds to the objective
        entering, leaving = np.where(chosen, np.inf, cost), np.where(chosen, cost, -np.inf)
        if chosen.sum() < wanted:
            chosen[entering.argmin()] = True
        elif chosen.sum() > wanted:
            chosen[leaving.argmax()] = False
        else:
            change = entering[:, None] - leaving - quadratic
            new, old = np.unravel_index(change.argmin(), change.shape)
            if not change[new, old] < -np.finfo(float).eps * np.abs(cost).max():
                return chosen
            chosen[[new, old]] = True, False
