"""Samples of a pool are those of one board."""

from __future__ import annotations

import dimod
import dimod.testing
import numpy as np
import pytest

from tensorspin import BoardPool, BoardSampler, DecomposingSampler
from tensorspin.errors import CapacityError, PoolCapacityError, PoolError

BOARD = "golden://ulx3s_25f_both"
OTHER = "golden://icebreaker_annealer"
PROBLEM = dimod.generators.ran_r(1, 12, seed=3)
TIMES = {"transfer_time", "host_time"}


def assert_same(found, expected):
    np.testing.assert_array_equal(found.record.sample, expected.record.sample)
    np.testing.assert_array_equal(found.record.energy, expected.record.energy)
    assert found.info.keys() == expected.info.keys()
    differ = {name for name in found.info if found.info[name] != expected.info[name]}
    assert differ <= TIMES


@pytest.mark.parametrize("urls", [[BOARD], [BOARD] * 3, ["golden://icebreaker", BOARD]])
@pytest.mark.parametrize(
    "options",
    [
        {"num_reads": 20, "num_sweeps": 20},
        {"num_reads": 5, "num_sweeps": 64, "method": "crossover"},
        {"num_reads": 20, "num_sweeps": 20, "energy_threshold": -5.0},
        {"num_sweeps": 30, "num_windows": 3, "beta_range": (0.1, 2.0)},
    ],
    ids=["annealing", "crossover", "threshold", "windows"],
)
def test_samples_do_not_depend_on_the_boards(urls, options):
    with BoardSampler(BOARD) as one, BoardPool(urls) as pool:
        assert_same(pool.sample(PROBLEM, seed=7, **options), one.sample(PROBLEM, seed=7, **options))


def test_a_large_model_is_decomposed_as_on_one_board():
    bqm = dimod.generators.ran_r(1, 40, seed=2)
    options = {"seed": 5, "num_sweeps": 20, "max_passes": 2, "num_reads": 2, "num_windows": 2}
    with BoardSampler(BOARD) as one, BoardPool([BOARD] * 2) as pool:
        expected = DecomposingSampler(one, 15).sample(bqm, **options)
        assert_same(DecomposingSampler(pool, 15).sample(bqm, **options), expected)
        assert DecomposingSampler(pool).size == DecomposingSampler(one).size


def test_constraints_are_kept_as_on_one_board():
    a, b = dimod.Binaries("ab")
    cqm = dimod.ConstrainedQuadraticModel()
    cqm.set_objective(-a - 2 * b)
    cqm.add_constraint(a + b <= 1)
    with BoardSampler(BOARD) as one, BoardPool([BOARD] * 2) as pool:
        found, expected = (s.sample_cqm(cqm, num_sweeps=20, seed=1) for s in (pool, one))
    assert found.first.sample == expected.first.sample and found.first.is_feasible


def test_a_pool_is_a_sampler_of_dimod():
    with BoardPool([BOARD]) as pool:
        dimod.testing.assert_sampler_api(pool)
        assert pool.properties["annealer"] == BoardSampler(BOARD).properties["annealer"]
        found = pool.sample_qubo({("x", "y"): -1.0}, num_sweeps=10, num_reads=2, seed=1)
        assert dict(found.first.sample) == {"x": 1, "y": 1}


def test_the_first_board_that_holds_the_model_chooses_the_kind():
    large = dimod.generators.ran_r(1, 100, seed=1)
    options = {"num_reads": 3, "num_sweeps": 5, "seed": 1}
    with BoardPool([BOARD, OTHER]) as pool:
        with BoardSampler(BOARD) as one:
            assert_same(pool.sample(PROBLEM, **options), one.sample(PROBLEM, **options))
        with BoardSampler(OTHER) as one:
            assert_same(pool.sample(large, **options), one.sample(large, **options))
            spins = one.properties["annealer"]["spins"]
        assert pool.properties["annealer"]["spins"] == spins
        with pytest.raises(PoolCapacityError) as refusal:
            pool.sample(dimod.generators.ran_r(1, spins + 1, seed=1), **options)
        assert refusal.value.limit == spins and len(refusal.value.reasons) == 2
        for name in ("icebreaker_annealer", "ulx3s_25f_both", str(spins)):
            assert name in str(refusal.value)


def test_the_kind_can_be_given():
    with BoardPool([OTHER, BOARD], annealer="ulx3s_25f_both") as pool:
        with BoardSampler(BOARD) as one:
            options = {"num_reads": 3, "num_sweeps": 5, "seed": 1}
            assert_same(pool.sample(PROBLEM, **options), one.sample(PROBLEM, **options))
    with BoardPool([OTHER], annealer="ulx3s_25f_both") as pool:
        with pytest.raises(PoolError, match="no board has an annealer of the kind of ulx3s"):
            pool.sample(PROBLEM)
    with pytest.raises(ValueError, match="must name a board that has one, not 'icebreaker'"):
        BoardPool([BOARD], annealer="icebreaker")


def test_one_kind_that_is_too_small_says_what_one_board_says():
    with BoardPool([OTHER] * 2) as pool, BoardSampler(OTHER) as one:
        large = dimod.generators.ran_r(1, 500, seed=1)
        with pytest.raises(CapacityError) as expected:
            one.sample(large)
        with pytest.raises(CapacityError) as found:
            pool.sample(large)
    assert str(found.value) == str(expected.value)


def test_without_an_annealer_boards_are_named():
    with BoardPool(["golden://icebreaker"]) as pool:
        with pytest.raises(PoolError, match="golden://icebreaker: it has no annealer"):
            pool.sample(PROBLEM)


def test_reads_so_far_come_back_when_the_user_interrupts():
    asked = []

    def enough():
        asked.append(True)
        return len(asked) > 1

    with BoardPool([BOARD] * 2) as pool:
        found = pool.sample(
            PROBLEM, num_reads=500, num_sweeps=10, seed=1, interrupt_function=enough
        )
        assert found.info["interrupted"] and 0 < len(found) < 500
        assert len(pool.sample(PROBLEM, num_reads=3, num_sweeps=5)) == 3


def test_progress_is_told_in_reads():
    told = []
    with BoardPool([BOARD] * 2) as pool:
        pool.sample(PROBLEM, num_reads=50, num_sweeps=5, progress=lambda *each: told.append(each))
    assert told[-1] == (50, 50) and len(told) > 1
