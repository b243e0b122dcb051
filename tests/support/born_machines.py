"""Small Born machines, and their circuits run gate by gate."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tensorspin.hybrid.circuits.gates import apply, matrix_of
from tensorspin.models import MPSAnomalyDetector


def samples(n_features: int, n_samples: int = 120) -> np.ndarray:
    """Normally distributed features, neighbours of which depend on each other."""
    X = np.random.default_rng(n_features).normal(size=(n_samples, n_features))
    X[:, 1:] += X[:, :-1] / 2
    return X


@lru_cache
def detector(n_features: int, bond_dim: int = 2, **options) -> MPSAnomalyDetector:
    """A detector that was trained for a moment on `samples`."""
    options = {"feature_map": "trigonometric", "epochs": 2, "random_state": 0, **options}
    return MPSAnomalyDetector(bond_dim, **options).fit(samples(n_features))


def unitary_gates(circuit) -> list:
    """The gates of a `BornCircuit` that does not use qubits again, without its measurements."""
    return [gate for gate in circuit.layout.gates if gate.name != "measure"]


def simulated(circuit, X) -> np.ndarray:
    """P0 of samples: the circuit's gates, one after the other, on a state vector."""
    gates = unitary_gates(circuit)
    states = (apply(gates, circuit.n_qubits, angles) for angles in circuit.angles(X))
    return np.array([abs(state[0]) ** 2 for state in states])


def simulated_with_resets(circuit, X) -> np.ndarray:
    """P0 of samples where qubits are used again: each result that is not 0 is dropped."""
    found = []
    for angles in circuit.angles(X):
        state = np.zeros((2,) * circuit.n_qubits, dtype=complex)
        state.flat[0] = 1
        for gate in circuit.layout.gates:
            if gate.name == "reset":  # it was measured as 0
                assert not np.take(state, 1, axis=circuit.n_qubits - 1 - gate.qubits[0]).any()
            elif gate.name == "measure":
                np.moveaxis(state, circuit.n_qubits - 1 - gate.qubits[0], 0)[1] = 0
            else:
                state = _applied(state, matrix_of(gate, angles), gate.qubits)
        found.append(np.sum(np.abs(state) ** 2))
    return np.array(found)


def _applied(state, matrix, qubits) -> np.ndarray:
    """A gate applied with explicit indices, unlike the way of `apply`."""
    n_qubits = state.ndim
    flat, result = state.reshape(-1), np.zeros(state.size, dtype=complex)
    for index in range(state.size):
        column = sum((index >> qubit & 1) << place for place, qubit in enumerate(qubits))
        rest = index & ~sum(1 << qubit for qubit in qubits)
        for row in range(1 << len(qubits)):
            target = rest | sum((row >> place & 1) << q for place, q in enumerate(qubits))
            result[target] += matrix[row, column] * flat[index]
    return result.reshape((2,) * n_qubits)
