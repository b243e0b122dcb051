"""The sampler as users of dimod use it."""

from __future__ import annotations

import copy
import pickle
import unittest
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import dimod
import dimod.testing
import numpy as np
import pytest

from tensorspin.errors import CapacityError, TensorspinError
from tensorspin.sampling import BoardSampler, DecomposingSampler
from tensorspin.sampling.quantise import quantise_model
from tensorspin.sampling.schedules import least_beta

from ..support.annealer_boards import MANY, SIZE, URL, WIDE, golden_board

SWEEPS = {"num_sweeps": 20, "num_restarts": 1}
READS = 400


class QuickSampler(BoardSampler):
    """With fewer sweeps by default."""

    def sample(self, bqm, **parameters):
        return super().sample(bqm, **{**SWEEPS, **parameters})


def quick_sampler():
    return QuickSampler(golden_board(WIDE))


@dimod.testing.load_sampler_bqm_tests(quick_sampler)
class TestDimodsOwn(unittest.TestCase):
    def test_interface(self):
        dimod.testing.assert_sampler_api(quick_sampler())
        assert issubclass(BoardSampler, (dimod.Initialized, dimod.Scoped))


@pytest.fixture
def board():
    return golden_board()


@pytest.fixture
def sampler(board):
    return BoardSampler(board)


def random_model(seed, count, vartype, unit=0.5):
    rng = np.random.default_rng(seed)
    labels = [("v", number) if number % 2 else f"v{number}" for number in range(count)]
    bqm = dimod.BinaryQuadraticModel(vartype)
    for place, label in enumerate(labels):
        bqm.add_linear(label, unit * rng.integers(-4, 5))
        for other in labels[:place]:
            bqm.add_quadratic(label, other, unit * rng.integers(-3, 4))
    bqm.offset = 1.5
    return bqm


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_finds_the_ground_state(sampler, vartype):
    bqm = random_model(3, 10, vartype)
    found = sampler.sample(bqm, seed=1, num_sweeps=60, refine=None)
    exact = dimod.ExactSolver().sample(bqm).first
    assert found.vartype is bqm.vartype
    assert found.first.energy == pytest.approx(exact.energy)
    dimod.testing.assert_sampleset_energies(found, bqm)


def test_energies_are_those_of_the_model_however_coarse_the_device(sampler):
    rng = np.random.default_rng(4)
    bqm = dimod.BinaryQuadraticModel.from_ising(
        dict(enumerate(rng.standard_normal(12))),
        {(i, j): rng.standard_normal() for i in range(12) for j in range(i)},
        7.25,
    )
    found = sampler.sample(bqm, seed=1, **SWEEPS)
    dimod.testing.assert_sampleset_energies(found, bqm)
    error = found.info["quantization_error"]
    assert 0 < error["relative_error"] < 0.1
    assert 0 < error["coupling_error"] < error["energy_error"]


def test_info(sampler, board):
    bqm = random_model(5, 8, "SPIN")
    found = sampler.sample(
        bqm, num_reads=2 * SIZE.replicas + 1, seed=3, beta_range=(0.1, 2), **SWEEPS
    )
    info = found.info
    assert (info["seed"], info["scale"]) == (3, 2.0)
    assert info["beta_range"] == (0.1, 2.0)
    assert len(info["cycles"]) == len(board.runs) == 3
    assert info["device_time"] == pytest.approx(sum(info["cycles"]) / board.info.clock_hz)
    line = 3 * SIZE.replicas * 2 * SIZE.spins / 8 * 10 / 1e6  # states that come back, alone
    assert line < info["transfer_time"] < 1


def test_a_model_of_bits_is_sampled_at_the_temperature_of_its_spins(sampler, board):
    """Their conversion leaves rests of sums, which are not the unit of the coefficients."""
    bits = random_model(5, 20, "BINARY", unit=0.1)
    found = [
        sampler.sample(bqm, seed=1, beta_range=(2, 20), refine=None, **SWEEPS)
        for bqm in (bits, bits.change_vartype("SPIN", inplace=False))
    ]
    of_bits, of_spins = board.runs
    assert of_bits.steps == of_spins.steps
    assert found[0].info["scale"] == pytest.approx(found[1].info["scale"])
    assert found[0].info["quantization_error"]["relative_error"] < 1e-9
    assert found[0].record.energy == pytest.approx(found[1].record.energy)


def test_one_strong_field_leaves_the_others_annealed():
    rng = np.random.default_rng(1)
    couplings = {
        (row, column): rng.choice([-1, 1]) for column in range(20) for row in range(column)
    }
    sampler = BoardSampler(golden_board(WIDE))
    options = {"num_sweeps": 100, "seed": 1, "refine": None}
    plain = sampler.sample_ising({}, couplings, **options)
    held = sampler.sample_ising({"held": 1000}, couplings, **options)
    assert held.first.energy == plain.first.energy - 1000
    assert np.mean(held.record.energy) < np.mean(plain.record.energy) * 0.95 - 1000


def test_temperatures_above_the_devices_are_told_in_units_of_the_model(sampler):
    with pytest.warns(UserWarning, match="20% of .* inverse temperatures are raised to 0.0"):
        found = sampler.sample_ising(
            {"a": 100.0, "b": 0.5},
            {},
            beta_range=(0, 1),
            num_sweeps=5,
            num_restarts=1,
            beta_schedule_type="linear",
        )
    first, last = found.info["beta_range"]
    assert first == pytest.approx(least_beta(SIZE) * found.info["scale"]) and last == 1


def test_reads(sampler, board):
    bqm = random_model(5, 8, "SPIN")
    assert len(sampler.sample(bqm, **SWEEPS)) == SIZE.replicas
    assert len(sampler.sample(bqm, num_reads=3, **SWEEPS)) == 3
    told = []
    found = sampler.sample(
        bqm, num_reads=2 * SIZE.replicas + 1, progress=lambda *args: told.append(args), **SWEEPS
    )
    one, two, reads = SIZE.replicas, 2 * SIZE.replicas, 2 * SIZE.replicas + 1
    assert len(found) == reads
    assert told == [(one, reads), (two, reads), (reads, reads)]
    seeds = [job.seed for job in board.runs[-3:]]
    assert len(set(seeds)) == 3


def test_same_seed_same_samples(sampler):
    bqm = random_model(6, 20, "BINARY")
    options = {"num_reads": 12, "num_sweeps": 3, "seed": 5, "refine": None}
    first, second = (sampler.sample(bqm, **options).record.sample for _ in range(2))
    assert np.array_equal(first, second)
    other = sampler.sample(bqm, **{**options, "seed": 6}).record.sample
    assert not np.array_equal(first, other)


def test_best_states_are_never_worse(sampler):
    bqm = random_model(7, 24, "SPIN")
    options = {"seed": 1, "num_sweeps": 30, "beta_range": (0.2, 0.2), "refine": None}
    final = sampler.sample(bqm, states="final", **options).record.energy
    best = sampler.sample(bqm, states="best", **options).record.energy
    assert np.all(best <= final) and np.any(best < final)


def test_temperatures_are_those_of_the_model():
    """At a fixed temperature the states follow Boltzmann's law of the model, not the device's."""
    board = golden_board(MANY)
    h, J, beta = {"a": 0.5}, {("a", "b"): -0.75}, 0.8
    found = BoardSampler(board).sample_ising(
        h, J, num_reads=READS, num_sweeps=5, beta_range=(beta, beta), exact=True, seed=2
    )
    exact = dimod.ExactSolver().sample_ising(h, J)
    law = np.exp(-beta * exact.record.energy)
    law /= law.sum()
    counts = {tuple(sorted(s.items())): 0 for s in exact.samples()}
    for sample in found.samples(sorted_by=None):
        counts[tuple(sorted(sample.items()))] += 1
    for sample, probability in zip(exact.samples(sorted_by=None), law):
        share = counts[tuple(sorted(sample.items()))] / READS
        # Five standard deviations.
        assert abs(share - probability) < 5 * np.sqrt(probability * (1 - probability) / READS)
    assert board.runs[0].refresh == MANY.exact_refresh(len(h))


def test_initial_states(sampler, board):
    bqm = random_model(8, 6, "BINARY")
    states = [
        {label: (place + read) % 2 for place, label in enumerate(bqm.variables)} for read in (0, 1)
    ]
    found = sampler.sample(bqm, initial_states=states, seed=1, **SWEEPS)
    assert len(found) == 2
    order = list(found.variables)
    sent = board.runs[0].initial_states * quantise_model(bqm, order, SIZE).start
    for read in (0, 1):
        assert sent[read].tolist() == [2 * states[read][label] - 1 for label in order]
    with pytest.raises(ValueError, match="insufficient"):
        sampler.sample(
            bqm, initial_states=states, initial_states_generator="none", num_reads=3, **SWEEPS
        )


def test_random_initial_states_differ(sampler, board):
    sampler.sample(random_model(8, 20, "SPIN"), seed=1, **SWEEPS)
    sent = board.runs[0].initial_states
    assert len(np.unique(sent, axis=0)) == SIZE.replicas


def test_interrupt(sampler, board):
    calls = []

    def interrupt():
        calls.append(len(board.runs))
        return len(board.runs) == 2

    found = sampler.sample(
        random_model(8, 6, "SPIN"), num_reads=40, interrupt_function=interrupt, **SWEEPS
    )
    assert len(found) == 2 * SIZE.replicas
    assert calls == [1, 2]


def test_a_chain_whose_neighbours_have_neighbouring_labels(sampler):
    """Visited along the chain, its domain walls would all move alike and never meet."""
    ring = {(i, (i + 1) % 20): 1.0 for i in range(20)}
    found = sampler.sample_ising({}, ring, num_reads=16, num_sweeps=40, seed=1, refine=None)
    assert found.first.energy == -20


@pytest.mark.parametrize("method, further", [("quantum", {}), ("tempering", {"tempering": 1})])
def test_methods(method, further):
    board = golden_board(replace(SIZE, **further))
    bqm = random_model(9, 12, "SPIN")
    found = BoardSampler(board).sample(
        bqm, method=method, num_sweeps=40, seed=1, states="best", refine=None
    )
    assert found.first.energy == pytest.approx(dimod.ExactSolver().sample(bqm).first.energy)
    dimod.testing.assert_sampleset_energies(found, bqm)
    (job,) = board.runs
    assert any(step.ring for step in job.steps) == (method == "quantum")
    assert (job.ladder is not None) == (method == "tempering")


def test_methods_that_the_device_lacks():
    sampler = BoardSampler(golden_board(replace(SIZE, ring=0)))
    for method, message in (("quantum", "has no ring"), ("tempering", "no parallel tempering")):
        with pytest.raises(ValueError, match=message):
            sampler.sample_ising({"a": 1.0}, {}, method=method, **SWEEPS)


def test_isolated_and_empty(sampler, board):
    bqm = dimod.BinaryQuadraticModel({"a": -1.0, "b": 0.0, "c": 2.0}, {}, 0.5, "SPIN")
    found = sampler.sample(bqm, seed=1, **SWEEPS)
    assert found.first.energy == -2.5
    empty = sampler.sample(dimod.BinaryQuadraticModel({}, {}, 0.5, "BINARY"), num_reads=3)
    assert (len(empty), list(empty.variables), empty.first.energy) == (3, [], 0.5)
    assert empty.info.keys() == found.info.keys()
    assert empty.info["device_time"] == empty.info["quantization_error"]["energy_error"] == 0
    assert len(board.runs) == 1
    zero = sampler.sample(dimod.BinaryQuadraticModel({"a": 0.0}, {}, 0.0, "BINARY"), **SWEEPS)
    assert zero.first.energy == 0


@pytest.mark.parametrize("number", [Fraction, Decimal, lambda value: int(10 * value) * 10**30])
def test_numbers_of_python_are_taken_in_double_precision(sampler, number):
    bqm = dimod.BinaryQuadraticModel("SPIN", dtype=object)
    bqm.add_linear("a", number(1))
    bqm.add_quadratic("a", "b", -number(3))
    for each in (sampler, DecomposingSampler(sampler)):
        found = each.sample(bqm, seed=1, num_sweeps=10)
        assert found.first.sample == {"a": -1, "b": -1}
        assert found.record.energy.dtype == np.float64
        assert found.first.energy == pytest.approx(-float(number(4)))


@pytest.mark.parametrize("value", ["1", 1j])
def test_words_are_no_coefficients(sampler, value):
    with pytest.raises(TypeError, match="linear term .* must be a real number"):
        sampler.sample(dimod.BinaryQuadraticModel({"a": value}, {}, "SPIN", dtype=object))
    huge = dimod.BinaryQuadraticModel({"a": 10**400}, {}, "SPIN", dtype=object)
    with pytest.raises(ValueError, match="beyond double precision"):
        sampler.sample(huge)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite(sampler, value):
    with pytest.raises(ValueError, match=rf"linear term of 'a' is {value}"):
        sampler.sample_ising({"a": value}, {})
    with pytest.raises(ValueError, match=rf"coupling of \('\w', '\w'\) is {value}"):
        sampler.sample_ising({}, {("a", "b"): value})
    with pytest.raises(ValueError, match=rf"coupling of \('\w', '\w'\) is {value}"):
        sampler.sample_qubo({("a", "b"): value})
    with pytest.raises(ValueError, match=rf"offset is {value}"):
        sampler.sample(dimod.BinaryQuadraticModel({"a": 1.0}, {}, value, "SPIN"))


@pytest.mark.parametrize("model", [None, {"a": 1.0}, dimod.ConstrainedQuadraticModel()])
def test_no_model(sampler, model):
    with pytest.raises(TypeError, match="must be a dimod.BinaryQuadraticModel, not"):
        sampler.sample(model)


def test_no_board():
    with pytest.raises(TypeError, match="a Board or a URL, not None"):
        BoardSampler(None)


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8, np.float32, bool])
def test_initial_states_of_any_dtype(sampler, dtype):
    bqm = dimod.BinaryQuadraticModel({"a": 0.0, "b": 0.0}, {"ab": 1.0}, 0.0, "BINARY")
    states = np.array([[0, 1], [1, 1]], dtype), ["a", "b"]
    found = sampler.sample(bqm, initial_states=states, seed=1, **SWEEPS)
    assert found.record.sample.dtype == np.int8
    expected = sampler.sample(
        bqm, initial_states=[{"a": 0, "b": 1}, {"a": 1, "b": 1}], seed=1, **SWEEPS
    )
    assert np.array_equal(found.record.sample, expected.record.sample)


def test_initial_states_between_the_values(sampler):
    with pytest.raises(ValueError, match="initial states hold 0.5"):
        sampler.sample_ising({"a": 1.0}, {}, initial_states={"a": 0.5})


def test_too_many_variables(sampler):
    with pytest.raises(CapacityError, match="33 needed, the device holds 32.*DecomposingSampler"):
        sampler.sample_ising({number: 1.0 for number in range(33)}, {})


@pytest.mark.parametrize(
    "error, message, parameters",
    [
        (ValueError, "not negative", {"beta_range": (1, -1)}),
        (ValueError, "temperature of zero", {"beta_range": (1, np.inf)}),
        (ValueError, "seed must be 0 to", {"seed": -1}),
        (TypeError, "seed must be None or an integer", {"seed": 1.5}),
        (ValueError, "annealing, crossover, quantum, tempering, not 'magic'", {"method": "magic"}),
        (ValueError, "lower, final, best, not 'all'", {"states": "all"}),
        (TypeError, "callable", {"interrupt_function": 3}),
        (ValueError, "positive", {"num_reads": 0}),
    ],
)
def test_wrong_parameters(sampler, board, error, message, parameters):
    with pytest.raises(error, match=message):
        sampler.sample_ising({"a": 1.0}, {}, **parameters)
    assert not board.runs


def test_unknown_parameters_are_told(sampler):
    with pytest.warns(dimod.exceptions.SamplerUnknownArgWarning, match="randomise"):
        sampler.sample_ising({"a": 1.0}, {}, randomise=True, **SWEEPS)


def test_board_without_annealer():
    with BoardSampler("golden://icebreaker") as sampler:
        with pytest.raises(TensorspinError, match="icebreaker has no annealer"):
            sampler.sample_ising({"a": 1.0}, {})


def test_a_url_is_opened_when_needed_and_can_be_copied():
    sampler = BoardSampler(URL)
    assert sampler._board is None
    with sampler:
        first = sampler.sample_ising({"a": 1.0}, {}, **SWEEPS)
        assert sampler.board is sampler.board
        for other in (copy.deepcopy(sampler), pickle.loads(pickle.dumps(sampler))):
            assert other._board is None
    assert sampler._board is None
    with sampler:
        assert sampler.sample_ising({"a": 1.0}, {}, **SWEEPS).first == first.first


def test_an_open_board_stays_open(board):
    with BoardSampler(board) as sampler:
        sampler.sample_ising({"a": 1.0}, {}, **SWEEPS)
    assert board.status() is not None
