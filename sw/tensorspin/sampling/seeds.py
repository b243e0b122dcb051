"""Seeds of samplers."""

from __future__ import annotations

from numbers import Integral

import numpy as np

MOST_SEED = 2**32 - 1
"""As dimod's generators of initial states take it."""


def checked_seed(seed) -> int:
    """The seed that a user gives, or a random one for None.

    Raises
    ------
    TypeError, ValueError
        If it is no integer, or not 0 to `MOST_SEED`.
    """
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if not isinstance(seed, Integral) or isinstance(seed, bool):
        raise TypeError(f"seed must be None or an integer, not {seed!r}")
    if not 0 <= seed <= MOST_SEED:
        raise ValueError(f"seed must be 0 to {MOST_SEED}, not {seed}")
    return int(seed)


def run_seeds(seed: int, runs: int) -> list[int]:
    """Seeds that no other seed's runs share, but by a chance of one in 2**64."""
    return [int(word) for word in np.random.SeedSequence(seed).generate_state(runs, np.uint64)]
