"""What a trained network looks at: how much its sites share with each other and with the label.

A network is a function of all features, taken as one vector in the space of all such functions. If
a site shares nothing with the rest, the function is a product of a factor of that site's feature
and one of all others. A factor that all classes have in common does not change the class, so the
feature is not looked at. The entanglement entropy of the site measures how far the function is from
such a product; a mutual information, how much two sites share. Both are those of the network
itself: no samples are needed, and features count as if all their levels were equally frequent and
independent of each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import is_regressor
from sklearn.utils.validation import check_is_fitted

from .densities import constant_function, entropy, pair_densities, site_densities

MOST_SITES = 512
"""Most sites of a chain whose mutual informations are computed: their number grows with the square
of that of the sites."""


class ImportanceMixin:
    """The property `feature_importances_` of the estimators whose model is a tensor network."""

    @property
    def feature_importances_(self) -> np.ndarray:
        """Importance of each feature in the trained network: see `feature_importance`.

        It is an ndarray of float64 of shape (`n_features_in_`,) whose entries sum to 1. With it,
        `sklearn.feature_selection.SelectFromModel` can select features.
        """
        return feature_importance(self)


def site_entropy(estimator: Any) -> np.ndarray:
    """Compute how much each site or leaf is entangled with all others and the label.

    Parameters
    ----------
    estimator : MPSClassifier, MPSRegressor, MPSAnomalyDetector or TTNClassifier
        A fitted estimator.

    Returns
    -------
    ndarray of float64 of shape (n_sites,)
        Entropies in bits, at most the base-2 logarithm of the number of components of the feature
        map. Entry i belongs to the feature ``estimator.site_features_[i]``.

    Raises
    ------
    TypeError
        If the estimator has no chain and no tree.
    ValueError
        If the network is zero.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin import MPSClassifier
    >>> from tensorspin.models import site_entropy
    >>> X = np.random.default_rng(0).random((200, 3))
    >>> model = MPSClassifier(bond_dim=4, random_state=0).fit(X, X[:, 1] > 0.5)
    >>> int(site_entropy(model).argmax())
    1
    """
    return np.array([entropy(density) for density in site_densities(estimator)])


def feature_importance(estimator: Any) -> np.ndarray:
    """Compute how important each feature is in a trained network.

    For classifiers and anomaly detectors it is the entropy of the sites that read the feature, see
    `site_entropy`. A regressor's only output may be a product, and depend on the features all the
    same, so there it is the total effect: the part of the output's mean square that is lost if the
    output is averaged over the levels of the site (Sobol 1993). If several sites read one feature,
    theirs are added up. An ensemble's importances are the means of its networks'.

    It tells what the network does, where `sklearn.inspection.permutation_importance` tells what
    that is worth on given samples. Features that tell the same share their importance.

    Parameters
    ----------
    estimator : estimator of Tensorspin
        A fitted estimator, but none on a board.

    Returns
    -------
    ndarray of float64 of shape (n_features,)
        At least 0, with the sum 1; all zero if the network looks at no feature.

    Raises
    ------
    TypeError
        If the estimator has no chain and no tree.
    ValueError
        If the network is zero.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin import MPSRegressor
    >>> from tensorspin.models import feature_importance
    >>> X = np.random.default_rng(0).random((200, 3))
    >>> model = MPSRegressor(random_state=0).fit(X, 4 * X[:, 2] + X[:, 0])
    >>> feature_importance(model).round(1).tolist()
    [0.1, 0.0, 0.9]
    """
    check_is_fitted(estimator)
    if hasattr(estimator, "members_"):
        return np.mean([feature_importance(member) for member in estimator.members_], axis=0)
    if is_regressor(estimator):
        constant = constant_function(estimator)
        sites = np.array(
            [
                max(0.0, float(np.trace(density) - constant @ density @ constant))
                for density in site_densities(estimator)
            ]
        )
    else:
        sites = site_entropy(estimator)
    features = np.bincount(estimator.site_features_, sites, estimator.n_features_in_)
    total = features.sum()
    return features / total if total > 0 else features


def mutual_information(estimator: Any) -> np.ndarray:
    """Compute how much each two features share in a trained chain.

    The mutual information of two sites is the sum of their entropies less the entropy of both
    together. It is great where the network looks at a combination of both features.

    Parameters
    ----------
    estimator : MPSClassifier, MPSRegressor or MPSAnomalyDetector
        A fitted estimator with at most `MOST_SITES` sites.

    Returns
    -------
    ndarray of float64 of shape (n_features, n_features)
        In bits, symmetric, with zeros in the diagonal. If several sites read one feature, those of
        all pairs of sites are added up.

    Raises
    ------
    TypeError
        If the estimator's network is no chain.
    ValueError
        If the network is zero, or has too many sites.

    Examples
    --------
    Whether two features are on the same side of 0.5 depends on both, and not on the third:

    >>> import numpy as np
    >>> from tensorspin import MPSClassifier
    >>> from tensorspin.models import mutual_information
    >>> X = np.random.default_rng(1).random((400, 3))
    >>> model = MPSClassifier(bond_dim=4, random_state=0)
    >>> shared = mutual_information(model.fit(X, (X[:, 0] > 0.5) == (X[:, 2] > 0.5)))
    >>> bool(shared[0, 2] > 5 * shared[0, 1])
    True
    """
    check_is_fitted(estimator)
    if not hasattr(estimator, "cores_"):
        raise TypeError(
            f"the network must be a chain, such as that of an MPSClassifier, not that of a "
            f"{type(estimator).__name__}; site_entropy takes trees, too"
        )
    n_sites = len(estimator.cores_)
    if n_sites > MOST_SITES:
        raise ValueError(
            f"the mutual informations of at most {MOST_SITES} sites are computed, not of {n_sites}"
        )
    sites = estimator.site_features_
    single = site_entropy(estimator)
    shared = np.zeros((estimator.n_features_in_, estimator.n_features_in_))
    for first, second, density in pair_densities(estimator):
        if sites[first] != sites[second]:
            found = single[first] + single[second] - entropy(density)
            shared[sites[first], sites[second]] += max(0.0, found)
    return shared + shared.T


def plot_importance(estimator: Any, *, most: int = 20, figure: Any = None) -> Any:
    """Draw the importance of the features, and beside it what each two of them share.

    It needs matplotlib. Trees, ensembles and chains of more than `MOST_SITES` sites have the first
    picture alone.

    Parameters
    ----------
    estimator : estimator of Tensorspin
        A fitted estimator, but none on a board.
    most : int, default=20
        Number of features to show, the most important ones.
    figure : matplotlib.figure.Figure, optional
        Figure to draw into. None: a new one of `matplotlib.pyplot`.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If the estimator has no chain and no tree.
    ValueError
        If `most` is below 1, or the network is zero.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from tensorspin import MPSClassifier
    >>> from tensorspin.models import plot_importance
    >>> X, y = load_wine(return_X_y=True, as_frame=True)
    >>> model = MPSClassifier(bond_dim=4, epochs=20, random_state=0).fit(X, y)
    >>> from matplotlib.figure import Figure
    >>> len(plot_importance(model, figure=Figure(layout="constrained")).axes)  # one is the scale
    3
    """
    if most < 1:
        raise ValueError(f"most must be at least 1, not {most}")
    importances = feature_importance(estimator)
    shown = np.argsort(-importances, kind="stable")[:most]
    names = _names(estimator)[shown]
    height = 1.2 + 0.28 * len(shown)
    pairs = hasattr(estimator, "cores_") and len(estimator.cores_) <= MOST_SITES
    if figure is None:
        try:
            from matplotlib import pyplot
        except ImportError as error:
            raise ImportError(
                f"plot_importance needs matplotlib ({error}): pip install matplotlib"
            ) from error
        figure = pyplot.figure(figsize=(11 if pairs else 6, max(height, 3)), layout="constrained")
    axes = figure.subplots(1, 1 + pairs, squeeze=False)[0]
    bars = axes[0].barh(range(len(shown)), 100 * importances[shown], color="#3b6ea8")
    axes[0].bar_label(bars, fmt="%.1f", padding=3, fontsize=8)
    axes[0].set_yticks(range(len(shown)), names, fontsize=8)
    axes[0].set_xlim(0, 100 * max(importances.max(), 1e-9) * 1.15)
    axes[0].set_ylim(len(shown) - 0.4, -0.6)
    axes[0].set_xlabel("importance in %")
    axes[0].grid(axis="x", alpha=0.3)
    axes[0].set_axisbelow(True)
    if pairs:
        shared = mutual_information(estimator)[np.ix_(shown, shown)]
        image = axes[1].imshow(shared, cmap="viridis", vmin=0)
        axes[1].set_xticks(range(len(shown)), names, fontsize=8, rotation=90)
        axes[1].set_yticks(range(len(shown)), names, fontsize=8)
        axes[1].set_xlabel("mutual information of two features in bits")
        figure.colorbar(image, ax=axes[1], shrink=0.8)
    return figure


def _names(estimator: Any) -> np.ndarray:
    """Return the features' names, or their numbers."""
    numbers = [f"feature {index}" for index in range(estimator.n_features_in_)]
    return np.array(getattr(estimator, "feature_names_in_", numbers), dtype=object)
