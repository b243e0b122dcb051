"""Random Ising problems that fit an annealer."""

from __future__ import annotations

import numpy as np

from tensorspin.contract.annealer import AnnealerSize
from tensorspin.contract.ising import IsingProblem


def random_problem(rng: np.random.Generator, size: AnnealerSize) -> IsingProblem:
    """A problem of any density, with any number of variables."""
    limit = size.coupling.maximum
    while True:
        variables = int(rng.integers(1, size.spins + 1))
        couplings = rng.integers(-limit, limit + 1, (variables, variables))
        couplings = np.triu(couplings * (rng.random(couplings.shape) < rng.random()), 1)
        linear = rng.integers(-2 * limit, 2 * limit + 1, variables)
        try:
            return IsingProblem(size, couplings + couplings.T, linear)
        except ValueError:
            continue  # too large a field, or too many offset rows
