"""Solve with the simulated annealing of dwave-samplers."""

from __future__ import annotations

from importlib.metadata import version

import dimod
from dwave.samplers import SimulatedAnnealingSampler

from . import solving


def main() -> None:
    """Solve the task with dwave-samplers, and write the answer."""
    task = solving.begin()
    bqm = dimod.BinaryQuadraticModel.from_ising(*task.model())
    sampler = SimulatedAnnealingSampler()

    def sample(sweeps: int, reads: int, seed: int):
        return sampler.sample(
            bqm,
            num_reads=reads,
            num_sweeps=sweeps,
            beta_range=task.betas,
            beta_schedule_type="geometric",
            seed=seed,
        ).record.energy

    solving.measure(task, sample, {"dwave-samplers": version("dwave-samplers")})


if __name__ == "__main__":
    main()
