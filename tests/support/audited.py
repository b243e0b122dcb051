"""Small programs of all tasks with samples, for the tests of audits and attacks."""

from __future__ import annotations

from functools import cache

import numpy as np
from sklearn.datasets import load_iris

from tensorspin.models import MPSAnomalyDetector, MPSClassifier, MPSRegressor


@cache
def classifier():
    """A program for iris, with samples that did not train it."""
    X, y = load_iris(return_X_y=True)
    model = MPSClassifier(4, epochs=30, random_state=0).fit(X[::2], y[::2])
    return model.quantize(), X[1::2], y[1::2]


@cache
def regressor():
    """A program for a sum of columns of different units."""
    X = np.random.default_rng(0).random((200, 3)) * [1, 10, 1000]
    y = X @ [3, -0.2, 0.001]
    model = MPSRegressor(4, epochs=40, random_state=0).fit(X[:150], y[:150])
    return model.quantize(), X[150:], y[150:]


@cache
def detector():
    """A program for two columns that agree, with samples, and whether they do not."""
    rng = np.random.default_rng(0)
    x = rng.random(260)
    X = np.stack([x, x + 0.05 * rng.normal(size=260)], axis=1)
    outlier = np.arange(260) >= 240
    X[outlier, 1] = 1 - X[outlier, 0]
    model = MPSAnomalyDetector(4, epochs=30, random_state=0).fit(X[:200])
    return model.quantize(), X[200:], outlier[200:]


@cache
def words():
    """A program for numbers, words and gaps, with samples."""
    rng = np.random.default_rng(1)
    size = rng.random(200)
    colour = np.array(["red", "green", "blue"])[rng.integers(0, 3, 200)]
    y = np.where((size > 0.5) ^ (colour == "red"), "yes", "no")
    X = np.stack([size, colour], axis=1).astype(object)
    X[:, 0] = size
    X[::17, 0] = None
    model = MPSClassifier(4, epochs=40, missing="level", random_state=0).fit(X[:140], y[:140])
    return model.quantize(), X[140:], y[140:]


ALL = {"classifier": classifier, "regressor": regressor, "detector": detector, "words": words}
