"""Tabu search and enumeration by the host, and the time that it takes."""

from __future__ import annotations

import dimod
import numpy as np
import pytest

from tensorspin.sampling import BoardSampler, DecomposingSampler
from tensorspin.sampling.enumeration import MOST_ENUMERATED, ground_state
from tensorspin.sampling.refine import refine_states
from tensorspin.sampling.tabu import MOST_TABU_VARIABLES, tabu_states

from ..support.annealer_boards import golden_board

HOT = {"beta_range": (0.01, 0.02), "num_sweeps": 2, "num_restarts": 1, "seed": 1}


def random_model(count, vartype="SPIN", seed=1):
    rng = np.random.default_rng(seed)
    linear = {f"v{i}": rng.standard_normal() for i in range(count)}
    pairs = {(f"v{i}", f"v{j}"): rng.standard_normal() for i in range(count) for j in range(i)}
    return dimod.BinaryQuadraticModel(linear, pairs, 0.5, vartype)


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
@pytest.mark.parametrize("count", [1, 2, 7, 10])
def test_enumeration(vartype, count):
    bqm = random_model(count, vartype)
    labels = sorted(bqm.variables, reverse=True)
    found = bqm.energies((ground_state(bqm, labels)[None, :], labels))[0]
    assert found == pytest.approx(dimod.ExactSolver().sample(bqm).first.energy)


def test_most_enumerated():
    bqm = random_model(MOST_ENUMERATED)
    sampler = BoardSampler(golden_board())
    found = sampler.sample(bqm, num_reads=3, **HOT)
    state = ground_state(bqm, list(bqm.variables))
    assert found.first.energy == pytest.approx(bqm.energies((state[None], list(bqm.variables)))[0])
    assert found.info["enumerated"] and len(found) == 3
    raw = sampler.sample(bqm, num_reads=3, refine=None, **HOT)
    assert not raw.info["enumerated"] and raw.first.energy > found.first.energy
    larger = sampler.sample(random_model(MOST_ENUMERATED + 1), num_reads=3, **HOT)
    assert not larger.info["enumerated"]
    with pytest.raises(ValueError, match="up to 20 variables is enumerated, not 21"):
        ground_state(random_model(21), range(21))


def test_only_the_best_read_is_replaced():
    bqm = random_model(12, seed=3)
    found = BoardSampler(golden_board()).sample(bqm, num_reads=8, **HOT)
    raw = BoardSampler(golden_board()).sample(bqm, num_reads=8, refine=None, **HOT)
    descended = refine_states(bqm, list(raw.variables), raw.record.sample)
    same = (found.record.sample == descended).all(axis=1)
    assert same.sum() >= 7


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_tabu(vartype):
    bqm = random_model(30, vartype)
    labels = list(bqm.variables)
    sampler = BoardSampler(golden_board())
    descent = sampler.sample(bqm, num_reads=20, **HOT)
    found = sampler.sample(bqm, num_reads=20, refine="tabu", **HOT)
    assert found.info["refine"] == "tabu" and len(found) == 20
    assert np.all(found.record.energy <= descent.record.energy)
    assert np.any(found.record.energy < descent.record.energy)
    dimod.testing.assert_sampleset_energies(found, bqm)
    again = sampler.sample(bqm, num_reads=20, refine="tabu", **HOT)
    assert np.array_equal(found.record.sample, again.record.sample)
    ones = np.ones((2, 30), np.int8)  # neither spins nor bits by themselves
    assert (
        bqm.energies((tabu_states(bqm, labels, ones, 1), labels)).max()
        <= bqm.energies((ones, labels)).min()
    )


def test_a_model_in_parts_is_searched_as_a_whole():
    bqm = random_model(40)
    sampler = DecomposingSampler(BoardSampler(golden_board()), 8)
    options = {"max_passes": 1, "num_sweeps": 2, "num_restarts": 1, "num_reads": 1, "seed": 2}
    plain = sampler.sample(bqm, **options)
    found = sampler.sample(bqm, refine="tabu", **options)
    assert found.first.energy <= plain.first.energy and found.info["refine"] == "tabu"


def test_tabu_of_too_many_variables_is_refused_before_any_work():
    count = MOST_TABU_VARIABLES + 1
    bqm = dimod.BinaryQuadraticModel({place: 1.0 for place in range(count)}, {}, "SPIN")
    board = golden_board()
    for sampler in (BoardSampler(board), DecomposingSampler(BoardSampler(board))):
        with pytest.raises(ValueError, match=f"up to {MOST_TABU_VARIABLES} variables.*not {count}"):
            sampler.sample(bqm, refine="tabu")
    assert not board.runs


def test_the_time_of_the_host_is_told():
    sampler = BoardSampler(golden_board())
    found = sampler.sample(random_model(10), **HOT)
    assert 0 < found.info["host_time"] < 60
    parts = DecomposingSampler(sampler, 5).sample(random_model(10), max_passes=1, num_reads=1)
    assert 0 < parts.info["host_time"] < 60
