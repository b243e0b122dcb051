"""The classifiers that are compared, and how large what they have learnt is."""

from __future__ import annotations

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
"""Of a float32, in which all models are counted that are not quantised."""

_QUICK_EPOCHS = 20


def tensor_networks(seed: int, feature_range, quick: bool = False) -> dict:
    """Tensorspin's classifiers, not fitted.

    Parameters
    ----------
    seed : int
    feature_range : tuple of float, or None
        Limits of all features, if they are known.
    quick : bool
        Train for fewer epochs than by default.

    Returns
    -------
    dict of str to estimator
    """
    options = {"feature_range": feature_range, "random_state": seed}
    if quick:
        options["epochs"] = _QUICK_EPOCHS
    return {
        "MPSClassifier": MPSClassifier(bond_dim=16, **options),
        # The weights of a node of a tree grow with the cube of the bond dimension, those of a site
        # of a chain with its square.
        "TTNClassifier": TTNClassifier(bond_dim=8, **options),
    }


def baselines(seed: int) -> dict[str, Pipeline]:
    """scikit-learn's classifiers, not fitted, with the scaling that is usual for each.

    Their parameters are fixed, not searched for, as those of the tensor networks are.
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
    """A new estimator like this one, not fitted, whose training expects weights of `bits` bits."""
    return clone(estimator).set_params(weight_bits=bits)


def weight_bytes(program: NetworkProgram, bits: int) -> int:
    """Bytes of a network's weights, each of `bits` bits, without headers and padding."""
    return -(-sum(tensor.size for tensor in program.weights) * bits // 8)


def float_bytes(estimator) -> int:
    """Bytes of the arrays that a fitted classifier predicts with, as float32.

    The scaling of the features is left out. Each node of a tree of decisions counts its feature,
    threshold and two children, each leaf its classes.
    """
    if isinstance(estimator, Pipeline):
        return FLOAT_BYTES * sum(array.size for array in _learnt(estimator[-1]))
    return weight_bytes(estimator.quantize(), 8 * FLOAT_BYTES)


def _learnt(estimator) -> list[np.ndarray]:
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
