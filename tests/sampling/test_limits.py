"""Arguments of absurd size: they are refused before memory is filled."""

from __future__ import annotations

import tracemalloc
from contextlib import contextmanager
from dataclasses import replace

import dimod
import numpy as np
import pytest

from tensorspin.contract.annealer.size import CYCLES, SWEEPS
from tensorspin.errors import CapacityError
from tensorspin.sampling import BoardSampler, DecomposingSampler
from tensorspin.sampling.arguments import MOST_READ_SPINS, MOST_READS, check_reads
from tensorspin.sampling.methods import METHODS, anneal_steps, check_sweeps
from tensorspin.sampling.quantise import quantise_model
from tensorspin.sampling.schedules import count_sweeps

from ..support.annealer_boards import SIZE, golden_board

BQM = dimod.generators.ran_r(1, 30, seed=1)
MOST = SIZE.steps * SWEEPS.maximum
HUGE = 10**9


@contextmanager
def little_memory(limit=20e6):
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


@pytest.fixture
def sampler():
    return BoardSampler(golden_board())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "sweeps",
    [
        {"num_sweeps": HUGE},
        {"num_sweeps": HUGE, "num_sweeps_per_beta": HUGE},
        {"num_sweeps": HUGE, "beta_schedule_type": "linear", "exact": True},
        {"beta_schedule_type": "custom", "beta_schedule": range(HUGE)},
        {"beta_schedule_type": "custom", "beta_schedule": np.broadcast_to(1.0, HUGE)},
        {
            "beta_schedule_type": "custom",
            "beta_schedule": [1.0, 2.0],
            "num_sweeps_per_beta": HUGE // 2,
        },
    ],
)
def test_sweeps(sampler, sweeps, method):
    if method == "crossover" and sweeps.get("exact"):
        pytest.skip("states that are crossed follow no distribution")
    with (
        little_memory(),
        pytest.raises(ValueError, match=f"takes {MOST} sweeps at most, not {HUGE}"),
    ):
        sampler.sample(BQM, method=method, **sweeps)


def test_a_range_of_many_numbers(sampler):
    with little_memory(), pytest.raises(ValueError, match=f"beta_range must be 2 .* not {HUGE}"):
        sampler.sample(BQM, beta_range=range(HUGE))


def test_sweeps_that_the_steps_hold_but_the_counter_of_cycles_does_not():
    size = replace(SIZE, steps=256)
    sampler, sweeps = BoardSampler(golden_board(size)), 16_000_000
    message = f"cycles of a run of {sweeps} sweeps .* or fewer, and more reads"
    with little_memory(), pytest.raises(CapacityError, match=message) as info:
        sampler.sample(BQM, num_sweeps=sweeps)
    assert info.value.limit == CYCLES.maximum < info.value.needed
    # The advice is true: so many sweeps pass, one more does not.
    problem = quantise_model(BQM, list(BQM.variables), size).problem
    fewer = int(str(info.value).split("take ")[1].split()[0])
    check_sweeps(fewer, problem)
    for more, refresh in ((fewer + 1, 0), (fewer, 1)):
        with pytest.raises(CapacityError, match="or fewer, and more reads"):
            check_sweeps(more, problem, refresh)


def test_reads(sampler):
    message = f"at most .* for a model of 30 variables, not {HUGE}; sample several"
    for each in (sampler, DecomposingSampler(sampler)):
        with little_memory(), pytest.raises(ValueError, match=message):
            each.sample(BQM, num_reads=HUGE)
    with little_memory(), pytest.raises(ValueError, match=f"at most {MOST_READS} for a model of 0"):
        sampler.sample(dimod.BinaryQuadraticModel("SPIN"), num_reads=MOST_READS + 1)
    for variables, most in ((1, MOST_READS), (1000, MOST_READ_SPINS // 1000), (2**30, 1)):
        check_reads(most, variables)
        with pytest.raises(ValueError, match=f"at most {most} for a model of {variables} var"):
            check_reads(most + 1, variables)


def test_sweeps_are_counted_without_making_them():
    assert count_sweeps(None, None, 1) == 1000
    assert count_sweeps(None, HUGE, 2) == HUGE
    assert count_sweeps(range(HUGE), None, 3) == 3 * HUGE
    assert count_sweeps([1, 2], HUGE, 1) == HUGE  # `betas_of` refuses the contradiction
    assert count_sweeps(np.array(1.0), None, 1) == 0  # `betas_of` refuses what has no length
    with pytest.raises(TypeError, match="num_sweeps must be an integer"):
        count_sweeps(None, 1e9, 1)


def test_many_different_temperatures_take_the_memory_of_their_list():
    betas = np.geomspace(0.1, 2, 1_000_000)
    with little_memory(5 * betas.nbytes):
        assert len(anneal_steps(betas, 1, SIZE)) == SIZE.steps
