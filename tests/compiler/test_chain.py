"""Compiled chains compute what the matrix product state does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorspin.compiler.chain import chain_nodes

from ..support.chains import contract_float, program_of, random_chain, run_float


@given(
    st.integers(0, 2**32 - 1),
    st.integers(2, 9),
    st.integers(1, 5),
    st.integers(2, 4),
    st.integers(1, 4),
    st.data(),
)
def test_nodes_equal_chain(seed, n_sites, bond_dim, local_dim, n_classes, data):
    position = data.draw(st.integers(1, n_sites - 1))
    rng = np.random.default_rng(seed)
    cores, label = random_chain(rng, n_sites, bond_dim, local_dim, n_classes, position)
    order = rng.permutation(n_sites)
    nodes = chain_nodes(cores, label, position, order)
    features = rng.normal(size=(n_sites, local_dim))
    expected = contract_float(cores, label, position, features[order])
    np.testing.assert_allclose(run_float(nodes, features), expected, rtol=1e-9, atol=1e-9)
    # Sound by construction, and half-chains of equal length never wait but at the end.
    _, program = program_of(nodes, n_sites, local_dim)
    if abs(n_sites - 2 * position) <= 1:
        assert not any(node.wait for node in program.nodes[:-1])


@pytest.mark.parametrize("n_sites", [3, 784])
def test_quantised_scores_keep_their_scale(n_sites):
    rng = np.random.default_rng(1)
    cores, label = random_chain(rng, n_sites, 4, 3, 3, n_sites // 2)
    table, program = program_of(chain_nodes(cores, label, n_sites // 2, range(n_sites)), n_sites, 3)
    levels = rng.integers(256, size=(5, n_sites))
    results = program.run_golden(levels / 255)
    for sample, scores, exponent in zip(levels, results.scores, results.exponents):
        # Factors of a long product leave the range of a float: compare logarithms.
        left, right, log2_expected = np.ones(1), np.ones(1), 0.0
        for site in range(n_sites // 2):
            left = np.einsum("l,lpr,p->r", left, cores[site], table[sample[site]])
            log2_expected += np.log2(np.abs(left).max())
            left /= np.abs(left).max()
        for site in reversed(range(n_sites // 2, n_sites)):
            right = np.einsum("lpr,p,r->l", cores[site], table[sample[site]], right)
            log2_expected += np.log2(np.abs(right).max())
            right /= np.abs(right).max()
        expected = np.einsum("kab,a,b->k", label, left, right)
        log2_expected += np.log2(np.abs(expected).max())
        log2_got = np.log2(np.abs(scores).max()) + program.log2_scale - float(exponent)
        # 8-bit weights: a relative error of about 1/256 a site, independent of each other.
        assert log2_got == pytest.approx(log2_expected, abs=0.02 * np.sqrt(n_sites))


def test_mismatched_bonds_are_refused():
    rng = np.random.default_rng(2)
    cores, label = random_chain(rng, 4, 3, 2, 2, 2)
    with pytest.raises(ValueError, match="site 1: a core with an outer bond of"):
        chain_nodes([cores[0], np.zeros((7, 2, 3)), *cores[2:]], label, 2, range(4))
    with pytest.raises(ValueError, match="the label tensor has bonds"):
        chain_nodes(cores, np.zeros((2, 9, 9)), 2, range(4))


@pytest.mark.parametrize("position", [0, 4])
def test_empty_half_chain_is_refused(position):
    rng = np.random.default_rng(3)
    cores, label = random_chain(rng, 4, 3, 2, 2, 2)
    with pytest.raises(ValueError, match=f"position {position} is outside 1..3"):
        chain_nodes(cores, label, position, range(4))
