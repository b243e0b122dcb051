"""Ejection chains, and parts of models that follow them."""

from __future__ import annotations

import dimod
import numpy as np
import pytest

from tensorspin.benchmarks.annealer.kinds import (
    assignment,
    colouring,
    portfolio,
    travelling_salesman,
)
from tensorspin.sampling import BoardSampler, DecomposingSampler
from tensorspin.sampling.chain_parts import MOVES, locked
from tensorspin.sampling.chains import ASKED, Chains
from tensorspin.sampling.refine import refine_states

from ..support.annealer_boards import golden_board
from .test_decomposing import Descending

TRIP = travelling_salesman(3, 8)
"""A tour of 49 variables: two parts of a small board."""


def descended(bqm, seed=1):
    states = np.random.default_rng(seed).integers(0, 2, (1, bqm.num_variables), np.int8)
    return 2 * refine_states(bqm, list(bqm.variables), states)[0] - 1


def energy(bqm, state):
    return bqm.spin.energies((state.astype(np.int8)[None, :], list(bqm.variables)))[0]


def test_a_chain_tells_the_rise_after_each_of_its_flips():
    labels, start = list(TRIP.variables), descended(TRIP)
    chains = Chains(TRIP, labels, start, seed=1)
    np.testing.assert_allclose(
        chains.costs,
        [energy(TRIP, np.where(np.arange(49) == i, -start, start)) for i in range(49)]
        - energy(TRIP, start),
    )
    used = np.zeros(49, bool)
    used[::3] = True
    for found in (chains._chain(12), chains._chain(12, used)):
        window, rises = found
        assert len(set(window.tolist())) == 12
        state = start.copy()
        for spin, rise in zip(window, rises):
            state[spin] *= -1
            assert energy(TRIP, state) - energy(TRIP, start) == pytest.approx(rise)
    assert not used[window].any()


def test_a_move_mends_what_it_breaks():
    """Most moves change a tour to another; each flip but the first is the cheapest."""
    labels = list(TRIP.variables)
    state = np.array([1 if city == place else -1 for city, place in labels], np.int8)
    chains = Chains(TRIP, labels, state, seed=1)
    tours = 0
    for _ in range(20):
        flips, rise = chains._move()
        changed = state.copy()
        changed[flips] *= -1
        assert energy(TRIP, changed) - energy(TRIP, state) == pytest.approx(rise)
        ones = [label for label, spin in zip(labels, changed) if spin == 1]
        tours += all(sorted(axis) == list(range(1, 8)) for axis in zip(*ones))
        if len(flips) == 1:
            continue
        one, two = (np.arange(49) == flips[0]), np.isin(np.arange(49), flips[:2])
        others = [
            energy(TRIP, np.where(one | (np.arange(49) == i), -state, state))
            for i in range(49)
            if i != flips[0]
        ]
        assert energy(TRIP, np.where(two, -state, state)) == pytest.approx(min(others))
    assert tours > 10


def test_chains_at_a_falling_temperature_find_tours():
    labels, start = list(TRIP.variables), descended(TRIP)
    chains = Chains(TRIP, labels, start, seed=2)
    asked = []
    assert chains.anneal_chains(1000, lambda gained: not asked.append(gained))
    assert len(asked) == 1000 // ASKED and asked[0] == 0
    assert energy(TRIP, start) - energy(TRIP, chains.state) == pytest.approx(chains.gained)
    assert chains.gained > 0
    np.testing.assert_allclose(chains._fields, Chains(TRIP, labels, chains.state, 1)._fields)
    again = Chains(TRIP, labels, start, seed=2)
    again.anneal_chains(1000)
    np.testing.assert_array_equal(again.state, chains.state)
    # The lowest state counts, not the last.
    stopped = Chains(TRIP, labels, start, seed=2)
    assert not stopped.anneal_chains(1000, lambda gained: gained == 0)
    assert stopped.gained >= 0


def test_chains_that_raise_the_energy_are_for_temperatures(monkeypatch):
    rises = []
    flip = Chains._flip
    monkeypatch.setattr(
        Chains, "_flip", lambda self, spins, rise: rises.append(rise) or flip(self, spins, rise)
    )
    chains = Chains(TRIP, list(TRIP.variables), descended(TRIP), seed=3)
    chains.anneal_chains(200)
    assert max(rises) > 0
    rises.clear()
    monkeypatch.setattr("tensorspin.sampling.chains.WARMEST", 0.0)
    Chains(TRIP, list(TRIP.variables), np.ones(49, np.int8), seed=3).anneal_chains(200)
    assert rises and max(rises) <= 0


@pytest.mark.parametrize(
    "bqm, expected",
    [
        (TRIP, True),
        (assignment(1, 7), True),
        (colouring(52, 80, 5), False),
        (portfolio(1, 40), True),
        (TRIP.spin, False),
        (dimod.generators.ran_r(1, 60, seed=1).change_vartype("BINARY", inplace=False), False),
        (dimod.BinaryQuadraticModel({"a": 1.0}, {}, "BINARY"), False),
        (dimod.BinaryQuadraticModel("BINARY"), False),
    ],
)
def test_constraints_make_single_flips_costly(bqm, expected):
    assert locked(bqm, list(bqm.variables), seed=1) == expected


def test_a_tour_is_solved_in_parts_by_chains():
    board = golden_board()
    sampler = DecomposingSampler(BoardSampler(board))
    told = []
    options = {"seed": 1, "max_passes": 2, "patience": 1}
    found = sampler.sample(TRIP, progress=lambda *pair: told.append(pair), **options)
    dimod.testing.assert_sampleset_energies(found, TRIP)
    info = found.info
    assert info["traversal"] == "chains"
    assert info["parts"] == told[-1][0] and info["parts"] in (4, 8)  # windows of 16, all of them
    assert info["device_time"] > 0 and info["transfer_time"] > 0 and len(board.runs) > 0
    (energies,) = info["energies"]
    assert np.diff(energies).max() < 1e-6 and energies[-1] >= found.first.energy - 1e-6
    near = sampler.sample(TRIP, traversal="bfs", **options)
    assert near.info["traversal"] == "bfs" and near.first.energy >= found.first.energy - 1e-6
    again = DecomposingSampler(BoardSampler(golden_board())).sample(TRIP, **options)
    np.testing.assert_array_equal(again.record.sample, found.record.sample)


def test_a_child_without_a_board_solves_the_parts():
    found = DecomposingSampler(Descending(), 10).sample(
        TRIP, seed=1, max_passes=1, num_reads=2, initial_states_generator="random"
    )
    dimod.testing.assert_sampleset_energies(found, TRIP)
    assert found.info["traversal"] == "chains" and found.info["parts"] == 2 * 5


def test_passes_that_lower_nothing_end_a_read():
    found = DecomposingSampler(Descending(), 10).sample(TRIP, seed=1, max_passes=30, patience=2)
    (energies,) = found.info["energies"]
    passes = energies[2:]
    assert len(passes) < 20 and passes[-1] == pytest.approx(passes[-3])
    assert found.info["parts"] == 5 * (len(passes) - 1)


def test_initial_states_are_kept_or_lowered():
    best = DecomposingSampler(Descending(), 10).sample(TRIP, seed=1, max_passes=1).first
    again = DecomposingSampler(Descending(), 10).sample(
        TRIP, seed=2, max_passes=1, initial_states=best.sample
    )
    assert again.first.energy <= best.energy + 1e-9
    assert again.info["energies"][0][0] == pytest.approx(best.energy)


def test_the_user_ends_the_chains_or_the_parts():
    board = golden_board()
    sampler = DecomposingSampler(BoardSampler(board))
    calls = []
    found = sampler.sample(TRIP, seed=1, interrupt_function=lambda: bool(calls.append(1)) or True)
    assert found.info["interrupted"] and not board.runs and len(calls) == 1
    chained = MOVES * 49 // ASKED + 1
    calls.clear()
    found = sampler.sample(
        TRIP, seed=1, interrupt_function=lambda: calls.append(1) or len(calls) > chained
    )
    assert found.info["interrupted"] and len(board.runs) == 0
    dimod.testing.assert_sampleset_energies(found, TRIP)
    high = sampler.sample(TRIP, seed=1, energy_threshold=1e9)
    assert not board.runs and not high.info["interrupted"]


def test_models_of_one_part_and_glasses_are_not_chained():
    sampler = DecomposingSampler(BoardSampler(golden_board()))
    options = {"seed": 1, "num_sweeps": 4, "max_passes": 1}
    assert sampler.sample(travelling_salesman(1, 6), **options).info["traversal"] == "bfs"
    glass = dimod.generators.ran_r(1, 40, seed=1)
    assert sampler.sample(glass, **options).info["traversal"] == "bfs"
    assert sampler.sample(glass, traversal="chains", **options).info["traversal"] == "chains"


@pytest.mark.parametrize(
    "parameters, message",
    [
        ({"traversal": "dfs"}, "must be None or one of bfs, chains, not 'dfs'"),
        ({"traversal": "chains", "exact": True}, "can't be given with exact=True"),
    ],
)
def test_wrong_traversals(parameters, message):
    with pytest.raises(ValueError, match=message):
        DecomposingSampler(BoardSampler(golden_board())).sample(TRIP, **parameters)


def test_parameters_that_the_child_does_not_know():
    with pytest.raises(TypeError, match="must know all parameters, not 'sweeps'"):
        DecomposingSampler(BoardSampler(golden_board())).sample(TRIP, sweeps=4)
