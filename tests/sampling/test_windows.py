"""States refined in windows, rescaled to the full range of a device."""

from __future__ import annotations

import dimod
import numpy as np
import pytest

from tensorspin.sampling import BoardSampler
from tensorspin.sampling.refine import refine_states
from tensorspin.sampling.windows import KINDS, PACKED, WINDOW, Windows

from ..support.annealer_boards import SIZE, golden_board

QUICK = {"num_sweeps": 12, "num_restarts": 1, "seed": 1, "num_reads": 5}


def spread(count=40, vartype="SPIN"):
    """Couplings over three decades, of which four bits keep the greatest alone."""
    rng = np.random.default_rng(1)
    signs = rng.choice([-1, 1], (count, count))
    pairs = {
        (i, j): signs[i, j] * 1000 ** rng.uniform() if i - j < 30 else 0.0
        for i in range(count)
        for j in range(i)
    }
    return dimod.BinaryQuadraticModel({}, pairs, vartype)


def descended(bqm, seed=2):
    states = np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), (1, len(bqm.variables)))
    return refine_states(bqm, list(bqm.variables), states)[0]


@pytest.fixture
def board():
    return golden_board(SIZE.__class__(64, 4, 10, 10, (1,) * 8, 64, 64))


@pytest.mark.parametrize("kind", sorted(set(KINDS)))
def test_windows_have_the_variables_that_are_free(kind):
    bqm = spread(20)
    windows = Windows(bqm, range(20), descended(bqm), seed=1)
    used = np.zeros(20, bool)
    used[:8] = True
    for count in (1, 5, 12):
        found = windows.choose(kind, used, count)
        assert len(set(found.tolist())) == count and found.min() >= 8


def test_a_state_is_only_replaced_by_a_lower_one_and_the_gain_is_true(board):
    bqm = spread()
    start, sampler = descended(bqm), BoardSampler(board)
    search = Windows(bqm, range(40), start, seed=3)
    energies = [bqm.energies((start, range(40)))[0]]
    for seed in range(4):
        search.anneal(lambda job: sampler.run(job, [job], None), board.info.annealer, seed)
        energies.append(bqm.energies((search.state, range(40)))[0])
    assert np.all(np.diff(energies) <= 0) and energies[-1] < energies[0]
    assert search.gained == pytest.approx(energies[0] - energies[-1])


def test_several_windows_share_a_run_and_use_the_range_of_the_device(board):
    bqm = spread(60)
    search = Windows(bqm, range(60), descended(bqm), seed=3)
    jobs = []

    def run(job):
        jobs.append(job)
        return board.anneal_job(job)

    assert search.anneal(run, board.info.annealer, seed=1) == 3  # a fourth has no variables left
    (job,) = jobs
    assert job.problem.variables == 3 * WINDOW
    for place in range(3):
        part = slice(place * WINDOW, (place + 1) * WINDOW)
        own = job.problem.couplings[part, part]
        assert np.abs(own).max() == 7  # each window has a scale of its own
        assert not job.problem.couplings[part, : place * WINDOW].any()
    states = job.initial_states
    assert np.all(states[::2] == states[0]) and np.any(states[1::2] != states[0])


def test_a_chain_alone_lowers_the_energy_and_knows_by_how_much():
    bqm = spread()
    start = descended(bqm)
    search = Windows(bqm, range(40), start, seed=5)
    search.chain_states(40, WINDOW)
    fall = bqm.energies((start, range(40)))[0] - bqm.energies((search.state, range(40)))[0]
    assert search.gained == pytest.approx(fall) and fall > 0


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_a_sampler_refines_its_best_read_if_rounding_changes_much(board, vartype):
    bqm = spread(vartype=vartype)
    sampler = BoardSampler(board)
    plain = sampler.sample(bqm, num_windows=0, **QUICK)
    found = sampler.sample(bqm, **QUICK)
    assert plain.info["windows"] == 0 and len(plain.info["cycles"]) == 1
    assert found.info["windows"] >= 20 and len(found.info["cycles"]) > 20 // PACKED
    assert found.info["device_time"] > plain.info["device_time"]
    assert found.first.energy <= plain.first.energy
    assert np.count_nonzero(found.record.energy != plain.record.energy) <= 1
    dimod.testing.assert_sampleset_energies(found, bqm)
    again = sampler.sample(bqm, **QUICK)
    assert np.array_equal(found.record.sample, again.record.sample)
    assert np.array_equal(
        refine_states(bqm, list(found.variables), found.record.sample), found.record.sample
    )


@pytest.mark.parametrize(
    "options", [{"refine": None}, {"exact": True}, {"energy_threshold": 0.0}, {"method": "quantum"}]
)
def test_raw_and_early_reads_have_no_windows(board, options):
    found = BoardSampler(board).sample(spread(), **{**QUICK, **options})
    assert found.info["windows"] == 0


def test_exact_and_small_models_have_no_windows(board):
    for bqm in (dimod.generators.ran_r(3, 30, seed=1), spread(18)):
        assert BoardSampler(board).sample(bqm, **QUICK).info["windows"] == 0
    found = BoardSampler(board).sample(dimod.generators.ran_r(3, 30), num_windows=5, **QUICK)
    assert found.info["windows"] == 5


def test_an_interruption_ends_the_windows(board):
    found = BoardSampler(board).sample(
        spread(), interrupt_function=lambda: len(board.runs) >= 3, num_windows=100, **QUICK
    )
    assert found.info["windows"] < 100


def test_wrong_numbers(board):
    sampler = BoardSampler(board)
    with pytest.raises(ValueError, match="num_windows must be at least 0, not -1"):
        sampler.sample(spread(), num_windows=-1)
    with pytest.raises(ValueError, match="num_windows must be 0 with exact=True, not 3"):
        sampler.sample(spread(), num_windows=3, exact=True)
