"""What a run of the annealer gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Anneal:
    """States and energies of all replicas.

    Attributes
    ----------
    states, best_states : ndarray of int8, shape (replicas, n)
        At the end, and with the lowest energy (the first such).
    energies, best_energies : ndarray of int64, shape (replicas,)
        In units of the couplings.
    ranks : ndarray of int64, shape (replicas,)
        On the ladder of temperatures at the end; the replicas' numbers where there is none.
    cycles : int
        From the start to the end of the last round.
    """

    states: np.ndarray
    best_states: np.ndarray
    energies: np.ndarray
    best_energies: np.ndarray
    ranks: np.ndarray
    cycles: int
