"""The compiled norm of a Born machine, against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorspin.models import kernel
from tensorspin.models.born import log_partition
from tensorspin.models.half_chains import HalfChains
from tensorspin.models.kernel import switch

from ..support.kernels import COMPILED, needs_compiled
from ..support.networks import random_network

pytestmark = needs_compiled


def norm_of(network, dtype=np.float32):
    """The logarithm of the norm, and the gradients of all tensors."""
    chains = HalfChains.pack(*network, dtype=dtype)
    log_z, *gradients = log_partition(chains)
    return [np.array(log_z), *chains.unpack(gradients)]


@settings(max_examples=60)
@given(
    instructions=st.sampled_from(COMPILED or ["numpy"]),
    n_sites=st.integers(2, 12),
    local_dim=st.integers(2, 8),
    bond_dim=st.integers(1, 33),
    seed=st.integers(0, 2**32 - 1),
)
def test_norm_and_gradients_are_those_of_numpy(instructions, n_sites, local_dim, bond_dim, seed):
    network = random_network(np.random.default_rng(seed), n_sites, local_dim, bond_dim, 1)
    with kernel.chosen(instructions):
        found = norm_of(network)
    # All terms are positive: nothing cancels.
    for one, other in zip(found, norm_of(network, np.float64), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * max(np.abs(other).max(), 1))


@pytest.mark.parametrize("instructions", COMPILED)
def test_a_network_of_zeros_has_no_norm(instructions):
    cores, label, position = random_network(np.random.default_rng(0), 5, 2, 3, 1)
    with kernel.chosen(instructions):
        assert not np.isfinite(norm_of((cores, 0 * label, position))[0])


def test_arrays_that_do_not_fit_are_refused():
    def arguments(**changed):
        good = {
            "weights": np.ones((3, 2, 4, 8), np.float32),
            "label": np.ones((1, 16), np.float32),
            "depths": np.full((3, 2), 4, np.intc),
            "weight_gradient": np.ones((3, 2, 4, 8), np.float32),
            "label_gradient": np.ones((1, 16), np.float32),
        }
        return (good | changed).values()

    assert np.isfinite(switch._compiled.log_partition(*arguments()))
    for changed in (
        {"weights": np.ones((3, 2, 4, 9), np.float32)},
        {"weights": np.ones((3, 1, 4, 8), np.float32)},
        {"label": np.ones((2, 16), np.float32)},
        {"depths": np.full((2, 2), 4, np.intc)},
        {"weight_gradient": np.ones((3, 2, 4, 8))},
        {"label_gradient": np.ones(16, np.float32)},
    ):
        with pytest.raises((TypeError, ValueError)):
            switch._compiled.log_partition(*arguments(**changed))
