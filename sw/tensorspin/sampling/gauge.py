"""Choose the gauge of a model: the reference state that the device stores as all spins +1."""

from __future__ import annotations

import numpy as np

LEVELS = 1 << 14
"""Steps to which couplings are rounded here, so that all sums are exact and the same with every
library of linear algebra: for 1,024 variables they have 51 bits, less than a float's 53."""

SEED = 0
"""Seed of the state from which the search begins. It is fixed, so that the same couplings give the
same reference state and need not be uploaded again for other linear terms."""

DESCENTS = 4
"""Number of descents, each with different weights; the best result is kept."""

LARGE = 0.75
"""Fraction of the greatest field from which on the weight of a field is raised for the next
descent."""

MAX_PASSES = 20
"""Greatest number of passes of a descent through all variables."""


def balanced_state(couplings: np.ndarray) -> np.ndarray:
    """Find a state in which the local fields of the couplings are small.

    The search flips one spin after the other as long as a weighted sum of the squares of the local
    fields falls. Replacing each spin by its product with that of the state, a gauge transformation,
    gives a model whose fields are small where all spins are +1. Few offset rows make up such fields
    (`tensorspin.contract.annealer.problem.split_fields`): 19 to 23 instead of 47 to 63 for
    1,000 fully connected spins with couplings of +1 and -1, in 2 bits. Reads
    begin in their own initial states all the same: before the first sweep the device flips spins
    until each replica is in its own.

    Parameters
    ----------
    couplings : ndarray of float64 of shape (n, n)
        Couplings: symmetric, zero on the diagonal, finite.

    Returns
    -------
    ndarray of int8 of shape (n,)
        The reference state, of +1 and -1.
    """
    state = np.random.default_rng(SEED).choice((-1.0, 1.0), len(couplings))
    if not np.any(couplings):
        return state.astype(np.int8)
    rounded = np.rint(couplings * (LEVELS / np.abs(couplings).max()))
    weights = np.ones(len(state))
    best, least = state, np.inf
    for _ in range(DESCENTS):
        fields = np.abs(_descend(rounded, weights, state))
        if fields.max() < least:
            best, least = state.copy(), fields.max()
        # The number of offset rows depends on the greatest field alone, so the next descent puts
        # more weight on the fields that are nearly as great.
        weights += fields > LARGE * fields.max()
    return best.astype(np.int8)


def _descend(couplings: np.ndarray, weights: np.ndarray, state: np.ndarray) -> np.ndarray:
    """Flip spins of `state` until no flip lowers the weighted sum; return the fields then."""
    fields = couplings @ state
    weighted = couplings * weights
    # The flip of spin i takes 2 * state[i] * couplings[i] off the fields. It changes the weighted
    # sum of their squares by 4 * (change[i] - state[i] * (weighted[i] @ fields)).
    change = np.sum(couplings * weighted, axis=1)
    for _ in range(MAX_PASSES):
        candidates = np.flatnonzero(state * (weighted @ fields) > change)
        for spin in candidates:
            # An earlier flip of this pass may have made this one useless.
            if state[spin] * (weighted[spin] @ fields) > change[spin]:
                fields -= 2 * state[spin] * couplings[spin]
                state[spin] *= -1
        if not len(candidates):
            break
    return fields
