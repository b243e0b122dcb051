"""Simulated quantum annealing against exact results for small models."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.annealer.transverse import transverse_schedule
from tensorspin.golden.annealer.metropolis import GoldenAnnealer
from tests.support.statistics import LEVEL, all_states, chi_square, random_terms, total_variation

APART = 16
"""Slices after which the states of `SLICES` are no longer correlated."""

SLICES = AnnealerSize(3, 3, 8, 256, (1,) * 7, 64, 16)
CHAIN = AnnealerSize(4, 3, 9, 16, (4,) * 8, 64, 16)


def trotter_pairs(problem, temperature, gamma, slices):
    """Exact probability of the states of two neighbouring slices, by the transfer matrix."""
    states = all_states(problem.variables)
    each = slices * temperature
    bond = -np.log(np.tanh(gamma / each)) / 2
    transfer = np.exp(bond * (states @ states.T) - problem.energy(states) / each)
    transfer /= np.linalg.norm(transfer)
    pairs = transfer * np.linalg.matrix_power(transfer, slices - 1).T
    return pairs / pairs.sum()


def quantum_correlations(problem, temperature, gamma):
    """``<sz_i sz_j>`` by exact diagonalisation."""
    n = problem.variables
    states = all_states(n)
    differences = np.arange(2**n)[:, None] ^ np.arange(2**n)
    flips = (differences > 0) & (differences & (differences - 1) == 0)  # one spin differs
    density = expm(-(np.diag(problem.energy(states)) - gamma * flips) / temperature)
    weights = np.diag(density) / np.trace(density)
    return (states * weights[:, None]).T @ states


def correlations(problem, pairs):
    states = all_states(problem.variables)
    return (states * pairs.sum(axis=1)[:, None]).T @ states


def slices_at(problem, gamma, temperature, snapshots, sweeps):
    """States of all slices, `sweeps` sweeps apart."""
    steps = transverse_schedule([gamma], temperature, 1, problem.size) * sweeps
    annealer = GoldenAnnealer(AnnealJob(problem, steps, seed=1))
    annealer.fill()
    for _ in range(20):
        for step in steps:
            annealer.run(step)
    for _ in range(snapshots):
        for step in steps:
            annealer.run(step)
        yield annealer.states


@pytest.mark.parametrize("factor", [1.0, 1.25])
def test_slices_have_trotters_distribution(factor):
    """And a field that is off is noticed."""
    problem = IsingProblem(SLICES, *random_terms(4, 3))
    each, gamma = 6.0, 4.2
    temperature = each / SLICES.replicas
    seen = np.zeros((8, 8), dtype=np.int64)
    for snapshot, states in enumerate(slices_at(problem, factor * gamma, temperature, 500, 2)):
        numbers = (states < 0) @ (1 << np.arange(3))
        first = (np.arange(0, SLICES.replicas, APART) + snapshot) % SLICES.replicas
        np.add.at(seen, (numbers[first], numbers[(first + 1) % SLICES.replicas]), 1)
    expected = trotter_pairs(problem, temperature, gamma, SLICES.replicas)
    assert (chi_square(seen.ravel(), expected.ravel()) > LEVEL) == (factor == 1)
    assert total_variation(seen, expected) < 0.04 or factor != 1


@pytest.mark.parametrize("gamma", [2.5, pytest.param(4.0, marks=pytest.mark.slow)])
def test_a_transverse_field_chain_equals_exact_diagonalisation(gamma):
    couplings = -np.eye(4, k=1, dtype=int)
    problem = IsingProblem(CHAIN, couplings + couplings.T, np.zeros(4, dtype=int))
    temperature = 1.5
    exact = quantum_correlations(problem, temperature, gamma)
    trotter = correlations(problem, trotter_pairs(problem, temperature, gamma, CHAIN.replicas))
    few = correlations(problem, trotter_pairs(problem, temperature, gamma, CHAIN.replicas // 4))
    error = np.abs(trotter - exact).max()
    assert error < 0.15 * np.abs(few - exact).max()
    found = [
        np.einsum("ri,rj->ij", states, states) / len(states)
        for states in slices_at(problem, gamma, temperature, 800, 6)
    ]
    # Blocks of snapshots are long enough to be independent.
    blocks = np.mean(np.reshape(found, (20, -1, 4, 4)), axis=1)
    deviation = blocks.std(axis=0, ddof=1) / np.sqrt(len(blocks))
    assert deviation.max() < 0.03
    assert np.all(np.abs(blocks.mean(axis=0) - exact) <= error + 4.5 * deviation)


def test_transverse_schedules_that_do_not_fit():
    for gammas, size, message in (
        ([1.0], AnnealerSize(4, 3, 8, 11, (1,) * 7, 64, 16), "even in number, not 11"),
        ([1.0], AnnealerSize(4, 3, 8, 10, (1,) * 7, 64, 16, ring=0), "the device has no ring"),
        ([-1.0], CHAIN, "a transverse field must be a number of 0 or more"),
        ([np.nan], CHAIN, "a transverse field must be a number of 0 or more"),
        ([1.0] * 9, CHAIN, "1 to 16 steps, not 18"),
    ):
        with pytest.raises(ValueError, match=message):
            transverse_schedule(gammas, 0.1, 1, size)
