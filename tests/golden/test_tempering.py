"""Parallel tempering against Boltzmann, and against replicas that keep their temperatures."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.annealer.steps import schedule
from tensorspin.contract.annealer.tempering import ladder, tempering_schedule
from tensorspin.golden.annealer.metropolis import GoldenAnnealer
from tests.support.statistics import LEVEL, boltzmann, chi_square, random_terms

SIZE = AnnealerSize(4, 3, 8, 10, (4,) * 7, 64, 16, ring=0, tempering=1)
WELLS = AnnealerSize(8, 2, 8, 10, (4,) * 7, 64, 16, ring=0, tempering=1)


def tempered(problem, temperatures, sweeps, snapshots):
    """The annealer behind each pair of exchanges."""
    size = problem.size
    even, odd = steps = tempering_schedule(2, sweeps, size)
    annealer = GoldenAnnealer(AnnealJob(problem, steps, 2, ladder=ladder(temperatures, size)))
    annealer.fill()
    for _ in range(snapshots):
        annealer.run(even)
        annealer.run(odd)
        yield annealer


@pytest.mark.parametrize("wrong", [False, True])
def test_each_rank_samples_boltzmann(wrong):
    """And a temperature that is off by a twelfth is noticed."""
    couplings, linear = random_terms(11, 4)
    problem = IsingProblem(SIZE, couplings, linear)
    temperatures = np.geomspace(12.0, 2.0, SIZE.replicas)
    seen = np.zeros((SIZE.replicas, 16), dtype=np.int64)
    for annealer in tempered(problem, temperatures, 2, 3000):
        numbers = (annealer.states < 0) @ (1 << np.arange(4))
        seen[annealer.ranks, numbers] += 1
        assert sorted(annealer.ranks) == list(range(SIZE.replicas))
    factor = 13 / 12 if wrong else 1.0
    levels = [
        chi_square(counts, boltzmann(couplings, linear, factor * temperature))
        for counts, temperature in zip(seen, temperatures)
    ]
    assert (min(levels) > LEVEL) == (not wrong), levels


def test_exchanges_lead_out_of_a_well():
    """Two wells: a cold replica alone stays in the one that it began in."""
    couplings = np.eye(8, dtype=int) - 1
    problem = IsingProblem(WELLS, couplings, np.zeros(8, dtype=int))
    temperatures = np.geomspace(12.0, 1.0, WELLS.replicas)
    cold = [
        annealer.states[annealer.ranks == WELLS.replicas - 1].sum()
        for annealer in tempered(problem, temperatures, 1, 300)
    ]
    assert 0.3 < np.mean(np.array(cold) > 0) < 0.7

    (step,) = steps = schedule([temperatures[-1]], 600, WELLS)
    alone = GoldenAnnealer(AnnealJob(problem, steps, 2))
    alone.fill()
    alone.run(step)
    assert np.all(alone.states.sum(axis=1) > 0)


def test_ladders_that_do_not_fit():
    for temperatures, size, message in (
        ([4.0, 3.0], SIZE, "must have 10 temperatures, one for each replica, not 2"),
        (np.linspace(1, 10, 10), SIZE, "temperatures must fall: 2 follows on 1"),
        (np.linspace(8.009, 8, 10), SIZE, "8.009 and 8.008 are too close to each other"),
        (np.linspace(800, 8, 10), SIZE, "a temperature of 800 is above"),
        ([1.0] * 10, AnnealerSize(4, 3, 8, 10, (4,) * 7, 64, 16), "has no parallel tempering"),
    ):
        with pytest.raises(ValueError, match=message):
            ladder(temperatures, size)
