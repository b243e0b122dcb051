"""Check an annealer with random problems whose answers the golden model computes."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from ...contract.annealer.job import AnnealJob
from ...contract.annealer.problem import IsingProblem
from ...contract.annealer.results import AnnealResults
from ...contract.annealer.size import AnnealerSize
from ...contract.annealer.steps import highest_temperature, schedule
from ...contract.annealer.tempering import ladder, tempering_schedule
from ...contract.annealer.transverse import transverse_schedule
from ...golden.annealer.metropolis import anneal
from ..board import Board
from .result import CheckResult, Verdict, judged

TEMPERATURES = (0.5, 0.1)
"""First and last temperature of the runs, as shares of the highest that the device has."""

SWEEPS = 2
"""Sweeps of a step. A few are enough, as a single wrong bit changes all that follow."""


PROBLEMS = 4
"""Problems that are annealed. The couplings can't be read back, but a bit of them that is stuck is
wrong in half of the random problems, and changes their answers."""


def check_annealer(board: Board) -> CheckResult:
    """Anneal random problems of all spins, and compare every state, energy and cycle.

    Parameters
    ----------
    board : Board
        An open board.

    Returns
    -------
    CheckResult
        Whether everything is as the golden model of the same size computes it, for each method that
        the device has.
    """
    size = board.info.annealer
    if size is None:
        return CheckResult("annealer", Verdict.SKIP, "the device has none")
    jobs = known_jobs(size)
    wrong = []
    for name, job in jobs.items():
        found, expected = board.anneal_job(job), anneal(job)
        differs = [
            field.name
            for field in fields(AnnealResults)
            if not np.array_equal(getattr(found, field.name), getattr(expected, field.name))
        ]
        if differs:
            wrong.append(f"{name}: wrong {', '.join(differs)}")
    whole = f"{size.spins} spins, {size.replicas} replicas, {len(jobs)} runs"
    return judged(
        "annealer",
        not wrong,
        f"{whole}: " + ("; ".join(wrong) or "each bit and cycle as computed by the golden model"),
        "the chip computes wrongly: build the bitstream for a lower clock, check its supply and "
        "temperature, and report it with this text",
    )


def known_jobs(size: AnnealerSize) -> dict[str, AnnealJob]:
    """Make a random job for each method that an annealer has.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.

    Returns
    -------
    dict of str to AnnealJob
        Jobs by name of the method and number, the same for the same size.
    """
    problem = known_problem(size)
    rng = np.random.default_rng(4)
    hot, cold = (share * highest_temperature(size) for share in TEMPERATURES)
    steps = schedule(np.geomspace(hot, cold, min(4, size.steps)), SWEEPS, size)
    jobs = {}
    for number in range(1, PROBLEMS + 1):
        states = rng.choice([-1, 1], (size.replicas, size.spins)).astype(np.int8)
        known = known_problem(size, number)
        jobs[f"annealing {number}"] = AnnealJob(known, steps, number, initial_states=states)
    if size.ring:
        steps = transverse_schedule([1.0], cold / size.replicas, SWEEPS, size)[: size.steps]
        jobs["quantum"] = AnnealJob(problem, steps, seed=6)
    if size.tempering:
        steps = tempering_schedule(min(4, size.steps), SWEEPS, size)
        ranks = ladder(np.geomspace(hot, cold, size.replicas), size)
        jobs["tempering"] = AnnealJob(problem, steps, seed=7, ladder=ranks)
    return jobs


def known_problem(size: AnnealerSize, number: int = 1) -> IsingProblem:
    """Make a random problem of all spins, with as many couplings as the fields allow.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.
    number : int, default=1
        Number of the problem: each has other couplings.

    Returns
    -------
    IsingProblem
        The problem, the same for the same size and number.
    """
    rng = np.random.default_rng([3, number])
    limit, spins = size.coupling.maximum, size.spins
    values = rng.integers(-limit, limit + 1, (spins, spins))
    # Each coupling is kept if its number is below the density, which falls until the rest fits.
    numbers, density = rng.random((spins, spins)), 1.0
    linear = rng.integers(-limit, limit + 1, spins)
    while True:
        upper = np.triu(values * (numbers < density), 1)
        try:
            return IsingProblem(size, upper + upper.T, linear)
        except ValueError:
            if density < 1 / spins**2:
                raise
            density *= 0.7
