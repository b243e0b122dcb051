"""Reads of several runs are the same whether a golden board computes the runs together or not."""

from __future__ import annotations

import dataclasses

import dimod
import numpy as np
import pytest

from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.golden.annealer import device
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
    assert (
        one_by_one.info["cycles"] == together.info["cycles"] and len(together.info["cycles"]) == 5
    )
