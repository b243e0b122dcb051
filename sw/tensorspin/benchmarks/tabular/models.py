"""What is compared: scikit-learn's usual estimators, and Tensorspin's with their defaults."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import LocalOutlierFactor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR, OneClassSVM

from ... import models as networks
from .sets import CLASSES, OUTLIERS, TableSet

Maker = Callable[[int], Any]
"""Makes an estimator that is not fitted, with the seed that it is called with."""

TREES = 300
"""Number of trees of a random forest."""

MARGIN = 10.0
"""Parameter C of the support vector machines."""

HIDDEN = 64
"""Number of units of the neural networks' only hidden layer."""

MOST_ITERATIONS = 2000
"""Limit of the iterations of what is trained by iterations: enough for all to converge."""

OURS = {
    "classes": ("MPSClassifier", "TTNClassifier", "EnsembleClassifier"),
    "numbers": ("MPSRegressor",),
    "outliers": ("MPSAnomalyDetector",),
}
"""Names of Tensorspin's estimators by the kind of target."""

BITS = (8, 4)
"""Widths of weights in bits with which Tensorspin's estimators are measured beside floats."""

_CODE = ("contract", "golden", "compiler", "models")
"""Packages of Tensorspin that decide what an estimator learns and predicts."""

_SOURCES = (".py", ".c", ".h")
"""Endings of source files."""


def rivals(target: str) -> dict[str, Maker]:
    """Return scikit-learn's estimators by their names.

    Parameters
    ----------
    target : {"classes", "numbers", "outliers"}
        Kind of target.

    Returns
    -------
    dict of str to callable
        Makers of pipelines and estimators; all but those made of trees scale features first.
    """
    if target == CLASSES:
        return {
            "logistic regression": lambda seed: _scaled(
                LogisticRegression(max_iter=MOST_ITERATIONS)
            ),
            "SVM, RBF": lambda seed: _scaled(SVC(C=MARGIN)),
            "random forest": lambda seed: RandomForestClassifier(TREES, random_state=seed),
            "gradient boosting": lambda seed: HistGradientBoostingClassifier(random_state=seed),
            "MLP": lambda seed: _scaled(
                MLPClassifier(
                    hidden_layer_sizes=(HIDDEN,), max_iter=MOST_ITERATIONS, random_state=seed
                )
            ),
        }
    if target == OUTLIERS:
        return {
            "isolation forest": lambda seed: IsolationForest(random_state=seed),
            "one-class SVM": lambda seed: _scaled(OneClassSVM()),
            "LOF": lambda seed: _scaled(LocalOutlierFactor(novelty=True)),
        }
    return {
        "ridge regression": lambda seed: _scaled(Ridge()),
        "SVM, RBF": lambda seed: _scaled(SVR(C=MARGIN)),
        "random forest": lambda seed: RandomForestRegressor(TREES, random_state=seed),
        "gradient boosting": lambda seed: HistGradientBoostingRegressor(random_state=seed),
        "MLP": lambda seed: _scaled(
            MLPRegressor(hidden_layer_sizes=(HIDDEN,), max_iter=MOST_ITERATIONS, random_state=seed)
        ),
    }


def ours(target: str) -> dict[str, Maker]:
    """Return Tensorspin's estimators by their names, all with their defaults.

    Parameters
    ----------
    target : {"classes", "numbers", "outliers"}
        Kind of target.

    Returns
    -------
    dict of str to callable
        Makers of estimators.
    """

    def maker(name: str) -> Maker:
        return lambda seed: getattr(networks, name)(random_state=seed)

    return {name: maker(name) for name in OURS[target] if hasattr(networks, name)}


def all_ours() -> list[str]:
    """Return the names of all estimators of Tensorspin that can be compared."""
    return [name for target in OURS for name in ours(target)]


def suited(estimator, table: TableSet, own: bool):
    """Let an estimator take words and missing values, if a set has any.

    Parameters
    ----------
    estimator : estimator
        An estimator, not fitted.
    table : TableSet
        The set.
    own : bool
        Whether it is one of Tensorspin's, which take both as they are.

    Returns
    -------
    estimator
        The same estimator if the set has neither; else one of Tensorspin's that knows columns of
        categories and gives missing values and new words a level, or a pipeline whose first step
        replaces words by one column for each, and missing numbers by the mean of their column
        beside a column that tells of them.
    """
    words, missing = table.word_columns, table.has_missing
    if own:
        if table.categorical:
            estimator.set_params(categorical_features=list(table.categorical))
        # A rare word may be held out with all samples that have it, and then counts as missing.
        return estimator.set_params(missing="level") if missing or words else estimator
    if not words and not missing:
        return estimator
    numbers = [column for column in range(table.X.shape[1]) if column not in words]
    first = ColumnTransformer(
        [
            ("words", OneHotEncoder(handle_unknown="ignore", sparse_output=False), words),
            ("numbers", SimpleImputer(add_indicator=True, keep_empty_features=True), numbers),
        ]
    )
    return make_pipeline(first, estimator)


@cache
def code_digest() -> str:
    """Checksum of the source files that decide what Tensorspin's estimators learn and predict.

    Returns
    -------
    str
        Results of other code have another checksum, so they are not taken for those of this code.
    """
    digest = hashlib.sha256()
    root = Path(__file__).parents[2]
    for package in _CODE:
        for path in sorted((root / package).rglob("*")):
            if path.suffix in _SOURCES:
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _scaled(estimator):
    return make_pipeline(StandardScaler(), estimator)


def definition(estimator) -> str:
    """Write an estimator with its parameters on one line, as scikit-learn prints it."""
    with np.printoptions(threshold=16):
        return " ".join(repr(estimator).split())
