"""Which state of a model the device's spins +1 stand for."""

from __future__ import annotations

import numpy as np

LEVELS = 1 << 14
"""Steps to which couplings are rounded here, so that all sums are exact, and the same with every
library of linear algebra: with 1,024 variables they have 51 bits."""

SEED = 0
"""Of the state from which the search begins: the same couplings give the same state, and need not
be uploaded again for other linear terms."""

DESCENTS = 4
"""With other weights each, of which the best is taken."""

LARGE = 0.75
"""Part of the greatest field from which on a field's weight is raised for the next descent."""

MAX_PASSES = 20
"""Of a descent, through all variables."""


def balanced_state(couplings: np.ndarray) -> np.ndarray:
    """A state in which the couplings pull hardly anywhere.

    A weighted sum of the squares of the couplings' local fields is made small: spins are flipped
    one after the other as long as it falls. Replacing each spin by its product with that of the
    state, a gauge transformation, makes a model whose fields are small where all spins are +1. Few
    offset rows make up these fields (`tensorspin.contract.annealer.problem.IsingProblem.rows`): 19
    to 23
    instead of 47 to 63 for 1,000 fully connected spins with couplings of +1 and -1, in 2 bits.
    Before the first sweep the device flips spins until each read is in its initial state, whatever
    that in which all replicas were.

    Parameters
    ----------
    couplings : ndarray of float, shape (n, n)
        Symmetric, zero on the diagonal; finite.

    Returns
    -------
    ndarray of int8, shape (n,)
        +1 and -1.
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
        weights += fields > LARGE * fields.max()
    return best.astype(np.int8)


def _descend(couplings: np.ndarray, weights: np.ndarray, state: np.ndarray) -> np.ndarray:
    """Change `state` until no flip makes the weighted sum smaller; its fields."""
    fields = couplings @ state
    weighted = couplings * weights
    change = np.sum(couplings * weighted, axis=1)
    for _ in range(MAX_PASSES):
        candidates = np.flatnonzero(state * (weighted @ fields) > change)
        for spin in candidates:
            if state[spin] * (weighted[spin] @ fields) > change[spin]:
                fields -= 2 * state[spin] * couplings[spin]
                state[spin] *= -1
        if not len(candidates):
            break
    return fields
