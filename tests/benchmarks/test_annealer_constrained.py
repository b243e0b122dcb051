"""The part of the annealer's benchmark with models that have constraints."""

from __future__ import annotations

import itertools

import dimod
import numpy as np
import pytest

from tensorspin.benchmarks.annealer import constrained, constrained_ways, kinds
from tensorspin.benchmarks.annealer.constrained_tables import constrained_table
from tensorspin.benchmarks.annealer.speed import first_answer


def ground(bqm):
    return dimod.ExactSolver().sample(bqm).first


def test_a_trip_through_all_cities():
    best = ground(kinds.travelling_salesman(2, 5))
    places = np.random.default_rng(2).uniform(0, 100, (5, 2))
    lengths = [
        sum(np.linalg.norm(places[a] - places[b]) for a, b in itertools.pairwise((0, *order, 0)))
        for order in itertools.permutations(range(1, 5))
    ]
    assert best.energy == pytest.approx(min(lengths))


def test_a_knapsack():
    best = ground(kinds.knapsack(3, 6, 9))
    weights, values = np.random.default_rng(3).integers(1, 10, (2, 6))
    states = np.array(list(itertools.product((0, 1), repeat=6)))
    states = states[states @ weights <= weights.sum() // 2]
    assert best.energy == -(states @ values).max()


def test_a_partition():
    numbers = np.random.default_rng(4).integers(1, 1000, 10)
    states = np.array(list(itertools.product((-1, 1), repeat=10)))
    assert ground(kinds.partition(4, 10)).energy == ((states @ numbers) ** 2).min()


@pytest.mark.parametrize(
    "bqm, groups",
    [
        (kinds.portfolio(1, 10), {tuple(range(10)): 5}),
        (kinds.colouring(1, 4, 3), {tuple((n, c) for c in range(3)): 1 for n in range(4)}),
        (kinds.assignment(1, 3), {tuple((n, c) for c in range(3)): 1 for n in range(3)}),
    ],
)
def test_penalties_are_large_enough(bqm, groups):
    best = ground(bqm).sample
    for group, number in groups.items():
        assert sum(best[label] for label in group) == number


def test_which_reads_keep_the_constraints():
    for kind in kinds.SUMS:
        bqm = kinds.KINDS[kind](1)
        found = dimod.SampleSet.from_samples_bqm(
            [dict.fromkeys(bqm.variables, 0), ground_by_hand(bqm)], bqm
        )
        assert kinds.feasible(kind, found).tolist() == [False, True]
    assert kinds.feasible("partition to 999", found) is None


def ground_by_hand(bqm):
    """Choose each city at the place of its number, each facility at its site, or half of all."""
    labels = list(bqm.variables)
    if isinstance(labels[0], tuple):
        return {label: int(label[0] == label[1]) for label in labels}
    return {label: int(label % 2) for label in labels}


def test_instances_are_those_of_the_seed():
    for make in kinds.KINDS.values():
        assert make(1) == make(1) != make(2)


def test_gaps_of_boards_beside_those_of_a_library(monkeypatch):
    monkeypatch.setattr(constrained, "SWEEPS", 2)
    monkeypatch.setitem(constrained_ways.CALLS, "windows", {"refine": None, "num_windows": 1})
    board = "ulx3s_25f_annealer_8bit"
    eight = {board: constrained.constrained_rows()[board]}
    done = []
    found = constrained.measure_kind(
        "knapsack, weights to 99", eight, [1], [0, 1], lambda: done.append(1)
    )
    assert done == [1] and found["variables"] <= 20
    assert tuple(each["way"] for each in found["boards"]) == constrained_ways.WAYS
    ways = {each["way"]: each for each in found["boards"]}
    raw, default = ways["raw"], ways["default"]
    assert raw["gap"] > 0 == default["gap"] and default["solved"] == 1  # it is enumerated
    for way in ("descent", "chains", "windows"):
        assert ways[way]["gap"] <= raw["gap"]
        assert ways[way]["host_seconds"] > raw["host_seconds"]
    assert ways["tabu"]["gap"] <= ways["descent"]["gap"] < raw["gap"]
    for way in ("descent", "tabu", "chains"):  # nothing of them is done on the board
        assert (
            ways[way]["device_seconds"] == raw["device_seconds"] < ways["windows"]["device_seconds"]
        )
    assert all(raw[f"{name}_seconds"] > 0 for name in ("device", "transfer", "host"))
    assert all(each["feasible"] is None and each["library_gap"] >= 0 for each in found["boards"])
    assert ways["windows"]["library_gap"] <= raw["library_gap"] <= found["library"]["gap"]
    text = "\n".join(constrained_table([found]))
    name = f"knapsack, weights to 99 ({found['variables']})"
    assert f"| {name} | {board} | raw |" in text
    assert text.count("| knapsack") == len(constrained_ways.WAYS)


def test_what_does_not_fit_is_told(monkeypatch):
    rows = constrained.constrained_rows()
    large = {"x": rows["ulx3s_25f_annealer"]}
    monkeypatch.setitem(kinds.KINDS, "large", lambda seed: kinds.partition(seed, 257))
    monkeypatch.setattr(constrained, "_best", lambda model: 0.0)
    monkeypatch.setattr(constrained, "SWEEPS", 2)
    (board,) = constrained.measure_kind("large", large, [1], [0])["boards"]
    assert board == {"board": "x", "obstacle": "variables"}
    item = {"kind": "large", "variables": 257, "boards": [board], "library": {}}
    assert "| large (257) | x | variables | - |" in "\n".join(constrained_table([item]))


def test_the_first_answer_takes_whole_runs():
    assert first_answer(None, 0.5) is None and first_answer(1.0, 0.0) is None
    assert first_answer(1.0, 1.0, replicas=16) == 16
    # Two runs of 16 reads that each fail with 0.1 ** (1 / 16) fail with 0.01.
    assert first_answer(1.0, 1 - 0.11 ** (1 / 16), replicas=16, further_seconds=2.0) == 3 * 16 + 2
    assert first_answer(1.0, 1 - 0.09 ** (1 / 16), replicas=16) == 2 * 16
