"""Canonical form and truncation against the full tensor; compressed estimators."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.exceptions import NotFittedError

from tensorspin.models import MPSAnomalyDetector, MPSClassifier, MPSRegressor
from tensorspin.models.canonical import CanonicalChain

from ..support.estimators import quick
from ..support.networks import full_tensor, random_network


def rebuilt(chain, position):
    return np.exp(chain.log_norm) * full_tensor(chain.cores(), chain.centre, position)


@pytest.fixture(scope="module")
def classifier():
    X, y = load_digits(return_X_y=True)
    model = MPSClassifier(16, feature_range=(0, 16), epochs=15, random_state=0)
    return model.fit(X[500:], y[500:])


@settings(max_examples=25, deadline=None)
@given(
    n_sites=st.integers(2, 8),
    bond_dim=st.integers(1, 6),
    local_dim=st.integers(2, 3),
    seed=st.integers(0, 2**32 - 1),
)
def test_canonical_form_is_the_same_tensor(n_sites, bond_dim, local_dim, seed):
    network = random_network(np.random.default_rng(seed), n_sites, local_dim, bond_dim, 3)
    expected = full_tensor(*network)
    chain = CanonicalChain.of(*network)
    for core in [*chain.left, *chain.right]:
        matrix = core.reshape(-1, core.shape[2])
        np.testing.assert_allclose(matrix.T @ matrix, np.eye(core.shape[2]), atol=1e-10)
    scale = np.linalg.norm(expected)
    assert np.exp(chain.log_norm) == pytest.approx(scale)
    np.testing.assert_allclose(rebuilt(chain, network[2]), expected, atol=1e-10 * scale)
    same, discarded = chain.truncated()
    assert discarded.max() < 1e-20
    np.testing.assert_allclose(rebuilt(same, network[2]), expected, atol=1e-10 * scale)


@settings(max_examples=25, deadline=None)
@given(max_bond=st.integers(1, 6), tolerance=st.floats(0, 0.5), seed=st.integers(0, 2**32 - 1))
def test_what_is_lost_is_bounded_by_the_discarded_weights(max_bond, tolerance, seed):
    network = random_network(np.random.default_rng(seed), 7, 2, 6, 2)
    chain = CanonicalChain.of(*network)
    truncated, discarded = chain.truncated(max_bond, tolerance)
    original, kept = full_tensor(*network), rebuilt(truncated, network[2])
    lost = np.sum((original - kept) ** 2) / np.sum(original**2)
    assert discarded.max() - 1e-12 <= lost <= discarded.sum() + 1e-12
    bonds = [core.shape[2] for core in truncated.cores()[:-1]]
    assert max(bonds) <= max_bond


def test_spectra_and_tolerance():
    network = random_network(np.random.default_rng(5), 6, 2, 6, 2)
    chain = CanonicalChain.of(*network)
    spectrum = chain.spectra()[2]  # site 2, left of the label tensor
    assert np.sum(spectrum**2) == pytest.approx(1)
    weight = np.sum(spectrum[3:] ** 2)
    kept, discarded = chain.truncated(tolerance=weight * 1.000001)
    assert kept.centre.shape[1] == 3
    assert discarded[2] == pytest.approx(weight)
    kept, _ = chain.truncated(tolerance=weight * 0.999999)
    assert kept.centre.shape[1] == 4


def test_superfluous_bonds_vanish():
    cores, label, position = random_network(np.random.default_rng(0), 6, 2, 2, 2)
    gauge = np.random.default_rng(1).standard_normal((2, 5))
    # The identity as a product of a wide and a tall matrix.
    cores[0] = cores[0] @ gauge
    cores[1] = np.einsum("ab,bpc->apc", np.linalg.pinv(gauge), cores[1])
    truncated, discarded = CanonicalChain.of(cores, label, position).truncated()
    assert truncated.left[0].shape == (1, 2, 2)
    assert discarded.max() < 1e-20


def test_scores_stay_the_same(classifier):
    X = load_digits().data[:200]
    compressed = classifier.compress()
    scores = classifier.logits_from_scores(classifier.scores(X))
    np.testing.assert_allclose(
        compressed.logits_from_scores(compressed.scores(X)), scores, atol=1e-8
    )
    assert compressed.discarded_weights_.shape == (64,)
    assert compressed.discarded_weights_.max() < 1e-20
    np.testing.assert_allclose(
        compressed.entanglement_entropy(), classifier.entanglement_entropy(), atol=1e-8
    )


def test_narrower_bonds_on_digits(classifier):
    X, y = load_digits(return_X_y=True)
    X, y = X[:500], y[:500]
    before = [core.copy() for core in classifier.cores_]
    accuracy = classifier.score(X, y)
    compressed = classifier.compress(max_bond=8)
    assert max(max(core.shape) for core in compressed.cores_) == 8
    assert compressed.score(X, y) > accuracy - 0.03
    program = compressed.quantize()
    assert np.mean(program.predict(X) == y) > accuracy - 0.04
    assert program.words(8) < 0.4 * classifier.quantize().words(8)
    # The original stays as it is, and a compressed model can be compressed again.
    for core, same in zip(before, classifier.cores_):
        np.testing.assert_array_equal(core, same)
    assert not hasattr(classifier, "discarded_weights_")
    assert max(max(core.shape) for core in compressed.compress(max_bond=4).cores_) == 4


def test_tolerance_makes_bonds_unequal(classifier):
    X = load_digits().data[:200]
    compressed = classifier.compress(tolerance=1e-3)
    bonds = {core.shape[2] for core in compressed.cores_[6:32]}
    assert len(bonds) > 1 and max(bonds) <= 16
    assert 0 < compressed.discarded_weights_.max() <= 1e-3
    assert np.mean(compressed.predict(X) == classifier.predict(X)) > 0.95
    with compressed.deploy("golden://icebreaker") as deployed:
        np.testing.assert_array_equal(deployed.predict(X), compressed.quantize().predict(X))


def test_regressor_keeps_its_scale():
    X, y = load_diabetes(return_X_y=True)
    model = MPSRegressor(6, epochs=5, random_state=0).fit(X, y)
    np.testing.assert_allclose(model.compress().predict(X), model.predict(X), rtol=1e-6)
    # Ridge regression, from which training starts, needs bonds of 2.
    narrow = model.compress(max_bond=2)
    assert narrow.score(X, y) > model.score(X, y) - 0.05
    np.testing.assert_allclose(narrow.quantize().predict(X), narrow.predict(X), rtol=0.2)


def test_detector_keeps_its_likelihood():
    X, y = load_digits(return_X_y=True)
    model = MPSAnomalyDetector(8, feature_range=(0, 16), epochs=5, random_state=0).fit(X[y == 0])
    compressed = model.compress()
    np.testing.assert_allclose(compressed.score_samples(X), model.score_samples(X), atol=1e-6)
    narrow = model.compress(max_bond=4)
    assert narrow.offset_ == model.offset_
    assert not hasattr(narrow.fit(X[y == 0]), "discarded_weights_")
    narrow = model.compress(max_bond=4)
    assert np.mean(narrow.predict(X) == model.predict(X)) > 0.95


@pytest.mark.parametrize("n_features", [1, 2, 3])
def test_down_to_a_product(n_features):
    X, y = load_iris(return_X_y=True)
    model = quick(MPSClassifier, epochs=5).fit(X[:, -n_features:], y)
    product = model.compress(max_bond=1)
    assert all(core.shape == (1, 2, 1) for core in product.cores_)
    program = product.quantize()
    assert program.predict(X[:, -n_features:]).shape == (150,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_bond": 0}, "max_bond must be None or an integer of at least 1, not 0"),
        ({"max_bond": 2.5}, "max_bond must be None or an integer of at least 1, not 2.5"),
        ({"max_bond": True}, "max_bond must be None or an integer of at least 1, not True"),
        ({"tolerance": -0.1}, "tolerance must be a number from 0 to 1, not -0.1"),
        ({"tolerance": np.nan}, "tolerance must be a number from 0 to 1, not nan"),
        ({"tolerance": "little"}, "tolerance must be a number from 0 to 1, not 'little'"),
    ],
)
def test_wrong_arguments(classifier, arguments, message):
    with pytest.raises(ValueError, match=message):
        classifier.compress(**arguments)


def test_not_fitted_and_zero(classifier):
    with pytest.raises(NotFittedError):
        MPSClassifier().compress()
    cores, label, position = random_network(np.random.default_rng(0), 4, 2, 2, 2)
    with pytest.raises(ValueError, match="the network has norm 0.0"):
        CanonicalChain.of(cores, 0 * label, position)


def test_784_sites():
    cores, label, position = random_network(np.random.default_rng(0), 784, 2, 6, 10)
    chain = CanonicalChain.of([1e3 * core for core in cores], label, position)
    truncated, discarded = chain.truncated(max_bond=4)
    assert np.isfinite(truncated.log_norm) and truncated.log_norm <= chain.log_norm
    assert np.all((discarded >= 0) & (discarded < 1))


def test_bond_dimensions_stand_beside_the_entropies():
    X, y = load_iris(return_X_y=True)
    model = quick(MPSClassifier, bond_dim=3).fit(np.hstack([X, X]), y)
    assert model.bond_dimensions().tolist() == [2, 3, 3, 3, 3, 3, 3, 2]
    assert model.largest_bond_dimensions().tolist() == [2, 4, 8, 16, 16, 8, 4, 2]
    narrow = model.compress(max_bond=2)
    assert narrow.bond_dimensions().max() == 2
    for estimator in (model, narrow):
        bits = estimator.entanglement_entropy()
        assert np.all(bits <= np.log2(estimator.bond_dimensions()) + 1e-9)
        assert np.all(estimator.bond_dimensions() <= estimator.largest_bond_dimensions())
