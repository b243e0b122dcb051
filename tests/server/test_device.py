"""What an appliance runs circuits on: samplers and backends of users, and what they cannot do."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector

from tensorspin.server.appliance.compiling import compiled, limits_of, parse
from tensorspin.server.appliance.device import Choice, load_device
from tensorspin.server.appliance.examine import Unfit

HEAD = 'OPENQASM 3.0; include "stdgates.inc"; bit[2] c; qubit[2] q; '
FAKE = "qiskit_ibm_runtime.fake_provider:FakeManilaV2"
ECHO = "tests.support.samplers:Echo"
RESET = HEAD + "x q[0]; c[0] = measure q[0]; reset q[0]; c[1] = measure q[0];"


def run(device, circuit, shots=100, **values):
    values = {name: np.atleast_1d(np.asarray(value, float)) for name, value in values.items()}
    return device.run(circuit, values, shots)


@pytest.mark.parametrize("sampler", ["aer", "statevector"])
def test_simulators_measure_what_the_circuit_says(sampler):
    device = load_device(Choice(sampler, seed=1))
    text = HEAD + "input float[64] a; rx(a) q[0]; cx q[0], q[1]; c = measure q;"
    circuit = compiled(
        parse(text, limits_of(device)), device.backend.target if device.backend else None
    )
    (bits,) = run(device, circuit, a=[0.0, np.pi, np.pi / 2])
    assert bits.shape == (3, 100, 1)
    assert set(bits[0].ravel()) == {0} and set(bits[1].ravel()) == {3}
    assert 20 < (bits[2] == 3).sum() < 80 and set(bits[2].ravel()) == {0, 3}


def test_the_same_seed_measures_the_same():
    circuit = QuantumCircuit(3)
    circuit.h([0, 1, 2])
    circuit.measure_all()
    for sampler in ("aer", "statevector"):
        first, again = (run(load_device(Choice(sampler, seed=5)), circuit) for _ in range(2))
        assert np.array_equal(first, again)


def test_a_circuit_without_parameters_and_one_that_lost_some_have_all_rows():
    device = load_device(Choice(ECHO))
    circuit = QuantumCircuit(2)
    circuit.measure_all()
    assert run(device, circuit, shots=2)[0].shape == (1, 2, 1)
    assert run(device, circuit, shots=2, gone=[1.0, 2.0, 3.0])[0].shape == (3, 2, 1)


def test_columns_go_to_the_parameters_of_their_names():
    names = ParameterVector("p", 12)
    circuit = QuantumCircuit(8)
    for name in reversed(names):
        circuit.rx(name, 0)
    circuit.measure_all()
    values = {f"p[{place}]": [float(place), float(place + 20)] for place in reversed(range(12))}
    (bits,) = run(load_device(Choice(ECHO)), circuit, shots=1, **values)
    assert bits.ravel().tolist() == [11, 31]


def test_a_backend_of_five_qubits_with_noise():
    device = load_device(Choice("aer", FAKE, seed=1))
    assert (device.qubits, device.resets, device.dynamic) == (5, True, True)
    with pytest.raises(Unfit, match="needs 6 qubits, the backend has 5"):
        parse("OPENQASM 3.0; bit c; qubit[6] q; c = measure q[0];", limits_of(device))
    circuit = compiled(
        parse(RESET, limits_of(device)), device.backend.target if device.backend else None
    )
    assert circuit.num_qubits == 5
    (bits,) = run(device, circuit, shots=400)
    assert 300 < (bits == 1).sum() < 400  # of noise


def test_a_backend_without_reset_refuses_circuits_with_one():
    device = load_device(Choice("tests.support.samplers:NoReset"))
    assert (device.qubits, device.resets) == (5, False)
    with pytest.raises(Unfit, match="cannot reset qubits"):
        parse(RESET, limits_of(device))
    with pytest.raises(Unfit, match="cannot reset qubits"):
        parse(RESET, limits_of(load_device(Choice("statevector"))))
    parse(RESET, limits_of(load_device(Choice("aer"))))


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (Choice("qpu"), "--sampler must be aer, statevector or MODULE:OBJECT, not 'qpu'"),
        (Choice(":x"), "--sampler must be"),
        (Choice("no_such_module:x"), "--sampler no_such_module:x: No module named"),
        (Choice("math:nothing"), "--sampler math:nothing: module 'math' has no attribute"),
        (Choice("tests.support.samplers:pid_of_this_process"), "BaseSamplerV2.*not int"),
        (Choice("aer", "FakeManilaV2"), "--backend must be MODULE:OBJECT"),
        (Choice("aer", "math:pi"), "must be a backend of Qiskit .BackendV2., not float"),
    ],
)
def test_what_is_no_sampler_is_refused(choice, words):
    with pytest.raises(ValueError, match=words):
        load_device(choice)


def test_the_users_limit_counts():
    assert load_device(Choice("statevector", most_qubits=7)).qubits == 7
    assert load_device(Choice("statevector")).qubits == 24
    assert load_device(Choice(ECHO, most_qubits=100)).qubits == 100
