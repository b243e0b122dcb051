"""What a user is told whose model loses much by rounding."""

from __future__ import annotations

import warnings

import dimod
import numpy as np
import pytest

from tensorspin.errors import PrecisionWarning
from tensorspin.sampling import BoardSampler, DecomposingSampler
from tensorspin.sampling.quantise import quantise_model

from ..support.annealer_boards import SIZE, WIDE, golden_board

QUICK = {"num_sweeps": 4, "num_restarts": 1, "seed": 1}


def spread(count=20):
    """Couplings from 1 to 30, whose smallest are lost in four bits."""
    rng = np.random.default_rng(1)
    return dimod.BinaryQuadraticModel(
        {}, {(i, j): 30 ** rng.uniform() for i in range(count) for j in range(i)}, "SPIN"
    )


def test_a_model_that_is_changed_much_is_told_and_what_would_do():
    with pytest.warns(PrecisionWarning, match=r"4 bits .* by \d+.*zero.*Couplings of [5-7] bits"):
        BoardSampler(golden_board()).sample(spread(), **QUICK)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        BoardSampler(golden_board(WIDE)).sample(spread(), **QUICK)
        BoardSampler(golden_board()).sample(dimod.generators.ran_r(3, 12, seed=1), **QUICK)


def test_a_board_of_the_table_is_named():
    narrow = SIZE.__class__(32, 2, 9, 10, (1,) * 8, 32, 64)
    bqm = dimod.generators.ran_r(6, 20, seed=1)
    with pytest.warns(PrecisionWarning, match=r"would keep .*\(.*ulx3s_25f_annealer"):
        BoardSampler(golden_board(narrow)).sample(bqm, **QUICK)


def test_widths_of_a_board_with_windows_are_those_that_it_can_have():
    with pytest.warns(PrecisionWarning, match="Couplings of 8 bits would keep it within 5.00%"):
        BoardSampler("golden://icebreaker_annealer").sample(spread(), **QUICK)


def test_of_a_model_in_parts_it_is_told_once():
    with pytest.warns(PrecisionWarning) as told:
        DecomposingSampler(BoardSampler(golden_board()), 10).sample(spread(), max_passes=2, **QUICK)
    assert len([each for each in told if each.category is PrecisionWarning]) == 1


def test_states_further_apart_than_the_bound_keep_their_order():
    bqm = spread(9)
    found = quantise_model(bqm, range(9), SIZE)
    states = dimod.ExactSolver().sample(bqm).record.sample
    true, device = bqm.energies((states, range(9))), found.problem.energy(states) / found.scale
    difference = true[:, None] - true
    apart = np.abs(difference) > found.order_error
    assert apart.any() and np.all((difference * (device[:, None] - device))[apart] > 0)
    assert found.errors["order_error"] == found.order_error == 2 * found.energy_error
    assert quantise_model(dimod.generators.ran_r(1, 5), range(5), SIZE).order_error == 0
