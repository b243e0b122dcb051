"""The state that the device's spins +1 stand for."""

from __future__ import annotations

from dataclasses import replace

import dimod
import dimod.testing
import numpy as np
import pytest

from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.device.boards import find_board
from tensorspin.errors import CapacityError
from tensorspin.sampling import BoardSampler, quantise
from tensorspin.sampling.gauge import balanced_state
from tensorspin.sampling.quantise import quantise_model

from ..support.annealer_boards import SIZE, golden_board

FEW = 4
"""Offset rows."""


def random_couplings(rng, count, density=1.0):
    upper = np.triu(rng.choice((-1.0, 1.0), (count, count)), 1)
    upper *= rng.random(upper.shape) < density
    return upper + upper.T


def model_of(couplings):
    return dimod.BQM(np.triu(couplings), "SPIN")


@pytest.mark.parametrize("density", [0.1, 1.0])
@pytest.mark.parametrize("unit", [1.0, 1 / 3])
def test_fields_are_small(density, unit):
    couplings = random_couplings(np.random.default_rng(1), 200, density)
    state = balanced_state(unit * couplings)
    random = np.random.default_rng(2).choice((-1, 1), (20, 200))
    assert np.abs(couplings @ state).max() < np.abs(random @ couplings).max(axis=1).min()
    assert np.array_equal(state, balanced_state(couplings))


@pytest.mark.parametrize("couplings", [np.zeros((1, 1)), np.zeros((5, 5))])
def test_without_couplings(couplings):
    assert set(balanced_state(couplings)) <= {-1, 1}


def test_dense_problem_of_all_spins_fits():
    size = find_board("ulx3s_85f_annealer").annealer
    rng = np.random.default_rng(3)
    couplings = random_couplings(rng, size.spins)
    with pytest.raises(ValueError, match="offset rows"):
        IsingProblem(size, couplings, np.zeros(size.spins))
    bqm = model_of(couplings)
    found = quantise_model(bqm, range(size.spins), size)
    assert found.energy_error == 0
    # The model's energies, whatever the gauge.
    states = rng.choice((-1, 1), (5, size.spins))
    energies = bqm.energies((states, range(size.spins)))
    assert np.array_equal(found.problem.energy(states * found.start), energies)


@pytest.mark.parametrize("states", ["final", "best"])
def test_samples_are_those_of_the_model(states, monkeypatch):
    size = replace(SIZE, coupling_bits=2)
    bqm = model_of(random_couplings(np.random.default_rng(4), size.spins))
    options = {"num_reads": size.replicas, "seed": 5, "states": states}
    plain, narrow = golden_board(size), golden_board(replace(size, offset_rows=FEW))
    with monkeypatch.context() as patch:
        patch.setattr(quantise, "balanced_state", lambda couplings: np.ones(len(couplings)))
        with pytest.raises(CapacityError, match="rows for the fields"):
            BoardSampler(narrow).sample(bqm, **options)
    expected = BoardSampler(plain).sample(bqm, **options)
    found = BoardSampler(narrow).sample(bqm, **options)
    assert narrow.runs[0].problem.offset_rows <= FEW < plain.runs[0].problem.offset_rows
    dimod.testing.assert_sampleset_energies(found, bqm)
    assert found.first.energy == expected.first.energy
    # In the cold, reads stay in the state that they begin in, or in one of the same energy.
    cold = {"initial_states": found.first.sample, "initial_states_generator": "tile"}
    cold |= {"beta_schedule_type": "custom", "beta_schedule": [20.0] * 5}
    again = BoardSampler(narrow).sample(bqm, **options, **cold)
    assert set(again.record.energy) == {found.first.energy}
