"""Simulated annealing of OpenJij, with its dense or its sparse couplings: whichever is faster."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
import openjij
import protocol

TRIED_SWEEPS = 20


def main() -> None:
    """Solve and answer."""
    task = protocol.begin()
    linear, quadratic = task.model()
    sampler = openjij.SASampler()

    def sampling(sparse: bool):
        model = openjij.model.model.BinaryQuadraticModel(
            linear, quadratic, 0.0, "SPIN", sparse=sparse
        )

        def repeat(sweeps: int, reads: int, seed: int):
            """All reads of a call have the same seed, and so the same state."""
            betas = np.geomspace(*task.betas, sweeps) if sweeps > 1 else task.betas[1:]
            schedule = [(float(beta), 1) for beta in betas]
            return sampler.sample(
                model, num_reads=reads, schedule=schedule, sparse=sparse, seed=seed
            ).energies

        return repeat

    repeats = [sampling(False), sampling(True)]
    seconds = [protocol.read_seconds(repeat, TRIED_SWEEPS, task.seed) for repeat in repeats]
    repeat = repeats[int(np.argmin(seconds))]

    def sample(sweeps: int, reads: int, seed: int):
        return [repeat(sweeps, 1, seed + read)[0] for read in range(reads)]

    protocol.measure(task, sample, {"openjij": version("openjij")}, repeat)


if __name__ == "__main__":
    main()
