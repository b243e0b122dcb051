"""Exact distributions of small problems, and what was sampled against them."""

from __future__ import annotations

import numpy as np
from scipy import stats

LEVEL = 1e-4
"""Chance that the chi-square test fails a sampler that is right; the seeds are fixed."""


def random_terms(seed, variables=8):
    rng = np.random.default_rng(seed)
    couplings = np.triu(rng.integers(-3, 4, (variables, variables)), 1)
    return couplings + couplings.T, rng.integers(-3, 4, variables)


def all_states(variables):
    """Spins of all states; bit i of a state's number is 1 if spin i is negative."""
    return 1 - 2 * ((np.arange(2**variables)[:, None] >> np.arange(variables)) & 1)


def boltzmann(couplings, linear, temperature):
    """Exact probabilities of all states."""
    states = all_states(len(linear))
    energies = states @ linear + ((states @ couplings) * states).sum(axis=1) / 2
    weights = np.exp(-(energies - energies.min()) / temperature)
    return weights / weights.sum()


def total_variation(seen, expected):
    return np.abs(seen / seen.sum() - expected).sum() / 2


def chi_square(seen, expected):
    """Probability of a deviation as large as this; rare states are taken together."""
    expected = expected * seen.sum()
    common = expected >= 10
    observed = np.append(seen[common], seen[~common].sum())
    expected = np.append(expected[common], expected[~common].sum())
    some = expected > 0
    statistic = ((observed - expected)[some] ** 2 / expected[some]).sum()
    return stats.chi2.sf(statistic, some.sum() - 1)
