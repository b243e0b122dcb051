"""What the host writes into the annealer's memories, and what it reads."""

from __future__ import annotations

from dataclasses import asdict, fields, replace

import numpy as np
import pytest

from tensorspin.contract.annealer.image import (
    AnnealerSpace,
    result_bytes,
    row_bytes,
    run_bytes,
    space_bytes,
    state_bytes,
    step_bytes,
    stride_bits,
)
from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.annealer.results import AnnealResults
from tensorspin.contract.annealer.size import AnnealerSize, Moving
from tensorspin.contract.annealer.steps import schedule
from tensorspin.contract.annealer.thresholds import MAX_SAMPLES, expand_seed
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.wire.frames import MAX_PAYLOAD
from tests.support.random_problems import random_problem

SIZES = [
    AnnealerSize(9, 2, 7, 10, (1,) * 6, 20, 4),
    AnnealerSize(300, 3, 11, 12, (1,) * 9, 20, 4),
    AnnealerSize(90, 8, 16, 12, (1,) * 12, 20, 4),
    # Offset rows go on in the rows of unused spins.
    AnnealerSize(14, 2, 7, 10, (1,) * 6, 1, 4),
]


def memory(size, space, rows, length):
    """Content of a memory whose rows have been written."""
    content = bytearray(space_bytes(size, space))
    for index, row in enumerate(rows):
        assert len(row) == length
        place = index << stride_bits(length)
        content[place : place + length] = row
    return content


@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.spins)
def test_what_is_written_can_be_unpacked(size):
    rng = np.random.default_rng(4)
    for _ in range(5):
        problem = random_problem(rng, size)
        first, second, third = schedule(rng.uniform(0.5, 3, 3), 7, size)
        steps = [
            first,
            replace(second, moving=Moving.EVEN),
            replace(third, ring=5, moving=Moving.ODD),
        ]
        initial = rng.choice([-1, 1], (size.replicas, problem.variables))
        job = AnnealJob(problem, steps, 1, 5, initial).fit(size)
        image = job.run_image()
        assert len(image) == run_bytes(size)
        assert job.fill_rounds >= problem.offset_rows + problem.variables
        lengths = {
            AnnealerSpace.COUPLINGS: row_bytes(size),
            AnnealerSpace.STEPS: step_bytes(size),
            AnnealerSpace.STATES: state_bytes(size),
        }
        memories = {
            space: memory(size, space, rows, lengths[space]) for space, rows in job.images().items()
        }
        unpacked = AnnealJob.unpack(size, image, memories)
        assert unpacked.refresh == 5
        assert np.array_equal(unpacked.seed, expand_seed(1, size))
        assert np.array_equal(unpacked.problem.couplings, problem.couplings)
        assert np.array_equal(unpacked.problem.linear, problem.linear)
        assert unpacked.steps == tuple(steps)
        assert np.array_equal(unpacked.initial_states, initial)
        assert unpacked.ladder is None
        assert unpacked.run_image() == image
        assert unpacked.images() == job.images()


def test_results_can_be_unpacked():
    size = SIZES[0]
    rng = np.random.default_rng(6)
    problem = random_problem(rng, size)
    shape = (size.replicas, problem.variables)
    states, best = rng.choice([-1, 1], (2, *shape)).astype(np.int8)
    results = AnnealResults(
        states,
        best,
        problem.energy(states),
        problem.energy(best),
        rng.permutation(size.replicas),
        123456,
    )
    blocks = results.blocks(problem)
    assert {len(block) for block in blocks} == {result_bytes(size)}
    unpacked = AnnealResults.unpack(problem, blocks)
    for field in fields(AnnealResults):
        assert np.array_equal(getattr(unpacked, field.name), getattr(results, field.name))


def test_initial_states_that_do_not_fit():
    size = SIZES[0]
    problem = IsingProblem(size, np.zeros((3, 3), dtype=int), np.ones(3, dtype=int))
    with pytest.raises(ValueError, match=r"must have the shape \(10, 3\), not \(10, 4\)"):
        AnnealJob(problem, [], initial_states=np.ones((10, 4))).start_states  # noqa: B018
    for wrong in (0, np.nan, 2):
        with pytest.raises(ValueError, match=r"must be \+1 and -1"):
            AnnealJob(problem, [], initial_states=np.full((10, 3), wrong)).start_states  # noqa: B018


def test_a_run_fits_one_packet():
    most = AnnealerSize(64, 8, 20, 10, (3, *(1,) * 16), 20, 4, ring=0)
    assert most.samples <= MAX_SAMPLES
    for size in (*SIZES, most, AnnealerSize(**{**asdict(most), "strides": (MAX_SAMPLES,)})):
        assert run_bytes(size) <= MAX_PAYLOAD


def test_spaces_of_both_engines_have_numbers_of_their_own():
    numbers = [*map(int, MemorySpace), *map(int, AnnealerSpace)]
    assert len(set(numbers)) == len(numbers)
