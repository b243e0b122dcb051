"""Gates of a circuit, and how isometries are made of them.

Matrices and states are little endian, as in Qiskit: bit j of an index belongs to the gate's qubit
number j.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Gate:
    """A gate on some qubits.

    Parameters
    ----------
    name : {"ry", "u", "cx", "isometry", "measure", "reset"}
        "ry": rotation about Y by one angle. "u": any rotation of a qubit, with Qiskit's three
        angles. "cx": CNOT, the first qubit controls. "isometry": `matrix` takes the qubits in
        `inputs` to all qubits; the others are in the state 0 before. "measure": the qubit's result
        is `bit`. "reset": the qubit is brought to the state 0.
    qubits : tuple of int
        The qubits.
    angles : tuple of float
        Angles in radians.
    parameter : int, optional
        Number of the parameter that is the angle of a "ry", which differs between samples.
    matrix : ndarray of float64 of shape (2 ** n_qubits, 2 ** n_inputs), optional
        Orthonormal columns.
    inputs : tuple of int
        The qubits that bring a state to an isometry.
    bit : int, optional
        Number of a measurement's result.
    """

    name: str
    qubits: tuple[int, ...]
    angles: tuple[float, ...] = ()
    parameter: int | None = None
    matrix: np.ndarray | None = field(default=None, repr=False)
    inputs: tuple[int, ...] = ()
    bit: int | None = None


def completed(isometry: np.ndarray, columns: Sequence[int]) -> np.ndarray:
    """Add columns to an isometry, so that it becomes a rotation.

    Parameters
    ----------
    isometry : ndarray of float64 of shape (size, n_columns)
        Orthonormal columns.
    columns : sequence of int
        Where each of them stands in the result.

    Returns
    -------
    ndarray of float64 of shape (size, size)
        An orthogonal matrix; its determinant is 1 unless the isometry is square and has -1.
    """
    size, given = isometry.shape
    # The last vectors of a full decomposition are orthogonal to all columns.
    basis = np.linalg.qr(isometry, mode="complete")[0]
    matrix = np.empty((size, size))
    free = np.setdiff1d(np.arange(size), columns)
    matrix[:, list(columns)] = isometry
    matrix[:, free] = basis[:, given:]
    if len(free) and np.linalg.det(matrix) < 0:
        matrix[:, free[0]] *= -1
    return matrix


def isometry_gates(matrix: np.ndarray, qubits: Sequence[int], inputs: Sequence[int]) -> list[Gate]:
    """Turn an isometry into gates: two-qubit gates if it has two qubits, one gate if it has more.

    Parameters
    ----------
    matrix : ndarray of float64 of shape (2 ** n_qubits, n_columns)
        Orthonormal columns, one for each state of the inputs that occurs: 1 to 2 ** n_inputs.
    qubits : sequence of int
        The qubits after the isometry; bit j of a row is qubit j.
    inputs : sequence of int
        Those of the qubits that bring a state; bit j of a column is input j. The others are 0.

    Returns
    -------
    list of Gate
        The gates in the order of time: at most one CNOT for a state of two qubits, two for an
        isometry of one qubit into two or a rotation of two, none for a single qubit.
    """
    qubits, inputs = tuple(qubits), tuple(inputs)
    if not qubits:  # the sign of a state has no meaning
        return []
    if matrix.shape[1] == 1 and len(qubits) == 2:
        return state_gates(matrix[:, 0], qubits)
    places = [1 << qubits.index(qubit) for qubit in inputs]
    columns = [
        sum(place for bit, place in enumerate(places) if column >> bit & 1)
        for column in range(1 << len(inputs))
    ]
    whole = completed(matrix, columns[: matrix.shape[1]])
    if len(qubits) == 1:
        return [_ry(qubits[0], 2 * np.arctan2(whole[1, 0], whole[0, 0]))]
    if len(qubits) == 2 and np.linalg.det(whole) > 0:
        return rotation_gates(whole, qubits)
    return [Gate("isometry", qubits, matrix=whole[:, columns], inputs=inputs)]


def state_gates(state: np.ndarray, qubits: Sequence[int]) -> list[Gate]:
    """Make a real state of two qubits of the state 0.

    Parameters
    ----------
    state : ndarray of float64 of shape (4,)
        A state of norm 1.
    qubits : sequence of two int
        The qubits.

    Returns
    -------
    list of Gate
        One CNOT and three rotations.
    """
    before, first, second = schmidt_angles(state[None])[0]
    low, high = qubits
    return [_ry(low, before), Gate("cx", (low, high)), _ry(low, first), _ry(high, second)]


def schmidt_angles(states: np.ndarray) -> np.ndarray:
    """Find the rotations that make real states of two qubits.

    The state ``v`` is made of 0 by a rotation of the first qubit, a CNOT that it controls, and a
    rotation of either qubit.

    Parameters
    ----------
    states : ndarray of float64 of shape (n, 4)
        States of norm 1.

    Returns
    -------
    ndarray of float64 of shape (n, 3)
        Angles in radians: of the rotation before the CNOT, and of those of the first and the second
        qubit behind it.
    """
    # Entry (a, b) of a matrix belongs to the second qubit in state a and the first in state b.
    second, values, first = np.linalg.svd(states.reshape(-1, 2, 2))
    first = first.transpose(0, 2, 1)
    lesser = values[:, 1].copy()
    for vectors in (first, second):  # a reflection is a rotation and a sign
        sign = np.sign(np.linalg.det(vectors))
        vectors[:, :, 1] *= sign[:, None]
        lesser *= sign
    return 2 * np.stack(
        [
            np.arctan2(lesser, values[:, 0]),
            np.arctan2(first[:, 1, 0], first[:, 0, 0]),
            np.arctan2(second[:, 1, 0], second[:, 0, 0]),
        ],
        axis=1,
    )


_HADAMARD = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
_PHASE = np.diag([1, 1j])
_CNOT = np.array([[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0]])
_LOW, _HIGH = _HADAMARD @ _PHASE, _PHASE
_MAGIC = _CNOT @ np.kron(_HIGH, _LOW)
"""The change to a basis of entangled states in which a rotation of two qubits is one of each qubit
(Vatan and Williams 2004, arXiv:quant-ph/0308006)."""


def rotation_gates(rotation: np.ndarray, qubits: Sequence[int]) -> list[Gate]:
    """Make a rotation of the four real amplitudes of two qubits.

    Parameters
    ----------
    rotation : ndarray of float64 of shape (4, 4)
        An orthogonal matrix of determinant 1.
    qubits : sequence of two int
        The qubits.

    Returns
    -------
    list of Gate
        Two CNOTs, and a "u" of either qubit before, between and behind them. They make the
        rotation but for a global phase.
    """
    low, high = qubits
    local = _MAGIC @ rotation @ _MAGIC.conj().T
    # The product of two matrices is of rank one if one's entries are rows, the other's columns.
    rows = local.reshape(2, 2, 2, 2).transpose(0, 2, 1, 3).reshape(4, 4)
    left, values, right = np.linalg.svd(rows)
    of_high = left[:, 0].reshape(2, 2) * np.sqrt(values[0])
    of_low = right[0].reshape(2, 2) * np.sqrt(values[0])
    cnot = Gate("cx", (low, high))
    return [
        _u(low, _LOW),
        _u(high, _HIGH),
        cnot,
        _u(low, of_low),
        _u(high, of_high),
        cnot,
        _u(low, _LOW.conj().T),
        _u(high, _HIGH.conj().T),
    ]


def apply(gates: Sequence[Gate], n_qubits: int, parameters: Sequence[float] = ()) -> np.ndarray:
    """Compute the state that gates make of the state 0.

    Parameters
    ----------
    gates : sequence of Gate
        The gates in the order of time.
    n_qubits : int
        Number of qubits.
    parameters : sequence of float
        The parameters.

    Returns
    -------
    ndarray of complex128 of shape (2 ** n_qubits,)
        The state, little endian.
    """
    state = np.zeros(1 << n_qubits, dtype=complex)
    state[0] = 1
    for gate in gates:
        state = applied(matrix_of(gate, parameters), state, gate.qubits)
    return state


def matrix_of(gate: Gate, parameters: Sequence[float] = ()) -> np.ndarray:
    """Return the unitary matrix of a gate.

    Parameters
    ----------
    gate : Gate
        The gate.
    parameters : sequence of float
        The parameters.

    Returns
    -------
    ndarray of shape (2 ** n_qubits, 2 ** n_qubits)
        Little endian in the gate's own qubits.
    """
    if gate.name == "cx":
        return _CNOT
    if gate.name == "isometry":
        assert gate.matrix is not None
        places = [1 << gate.qubits.index(qubit) for qubit in gate.inputs]
        columns = [
            sum(place for bit, place in enumerate(places) if column >> bit & 1)
            for column in range(1 << len(places))
        ]
        return completed(gate.matrix, columns)
    if gate.name == "ry":
        angle = gate.angles[0] if gate.parameter is None else parameters[gate.parameter]
        cosine, sine = np.cos(angle / 2), np.sin(angle / 2)
        return np.array([[cosine, -sine], [sine, cosine]])
    theta, phi, lam = gate.angles
    cosine, sine = np.cos(theta / 2), np.sin(theta / 2)
    return np.array(
        [
            [cosine, -np.exp(1j * lam) * sine],
            [np.exp(1j * phi) * sine, np.exp(1j * (phi + lam)) * cosine],
        ]
    )


def applied(matrix: np.ndarray, state: np.ndarray, qubits: Sequence[int]) -> np.ndarray:
    """Apply a matrix to some qubits of a state.

    Parameters
    ----------
    matrix : ndarray of shape (2 ** k, 2 ** k)
        The matrix, little endian in `qubits`.
    state : ndarray of shape (2 ** n_qubits,)
        The state, little endian.
    qubits : sequence of k int
        The qubits.

    Returns
    -------
    ndarray of shape (2 ** n_qubits,)
        The new state.
    """
    count, n_qubits = len(qubits), state.size.bit_length() - 1
    axes = [n_qubits - 1 - qubit for qubit in reversed(qubits)]
    tensor, gate = state.reshape((2,) * n_qubits), matrix.reshape((2,) * 2 * count)
    moved = np.tensordot(gate, tensor, (range(count, 2 * count), axes))
    return np.moveaxis(moved, range(count), axes).reshape(-1)


def _ry(qubit: int, angle: float) -> Gate:
    return Gate("ry", (qubit,), (float(angle),))


def _u(qubit: int, matrix: np.ndarray) -> Gate:
    """Return a unitary matrix of one qubit, but for its global phase, as a gate."""
    theta = 2 * np.arctan2(np.abs(matrix[1, 0]), np.abs(matrix[0, 0]))
    # What the smaller entries have for a phase may be noise, so only their sums with others count.
    phase = np.angle(matrix[0, 0])
    phi = np.angle(matrix[1, 0]) - phase
    if np.abs(matrix[0, 0]) < np.abs(matrix[1, 0]):
        lam = np.angle(-matrix[0, 1]) - phase
    else:
        lam = np.angle(matrix[1, 1]) - phase - phi
    return Gate("u", (qubit,), (float(theta), float(phi), float(lam)))
