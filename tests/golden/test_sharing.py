"""Steps that end without waiting: the golden model against plain loops, its time and energies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.annealer.steps import schedule
from tensorspin.golden.annealer.metropolis import GoldenAnnealer, anneal, anneal_all

from .test_segments import plain_run, random_job

SIZE = AnnealerSize(12, 3, 8, 10, (1,) * 5, 12, 8, ring=0, shared_sweeps=1)
LARGE = AnnealerSize(96, 2, 9, 16, (1,) * 6, 48, 32, ring=0, shared_sweeps=1)


def shared_job(size, variables, seed=0, sweeps=(1, 3, 1)):
    """A job with different numbers of sweeps in its steps."""
    job = random_job(size, variables, True, seed)
    steps = [replace(step, sweeps=count) for step, count in zip(job.steps, sweeps, strict=True)]
    return replace(job, steps=steps, shared_sweeps=True).fit(size)


def graph_job(shared, seed=1, steps=24, sweeps=2):
    rng = np.random.default_rng(3)
    couplings = np.triu(rng.choice([-1, 1], (96, 96)) * (rng.random((96, 96)) < 0.2), 1)
    problem = IsingProblem(LARGE, couplings + couplings.T, np.zeros(96, int))
    temperatures = np.geomspace(8, 1, steps)
    return AnnealJob(problem, schedule(temperatures, sweeps, LARGE), seed, shared_sweeps=shared)


@pytest.mark.parametrize("sweeps", [(1, 1, 1), (1, 3, 2), (4, 1, 1)])
@pytest.mark.parametrize("flips, variables", [(1, 12), (1, 5), (2, 7), (4, 11)])
def test_equals_a_machine_of_plain_loops(flips, variables, sweeps):
    for seed in range(3):  # with and without turns to sit out, and initial states
        job = shared_job(replace(SIZE, flips=flips), variables, seed, sweeps)
        found = anneal(job)
        states, energies, bests, cycles = plain_run(job, seed)
        assert np.array_equal(found.states, states)
        assert found.energies.tolist() == energies
        assert found.best_energies.tolist() == bests
        assert found.cycles == cycles
        assert job.possible_cycles(cycles)


def test_a_run_of_one_step_shares_nothing():
    shared = graph_job(True, steps=1)
    assert anneal(shared).cycles == anneal(graph_job(False, steps=1)).cycles


def test_runs_that_are_computed_together_are_those_of_each_alone():
    jobs = [graph_job(True, seed) for seed in range(3)]
    for job, found in zip(jobs, anneal_all(jobs), strict=True):
        alone = anneal(job)
        assert np.array_equal(found.states, alone.states)
        assert found.cycles == alone.cycles


def test_all_replicas_together_do_the_sweeps_of_the_schedule():
    """But for those that end in the round in which a step is found to be complete."""
    job = graph_job(True)
    annealer, ended = GoldenAnnealer(job), 0
    annealer.fill()
    own = annealer._round

    def counted(*arguments, **options):
        nonlocal ended
        ends = own(*arguments, **options)
        ended += int(ends.sum())
        return ends

    annealer._round = counted
    due = 0
    for step in job.steps[:-1]:
        due += step.sweeps * LARGE.replicas
        annealer.run(step, shared=True)
        assert due <= ended < due + 2 * LARGE.replicas


def test_takes_fewer_cycles_to_energies_as_low():
    apart, shared = (
        anneal_all([graph_job(flag, seed) for seed in range(8)]) for flag in (False, True)
    )
    cycles, energies = (
        [np.mean([getattr(run, name) for run in runs]) for runs in (apart, shared)]
        for name in ("cycles", "energies")
    )
    assert cycles[1] < 0.9 * cycles[0]
    assert energies[1] == pytest.approx(energies[0], rel=0.02)
