"""Random Ising problems that fit an annealer."""

from __future__ import annotations

import numpy as np

from tensorspin.contract.annealer.image import (
    AnnealerSpace,
    couplings_image,
    row_bytes,
    space_bytes,
    stride_bits,
)
from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.wire.packets import MEMORY
from tensorspin.driver.link.changes import coupling_scripts
from tensorspin.driver.link.requests import MAX_DATA


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


def problem_scripts(problem: IsingProblem) -> list[bytes]:
    """What is written to `AnnealerSpace.SPARSE` after CLEAR, a WRITE's data each."""
    size = problem.size
    wanted = np.zeros(space_bytes(size, AnnealerSpace.COUPLINGS), dtype=np.int16)
    for index, row in enumerate(couplings_image(problem)):
        first = index << stride_bits(row_bytes(size))
        wanted[first : first + len(row)] = np.frombuffer(row, dtype=np.uint8)
    scripts = coupling_scripts(np.zeros_like(wanted), wanted)
    return [payload[MEMORY.size :] for script in scripts for _, payload in script.parts(MAX_DATA)]
