"""States that no flip of a single variable improves."""

from __future__ import annotations

import dimod
import numpy as np
import pytest
from dwave.samplers import RandomSampler
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorspin.sampling import AnnealingFeatureSelector, BoardSampler, DecomposingSampler
from tensorspin.sampling.refine import CHUNK, REFINEMENTS, checked_refine, refine_states

from ..support.annealer_boards import SIZE, golden_board

COUNT = 7
HOT = {"num_sweeps": 1, "beta_range": (0.25, 0.25), "seed": 1}
"""So hot that a read hardly ever ends in a local minimum."""

INTEGERS = st.integers(-(10**6), 10**6).map(float)
FLOATS = st.floats(-1e3, 1e3)
WIDE = st.builds(lambda sign, power: sign * 10.0**power, st.sampled_from([-1, 1]), FLOATS.map(
    lambda value: value / 100
))  # fmt: skip


@st.composite
def models(draw):
    """A model, with whether its coefficients are integers."""
    numbers = draw(st.sampled_from([INTEGERS, FLOATS, WIDE]))
    labels = [("v", place) if place % 2 else f"v{place}" for place in range(COUNT)]
    pairs = [(a, b) for place, a in enumerate(labels) for b in labels[:place]]
    linear = draw(st.lists(numbers, min_size=COUNT, max_size=COUNT))
    quadratic = draw(st.dictionaries(st.sampled_from(pairs), numbers, max_size=12))
    vartype = draw(st.sampled_from(["SPIN", "BINARY"]))
    return dimod.BinaryQuadraticModel(dict(zip(labels, linear)), quadratic, 0.5, vartype), (
        numbers is INTEGERS
    )


def gains(bqm, sample):
    """How much each flip lowers the energy, and the sum of the terms that it changes."""
    for variable, value in sample.items():
        other = -value if bqm.vartype is dimod.SPIN else 1 - value
        terms = [bqm.linear[variable], *bqm.adj[variable].values()]
        field = bqm.linear[variable] + sum(
            weight * sample[neighbour] for neighbour, weight in bqm.adj[variable].items()
        )
        yield field * (value - other), sum(map(abs, terms))


def assert_local_minima(bqm, samples, exact=True):
    for sample in samples:
        for gain, terms in gains(bqm, sample):
            # The rounding of a sum of few terms is some 1e-16 of them.
            assert gain <= (0 if exact else 1e-14 * terms)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(models(), st.integers(0, 2**32 - 1))
def test_no_flip_improves_a_refined_state(model, seed):
    bqm, integers = model
    values = [-1, 1] if bqm.vartype is dimod.SPIN else [0, 1]
    states = np.random.default_rng(seed).choice(values, (5, COUNT)).astype(np.int8)
    before = states.copy()
    labels = list(bqm.variables)
    refined = refine_states(bqm, labels, states)
    assert np.array_equal(states, before)
    assert refined.dtype == np.int8 and set(np.unique(refined)) <= set(values)
    assert_local_minima(bqm, [dict(zip(labels, row.tolist())) for row in refined], integers)
    limit = 1e-9 * max(1, max(map(abs, bqm.energies((states, labels)))))
    assert np.all(bqm.energies((refined, labels)) <= bqm.energies((states, labels)) + limit)
    assert np.array_equal(refine_states(bqm, labels, refined), refined)


@settings(deadline=None, max_examples=8, derandomize=True)
@given(models())
def test_no_flip_improves_what_a_board_returns(model):
    bqm, integers = model
    found = BoardSampler(golden_board()).sample(bqm, num_reads=3, num_sweeps=1, seed=1)
    assert_local_minima(bqm, found.samples(), integers)


@settings(deadline=None, max_examples=20, derandomize=True)
@given(models())
def test_no_flip_improves_what_is_found_in_parts(model):
    bqm, integers = model
    sampler = DecomposingSampler(RandomSampler(), 3)
    found = sampler.sample(bqm, num_reads=2, max_passes=1, seed=1)
    assert_local_minima(bqm, found.samples(), integers)


def random_model(vartype="BINARY", count=30):
    rng = np.random.default_rng(2)
    bqm = dimod.BinaryQuadraticModel(vartype)
    for i in range(count):
        bqm.add_linear(f"x{i}", rng.normal())
        for j in range(i):
            bqm.add_quadratic(f"x{i}", f"x{j}", rng.normal())
    return bqm


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_the_boards_own_states_and_energies_are_kept(vartype):
    bqm = random_model(vartype)
    sampler = BoardSampler(golden_board())
    raw = sampler.sample(bqm, refine=None, num_reads=12, **HOT)
    found = sampler.sample(bqm, num_reads=12, **HOT)
    assert (raw.info["refine"], found.info["refine"]) == (None, "descent")
    # A read's energies stand at the same place in all of these.
    assert found.info["board_energies"] == raw.info["board_energies"]
    assert raw.info["board_energies"] == raw.record.energy.tolist()
    assert np.all(found.record.energy < raw.record.energy)
    assert np.all(found.record.num_occurrences == 1)
    descended = refine_states(bqm, list(raw.variables), raw.record.sample)
    assert np.array_equal(found.record.sample, descended)
    assert_local_minima(bqm, found.samples(), exact=False)
    with pytest.raises(AssertionError):
        assert_local_minima(bqm, raw.samples(), exact=False)


def test_a_sampler_in_parts_refines_the_whole():
    bqm = random_model("SPIN", 40)
    sampler = DecomposingSampler(BoardSampler(golden_board()), 6)
    options = {"max_passes": 1, "num_sweeps": 1, "num_reads": 1, "seed": 3}
    raw = sampler.sample(bqm, refine=None, **options)
    found = sampler.sample(bqm, **options)
    assert raw.info["board_energies"] == raw.record.energy.tolist()
    assert np.all(found.record.energy < found.info["board_energies"])
    assert_local_minima(bqm, found.samples(), exact=False)
    stopped = sampler.sample(bqm, interrupt_function=lambda: True, **options)
    assert len(stopped) == 1
    assert_local_minima(bqm, stopped.samples(), exact=False)


def test_energies_in_parts_end_with_that_of_the_read():
    bqm = random_model("BINARY", 40)
    sampler = DecomposingSampler(RandomSampler(), 6)
    for refine in REFINEMENTS:
        found = sampler.sample(bqm, max_passes=1, num_reads=2, seed=3, refine=refine)
        for energies, energy in zip(found.info["energies"], found.record.energy):
            assert energies == sorted(energies, reverse=True)
            assert energies[-1] == pytest.approx(energy)


def test_a_threshold_is_met_by_refined_reads():
    bqm = random_model()
    board = golden_board()
    sampler = BoardSampler(board)
    options = {"num_reads": 3 * SIZE.replicas, **HOT}
    whole = sampler.sample(bqm, **options)
    # Better than all raw reads, and met by the refined reads of the first run.
    first = whole.record.energy[: SIZE.replicas].min()
    assert first < min(whole.info["board_energies"])
    assert len(sampler.sample(bqm, energy_threshold=first, **options)) == SIZE.replicas
    raw = sampler.sample(bqm, energy_threshold=first, refine=None, **options)
    assert len(raw) == 3 * SIZE.replicas
    parts = DecomposingSampler(RandomSampler(), 6)
    options = {"max_passes": 1, "num_reads": 3, "seed": 3}
    whole = parts.sample(bqm, **options)
    first = whole.record.energy[0]
    assert first < whole.info["board_energies"][0]
    assert len(parts.sample(bqm, energy_threshold=first + 1e-9, **options)) == 1


def test_reads_before_an_interruption_are_refined():
    bqm = random_model()
    found = BoardSampler(golden_board()).sample(
        bqm, num_reads=3 * SIZE.replicas, interrupt_function=lambda: True, **HOT
    )
    assert len(found) == len(found.info["board_energies"]) == SIZE.replicas
    assert_local_minima(bqm, found.samples(), exact=False)


def test_exact_samples_are_raw():
    bqm = random_model()
    sampler = BoardSampler(golden_board())
    for each in (sampler, DecomposingSampler(sampler)):
        found = each.sample(bqm, exact=True, num_reads=2, **HOT)
        assert found.info["refine"] is None
        assert found.info["board_energies"] == found.record.energy.tolist()
        with pytest.raises(ValueError, match="exact=True asks .* refine='descent'.* give one"):
            each.sample(bqm, exact=True, refine="descent")


@pytest.mark.parametrize("refine", ["ascent", True, 1, ["descent"]])
def test_wrong_refinements(refine):
    sampler = BoardSampler(golden_board())
    for each in (sampler, DecomposingSampler(sampler)):
        with pytest.raises(ValueError, match='refine must be "descent", "tabu" or None'):
            each.sample(random_model(), refine=refine)
    assert sampler.properties["refine_options"] == REFINEMENTS
    assert [checked_refine(value) for value in REFINEMENTS] == list(REFINEMENTS)


def test_features_are_selected_by_refined_states():
    class Spy(BoardSampler):
        def sample(self, bqm, **parameters):
            found = super().sample(bqm, **parameters)
            assert_local_minima(bqm, found.samples(), exact=False)
            told.append(found.info["refine"])
            return found

    told = []
    rng = np.random.default_rng(1)
    X, y = rng.random((60, 10)), rng.integers(0, 2, 60)
    options = {"num_sweeps": 2}
    selector = AnnealingFeatureSelector(
        Spy(golden_board()), n_features_to_select=3, sampler_parameters=options, random_state=0
    )
    selector.fit(X, y)
    assert told and set(told) == {"descent"}


def test_strong_and_weak_coefficients():
    """Each is right, though the descent's integers lose the weak ones beside the strong."""
    rng = np.random.default_rng(3)
    fields = 10.0 ** rng.uniform(-15, 15, 500) * rng.choice([-1, 1], 500)
    bqm = dimod.BinaryQuadraticModel(dict(enumerate(fields)), {}, "SPIN")
    states = rng.choice([-1, 1], (3, 500)).astype(np.int8)
    assert np.array_equal(refine_states(bqm, range(500), states), np.tile(-np.sign(fields), (3, 1)))


def test_many_states_take_several_steps(monkeypatch):
    monkeypatch.setattr("tensorspin.sampling.refine.CHUNK", 100)
    bqm = random_model()
    states = np.random.default_rng(4).choice([0, 1], (11, 30)).astype(np.int8)
    found = refine_states(bqm, list(bqm.variables), states)
    monkeypatch.setattr("tensorspin.sampling.refine.CHUNK", CHUNK)
    assert np.array_equal(found, refine_states(bqm, list(bqm.variables), states))


def test_a_large_sparse_model():
    rng = np.random.default_rng(5)
    count, weights = 6000, rng.normal(size=6000)
    ring = np.arange(count), (np.arange(count) + 1) % count, weights
    bqm = dimod.BinaryQuadraticModel.from_numpy_vectors(
        np.zeros(count), ring, 0.0, "SPIN", variable_order=range(count)
    )
    states = rng.choice([-1, 1], (2, count)).astype(np.int8)
    found = refine_states(bqm, range(count), states)
    bonds = weights * found * np.roll(found, -1, axis=1)
    assert np.all(bonds + np.roll(bonds, 1, axis=1) <= 0)


@pytest.mark.parametrize("unit", [1e-300, 1e300])
def test_coefficients_of_any_magnitude(unit):
    bqm = dimod.BinaryQuadraticModel({0: unit, 1: -unit}, {(0, 1): -unit / 2}, "SPIN")
    found = refine_states(bqm, [0, 1], np.array([[1, 1], [1, -1]], np.int8))
    assert found.tolist() == [[-1, 1], [-1, 1]]


def test_nothing_to_refine():
    empty = dimod.BinaryQuadraticModel("BINARY")
    assert refine_states(empty, [], np.empty((3, 0), np.int8)).shape == (3, 0)
    zero = dimod.BinaryQuadraticModel({"a": 0.0}, {}, "BINARY")
    states = np.array([[0], [1]], np.int8)
    assert np.array_equal(refine_states(zero, ["a"], states), states)
    assert refine_states(zero, ["a"], states[:0]).shape == (0, 1)
