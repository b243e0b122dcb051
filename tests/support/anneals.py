"""Small jobs for the tests of the driver, and what must come of them."""

from __future__ import annotations

import dataclasses
from dataclasses import fields

import numpy as np

from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.annealer.results import AnnealResults
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.annealer.steps import Step, highest_temperature, schedule
from tensorspin.contract.annealer.tempering import ladder, tempering_schedule
from tensorspin.contract.annealer.transverse import transverse_schedule
from tensorspin.contract.device.engines import Engines
from tensorspin.driver.board import Board
from tensorspin.golden.annealer.metropolis import anneal

from .doubles import ROW

SIZE = AnnealerSize(
    spins=24,
    coupling_bits=4,
    field_bits=9,
    replicas=10,
    strides=(1,) * 6,
    offset_rows=16,
    steps=8,
    ring=1,
    tempering=1,
)

BOTH = dataclasses.replace(ROW, name="both", engines=ROW.engines.with_sizes(SIZE))
"""A board with both engines."""

ALONE = dataclasses.replace(BOTH, name="annealer", engines=Engines(SIZE))
"""A board with an annealer alone."""


def random_ising(seed=0, variables=SIZE.spins, density=1.0, size=SIZE) -> IsingProblem:
    """Random couplings and linear terms."""
    rng = np.random.default_rng(seed)
    limit = size.coupling.maximum
    couplings = rng.integers(-limit, limit + 1, (variables, variables))
    couplings = np.triu(couplings * (rng.random(couplings.shape) < density), 1)
    return IsingProblem(size, couplings + couplings.T, rng.integers(-limit, limit + 1, variables))


def cooling(steps=4, sweeps=3, size=SIZE) -> list[Step]:
    """A schedule from the highest temperature down."""
    return schedule(np.geomspace(0.9 * highest_temperature(size), 1, steps), sweeps, size)


def check(board: Board, job: AnnealJob, **options) -> AnnealResults:
    """Hold a board to the golden model."""
    found, expected = board.anneal_job(job, **options), anneal(job)
    for field in fields(AnnealResults):
        np.testing.assert_array_equal(
            getattr(found, field.name), getattr(expected, field.name), field.name
        )
    return found


def random_job(seed=0, **options) -> AnnealJob:
    """A job with all that may differ between two."""
    rng = np.random.default_rng([seed, 1])
    variables = int(rng.integers(1, SIZE.spins + 1))
    states = None
    if rng.random() < 0.5:
        states = rng.choice([-1, 1], (SIZE.replicas, variables))
    problem = random_ising(seed, **{"variables": variables, "density": rng.random()} | options)
    rungs = None
    kind = rng.integers(3)
    count, sweeps = int(rng.integers(1, SIZE.steps + 1)), int(rng.integers(1, 4))
    if kind == 0:
        steps = cooling(count, sweeps)
    elif kind == 1:
        steps = transverse_schedule(rng.uniform(0, 5, 3), 0.3, sweeps, SIZE)
    else:
        steps = tempering_schedule(count, sweeps, SIZE)
        rungs = ladder(np.geomspace(8, 1, SIZE.replicas), SIZE)
    return AnnealJob(problem, steps, seed, int(rng.integers(0, 3)), states, rungs)
