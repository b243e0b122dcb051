"""Which sample sets of a remote are believed."""

from __future__ import annotations

import dimod
import numpy as np
import pytest

from tensorspin.hybrid.offload import ImplausibleError
from tensorspin.hybrid.sample_sets import checked_samples


@pytest.fixture
def bqm():
    return dimod.BinaryQuadraticModel({"a": 0.5, "b": -1.0}, {("a", "b"): 2.0}, 3.0, "SPIN")


def samples_of(bqm, states=({"a": 1, "b": -1}, {"a": -1, "b": 1}), **options):
    options = {"vartype": "SPIN", **options}
    if "energy" not in options:
        options["energy"] = [bqm.energy(state) for state in states]
    return dimod.SampleSet.from_samples(list(states), **options)


def test_true_ones_come_back_as_they_were(bqm):
    answer = samples_of(bqm)
    assert checked_samples(answer, bqm) is answer


def test_energies_in_single_precision_will_do():
    bqm = dimod.BinaryQuadraticModel({i: 1000 / 3 for i in range(99)}, {}, 0.0, "SPIN")
    state = {i: 1 for i in range(99)}
    answer = samples_of(bqm, [state], energy=[float(np.float32(bqm.energy(state)))])
    assert checked_samples(answer, bqm) is answer


@pytest.mark.parametrize("energy", [0.0, float("nan"), float("inf")])
def test_wrong_energies_are_refused(bqm, energy):
    with pytest.raises(ImplausibleError, match="a sample has the energy"):
        checked_samples(samples_of(bqm, energy=[1.5, energy]), bqm)


def test_other_variables_are_refused(bqm):
    for state in ({"a": 1}, {"a": 1, "c": 1}, {"a": 1, "b": 1, "c": 1}):
        with pytest.raises(ImplausibleError, match="variables must be the model's"):
            checked_samples(samples_of(bqm, [state], energy=[0.0]), bqm)


def test_another_vartype_is_refused(bqm):
    answer = samples_of(bqm, [{"a": 1, "b": 0}], vartype="BINARY", energy=[0.0])
    with pytest.raises(ImplausibleError, match="SPIN variables, the answer BINARY"):
        checked_samples(answer, bqm)


@pytest.mark.parametrize("field, value", [("sample", 3), ("num_occurrences", 0)])
def test_other_values_are_refused(bqm, field, value):
    answer = samples_of(bqm)
    answer.record[field][1] = value
    with pytest.raises(ImplausibleError, match="samples must hold|at least once"):
        checked_samples(answer, bqm)


@pytest.mark.parametrize("answer", [None, [], {"a": 1}, 3])
def test_what_is_no_sample_set_is_refused(bqm, answer):
    with pytest.raises(ImplausibleError, match="must be a dimod.SampleSet"):
        checked_samples(answer, bqm)


def test_no_samples_are_none(bqm):
    empty = dimod.SampleSet.from_samples_bqm([], bqm)
    with pytest.raises(ImplausibleError):
        checked_samples(empty, bqm)
    with pytest.raises(ImplausibleError, match="has no samples"):
        checked_samples(samples_of(bqm).truncate(0), bqm)


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_a_model_without_variables_has_an_energy_all_the_same(vartype):
    bqm = dimod.BinaryQuadraticModel({}, {}, 2.0, vartype)
    answer = dimod.ExactSolver().sample(bqm)
    if len(answer):
        assert checked_samples(answer, bqm) is answer
