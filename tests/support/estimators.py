"""Estimators that are trained quickly, and what the tests ask of all of them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from tensorspin.models import MPSAnomalyDetector, MPSClassifier, MPSRegressor, TTNClassifier

CLASSIFIERS = [MPSClassifier, TTNClassifier]
CHAINS = [MPSClassifier, MPSRegressor, MPSAnomalyDetector]
ESTIMATORS = [*CHAINS, TTNClassifier]


PLAIN = {"n_repeats": 1, "feature_map": "linear", "scaling": "range"}
"""A network in which one site reads each feature, and scores are linear in each."""


def quick(kind, **parameters):
    """A small plain estimator of few epochs, always with the same seed."""
    return kind(**{"bond_dim": 4, "epochs": 3, "random_state": 0, **PLAIN, **parameters})


def split(load, **options):
    """Training and test data of one of scikit-learn's data sets with classes."""
    X, y = load(return_X_y=True)
    return train_test_split(X, y, stratify=y, random_state=0, **options)


def tensors_of(model):
    """All tensors of a fitted estimator."""
    if isinstance(model, TTNClassifier):
        return model.tensors_
    return [*model.cores_, model.label_tensor_]


def check_gradients(tensors, gradients, loss, rng, probes=4, step=1e-6, rel=1e-4, abs=1e-5):
    """Compare gradients with finite differences of a loss, at random entries of each tensor."""
    for tensor, gradient in zip(tensors, gradients, strict=True):
        for _ in range(probes):
            index = tuple(rng.integers(tensor.shape))
            original = tensor[index]
            tensor[index] = original + step
            above = loss()
            tensor[index] = original - step
            below = loss()
            tensor[index] = original
            difference = (above - below) / (2 * step)
            assert gradient[index] == pytest.approx(difference, rel=rel, abs=abs)


def check_not_dependent_on_the_batch(compute, X):
    """A sample's result must be the same alone as among others."""
    alone = np.concatenate([compute(row[None]) for row in X])
    np.testing.assert_allclose(compute(X), alone, rtol=1e-9)
