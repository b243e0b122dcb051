"""What a run of the annealer gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Anneal:
    """States and energies of all replicas.

    Attributes
    ----------
    start_energies : ndarray of int64, shape (replicas,)
        Of the states that the run began with.
    states, best_states : ndarray of int8, shape (replicas, n)
        At the end, and with the lowest energy (the first such).
    energies, best_energies : ndarray of int64, shape (replicas,)
        In units of the couplings.
    cycles : int
        From the start to the end of the last round.
    """

    start_energies: np.ndarray
    states: np.ndarray
    best_states: np.ndarray
    energies: np.ndarray
    best_energies: np.ndarray
    cycles: int
