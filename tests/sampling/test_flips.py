"""Boards that flip several spins a turn: when the sampler lets them, and what comes of it."""

from __future__ import annotations

from dataclasses import replace

import dimod
import numpy as np
import pytest

from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.driver.board import Board
from tensorspin.driver.transports.golden import GoldenTransport
from tensorspin.sampling import BoardSampler
from tests.support.doubles import ROW

SIZE = AnnealerSize(48, 4, 10, 10, (1,) * 8, 48, 64, flips=4)


@pytest.fixture
def sampler():
    row = replace(ROW, engines=ROW.engines.with_sizes(SIZE))
    with Board.over(GoldenTransport(row)) as board:
        yield BoardSampler(board)


@pytest.fixture
def bqm():
    rng = np.random.default_rng(5)
    couplings = {(i, j): float(rng.integers(-3, 4)) for i in range(40) for j in range(i)}
    linear = {i: float(rng.integers(-3, 4)) for i in range(40)}
    return dimod.BinaryQuadraticModel(linear, couplings, "SPIN")


def test_all_flips_are_used_by_default_and_take_fewer_cycles(sampler, bqm):
    options = {"num_sweeps": 200, "num_sweeps_per_beta": 20, "num_restarts": 1}
    options |= {"refine": None, "seed": 1}
    together = sampler.sample(bqm, **options)
    alone = sampler.sample(bqm, flips=1, **options)
    assert (together.info["flips"], alone.info["flips"]) == (4, 1)
    assert sum(together.info["cycles"]) < 0.9 * sum(alone.info["cycles"])
    assert together.first.energy == pytest.approx(alone.first.energy, rel=0.05)
    for found in (together, alone):
        assert np.allclose(bqm.energies(found), found.record.energy)


def test_given_initial_states_are_those_in_which_reads_begin(sampler, bqm):
    rng = np.random.default_rng(0)
    states = rng.choice([-1, 1], (SIZE.replicas, 40))
    cold = {"beta_range": (50.0, 50.0), "num_sweeps": 30, "refine": None, "states": "final"}
    found = sampler.sample(bqm, initial_states=(states, range(40)), **cold)
    assert np.all(found.record.energy <= bqm.energies((states, range(40))))
    assert np.any(found.record.sample != states)


@pytest.mark.parametrize("options", [{"exact": True}, {"method": "quantum"}])
def test_distributions_are_sampled_with_one_flip_a_turn(sampler, bqm, options):
    refine = None if "exact" in options else "descent"
    found = sampler.sample(bqm, num_sweeps=20, refine=refine, **options)
    assert found.info["flips"] == 1


@pytest.mark.parametrize(
    "flips, options, error, message",
    [
        (3, {}, ValueError, "flips must be 1 or 4 on this device, not 3"),
        (0, {}, ValueError, "flips must be at least 1, not 0"),
        (2.0, {}, TypeError, "flips must be an integer, not 2.0"),
        (4, {"exact": True, "refine": None}, ValueError, "flips must be 1 with exact=True, not 4"),
    ],
)
def test_flips_that_cannot_be(sampler, bqm, flips, options, error, message):
    with pytest.raises(error, match=message):
        sampler.sample(bqm, flips=flips, num_sweeps=10, **options)


def test_other_boards_have_one_flip(bqm):
    with BoardSampler("golden://ulx3s_25f_annealer") as sampler:
        assert sampler.properties["annealer"]["flips"] == 1
        assert sampler.sample(bqm, num_sweeps=10, flips=1).info["flips"] == 1
        with pytest.raises(ValueError, match="flips must be 1 on this device, not 2"):
            sampler.sample(bqm, num_sweeps=10, flips=2)
