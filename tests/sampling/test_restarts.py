"""Reads of several anneals."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import dimod
import numpy as np
import pytest

from tensorspin.contract.annealer import job
from tensorspin.sampling import BoardSampler
from tensorspin.sampling.quantise import quantise_model
from tensorspin.sampling.restarts import Schedule

from ..support.annealer_boards import SIZE, golden_board

PLAIN = Schedule("annealing", "geometric", None, None, 300, 1, None, False)


@pytest.fixture
def board():
    return golden_board()


def glass(count, vartype="SPIN", unit=1.0):
    rng = np.random.default_rng(3)
    pairs = {(i, j): unit * rng.integers(-7, 8) for i in range(count) for j in range(i)}
    return dimod.BinaryQuadraticModel({}, pairs, vartype)


def inexact(count, vartype="SPIN"):
    rng = np.random.default_rng(4)
    linear = dict(enumerate(rng.standard_normal(count)))
    pairs = {(i, j): rng.standard_normal() for i in range(count) for j in range(i)}
    return dimod.BinaryQuadraticModel(linear, pairs, vartype)


def sweeps_of(board):
    return [sum(step.sweeps for step in each.steps) for each in board.runs]


@pytest.mark.parametrize("sweeps, anneals", [(50, [13, 13, 12, 12]), (3, [1, 1, 1])])
def test_the_sweeps_of_a_read_are_divided(board, sweeps, anneals):
    found = BoardSampler(board).sample(
        inexact(4), num_sweeps=sweeps, num_restarts=len(anneals), num_reads=2, seed=1
    )
    assert sweeps_of(board) == anneals and len(found) == 2
    assert (found.info["num_sweeps"], found.info["num_restarts"]) == (sweeps, len(anneals))
    assert len({each.seed for each in board.runs}) == len(anneals)
    starts = [each.initial_states for each in board.runs]
    assert not any(np.array_equal(starts[0], other) for other in starts[1:])


def test_a_read_is_the_lowest_state_of_its_anneals(board):
    sampler, bqm = BoardSampler(board), inexact(20)
    options = {"num_sweeps": 8, "seed": 1, "refine": None, "num_reads": 25}
    found = sampler.sample(bqm, num_restarts=4, **options)
    assert len(board.runs) == 12 and len(found) == 25
    alone = sampler.sample(bqm, num_restarts=1, **{**options, "num_sweeps": 2})
    # The first anneal of each read is the same as alone.
    assert np.all(found.record.energy <= alone.record.energy)
    assert np.any(found.record.energy < alone.record.energy)
    dimod.testing.assert_sampleset_energies(found, bqm)


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_each_anneal_rounds_in_another_way(board, vartype):
    BoardSampler(board).sample(inexact(20, vartype), num_sweeps=80, num_restarts=4, seed=1)
    problems = {(*each.problem.couplings.flat, *each.problem.linear) for each in board.runs}
    assert len(problems) > 2
    board.runs.clear()
    BoardSampler(board).sample(glass(8), num_sweeps=80, num_restarts=4, seed=1)
    assert len({id(each.problem) for each in board.runs}) == 1


def test_given_initial_states_are_those_of_all_anneals(board):
    states = dict.fromkeys(range(8), 1)
    BoardSampler(board).sample(glass(8), initial_states=states, num_sweeps=20, num_restarts=2)
    assert all(np.all(each.initial_states[0] == each.initial_states[0, 0]) for each in board.runs)


@pytest.mark.parametrize(
    "changes, restarts",
    [
        ({}, 4),
        ({"num_sweeps": 60}, 3),
        ({"num_sweeps": 20}, 1),
        ({"num_sweeps": 300, "num_sweeps_per_beta": 100}, 3),
        ({"exact": True}, 1),
        ({"method": "quantum"}, 1),
        ({"schedule_type": "custom"}, 1),
        ({"beta_range": (0.2, 0.2)}, 1),
        ({"beta_range": np.array([0.2, 1])}, 4),
        ({"num_restarts": 7}, 7),
    ],
)
def test_default(changes, restarts):
    quantised = quantise_model(glass(20), range(20), SIZE)
    assert quantised.exact and replace(PLAIN, **changes).restarts(quantised) == restarts


def test_inexact_models_have_more():
    quantised = quantise_model(inexact(20), range(20), SIZE)
    assert replace(PLAIN, num_sweeps=20).restarts(quantised) == 2


@pytest.mark.parametrize(
    "error, message, options",
    [
        (ValueError, "num_restarts must be at least 1, not 0", {"num_restarts": 0}),
        (TypeError, "num_restarts must be an integer", {"num_restarts": 2.0}),
        (ValueError, "must be 1 with exact=True, not 2", {"num_restarts": 2, "exact": True}),
        (ValueError, "at most 3, the number of temp", {"num_restarts": 4, "num_sweeps": 3}),
        (
            ValueError,
            "must be 1 with a beta_schedule, not 2",
            {"num_restarts": 2, "beta_schedule_type": "custom", "beta_schedule": [1, 2]},
        ),
    ],
)
def test_numbers_that_contradict(board, error, message, options):
    with pytest.raises(error, match=message):
        BoardSampler(board).sample(glass(4), **options)
    assert not board.runs


def test_the_lower_state_in_the_users_model(board):
    """The state that is best on the device may be worse than the last one in the model."""
    bqm = inexact(24)
    lower = set()
    for betas in ((0.1, 0.3), None):
        energies = {}
        for states in (None, "final", "best"):
            options = {"states": states, "beta_range": betas, "num_sweeps": 30, "seed": 2}
            found = BoardSampler(board).sample(bqm, num_restarts=1, refine=None, **options)
            energies[states] = found.record.energy
        assert energies[None] == pytest.approx(np.minimum(energies["final"], energies["best"]))
        lower |= set(np.sign(energies["final"] - energies["best"]))
    assert {-1, 1} <= lower


def test_progress_counts_all_anneals(board):
    told = []
    BoardSampler(board).sample(
        inexact(8), num_reads=12, num_sweeps=8, num_restarts=2, progress=lambda *a: told.append(a)
    )
    assert told == [(5, 12), (10, 12), (12, 12), (12, 12)]


def test_reads_that_were_annealed_once_are_returned_if_interrupted(board):
    found = BoardSampler(board).sample(
        inexact(8),
        num_reads=20,
        num_sweeps=8,
        num_restarts=4,
        interrupt_function=lambda: len(board.runs) == 3,
    )
    assert len(board.runs) == 3 and len(found) == 20
    assert found.info["interrupted"]  # three of four anneals are missing in half of the reads


def test_the_anneals_of_an_exact_model_are_one_run(board):
    options = {"num_sweeps": 46, "num_reads": 25, "seed": 1, "refine": None}
    found = BoardSampler(board).sample(glass(12), num_restarts=4, **options)
    assert len(board.runs) == 3 and found.info["num_restarts"] == 4
    assert sweeps_of(board) == [49] * 3  # one sweep more between two anneals
    steps = board.runs[0].steps
    hot, first = steps[12].probabilities, steps[0].probabilities
    assert steps[13] == steps[0] and hot[-1] > first[-1]
    dimod.testing.assert_sampleset_energies(found, glass(12))
    again = BoardSampler(golden_board()).sample(glass(12), num_restarts=4, **options)
    np.testing.assert_array_equal(again.record, found.record)


@pytest.mark.parametrize(
    "options",
    [
        {"states": "final"},
        {"initial_states": dict.fromkeys(range(12), 1)},
        {"energy_threshold": -1e9},
        {"beta_range": (0.1, 1.0)},
        {"num_sweeps": 80},  # more steps than the device has
    ],
)
def test_anneals_that_must_be_runs_of_their_own(board, options):
    found = BoardSampler(board).sample(
        glass(12), **{"num_sweeps": 40, "num_restarts": 4, "num_reads": 5, "seed": 1, **options}
    )
    assert len(board.runs) == found.info["num_restarts"] == 4


def test_a_run_that_would_take_too_many_cycles_is_several(board, monkeypatch):
    options = {"num_sweeps": 40, "num_restarts": 2, "num_reads": 5, "seed": 1}
    BoardSampler(board).sample(glass(12), **options)
    (one,) = board.runs
    monkeypatch.setattr(job, "CYCLES", SimpleNamespace(maximum=one.most_cycles - 1))
    board.runs.clear()
    BoardSampler(board).sample(glass(12), **options)
    assert len(board.runs) == 2
