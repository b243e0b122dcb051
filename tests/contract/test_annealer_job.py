"""Jobs for the annealer: which device can run them, and what its memories then hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tensorspin.contract.annealer.image import AnnealerSpace, run_bytes, space_bytes, stride_bits
from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.annealer.size import CYCLES, REFRESH, SWEEPS
from tensorspin.contract.annealer.steps import Step
from tensorspin.contract.annealer.thresholds import SEED_BYTES, generators
from tensorspin.errors import CapacityError
from tensorspin.golden.annealer.metropolis import anneal

from ..support.anneals import SIZE, cooling, random_ising, random_job

JOB = AnnealJob(random_ising(), cooling())


def test_a_job_of_the_devices_size_stays_as_it_is():
    assert JOB.fit(SIZE) is JOB
    assert JOB.fit(replace(SIZE)) is JOB


def test_a_job_of_another_size_is_laid_out_anew():
    large = replace(SIZE, spins=30)
    job = replace(JOB, problem=random_ising(0, 20, size=large))
    fitted = job.fit(SIZE)
    assert fitted.problem.size == SIZE
    assert fitted.problem.first == SIZE.spins - 20
    assert np.array_equal(fitted.problem.couplings, job.problem.couplings)
    assert (fitted.steps, fitted.seed) == (job.steps, job.seed)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"steps": cooling() * 3}, CapacityError, "steps of the schedule: 12 needed, .* holds 8"),
        ({"steps": [Step((1,) * 5, 1)]}, ValueError, "step 0 has 5 probabilities, .* have 6 bits"),
        (
            {"steps": [Step((0,) * 6, SWEEPS.maximum)], "refresh": REFRESH.maximum},
            CapacityError,
            f"the device holds {CYCLES.maximum}; take .* sweeps or fewer",
        ),
        ({"seed": -1}, ValueError, "seed must be 0 or more, not -1"),
        (
            {"seed": np.zeros((3, SEED_BYTES), np.uint8)},
            ValueError,
            r"seeds of the generators must be .* of shape \(\d+, \d+\), not uint8 of shape \(3, ",
        ),
        (
            {"seed": np.zeros((generators(SIZE), SEED_BYTES))},
            ValueError,
            "seeds of the generators must be uint8 of shape .*, not float64",
        ),
        ({"problem": "none"}, TypeError, "must be an IsingProblem, not str"),
    ],
)
def test_what_does_not_fit_is_refused_without_a_device(change, error, message):
    job = replace(JOB, **change)  # whoever makes a job is told when it is used
    with pytest.raises(error, match=message):
        job.fit(SIZE)


@pytest.mark.parametrize("seed", range(12))
def test_no_run_takes_more_cycles_than_foretold(seed):
    job = random_job(seed).fit(SIZE)
    assert anneal(job).cycles <= job.most_cycles


@pytest.mark.parametrize("seed", range(12))
def test_memories_hold_the_whole_job(seed):
    job = random_job(seed)
    memories = {space: bytearray(space_bytes(SIZE, space)) for space in AnnealerSpace}
    for space, words in job.images().items():
        for index, word in enumerate(words):
            first = index << stride_bits(len(word))
            memories[space][first : first + len(word)] = word
    run = job.run_image()
    assert len(run) == run_bytes(SIZE)
    found = AnnealJob.unpack(SIZE, run, memories)
    if job.ladder is None:  # one that nobody uses is there all the same
        found = replace(found, ladder=None)
    assert found.images() == job.images()
    assert found.run_image() == run
    found.check()
