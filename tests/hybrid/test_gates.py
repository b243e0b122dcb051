"""Isometries and rotations are what their gates make of the state 0."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.hybrid.circuits.gates import (
    Gate,
    applied,
    apply,
    completed,
    isometry_gates,
    matrix_of,
    rotation_gates,
    state_gates,
)
from tensorspin.hybrid.circuits.loading import loading_angles, loading_gates, qubits_for

RNG = np.random.default_rng(0)


def rotation(size):
    matrix = np.linalg.qr(RNG.normal(size=(size, size)))[0]
    matrix[:, 0] *= np.linalg.det(matrix)
    return matrix


def unitary(gates, n_qubits, parameters=()):
    """The matrix of gates: what they make of each state."""
    columns = []
    for state in np.eye(1 << n_qubits, dtype=complex):
        for gate in gates:
            state = applied(matrix_of(gate, parameters), state, gate.qubits)
        columns.append(state)
    return np.array(columns).T


SPECIAL = [
    np.eye(4),
    -np.eye(4),
    np.diag([1.0, -1, -1, 1]),
    np.eye(4)[[1, 0, 3, 2]],
    np.eye(4)[[3, 2, 1, 0]],
    np.eye(4)[[1, 2, 0, 3]],
    np.kron(rotation(2), rotation(2)),
]


@pytest.mark.parametrize("matrix", [*SPECIAL, *(rotation(4) for _ in range(20))])
@pytest.mark.parametrize("qubits", [(0, 1), (1, 0)])
def test_a_rotation_of_two_qubits_takes_two_cnots(matrix, qubits):
    gates = rotation_gates(matrix, qubits)
    assert sum(gate.name == "cx" for gate in gates) == 2
    found = unitary(gates, 2)
    expected = unitary([Gate("isometry", qubits, matrix=matrix, inputs=qubits)], 2)
    phase = np.vdot(expected, found) / 4
    assert abs(phase) == pytest.approx(1)
    assert found == pytest.approx(phase * expected, abs=1e-12)


@pytest.mark.parametrize("state", [*np.eye(4), *-np.eye(4), *rotation(4)])
def test_a_real_state_of_two_qubits_takes_one_cnot(state):
    gates = state_gates(state, (0, 1))
    assert [gate.name for gate in gates].count("cx") == 1
    assert apply(gates, 2) == pytest.approx(state, abs=1e-12)
    swapped = apply(state_gates(state, (1, 0)), 2)
    assert swapped == pytest.approx(state[[0, 2, 1, 3]], abs=1e-12)


@pytest.mark.parametrize("n_qubits, n_columns", [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (2, 4)])
def test_an_isometry_maps_its_inputs(n_qubits, n_columns):
    matrix = rotation(1 << n_qubits)[:, :n_columns]
    qubits = (2, 0)[:n_qubits]
    inputs = qubits[n_qubits - qubits_for(n_columns) :]
    gates = isometry_gates(matrix, qubits, inputs)
    assert sum(gate.name == "cx" for gate in gates) == {1: 0, 2: 2 - (n_columns == 1)}[n_qubits]
    whole = unitary(gates, 3)
    # States in which the inputs stand for a column, and the other qubits are 0.
    for column in range(n_columns):
        place = sum((column >> bit & 1) << qubit for bit, qubit in enumerate(inputs))
        found = whole[:, place]
        rows = [
            sum((row >> bit & 1) << qubit for bit, qubit in enumerate(qubits))
            for row in range(1 << n_qubits)
        ]
        overlap = abs(np.vdot(found[rows], matrix[:, column]))
        assert overlap == pytest.approx(1)


def test_a_larger_isometry_stays_one_gate():
    matrix = rotation(8)[:, :3]
    (gate,) = isometry_gates(matrix, (0, 1, 2), (1, 2))
    assert gate.name == "isometry" and gate.matrix.shape == (8, 4)
    assert matrix_of(gate)[:, [0, 2, 4]] == pytest.approx(matrix)


@pytest.mark.parametrize("given", [1, 2, 3])
def test_an_isometry_is_completed_to_a_rotation(given):
    matrix = rotation(4)[:, :given]
    whole = completed(matrix, [3, 1, 0][:given])
    assert whole.T @ whole == pytest.approx(np.eye(4), abs=1e-12)
    assert np.linalg.det(whole) == pytest.approx(1)
    assert whole[:, [3, 1, 0][:given]] == pytest.approx(matrix)


@pytest.mark.parametrize("n_qubits", [1, 2, 3, 4, 5])
def test_loading_turns_a_vector_into_zero(n_qubits):
    size = 1 << n_qubits
    vectors = np.concatenate([rotation(size), np.eye(size), -np.eye(size)[:1]])
    angles = loading_angles(vectors)
    assert angles.shape == (len(vectors), size - 1)
    gates = loading_gates(range(n_qubits), 0)
    cnots = sum(gate.name == "cx" for gate in gates)
    assert cnots == {1: 0, 2: 1}.get(n_qubits, size - 2)
    for vector, values in zip(vectors, angles):
        state = vector.astype(complex)
        for gate in gates:
            state = applied(matrix_of(gate, values), state, gate.qubits)
        assert state == pytest.approx(np.eye(size)[0], abs=1e-12)
