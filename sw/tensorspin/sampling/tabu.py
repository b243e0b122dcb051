"""Refine states by tabu search, within limits of time and memory that are known beforehand."""

from __future__ import annotations

from collections.abc import Sequence

import dimod
import numpy as np

MOST_TABU_VARIABLES = 4096
"""Greatest number of variables. The search holds all pairs, in 8 bytes each and two copies: 270 MB
for so many variables."""

SEARCHES = 16
"""Greatest number of reads that are searched from: the lowest that differ from each other."""

FLIPS = 50_000
"""Flips of a search, for models of up to `FLIPS` / `FLIPS_PER_VARIABLE` variables."""

FLIPS_PER_VARIABLE = 100
"""Flips of a search for each variable, for larger models."""

SECONDS = 5
"""Time after which a search ends in any case, so that results do not depend on the computer unless
it is very slow: a search of 1,000 variables takes a few tenths of a second."""


def check_tabu(variables: int) -> None:
    """Refuse a model whose tabu search would take more memory than is stated.

    Parameters
    ----------
    variables : int
        Number of variables.

    Raises
    ------
    ValueError
        If there are more than `MOST_TABU_VARIABLES`.
    """
    if variables > MOST_TABU_VARIABLES:
        raise ValueError(
            f'refine="tabu" takes up to {MOST_TABU_VARIABLES} variables, as it holds all of their '
            f'pairs, not {variables}; take refine="descent"'
        )


def tabu_states(
    bqm: dimod.BinaryQuadraticModel, variables: Sequence, states: np.ndarray, seed: int
) -> np.ndarray:
    """Lower the energy of the lowest states by dwave-samplers' tabu search.

    Parameters
    ----------
    bqm : dimod.BinaryQuadraticModel
        The model, of any vartype.
    variables : sequence
        Labels of the model's variables, in the order of the columns.
    states : ndarray of int8 of shape (n_states, n_variables)
        States in the values of the model's vartype. They are not changed.
    seed : int
        Seed of the searches.

    Returns
    -------
    ndarray of int8 of shape (n_states, n_variables)
        The states in the same order; those from which a search has found a lower one, replaced.

    Raises
    ------
    ValueError
        If there are more variables than `MOST_TABU_VARIABLES`.
    """
    from dwave.samplers import TabuSampler  # it takes some time to import

    check_tabu(len(variables))
    states = np.array(states, np.int8)
    if not states.size:
        return states
    energies = bqm.energies((states, variables))
    _, firsts, numbers = np.unique(states, axis=0, return_index=True, return_inverse=True)
    chosen = firsts[np.argsort(energies[firsts], kind="stable")][:SEARCHES]
    spins = bqm.vartype is dimod.SPIN
    found = TabuSampler().sample(
        # States of ones alone would be taken for spins or for bits; a set says what they are.
        bqm,
        initial_states=dimod.SampleSet.from_samples_bqm((states[chosen], list(variables)), bqm),
        initial_states_generator="none",
        seed=seed,
        timeout=1000 * SECONDS,
        num_restarts=0,
        coefficient_z_first=FLIPS_PER_VARIABLE,
        lower_bound_z=FLIPS,
    )
    places = [found.variables.index(label) for label in variables]
    numbers = np.ravel(numbers)
    for place, state in zip(chosen, found.record.sample[:, places]):
        value = state if spins else np.abs(state)
        if bqm.energies((value[None, :], variables))[0] < energies[place]:
            states[numbers == numbers[place]] = value
    return states
