"""Models larger than the device."""

from __future__ import annotations

import dataclasses
import tracemalloc

import dimod
import dimod.testing
import numpy as np
import pytest
from scipy.sparse.csgraph import breadth_first_order

from tensorspin.sampling import BoardSampler, DecomposingSampler
from tensorspin.sampling.parts import Work

from ..support.annealer_boards import SIZE, golden_board


def ring_of_clusters(vartype="SPIN", clusters=12, each=6):
    """A planted state: couplings along it alone, strong within clusters; and its energy."""
    rng = np.random.default_rng(1)
    count = clusters * each
    planted = rng.choice([-1, 1], count)
    bqm = dimod.BinaryQuadraticModel("SPIN")
    for i in range(count):
        bqm.add_linear(f"s{i}", 0.0)
        for j in range(i):
            if i // each == j // each or (i - j) % count in (each, count - each):
                bqm.add_quadratic(f"s{i}", f"s{j}", -planted[i] * planted[j])
    energy = bqm.energy({f"s{i}": planted[i] for i in range(count)})
    bqm.offset = 2.0
    return bqm.change_vartype(vartype, inplace=False), energy + 2.0


@pytest.fixture
def sampler():
    return DecomposingSampler(BoardSampler(golden_board()))


class Descending(dimod.Sampler):
    """A sampler that sets each variable against its linear term, in no time."""

    parameters: dict = {}
    properties: dict = {}

    def sample(self, bqm, **parameters):
        states = np.array([[-1 if bqm.get_linear(v) > 0 else 1 for v in bqm.variables]], np.int8)
        return dimod.SampleSet.from_samples_bqm((states, list(bqm.variables)), bqm)


def test_interface(sampler):
    dimod.testing.assert_sampler_api(sampler)
    dimod.testing.assert_composite_api(sampler)
    assert sampler.size == SIZE.spins


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_finds_a_planted_state(sampler, vartype):
    bqm, optimum = ring_of_clusters(vartype)
    told = []
    found = sampler.sample(
        bqm, seed=1, num_sweeps=20, progress=lambda *args: told.append(args), num_reads=2
    )
    assert found.vartype is bqm.vartype
    dimod.testing.assert_sampleset_energies(found, bqm)
    assert found.first.energy == pytest.approx(optimum)
    info = found.info
    for energies, last in zip(info["energies"], found.record.energy):
        assert energies == sorted(energies, reverse=True)
        assert energies[-1] == pytest.approx(last)
    done = [parts for parts, _ in told]
    assert done == sorted(done) and done[-1] == info["parts"]
    if info["traversal"] == "bfs":
        assert done == list(range(1, info["parts"] + 1))
    assert told[-1][0] <= told[-1][1]
    assert info["device_time"] > 0 and info["transfer_time"] > 0


def test_same_seed_same_samples(sampler):
    bqm, _ = ring_of_clusters()
    options = {"num_sweeps": 2, "max_passes": 1}
    first, second = (sampler.sample(bqm, seed=3, **options).record.sample for _ in range(2))
    assert np.array_equal(first, second)


def test_initial_states_are_never_made_worse(sampler):
    bqm, optimum = ring_of_clusters()
    best = sampler.sample(bqm, seed=1, num_sweeps=20)
    again = sampler.sample(bqm, initial_states=best, seed=2, num_sweeps=1, max_passes=1)
    assert len(again) == len(best)
    assert again.first.energy <= best.first.energy == pytest.approx(optimum)


def test_any_child():
    bqm, _ = ring_of_clusters(clusters=4)
    sampler = DecomposingSampler(dimod.ExactSolver(), size=8)
    found = sampler.sample(bqm, seed=1)
    dimod.testing.assert_sampleset_energies(found, bqm)
    energies = found.info["energies"][0]
    assert energies[-1] <= energies[0] and len(energies) > 1
    assert "device_time" not in found.info


def test_interrupt(sampler):
    bqm, _ = ring_of_clusters()
    found = sampler.sample(bqm, seed=1, num_reads=3, num_sweeps=2, interrupt_function=lambda: True)
    assert len(found) == 1 and found.info["parts"] == 1
    dimod.testing.assert_sampleset_energies(found, bqm)


def test_small_and_empty_models(sampler):
    found = sampler.sample_ising({"a": 1.0}, {("a", "b"): 1.0}, seed=1, num_sweeps=10)
    assert found.first.energy == -2.0 and found.info["parts"] == 1
    assert sampler.sample_ising({}, {}).first.energy == 0


def test_wrong_arguments(sampler):
    for child in (None, "golden://ulx3s_25f_annealer"):
        with pytest.raises(TypeError, match="child must be a dimod.Sampler, not"):
            DecomposingSampler(child)
    with pytest.raises(ValueError, match="size must be given"):
        DecomposingSampler(dimod.ExactSolver())
    with pytest.raises(ValueError, match="size must be at least 1, not 0"):
        DecomposingSampler(dimod.ExactSolver(), 0)
    with pytest.raises(TypeError, match="size must be an integer, not 1.5"):
        DecomposingSampler(dimod.ExactSolver(), 1.5)
    with pytest.raises(ValueError, match=f"at most {SIZE.spins}, the child's spins, not 33"):
        DecomposingSampler(BoardSampler(golden_board()), SIZE.spins + 1)
    with pytest.raises(TypeError, match="patience must be an integer, not 1.5"):
        sampler.sample_ising({"a": 1.0}, {}, patience=1.5)
    with pytest.raises(ValueError, match="patience must be at least 1, not 0"):
        sampler.sample_ising({"a": 1.0}, {}, patience=0)
    with pytest.raises(TypeError, match="must be a dimod.BinaryQuadraticModel, not None"):
        sampler.sample(None)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_told_by_the_users_labels(sampler, value):
    fields = {f"v{number}": 0.0 for number in range(2 * SIZE.spins)}
    with pytest.raises(ValueError, match=f"linear term of 'v3' is {value}"):
        sampler.sample_ising({**fields, "v3": value}, {})
    with pytest.raises(ValueError, match=rf"coupling of \('v\d+', 'v\d+'\) is {value}"):
        sampler.sample_ising(fields, {("v3", "v50"): value})


def test_parts_that_do_not_fit_are_halved():
    """Their fixed surroundings are too strong for the fields."""
    size = dataclasses.replace(SIZE, coupling_bits=2, field_bits=6, strides=(1,) * 5)
    rng = np.random.default_rng(1)
    couplings = {
        (row, column): float(rng.choice([-1, 1])) for column in range(80) for row in range(column)
    }
    sampler = DecomposingSampler(BoardSampler(golden_board(size)))
    states = {number: 1 for number in range(80)}
    found = sampler.sample_ising({}, couplings, seed=1, initial_states=states, num_sweeps=20)
    info = found.info
    first, *others = info["energies"][0]
    assert first == sum(couplings.values()) and others[-1] < first
    dimod.testing.assert_sampleset_energies(
        found, dimod.BinaryQuadraticModel.from_ising({}, couplings)
    )
    assert info["method"] == "annealing" and info["relative_error"] >= 0
    error = info["quantization_error"]
    assert error["relative_error"] == info["relative_error"]
    assert isinstance(error["zeroed"], int) and error["zeroed"] <= error["coefficients"]


def test_memory_is_in_proportion_to_the_model():
    peaks = []
    for count in (2000, 8000):  # pairs of variables, each a component of its own
        pairs = {(place, place + 1): -1.0 for place in range(0, count, 2)}
        bqm = dimod.BinaryQuadraticModel.from_ising(dict.fromkeys(range(count), 0.5), pairs)
        sampler = DecomposingSampler(Descending(), 500)
        tracemalloc.start()
        found = sampler.sample(bqm, seed=1, max_passes=1)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert found.first.energy == -count
    assert peaks[1] < 8 * peaks[0]
    assert peaks[1] < 10_000_000


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_variables_without_couplings_are_in_no_part(vartype):
    bqm = dimod.BinaryQuadraticModel({place: place - 2e4 for place in range(40_000)}, {}, vartype)
    bqm.add_quadratic(7, 8, 1e6)
    bqm.add_quadratic(8, 9, 0.0)  # no coupling, only an entry for one
    sampler = DecomposingSampler(Descending(), 500)
    low = -1 if vartype == "SPIN" else 0
    found = sampler.sample(bqm, seed=1, num_reads=2)
    assert found.info["parts"] == 2 and found.info["energies"][0][-1] == found.first.energy
    assert [found.first.sample[place] for place in (9, 19_999, 20_001)] == [1, 1, low]
    started = sampler.sample(bqm, seed=1, initial_states=dict.fromkeys(bqm.variables, 1))
    assert started.first.energy == found.first.energy
    assert started.first.sample[20_000] == 1  # both values are as good, so that it stays
    assert sampler.sample(bqm, seed=1, max_passes=1, exact=True).info["parts"] == 80


def plain_order(couplings, rng):
    """The order by one breadth-first search for each component."""
    shuffled = rng.permutation(couplings.shape[0])
    graph = couplings[shuffled][:, shuffled]
    left = np.ones(len(shuffled), dtype=bool)
    order = []
    while left.any():
        first = int(left.argmax())
        reached = breadth_first_order(graph, first, directed=False, return_predecessors=False)
        order.append(reached)
        left[reached] = False
    return shuffled[np.concatenate(order)]


@pytest.mark.parametrize("density", [0.0, 0.01, 0.04, 0.3])
def test_the_order_goes_through_one_component_after_the_other(density):
    rng = np.random.default_rng(5)
    upper = np.triu(rng.integers(1, 9, (60, 60)) * (rng.random((60, 60)) < density), 1)
    bqm = dimod.BinaryQuadraticModel({i: 1.0 for i in range(60)}, {}, "SPIN")
    for i, j in zip(*np.nonzero(upper)):
        bqm.add_quadratic(int(i), int(j), float(upper[i, j]))
    work = Work(DecomposingSampler(Descending(), 9), bqm, range(60), 3, {"exact": True}, {})
    expected = plain_order(work._couplings, np.random.default_rng(3))
    assert work._order().tolist() == expected.tolist()
