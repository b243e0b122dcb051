"""Boards whose replicas share the sweeps of a step: when the sampler has them do it."""

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

SIZE = AnnealerSize(48, 4, 10, 10, (1,) * 8, 48, 64, shared_sweeps=1)
OPTIONS = {"num_sweeps": 60, "num_restarts": 1, "refine": None, "seed": 1}


@pytest.fixture
def bqm():
    rng = np.random.default_rng(5)
    couplings = {(i, j): float(rng.integers(-3, 4)) for i in range(40) for j in range(i)}
    return dimod.BinaryQuadraticModel({}, couplings, "SPIN")


def sampled(size, bqm, **options):
    row = replace(ROW, engines=ROW.engines.with_sizes(size))
    with Board.over(GoldenTransport(row)) as board:
        return BoardSampler(board).sample(bqm, **{**OPTIONS, **options})


def test_sweeps_are_shared_where_the_board_can(bqm):
    shared, apart = (sampled(size, bqm) for size in (SIZE, replace(SIZE, shared_sweeps=0)))
    assert shared.info["shared_sweeps"] is True and apart.info["shared_sweeps"] is False
    assert sum(shared.info["cycles"]) < 0.95 * sum(apart.info["cycles"])
    assert shared.record.energy.mean() == pytest.approx(apart.record.energy.mean(), rel=0.1)
    assert np.allclose(bqm.energies(shared), shared.record.energy)


@pytest.mark.parametrize(
    "options",
    [
        {"exact": True},
        {"method": "quantum"},
        {"beta_range": (0.5, 0.5)},
        {"num_sweeps": 20, "num_sweeps_per_beta": 20},
    ],
    ids=str,
)
def test_samples_of_a_distribution_are_waited_for(bqm, options):
    found = sampled(SIZE, bqm, **options)
    assert found.info["shared_sweeps"] is False


def test_several_anneals_of_a_read_and_runs_share_too(bqm):
    found = sampled(SIZE, bqm, num_restarts=3, num_reads=25)
    assert found.info["shared_sweeps"] is True
    assert len(found.info["cycles"]) == 3
