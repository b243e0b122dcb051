"""Inverse temperatures, and the steps they become."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.annealer.size import SWEEPS
from tensorspin.contract.annealer.steps import highest_temperature, schedule
from tensorspin.sampling.methods import anneal_steps
from tensorspin.sampling.schedules import (
    FIRST_FIELD,
    LAST_FIELD,
    betas_of,
    default_beta_range,
)

from ..support.annealer_boards import SIZE

RANGE = (0.5, 2.0)


def betas(kind="linear", *, beta_range=None, beta_schedule=None, num_sweeps=None, per_beta=1):
    return betas_of(kind, beta_range, beta_schedule, num_sweeps, per_beta, RANGE)


def test_types():
    assert betas(num_sweeps=4).tolist() == [0.5, 1.0, 1.5, 2.0]
    assert betas("geometric", num_sweeps=3) == pytest.approx([0.5, 1.0, 2.0])
    assert betas(num_sweeps=6, per_beta=2).tolist() == [0.5, 1.25, 2.0]
    assert betas(num_sweeps=1).tolist() == [2.0]
    assert betas("custom", beta_schedule=[3, 1]).tolist() == [3, 1]
    assert betas(beta_range=(0, 1), num_sweeps=2).tolist() == [0, 1]
    assert len(betas()) == 1000


@pytest.mark.parametrize(
    "error, message, arguments",
    [
        (ValueError, "linear.*not 'cubic'", {"kind": "cubic"}),
        (ValueError, "needs a beta_schedule", {"kind": "custom"}),
        (ValueError, "for the type custom", {"beta_schedule": [1.0]}),
        (ValueError, "holds -1; .*not negative", {"beta_range": (-1, 1)}),
        (ValueError, "holds inf; .*temperature of zero", {"beta_range": (1, np.inf)}),
        (ValueError, "holds nan", {"kind": "custom", "beta_schedule": [np.nan]}),
        (ValueError, "2 numbers", {"beta_range": (1, 2, 3)}),
        (ValueError, "one number or more", {"kind": "custom", "beta_schedule": []}),
        (ValueError, "must be numbers", {"beta_range": ("a", "b")}),
        (ValueError, "inverse temperature of 0", {"kind": "geometric", "beta_range": (0, 1)}),
        (ValueError, "at least 1, not 0", {"num_sweeps": 0}),
        (TypeError, "integer, not 1.5", {"num_sweeps": 1.5}),
        (ValueError, "multiple of .*2.*, not 7", {"num_sweeps": 7, "per_beta": 2}),
        (ValueError, "multiple of .*3.*, not 1000", {"per_beta": 3}),
        (ValueError, "2 numbers", {"kind": "custom", "beta_schedule": [1], "beta_range": 3}),
        (ValueError, "2 sweeps", {"kind": "custom", "beta_schedule": [1, 2], "num_sweeps": 3}),
        (
            ValueError,
            "contradict",
            {"kind": "custom", "beta_schedule": [1, 2], "beta_range": (1, 3)},
        ),
    ],
)
def test_wrong_parameters(error, message, arguments):
    with pytest.raises(error, match=message):
        betas(**arguments)


def test_more_temperatures_than_steps_are_merged():
    steps = anneal_steps(np.linspace(0.5, 2, 10 * SIZE.steps), 3, SIZE)
    assert len(steps) == SIZE.steps
    assert {step.sweeps for step in steps} == {30}
    first = schedule([1 / np.linspace(0.5, 2, 10 * SIZE.steps)[:10].mean()], 30, SIZE)
    assert steps[0] == first[0]


def test_few_temperatures_stay():
    assert anneal_steps(np.array([0.5, 1.0]), 4, SIZE) == schedule([2.0, 1.0], 4, SIZE)


def test_temperatures_above_the_highest_are_lowered():
    steps = anneal_steps(np.array([0.0, 1.0]), 1, SIZE)
    assert steps == schedule([highest_temperature(SIZE) * (1 - 1e-9), 1.0], 1, SIZE)


def test_temperatures_that_stay_are_one_step():
    """However many they are; only what changes needs steps."""
    betas = np.repeat([0.5, 2.0, 1.0], [SIZE.steps, 3, SIZE.steps + 1])
    steps = anneal_steps(betas, 2, SIZE)
    assert steps == [
        *schedule([2.0], 2 * SIZE.steps, SIZE),
        *schedule([0.5], 6, SIZE),
        *schedule([1.0], 2 * (SIZE.steps + 1), SIZE),
    ]
    many = anneal_steps(np.ones(3 * SWEEPS.maximum), 1, SIZE)
    assert [step.sweeps for step in many] == 3 * [SWEEPS.maximum]


def test_a_schedule_too_fast_for_the_device_is_told():
    message = f"{2 * SIZE.steps} inverse temperatures, the device {SIZE.steps} steps"
    with pytest.warns(UserWarning, match=message):
        anneal_steps(np.tile([0.1, 5.0], SIZE.steps), 1, SIZE)


@pytest.mark.parametrize("space", [np.linspace, np.geomspace])
@pytest.mark.filterwarnings("error")
def test_slow_schedules_are_merged_in_silence(space):
    for most_steps in (4, SIZE.steps):
        anneal_steps(space(0.1, 1.2, 1000), 1, SIZE, most_steps)


def test_too_many_sweeps():
    with pytest.raises(ValueError, match=f"takes {64 * 65535} sweeps"):
        anneal_steps(np.ones(64), 65536, SIZE)


def test_default_range():
    couplings = np.array([[0, 2, 0], [2, 0, 0], [0, 0, 0]])
    hot, cold = default_beta_range(IsingProblem(SIZE, couplings, np.array([0, 0, 3])))
    assert hot == pytest.approx(FIRST_FIELD / 2)  # the median
    assert cold == pytest.approx(np.log(1 / 0.01) / (2 * 2))


def test_few_small_couplings_do_not_make_the_range_cold():
    couplings = np.zeros((4, 4), dtype=int)
    couplings[0, 1] = couplings[1, 0] = 1
    couplings[2, 3] = couplings[3, 2] = 7
    _, cold = default_beta_range(IsingProblem(SIZE, couplings, np.full(4, 100)))
    assert cold == pytest.approx(LAST_FIELD / np.hypot(1, 100))


def test_a_strong_field_does_not_make_the_range_hot():
    """Such as that of a spin which is held, or of a penalty."""
    rng = np.random.default_rng(1)
    couplings = np.triu(rng.choice([-1, 1], (20, 20)), 1)
    couplings += couplings.T
    plain = default_beta_range(IsingProblem(SIZE, couplings, np.zeros(20)))
    held = np.zeros(20)
    held[0] = 200
    assert default_beta_range(IsingProblem(SIZE, couplings, held)) == pytest.approx(plain)


def test_default_range_of_nothing():
    hot, cold = default_beta_range(IsingProblem(SIZE, np.zeros((2, 2)), np.zeros(2)))
    assert 0 < hot < cold


@pytest.mark.filterwarnings("error")
def test_default_range_begins_at_the_highest_temperature_at_most():
    problem = IsingProblem(SIZE, np.zeros((1, 1)), np.array([SIZE.field.maximum]))
    hot, cold = default_beta_range(problem)
    assert 1 / hot == pytest.approx(highest_temperature(SIZE))
    assert hot <= cold
    anneal_steps(np.array([hot, cold]), 1, SIZE)
