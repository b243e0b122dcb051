"""Solve with the simulated annealing of OpenJij.

OpenJij stores couplings as a dense matrix or as a sparse one; whichever is faster is used.
"""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
import openjij

from . import solving

TRIED_SWEEPS = 20
"""Sweeps with which dense and sparse couplings are compared."""


def main() -> None:
    """Solve the task with OpenJij, and write the answer."""
    task = solving.begin()
    linear, quadratic = task.model()
    first, last = task.betas
    sampler = openjij.SASampler()

    def sampling(sparse: bool):
        model = openjij.model.model.BinaryQuadraticModel(
            linear, quadratic, 0.0, "SPIN", sparse=sparse
        )

        def repeat(sweeps: int, reads: int, seed: int):
            """Make reads that are all the same, as OpenJij gives all reads of a call one seed."""
            betas = np.geomspace(first, last, sweeps) if sweeps > 1 else [last]
            schedule = [(float(beta), 1) for beta in betas]
            return sampler.sample(
                model, num_reads=reads, schedule=schedule, sparse=sparse, seed=seed
            ).energies

        return repeat

    def tried_seconds(repeat) -> float:
        # No time means that the sweeps are too short to be measured.
        return solving.read_seconds(repeat, TRIED_SWEEPS, task.seed) or 0.0

    repeat = min(sampling(False), sampling(True), key=tried_seconds)

    def sample(sweeps: int, reads: int, seed: int):
        # Different reads need different seeds, and so a call each.
        return [repeat(sweeps, 1, seed + read)[0] for read in range(reads)]

    solving.measure(task, sample, {"openjij": version("openjij")}, repeat)


if __name__ == "__main__":
    main()
