"""What is annealed, and what is decided on the host."""

from __future__ import annotations

import dimod
import numpy as np
import pytest

from tensorspin.contract.device.boards import find_board
from tensorspin.errors import CapacityError
from tensorspin.sampling import BoardSampler, DecomposingSampler
from tensorspin.sampling.prepare import prepare_model

from ..support.annealer_boards import SIZE, golden_board

QUICK = {"num_sweeps": 5, "num_reads": 2, "seed": 1}


def strong_and_weak(vartype):
    """Isolated variables with fields from 10**6 to 10**-6, and two that are coupled."""
    rng = np.random.default_rng(1)
    fields = {("f", place): rng.choice([-1, 1]) * 10.0 ** (6 - place) for place in range(13)}
    return dimod.BinaryQuadraticModel({**fields, "a": 0.5}, {"ab": -1.0}, 0.25, vartype)


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_weak_isolated_variables_are_right(vartype):
    bqm = strong_and_weak(vartype)
    board = golden_board()
    found = BoardSampler(board).sample(bqm, **QUICK)
    assert {job.problem.variables for job in board.runs} == {2}
    assert found.info["decided"] == 13
    assert found.info["quantization_error"]["relative_error"] == 0
    for sample in found.samples():
        for label, field in bqm.linear.items():
            if isinstance(label, tuple):
                assert sample[label] == (1 if field < 0 else 0 if vartype == "BINARY" else -1)
    dimod.testing.assert_sampleset_energies(found, bqm)


def test_what_the_device_holds_exactly_is_annealed_whole():
    bqm = dimod.BinaryQuadraticModel({"a": 3.0, "b": 1.0}, {"ab": 1.0}, "SPIN")
    prepared = prepare_model(bqm, ["a", "b"], SIZE)
    assert not prepared.decided and prepared.quantised.exact
    assert sorted(prepared.labels) == ["a", "b"]


def test_samples_at_a_temperature_have_all_variables_on_the_device():
    bqm = dimod.BinaryQuadraticModel({"a": 100.3, "b": 0.7}, {"bc": -1.0, "cd": 0.5}, "SPIN")
    assert len(prepare_model(bqm, list(bqm.variables), SIZE).variables) == 3
    board = golden_board()
    found = BoardSampler(board).sample(bqm, exact=True, **QUICK)
    assert board.runs[0].problem.variables == 4 and found.info["decided"] == 0


def test_all_variables_decided():
    board = golden_board()
    bqm = dimod.BinaryQuadraticModel({"a": -1e6, "b": 1e-3}, {"ab": 1e-4}, "SPIN")
    found = BoardSampler(board).sample(bqm, num_reads=3, num_sweeps=5)
    assert not board.runs
    assert [dict(sample) for sample in found.samples()] == [{"a": 1, "b": -1}] * 3
    assert found.info["device_time"] == 0


def test_a_strong_field_that_would_not_fit():
    """Deciding it leaves a problem that does."""
    bqm = dimod.BinaryQuadraticModel({"a": 1e5, "b": 0.0, "c": 1.0}, {"ab": 2, "bc": 2}, "SPIN")
    found = BoardSampler(golden_board()).sample(bqm, num_reads=4, num_sweeps=40, seed=1)
    assert found.first.energy == dimod.ExactSolver().sample(bqm).first.energy
    with pytest.raises(CapacityError, match="local field"):
        BoardSampler(golden_board()).sample(bqm, exact=True)


def choose(number, count, unit=1.0):
    """Choose a number of bits: (sum of x - number)**2, times the unit."""
    linear = np.full(count, unit * (1 - 2 * number))
    rows, columns = np.triu_indices(count, 1)
    quadratic = rows, columns, np.full(len(rows), 2.0 * unit)
    return dimod.BinaryQuadraticModel.from_numpy_vectors(
        linear, quadratic, unit * number**2, "BINARY", variable_order=range(count)
    )


def test_choosing_10_of_540_is_refused_and_solved_in_parts():
    bqm = choose(10, 540)
    size = find_board("ulx3s_85f_annealer").require_annealer()
    with pytest.raises(
        CapacityError, match="local field .* 1059 needed, the device holds 1023"
    ) as e:
        prepare_model(bqm, range(540), size)
    assert "board with wider fields" in str(e.value) and "DecomposingSampler" in str(e.value)
    # Few enough variables fit, and are exact.
    fits = prepare_model(choose(10, 520), range(520), size)
    assert fits.quantised.exact


def test_a_model_that_does_not_fit_at_once_is_solved_in_parts():
    bqm = choose(2, 30, unit=0.37)
    narrow = golden_board(SIZE.__class__(32, 4, 6, 10, (1,) * 5, 32, 64))
    with pytest.raises(CapacityError, match="local field"):
        BoardSampler(narrow).sample(bqm)
    found = DecomposingSampler(BoardSampler(narrow)).sample(bqm, num_sweeps=40, seed=1)
    assert found.first.energy == pytest.approx(0)
    assert sum(found.first.sample.values()) == 2
