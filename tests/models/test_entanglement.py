"""Entanglement entropy against the singular values of the full tensor."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.models import entanglement_entropy

from ..support.networks import full_tensor, random_network


def brute_force_entropy(cores, label, position):
    tensor = full_tensor(cores, label, position)
    n_sites = len(cores)
    entropies = []
    for site in range(n_sites):
        inside = range(site + 1) if site < position else range(site, n_sites)
        outside = [axis for axis in range(n_sites + 1) if axis not in inside]
        matrix = tensor.transpose(*inside, *outside)
        matrix = matrix.reshape(cores[0].shape[1] ** len(inside), -1)
        values = np.linalg.svd(matrix, compute_uv=False)
        p = values**2 / np.sum(values**2)
        p = p[p > 1e-30]
        entropies.append(-np.sum(p * np.log2(p)))
    return entropies


@pytest.mark.parametrize(
    ("n_sites", "local_dim", "bond_dim"), [(2, 2, 3), (3, 3, 4), (7, 2, 5), (8, 2, 16)]
)
def test_equals_brute_force(n_sites, local_dim, bond_dim):
    network = random_network(np.random.default_rng(n_sites), n_sites, local_dim, bond_dim, 3)
    np.testing.assert_allclose(
        entanglement_entropy(*network), brute_force_entropy(*network), atol=1e-10
    )


def test_product_state_has_none():
    network = random_network(np.random.default_rng(0), 6, 2, 1, 1)
    np.testing.assert_array_equal(entanglement_entropy(*network), np.zeros(6))


def test_bell_pair_has_one_bit():
    cores = [np.eye(2)[None], np.eye(2)[:, :, None]]
    np.testing.assert_allclose(entanglement_entropy(cores, np.eye(2)[None], 1), [1, 1])


def test_long_chain_is_finite_and_bounded():
    cores, label, position = random_network(np.random.default_rng(0), 784, 2, 8, 10)
    # Each core multiplies the norm by far more than float64 could hold over 784 sites.
    entropies = entanglement_entropy([1e3 * core for core in cores], label, position)
    assert entropies.shape == (784,)
    assert np.all((entropies >= 0) & (entropies <= 3 + 1e-12))


def test_errors():
    cores, label, position = random_network(np.random.default_rng(0), 4, 2, 2, 2)
    with pytest.raises(ValueError, match="label_position must be 1 to 3, not 4"):
        entanglement_entropy(cores, label, 4)
    with pytest.raises(ValueError, match="the network has norm 0.0"):
        entanglement_entropy(cores, 0 * label, position)
