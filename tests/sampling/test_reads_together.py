"""Reads of several runs are the same whether a golden board computes the runs together or not."""

from __future__ import annotations

import dataclasses

import dimod
import numpy as np
import pytest

from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.golden.annealer import GoldenAnnealer, device
from tensorspin.sampling import BoardSampler

from ..support.annealer_boards import SIZE, golden_board

WINDOWED = AnnealerSize(64, 4, 10, 8, (1,) * 7, 128, 16, ring=0, window=8)


@pytest.mark.parametrize(
    "size, method",
    [
        (SIZE, "annealing"),
        (SIZE, "quantum"),
        (dataclasses.replace(SIZE, tempering=1), "tempering"),
        (WINDOWED, "annealing"),
    ],
)
def test_reads_and_cycles_do_not_depend_on_it(monkeypatch, size, method):
    bqm = dimod.generators.ran_r(2, 9, seed=1)
    found = []
    for most in (1, device.MOST_TOGETHER):
        monkeypatch.setattr(device, "MOST_TOGETHER", most)
        with BoardSampler(golden_board(size)) as sampler:
            found.append(
                sampler.sample(
                    bqm, num_reads=4 * size.replicas + 3, num_sweeps=30, seed=5, method=method
                )
            )
    one_by_one, together = found
    assert np.array_equal(one_by_one.record.sample, together.record.sample)
    assert one_by_one.info["cycles"] == together.info["cycles"]
    # The schedule of the windowed engine has no room for several anneals, which are runs then.
    anneals = together.info["num_restarts"] if size is WINDOWED else 1
    assert len(together.info["cycles"]) == 5 * anneals


@pytest.fixture
def batches(monkeypatch):
    """Numbers of runs that golden boards have computed together."""
    found = []

    def counted(*jobs):
        found.append(len(jobs))
        return GoldenAnnealer(*jobs)

    monkeypatch.setattr(device, "GoldenAnnealer", counted)
    return found


@pytest.mark.parametrize("end", [{"interrupt_function": lambda: False}, {"energy_threshold": -1e9}])
def test_calls_that_may_end_early_begin_with_one_run(batches, end):
    bqm = dimod.generators.ran_r(2, 9, seed=1)
    options = {"num_reads": 12 * SIZE.replicas, "num_sweeps": 10, "seed": 5}
    with BoardSampler(golden_board(SIZE)) as sampler:
        found = sampler.sample(bqm, **options, **end)
        expected = sampler.sample(bqm, **options)
    assert batches == [1, 2, 4, 5, 12]
    assert np.array_equal(found.record.sample, expected.record.sample)
    assert found.info["cycles"] == expected.info["cycles"] and not found.info["interrupted"]


def test_nothing_is_computed_beyond_a_read_that_is_good_enough(batches):
    bqm = dimod.BinaryQuadraticModel.from_ising({"a": 1.0}, {("a", "b"): -1.0})
    with BoardSampler(golden_board(SIZE)) as sampler:
        found = sampler.sample(
            bqm, num_reads=12 * SIZE.replicas, num_sweeps=10, seed=5, energy_threshold=-2
        )
    assert batches == [1] and len(found) == SIZE.replicas
