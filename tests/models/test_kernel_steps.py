"""What else the compiled kernel computes in an update of a training, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorspin.models import FeatureMap, kernel
from tensorspin.models.half_chains import HalfChains
from tensorspin.models.kernel import steps, switch
from tensorspin.models.losses import cross_entropy
from tensorspin.models.optimiser import Adam, Pace

from ..support.kernels import COMPILED, needs_compiled
from ..support.networks import random_network

pytestmark = needs_compiled


def with_each(compute):
    """Results with each set of instructions, and at last with NumPy."""
    results = []
    for name in kernel.available():
        with kernel.chosen(name):
            results.append(compute())
    return results


@pytest.mark.parametrize(
    "feature_map", [FeatureMap("linear"), *(FeatureMap("bernstein", n) for n in range(2, 9))]
)
@pytest.mark.parametrize("n_sites", [2, 5, 9])
def test_features_are_those_of_the_map(feature_map, n_sites):
    rng = np.random.default_rng(n_sites)
    network = random_network(rng, n_sites, feature_map.local_dim, 4, 2)
    inputs = rng.random((7, n_sites), np.float32)
    inputs[0], inputs[1] = 0, 1

    def encode():
        chains = HalfChains.pack(*network)
        return np.where(chains.sites[..., None, None] < 0, 0, chains.encode(inputs, feature_map))

    *compiled, numpy = with_each(encode)
    assert feature_map.bernstein_degree == feature_map.local_dim - 1
    for features in compiled:
        np.testing.assert_allclose(features, numpy, rtol=0, atol=1e-6)


@pytest.mark.parametrize("definition", ["polynomial", "bumps", "bspline", np.eye(3)])
def test_other_maps_are_computed_by_themselves(definition):
    assert FeatureMap(definition).bernstein_degree is None


def test_subclasses_map_features_themselves():
    class Half(FeatureMap):
        def __call__(self, x):
            return super().__call__(x / 2)

    network = random_network(np.random.default_rng(0), 4, 2, 4, 2)
    inputs = np.full((1, 4), 0.5, np.float32)
    for features in with_each(lambda: HalfChains.pack(*network).encode(inputs, Half())):
        np.testing.assert_array_equal(features[0, 0, :, 0], [0.75, 0.25])


@given(
    n_classes=st.integers(1, 12),
    batch=st.integers(1, 50),
    smoothing=st.floats(0, 1),
    temperature=st.floats(0.01, 100),
    weighted=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_cross_entropy_is_that_of_numpy(
    n_classes, batch, smoothing, temperature, weighted, seed
):
    rng = np.random.default_rng(seed)
    scores = rng.standard_normal((n_classes, batch), np.float32)
    scores[:, 0] = 0
    labels = rng.integers(n_classes, size=batch)
    weights = rng.random(batch, np.float32) if weighted else None
    compiled = cross_entropy(scores, labels, temperature, smoothing, weights)
    exact = cross_entropy(scores.astype(float), labels, temperature, smoothing, weights)
    assert compiled[1].dtype == np.float32
    scale = max(1, temperature)
    for one, other in zip(compiled, exact, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-6 * scale)


def test_a_loss_that_is_not_finite_stays_so():
    scores = np.array([[1, np.nan, np.inf], [0, 0, 1]], np.float32)
    for n in (1, 2):
        assert not np.isfinite(cross_entropy(scores[:, n : n + 1], np.array([0]), 8.0)[0])


@pytest.mark.parametrize("sizes", [(1,), (17, 5, 1), (640, 33)])
def test_parameters_take_the_steps_of_numpy(sizes):
    rng = np.random.default_rng(0)
    count = sum(sizes)
    start, target, *gradients = rng.standard_normal((12, count), np.float32)
    mask = (rng.random(count) < 0.8).astype(np.float32)
    ends = np.cumsum(sizes)[:-1]
    pace = Pace(sizes, (0.5, 1.0, 1.0)[: len(sizes)], (0.3, 0.1, 0.0)[: len(sizes)], mask, target)

    def train():
        parameters, adam = start.copy(), Adam()
        for gradient in gradients:
            adam.step(parameters, np.split(gradient, ends), 0.01, pace)
        return parameters

    *compiled, numpy = with_each(train)
    assert not (numpy == start)[mask == 1].any() and (numpy == start)[mask == 0].all()
    for parameters in compiled:
        np.testing.assert_allclose(parameters, numpy, rtol=0, atol=1e-6)


def test_the_steps_go_on_with_another_kernel():
    parameters, adam = np.zeros(3, np.float32), Adam()
    pace = Pace([3], [1.0], [0.0], np.ones(3, np.float32), np.zeros(3, np.float32))
    for name in (COMPILED[0], "numpy", COMPILED[0]):
        with kernel.chosen(name):
            adam.step(parameters, [np.array([1.0, -2, 0])], 0.1, pace)
    np.testing.assert_allclose(parameters, [-0.3, 0.3, 0], atol=1e-6)


def test_arrays_that_do_not_fit_are_refused():
    compiled = switch._compiled
    ones, labels = np.ones((3, 4), np.float32), np.zeros(4, np.intc)
    for arguments in [
        (ones, labels[:3], None, ones),
        (ones, labels, np.ones(3, np.float32), ones),
        (ones, labels, None, ones[:2]),
        (ones, labels + 3, None, ones),
        (ones, labels - 1, None, ones),
        (ones, labels.astype(np.int64), None, ones),
    ]:
        with pytest.raises((TypeError, ValueError)):
            compiled.cross_entropy(*arguments, 1.0, 0.0)
    for site in (-2, 4):
        with pytest.raises(ValueError, match=f"sites must be -1 to 3, not {site}"):
            steps.bernstein(ones, np.full((2, 2), site, np.intc), 3)
    for local_dim in (1, 33):
        with pytest.raises(ValueError, match="2 to 32 of them"):
            steps.bernstein(ones, np.zeros((2, 2), np.intc), local_dim)
    row = np.ones(5, np.float32)
    for start in (-1, 1):
        with pytest.raises(ValueError, match=f"5 gradients from {start} on are too many"):
            compiled.update(row, row, row, row, row, row, start, 0, 0, 0, 0, 0, 0, 0)
    with pytest.raises(ValueError, match="axis 0 of mask must have 5 entries, not 4"):
        compiled.update(row, row, row, row, row, row[:4], 0, 0, 0, 0, 0, 0, 0, 0)
