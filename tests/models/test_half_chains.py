"""Contraction and gradients of the padded half-chains, against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorspin.models.chain_shapes import bond_dimensions
from tensorspin.models.contraction import column_norms
from tensorspin.models.half_chains import HalfChains
from tensorspin.models.logits import normalised_logits
from tensorspin.models.losses import cross_entropy

from ..support.estimators import check_gradients
from ..support.networks import brute_force_scores, random_network


def polynomial(x):
    return np.stack([np.ones_like(x), x, x * x], axis=-1)


def linear(x):
    return np.stack([1 - x, x], axis=-1)


@pytest.mark.parametrize(
    ("n_sites", "position", "local_dim", "bond_dim", "expected"),
    [
        (2, 1, 2, 16, [2, 2]),
        (7, 3, 2, 5, [2, 4, 5, 5, 5, 4, 2]),
        (5, 2, 3, 1, [1, 1, 1, 1, 1]),
    ],
)
def test_bonds_near_the_ends_are_narrow(n_sites, position, local_dim, bond_dim, expected):
    assert bond_dimensions(n_sites, position, local_dim, bond_dim) == expected


@settings(max_examples=40, deadline=None)
@given(
    n_sites=st.integers(2, 9),
    bond_dim=st.integers(1, 6),
    n_classes=st.integers(2, 4),
    map_=st.sampled_from([linear, polynomial]),
    seed=st.integers(0, 2**32 - 1),
)
def test_scores_equal_brute_force_up_to_a_positive_factor(n_sites, bond_dim, n_classes, map_, seed):
    rng = np.random.default_rng(seed)
    inputs = rng.random((3, n_sites))
    components = map_(inputs)
    network = random_network(rng, n_sites, components.shape[-1], bond_dim, n_classes)
    chains = HalfChains.pack(*network, dtype=np.float64)
    scores = chains.contract(chains.encode(inputs, map_)).scores.T
    expected = brute_force_scores(*network, components)
    np.testing.assert_allclose(
        normalised_logits(scores, 1.0), normalised_logits(expected, 1.0), atol=1e-9
    )


def test_scores_without_record_are_the_same():
    rng = np.random.default_rng(0)
    chains = HalfChains.pack(*random_network(rng, 7, 2, 4, 3), dtype=np.float64)
    features = chains.encode(rng.random((5, 7)), linear)
    np.testing.assert_array_equal(
        chains.contract(features).scores, chains.contract(features, record=False).scores
    )


@pytest.mark.parametrize("n_sites", [2, 3, 8])
def test_unpack_undoes_pack(n_sites):
    cores, label, position = random_network(np.random.default_rng(1), n_sites, 3, 5, 4)
    chains = HalfChains.pack(cores, label, position, dtype=np.float64)
    for tensor, again in zip([*cores, label], chains.unpack(), strict=True):
        np.testing.assert_array_equal(tensor, again)


@pytest.mark.parametrize("n_sites", [2, 3, 11])
@pytest.mark.parametrize("map_", [linear, polynomial])
def test_gradients_equal_finite_differences(n_sites, map_):
    rng = np.random.default_rng(2)
    inputs, labels = rng.random((4, n_sites)), np.array([0, 2, 1, 2])
    local_dim = map_(inputs).shape[-1]
    cores, label, position = random_network(rng, n_sites, local_dim, 4, 3)
    log_temperature = 0.7

    def loss(log_temperature=log_temperature):
        chains = HalfChains.pack(cores, label, position, dtype=np.float64)
        scores = chains.contract(chains.encode(inputs, map_)).scores
        return cross_entropy(scores, labels, np.exp(log_temperature))[0]

    chains = HalfChains.pack(cores, label, position, dtype=np.float64)
    contraction = chains.contract(chains.encode(inputs, map_))
    _, score_gradient, temperature_gradient = cross_entropy(
        contraction.scores, labels, np.exp(log_temperature)
    )
    found = chains.unpack(chains.gradients(contraction, score_gradient))
    check_gradients([*cores, label], found, loss, rng, probes=6, rel=1e-5, abs=1e-8)
    step = 1e-6
    above, below = (loss(log_temperature + sign * step) for sign in (1, -1))
    assert temperature_gradient == pytest.approx((above - below) / (2 * step), rel=1e-5)


@given(
    scores=st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=5),
    exponent=st.integers(-900, 900),
)
def test_logits_do_not_depend_on_a_power_of_two(scores, exponent):
    scores = np.array(scores, dtype=float)
    scaled = np.ldexp(scores, exponent)
    if not np.array_equal(np.ldexp(scaled, -exponent), scores):
        return  # the scaled scores have left the normal range of float64
    np.testing.assert_array_equal(normalised_logits(scaled, 3.0), normalised_logits(scores, 3.0))


def test_logits_of_zero_scores_are_zero():
    np.testing.assert_array_equal(normalised_logits(np.zeros((2, 3)), 5.0), np.zeros((2, 3)))


@pytest.mark.parametrize("size", [1.0, 1e-200])
def test_norms_of_vectors_whose_squares_are_zero(size):
    norms = column_norms(np.array([[3.0, 0.0], [4.0, 0.0]]) * size)
    assert norms[0, 0] / size == pytest.approx(5 if size == 1 else 4)
    assert norms[0, 1] == 1, "a vector of zeros can be divided by it"
