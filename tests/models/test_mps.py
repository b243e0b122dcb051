"""What the chain classifier has of its own; `test_classifiers` has what both classifiers do."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError

from tensorspin.models import MPSClassifier

from ..support.estimators import quick, split
from ..support.networks import brute_force_scores


@pytest.fixture(scope="module")
def digits_model():
    X_train, X_test, y_train, y_test = split(load_digits, test_size=0.3)
    model = MPSClassifier(bond_dim=8, feature_range=(0, 16), epochs=25, random_state=0)
    return model.fit(X_train, y_train), X_test, y_test


def test_shapes_and_entropies(digits_model):
    model, _, _ = digits_model
    assert model.label_position_ == 32
    assert len(model.cores_) == 64
    assert model.cores_[0].shape == (1, 2, 2)
    assert model.cores_[31].shape == model.cores_[32].shape == (8, 2, 8)
    assert model.cores_[-1].shape == (2, 2, 1)
    assert model.label_tensor_.shape == (10, 8, 8)
    entropies = model.entanglement_entropy()
    assert entropies.shape == (64,)
    assert np.all((entropies >= 0) & (entropies <= 3))


def test_scores_equal_brute_force():
    X, y = load_iris(return_X_y=True)
    model = quick(MPSClassifier).fit(X, y)
    components = model.feature_map_((X - X.min(axis=0)) / np.ptp(X, axis=0))
    expected = brute_force_scores(
        model.cores_, model.label_tensor_, model.label_position_, components[:20]
    )
    np.testing.assert_allclose(
        model.logits_from_scores(model.scores(X[:20])), model.logits_from_scores(expected)
    )


def test_eight_bit_weights_suffice(digits_model):
    model, X_test, y_test = digits_model
    rounded = pickle.loads(pickle.dumps(model))
    rounded.cores_ = [np.rint(core * 128) / 128 for core in model.cores_]
    rounded.label_tensor_ = np.rint(model.label_tensor_ * 128) / 128
    assert rounded.score(X_test, y_test) > model.score(X_test, y_test) - 0.01


def test_entropies_need_a_fitted_network():
    with pytest.raises(NotFittedError):
        quick(MPSClassifier).entanglement_entropy()
