"""The classifiers that are compared, and the sizes of their learnt parameters in bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from ...compiler import NetworkProgram
from ...models import MPSClassifier, TTNClassifier

FLOAT_BYTES = 4
"""Bytes of a float32, the type in which a model that is not quantised is counted."""

_QUICK_EPOCHS = 20
"""Passes over the training samples in a quick run, a fifth of the default."""


def tensor_networks(seed: int, feature_range, quick: bool = False) -> dict:
    """Make Tensorspin's classifiers, not fitted.

    Parameters
    ----------
    seed : int
        Seed of the random numbers.
    feature_range : tuple of (float, float), or None
        Lowest and highest value of all features, if they are known.
    quick : bool
        Whether to train for fewer epochs than by default.

    Returns
    -------
    dict of str to estimator
        Classifiers by their names.
    """
    options: dict[str, Any] = {"feature_range": feature_range, "random_state": seed}
    if quick:
        options["epochs"] = _QUICK_EPOCHS
    return {
        "MPSClassifier": MPSClassifier(bond_dim=16, **options),
        # The number of weights of a tree's node grows with the cube of the bond dimension, that of
        # a chain's site with the square: half the bond dimension gives models of similar size.
        "TTNClassifier": TTNClassifier(bond_dim=8, **options),
    }


def baselines(seed: int) -> dict[str, Pipeline]:
    """Make scikit-learn's classifiers, not fitted, with the scaling that is usual for each.

    Their parameters are fixed and not searched for, and so are those of the tensor networks.

    Parameters
    ----------
    seed : int
        Seed of the random numbers.

    Returns
    -------
    dict of str to Pipeline
        Classifiers by their names, each the last step of its pipeline.
    """
    return {
        "LogisticRegression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000)),
        "SVC (rbf)": make_pipeline(StandardScaler(), SVC(C=10)),
        # Trees do not depend on the scale of a feature.
        "RandomForestClassifier": make_pipeline(
            RandomForestClassifier(n_estimators=200, random_state=seed)
        ),
        "MLPClassifier (64)": make_pipeline(
            StandardScaler(),
            MLPClassifier(hidden_layer_sizes=(64,), max_iter=2000, random_state=seed),
        ),
    }


def trained_for(estimator, bits: int):
    """Copy an estimator, not fitted, so that it trains for weights of `bits` bits."""
    return clone(estimator).set_params(weight_bits=bits)


def weight_bytes(program: NetworkProgram, bits: int) -> int:
    """Count the bytes of a network's weights, each of `bits` bits, without headers and padding."""
    return -(-sum(tensor.size for tensor in program.weights) * bits // 8)


def float_bytes(estimator) -> int:
    """Count the bytes of the arrays that a fitted classifier predicts with, as float32.

    The scaling of the features is left out. Of a decision tree, an inner node counts its feature,
    its threshold and two children, and a leaf one number per class.

    Parameters
    ----------
    estimator : estimator
        A fitted classifier of `baselines` or `tensor_networks`.

    Returns
    -------
    int
        Size of the model in bytes.

    Raises
    ------
    TypeError
        If it is not known what an estimator of that type has learnt.
    """
    if isinstance(estimator, Pipeline):
        return FLOAT_BYTES * sum(array.size for array in _learnt(estimator[-1]))
    return weight_bytes(estimator.quantize(), 8 * FLOAT_BYTES)


def _learnt(estimator) -> list[np.ndarray]:
    """List the arrays that a classifier of scikit-learn predicts with."""
    if isinstance(estimator, LogisticRegression):
        return [estimator.coef_, estimator.intercept_]
    if isinstance(estimator, SVC):
        return [estimator.support_vectors_, estimator.dual_coef_, estimator.intercept_]
    if isinstance(estimator, MLPClassifier):
        return [*estimator.coefs_, *estimator.intercepts_]
    if isinstance(estimator, RandomForestClassifier):
        arrays = []
        for tree in (member.tree_ for member in estimator.estimators_):
            inner = tree.children_left >= 0
            arrays += [tree.feature[inner], tree.threshold[inner]]
            arrays += [tree.children_left[inner], tree.children_right[inner]]
            arrays.append(tree.value[~inner])
        return arrays
    raise TypeError(f"the learnt arrays of a {type(estimator).__name__} are not known")
