"""Windows of models that are solved in parts."""

from __future__ import annotations

import dimod
import numpy as np
import pytest

from tensorspin.sampling import BoardSampler, DecomposingSampler

from ..support.annealer_boards import golden_board
from .test_windows import spread

OPTIONS = {"max_passes": 1, "num_sweeps": 2, "num_restarts": 1, "num_reads": 1, "seed": 2}


def parts(size=10):
    board = golden_board()
    return board, DecomposingSampler(BoardSampler(board), size)


def test_the_whole_model_is_refined_on_the_childs_board():
    bqm = spread(60)
    board, sampler = parts()
    plain = sampler.sample(bqm, **OPTIONS)
    runs = len(board.runs)
    assert runs <= plain.info["parts"]  # no part has windows of its own
    found = sampler.sample(bqm, num_windows=12, **OPTIONS)
    assert found.info["windows"] == 12 and len(board.runs) > 2 * runs
    assert found.first.energy < plain.first.energy
    assert found.info["device_time"] > plain.info["device_time"]
    dimod.testing.assert_sampleset_energies(found, bqm)
    again = sampler.sample(bqm, num_windows=12, **OPTIONS)
    assert np.array_equal(found.record.sample, again.record.sample)


def test_an_interruption_ends_the_windows():
    bqm = spread(60)
    board, sampler = parts()
    found = sampler.sample(
        bqm, num_windows=100, interrupt_function=lambda: len(board.runs) > 8, **OPTIONS
    )
    assert found.info["windows"] < 100 and found.info["interrupted"]


def test_windows_that_nobody_anneals_are_refused():
    _, sampler = parts()
    with pytest.raises(ValueError, match="num_windows must be 0 with exact=True, not 3"):
        sampler.sample(spread(20), num_windows=3, exact=True)
    with pytest.raises(ValueError, match="a child that has no board, not 3"):
        DecomposingSampler(dimod.RandomSampler(), 5).sample(spread(20), num_windows=3)
