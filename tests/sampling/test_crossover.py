"""States that are crossed with each other."""

from __future__ import annotations

import dimod
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorspin.sampling import BoardSampler, DecomposingSampler
from tensorspin.sampling.crossover import Crossover, conductance, unsuited

from ..support.annealer_boards import SIZE, golden_board
from .test_methods import BETAS


def grid(rows, columns, seed=1):
    """A grid with couplings of +1 and -1; not closed, so that it is easily cut."""
    rng = np.random.default_rng(seed)
    pairs = {}
    for row in range(rows):
        for column in range(columns):
            for other in ((row + 1, column), (row, column + 1)):
                if other[0] < rows and other[1] < columns:
                    pairs[(row, column), other] = float(rng.choice([-1, 1]))
    return dimod.BinaryQuadraticModel({}, pairs, "SPIN")


LADDER = grid(2, 14)
"""A grid that small boards hold, and whose graph is suited."""


def energies_of(bqm, states):
    return bqm.spin.energies((states, range(bqm.num_variables)))


@st.composite
def pairs_of_states(draw):
    """A sparse model, and two of its states."""
    count = draw(st.integers(1, 14))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    bqm = dimod.BinaryQuadraticModel(draw(st.sampled_from(["SPIN", "BINARY"])))
    whole = draw(st.booleans())
    values = rng.integers(-5, 6, (2, count, count)) if whole else rng.normal(size=(2, count, count))
    fields = draw(st.booleans())
    for i in range(count):
        bqm.add_linear(i, float(values[0, 0, i]) * fields)
        for j in range(i):
            if rng.random() < draw(st.sampled_from([0.05, 0.2])):
                bqm.add_quadratic(i, j, float(values[1, i, j]))
    states = rng.choice(np.array([-1, 1], np.int8), (2, 1, count))
    return bqm, *states


def components(bqm, differ):
    """List the components of some variables, by a search along couplings."""
    left, groups = set(differ), []
    while left:
        group, new = set(), {left.pop()}
        while new:
            group |= new
            new = left & {j for i in new for j, bias in bqm.adj[i].items() if bias}
            left -= new
        groups.append(sorted(group))
    return groups


@settings(max_examples=60, deadline=None)
@given(pairs_of_states())
def test_a_child_is_the_best_of_all_combinations_of_components(case):
    bqm, first, second = case
    (child,) = Crossover(bqm, range(bqm.num_variables)).cross(first, second)
    if not any(bqm.spin.linear.values()) and (first != second).mean() > 0.5:
        second = -second  # both have the same energy
    groups = components(bqm, np.flatnonzero(first[0] != second[0]).tolist())[:7]
    combined = np.repeat(first, 2 ** len(groups), axis=0)
    for number, group in enumerate(groups):
        chosen = np.arange(len(combined)) >> number & 1 == 1
        combined[np.ix_(chosen, group)] = second[0, group]
    energies = energies_of(bqm, np.concatenate([child[None], first, second, combined]))
    scale = sum(map(abs, [*bqm.spin.linear.values(), *bqm.spin.quadratic.values()]))
    assert energies[0] <= energies.min() + 1e-12 * scale


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_joined_states_are_not_above_the_lowest(seed, count):
    rng = np.random.default_rng(seed)
    bqm = grid(4, 4, seed)
    bqm.relabel_variables(dict(zip(list(bqm.variables), range(16))))
    states = rng.choice(np.array([-1, 1], np.int8), (count, 16))
    before = states.copy()
    joined = Crossover(bqm, range(16)).joined(states)
    assert energies_of(bqm, joined[None])[0] <= energies_of(bqm, states).min()
    np.testing.assert_array_equal(states, before)


def test_many_pairs_are_crossed_as_one_by_one():
    bqm = grid(5, 6)
    bqm.relabel_variables(dict(zip(list(bqm.variables), range(30))))
    crossover = Crossover(bqm, range(30))
    first, second = np.random.default_rng(2).choice(np.array([-1, 1], np.int8), (2, 7, 30))
    together = crossover.cross(first, second)
    alone = [crossover.cross(*pair)[0] for pair in zip(first[:, None], second[:, None])]
    np.testing.assert_array_equal(together, alone)
    gained = energies_of(bqm, together) - np.minimum(
        *(energies_of(bqm, s) for s in (first, second))
    )
    assert gained.max() <= 0 > gained.mean()


def test_equal_states_and_a_model_without_couplings():
    bqm = dimod.BinaryQuadraticModel({0: 1.0, 1: -1.0}, {}, "SPIN")
    crossover = Crossover(bqm, range(2))
    states = np.array([[1, 1], [-1, -1]], np.int8)
    assert crossover.cross(states, states).tolist() == states.tolist()
    assert crossover.cross(states[:1], states[1:]).tolist() == [[-1, 1]]


@pytest.mark.parametrize(
    "bqm, suited",
    [
        (grid(20, 20), True),
        (dimod.generators.gnm_random_bqm(400, 600, "SPIN", random_state=1), False),
        (dimod.generators.ran_r(1, 40, seed=1), False),
        (dimod.BinaryQuadraticModel({(i): 1.0 for i in range(5)}, {}, "SPIN"), True),
        (dimod.BinaryQuadraticModel({}, {(0, i): 1.0 for i in range(1, 50)}, "SPIN"), False),
        (
            # Complete graphs of five, which have nothing to do with each other.
            dimod.BinaryQuadraticModel(
                {},
                {((k, i), (k, j)): 1.0 for k in range(20) for i in range(5) for j in range(i)},
                "SPIN",
            ),
            True,
        ),
    ],
)
def test_the_graph_decides(bqm, suited):
    assert (unsuited(bqm) is None) == suited
    # Couplings of zero are none.
    absent = bqm.copy()
    labels = list(bqm.variables)
    for label in labels[1:]:
        absent.add_quadratic(labels[0], label, 0.0)
    assert (
        conductance(absent) == conductance(bqm) == conductance(bqm.change_vartype("BINARY", False))
    )


def test_reads_are_crossed():
    board = golden_board()
    options = {"num_sweeps": 4, "num_restarts": 2, "num_reads": 12, "seed": 1, "refine": None}
    found = BoardSampler(board).sample(LADDER, method="crossover", **options)
    dimod.testing.assert_sampleset_energies(found, LADDER)
    assert found.info["method"] == "crossover" and len(board.runs) == 4
    assert found.info["crossover"] == {"used": True, "reason": None}
    # A threshold, reached or not, keeps anneals of a read in runs of their own.
    plain = BoardSampler(golden_board()).sample(LADDER, energy_threshold=-1e9, **options)
    assert "crossover" not in plain.info
    # The same anneals, and no read of them is lost.
    assert np.all(found.record.energy <= plain.record.energy)
    assert found.record.energy.sum() < plain.record.energy.sum()
    again = BoardSampler(golden_board()).sample(LADDER, method="crossover", **options)
    np.testing.assert_array_equal(again.record, found.record)


def test_all_replicas_have_their_part_in_one_read():
    options = {"num_sweeps": 2, "num_restarts": 1, "seed": 4, "refine": None}
    (one,) = (
        BoardSampler(golden_board())
        .sample(LADDER, method="crossover", num_reads=1, **options)
        .record.energy
    )
    plain = BoardSampler(golden_board()).sample(LADDER, num_reads=SIZE.replicas, **options)
    assert one < plain.first.energy


def test_binary_variables_and_states_of_the_user_are_crossed():
    bqm = LADDER.change_vartype("BINARY", inplace=False)
    states = [dict.fromkeys(bqm.variables, 1), dict.fromkeys(bqm.variables, 0)]
    found = BoardSampler(golden_board()).sample(
        bqm, method="crossover", initial_states=states, num_sweeps=80, seed=1
    )
    dimod.testing.assert_sampleset_energies(found, bqm)
    assert found.info["num_restarts"] == 2 and len(found) == 2


def test_a_model_that_is_not_suited_is_annealed_and_the_reason_told():
    board = golden_board()
    bqm = dimod.generators.ran_r(1, 20, seed=1)
    found = BoardSampler(board).sample(bqm, method="crossover", num_sweeps=8, seed=1)
    plain = BoardSampler(golden_board()).sample(bqm, num_sweeps=8, seed=1)
    assert found.info["method"] == "annealing"
    np.testing.assert_array_equal(found.record, plain.record)
    told = found.info["crossover"]
    assert not told["used"] and "conductance is 0.7" in told["reason"]


def test_a_hub_that_is_decided_on_the_host_does_not_count():
    bqm = LADDER.copy()
    for label in LADDER.variables:
        bqm.add_quadratic("hub", label, 0.125)
    bqm.add_linear("hub", 100.3)
    found = BoardSampler(golden_board()).sample(bqm, method="crossover", num_sweeps=8, seed=1)
    assert found.info["decided"] == 1 and found.info["crossover"]["used"]


def test_a_threshold_ends_the_anneals_as_soon_as_a_crossed_read_meets_it():
    board = golden_board()
    sampler = BoardSampler(board)
    best = sampler.sample(LADDER, method="crossover", num_sweeps=400, seed=1).first.energy
    board.runs.clear()
    found = sampler.sample(
        LADDER, method="crossover", num_sweeps=400, seed=1, energy_threshold=best, refine=None
    )
    assert found.first.energy == best and len(board.runs) < 10 and found.info["interrupted"]


def test_an_empty_model_and_parts_of_a_large_one():
    sampler = BoardSampler(golden_board())
    assert len(sampler.sample(dimod.BinaryQuadraticModel("SPIN"), method="crossover")) >= 1
    large = grid(2, 40)
    found = DecomposingSampler(sampler).sample(
        large, method="crossover", num_sweeps=20, max_passes=1, seed=1
    )
    assert found.info["method"] == "crossover"
    dimod.testing.assert_sampleset_energies(found, large)


def test_exact_states_are_not_crossed():
    board = golden_board()
    with pytest.raises(
        ValueError, match="crossover.*exact=True: states that are crossed follow no"
    ):
        BoardSampler(board).sample(LADDER, method="crossover", exact=True, seed=1)
    assert not board.runs


def test_a_schedule_of_the_user_is_one_anneal():
    found = BoardSampler(golden_board()).sample(
        LADDER, method="crossover", beta_schedule_type="custom", beta_schedule=BETAS, seed=1
    )
    assert found.info["num_restarts"] == 1 and found.info["method"] == "crossover"
