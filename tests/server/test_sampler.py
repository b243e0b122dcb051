"""A client of a real appliance, over TLS, gives what a sampler of Qiskit gives."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import ClassicalRegister, Parameter, ParameterVector, QuantumRegister
from qiskit.primitives import BaseSamplerV2
from qiskit.providers import JobStatus

from tensorspin.hybrid import ApplianceSampler
from tensorspin.hybrid.appliance import ApplianceError


def one_parameter(bits=8):
    circuit = QuantumCircuit(bits)
    circuit.rx(Parameter("value"), 0)
    circuit.measure_all()
    return circuit


def numbers(result, register="meas"):
    """The number of each row's shots, which must be the same in all of them."""
    array = result.data[register]
    words = {int(word, 2) for word in array.get_bitstrings()}
    assert len(words) == 1
    return words.pop()


def test_it_is_a_sampler_of_qiskit(sampler):
    assert isinstance(sampler, BaseSamplerV2)
    job = sampler.run([(one_parameter(), [37.0])], shots=5)
    result = job.result(timeout=60)
    assert result[0].data.meas.num_shots == 5 and numbers(result[0]) == 37
    assert result[0].metadata["shots"] == 5 and result.metadata == {"version": 2}
    assert job.done() and job.in_final_state() and job.status() is JobStatus.DONE


def test_batches_keep_their_shape_and_order(sampler):
    values = np.arange(6.0).reshape(2, 3, 1)
    result = sampler.run([(one_parameter(9), values)], shots=2).result()[0]
    assert result.data.meas.shape == (2, 3) and result.data.meas.num_bits == 9
    found = [[set(result.data.meas[i, j].get_int_counts()) for j in range(3)] for i in range(2)]
    assert found == [[{0}, {1}, {2}], [{3}, {4}, {5}]]


@pytest.mark.parametrize("asked", range(12))
def test_values_go_to_the_names_that_they_belong_to(sampler, asked):
    # With more than ten, sorting by name (x_10 before x_2) permutes what is sent by position.
    names = ParameterVector("x", 12)
    circuit = QuantumCircuit(8)
    circuit.rx(names[asked], 0)
    for name in names:
        circuit.rz(name, 1)
    circuit.measure_all()
    assert (
        numbers(sampler.run([(circuit, np.arange(12.0) + 20)], shots=1).result()[0]) == asked + 20
    )


def test_several_registers_and_odd_names(sampler):
    circuit = QuantumCircuit(
        QuantumRegister(2, "input"), ClassicalRegister(1, "measure"), ClassicalRegister(9, "c1")
    )
    circuit.rx(Parameter("θ[0]"), 0)
    circuit.measure(0, 0)
    circuit.measure(1, 9)
    result = sampler.run([(circuit, [1.0])], shots=3).result()[0]
    assert numbers(result, "measure") == 1 and numbers(result, "c1") == 1
    assert result.data.c1.num_bits == 9


def test_pubs_of_one_call_are_answered_in_order(sampler):
    pubs = [(one_parameter(), [float(value)]) for value in range(5)]
    assert [numbers(pub) for pub in sampler.run(pubs, shots=1).result()] == list(range(5))


def test_a_sampler_survives_pickle_and_close(sampler, appliance):
    other = pickle.loads(pickle.dumps(sampler))
    with other:
        assert numbers(other.run([(one_parameter(), [3.0])], shots=1).result()[0]) == 3
    assert numbers(other.run([(one_parameter(), [4.0])], shots=1).result()[0]) == 4
    other.close()
    assert appliance.token not in repr(sampler)


def test_a_cancelled_job_says_so(sampler):
    job = sampler.run([(one_parameter(), [1.0])], shots=1)
    job.result()
    assert not job.cancel() and not job.cancelled()
    job = sampler.run([(one_parameter(), [1.0])] * 3, shots=1)
    assert job.cancel() and job.cancelled() and job.status() is JobStatus.CANCELLED
    with pytest.raises(ApplianceError, match="was cancelled"):
        job.result()


def test_upload_and_device_say_what_there_is(sampler):
    told = sampler.upload(one_parameter())
    assert told["qubits"] == 8 and told["registers"] == [["meas", 8]]
    assert sampler.device()["sampler"] == "tests.support.samplers:Echo"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"url": "box:8443"}, "url must be such as https://box:8443, not 'box:8443'"),
        ({"url": "http://box:8443", "token": "t"}, "url must begin with https://"),
        ({"url": "https://box:x"}, "port of url must be a number"),
        ({"url": "https://user:secret@box"}, "url must be host, port and path alone, not 'box'"),
        ({"token": "two words"}, "token must be the text"),
        ({"shots": 0}, "shots must be a whole number from 1 to 1000000, not 0"),
        ({"shots": True}, "shots must be a whole number"),
        ({"timeout": float("nan")}, "timeout must be a positive number of seconds, not nan"),
        ({"timeout": 0}, "timeout must be a positive number"),
        ({"in_flight": 0}, "in_flight must be a whole number from 1 to 64, not 0"),
    ],
)
def test_arguments_that_are_none_are_refused(arguments, words):
    with pytest.raises(ValueError) as raised:
        ApplianceSampler(**{"url": "https://box:8443", **arguments})
    assert words in str(raised.value) and "secret" not in str(raised.value)


def test_values_and_circuits_that_cannot_be_sent_are_refused(sampler):
    with pytest.raises(ValueError, match="finite numbers, not nan for value in row 1"):
        sampler.run([(one_parameter(), [[1.0], [np.nan]])])
    with pytest.raises(ValueError, match="no classical register"):
        sampler.run([QuantumCircuit(1)])
    initialised = QuantumCircuit(1)
    initialised.initialize([0, 1])
    initialised.measure_all()
    with pytest.raises(ValueError, match="transpile it to basic gates first"):
        sampler.run([initialised])
