"""The noise of gates and results as what it means, written as plainly as possible."""

from __future__ import annotations

from functools import cache, reduce

import numpy as np

from tensorspin.hybrid.circuits.gates import Gate, matrix_of

PAULIS = [
    np.eye(2),
    np.array([[0, 1], [1, 0]]),
    np.array([[0, -1j], [1j, 0]]),
    np.diag([1, -1]),
]


def on_all(matrix, qubits, n_qubits) -> np.ndarray:
    """The matrix on all qubits."""
    columns = []
    for column in np.eye(1 << n_qubits):
        state = column.astype(complex)
        tensor = state.reshape((2,) * n_qubits)
        axes = [n_qubits - 1 - qubit for qubit in reversed(qubits)]
        gate = matrix.reshape((2,) * 2 * len(qubits))
        moved = np.tensordot(gate, tensor, (range(len(qubits), 2 * len(qubits)), axes))
        columns.append(np.moveaxis(moved, range(len(qubits)), axes).reshape(-1))
    return np.array(columns).T


@cache
def pauli_on_all(chosen, qubits, n_qubits) -> np.ndarray:
    """A product of Pauli errors, one for each of some qubits, on all qubits."""
    return on_all(reduce(np.kron, [PAULIS[kind] for kind in chosen]), qubits, n_qubits)


def with_pauli_errors(state, qubits, error, n_qubits) -> np.ndarray:
    """A depolarising error as what it means: one of all Pauli errors, each equally probable."""
    count = 4 ** len(qubits)
    # All of them at random leave nothing; the infidelity counts what a wrong one keeps by chance.
    share = error * (1 << len(qubits)) / ((1 << len(qubits)) - 1)
    result = (1 - share) * state
    for chosen in np.ndindex(*(4,) * len(qubits)):
        whole = pauli_on_all(chosen, tuple(qubits), n_qubits)
        result = result + share / count * whole @ state @ whole.conj().T
    return result


def plain_noisy_p0(gates, n_qubits, angles, noise) -> float:
    """P0, gate by gate on a density matrix; runs of rotations are one gate of two pulses."""
    state = np.zeros((1 << n_qubits, 1 << n_qubits), dtype=complex)
    state[0, 0] = 1
    pending: set[int] = set()
    for gate in [*gates, *(Gate("end", (q,)) for q in range(n_qubits))]:
        if gate.name in ("cx", "end"):
            for qubit in gate.qubits:
                if qubit in pending:
                    error = 2 * noise.one_qubit_error
                    state = with_pauli_errors(state, (qubit,), error, n_qubits)
                    pending.discard(qubit)
        if gate.name == "end":
            continue
        matrix = on_all(matrix_of(gate, angles), gate.qubits, n_qubits)
        state = matrix @ state @ matrix.conj().T
        if gate.name == "cx":
            state = with_pauli_errors(state, gate.qubits, noise.two_qubit_error, n_qubits)
        else:
            pending.update(gate.qubits)
    right = [1 - noise.readout_error, noise.readout_error]
    return float(np.real(np.diag(state)) @ reduce(np.kron, [right] * n_qubits))
