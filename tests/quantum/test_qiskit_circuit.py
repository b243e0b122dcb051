"""The circuit that Qiskit is given is the one that NumPy computes, and survives OpenQASM 3."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit import qasm3
from qiskit.quantum_info import Statevector

from tensorspin.hybrid import born_circuit

from ..support.born_machines import detector, samples


def p0(circuit, values) -> float:
    bound = circuit.remove_final_measurements(inplace=False).assign_parameters(values)
    return Statevector(bound).probabilities()[0]


@pytest.mark.parametrize(
    "n_features, bond_dim, options",
    [
        (4, 2, {}),
        (12, 2, {}),
        (6, 4, {}),
        (5, 8, {}),
        (4, 8, {"feature_map": "damped_bumps"}),
        (6, 3, {"feature_map": "bumps", "local_dim": 3}),
        (3, 2, {"feature_map": "bumps", "local_dim": 8}),
    ],
)
def test_qiskit_computes_p0(n_features, bond_dim, options):
    born = born_circuit(detector(n_features, bond_dim, **options))
    X = samples(n_features)[:2]
    circuit = born.circuit
    assert [parameter.name for parameter in circuit.parameters] == born.parameter_names
    found = [p0(circuit, values) for values in born.angles(X)]
    assert found == pytest.approx(born.exact_probability(X), abs=1e-9)
    assert born.two_qubit_gates == circuit.num_nonlocal_gates()


def test_open_qasm_keeps_the_order_of_parameters():
    born = born_circuit(detector(12))
    X = samples(12)[:1]
    read = qasm3.loads(born.qasm3())
    assert [parameter.name for parameter in read.parameters] == born.parameter_names
    assert p0(read, born.angles(X)[0]) == pytest.approx(born.exact_probability(X)[0], abs=1e-9)


def test_qubits_are_measured_reset_and_used_again():
    born = born_circuit(detector(6), reuse_qubits=True)
    assert born.circuit.num_qubits == 2
    counts = born.circuit.count_ops()
    assert (counts["measure"], counts["reset"]) == (6, 4)
    read = qasm3.loads(born.qasm3())
    assert read.count_ops()["reset"] == 4
    assert np.array_equal([p.name for p in read.parameters], born.parameter_names)
