"""How the vector of a feature comes into a circuit: rotations whose angles are parameters.

A circuit that prepares a state of some qubits, run backwards, turns that state into 0. Behind the
circuit of a network stands such a circuit for each feature, and all qubits are 0 with the
probability that the network gives to these vectors.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .gates import Gate, schmidt_angles


def qubits_for(components: int) -> int:
    """Count the qubits that hold a vector.

    Parameters
    ----------
    components : int
        Its entries, at least 1.

    Returns
    -------
    int
        The binary logarithm, rounded up.
    """
    return (components - 1).bit_length()


def loading_angles(vectors: np.ndarray) -> np.ndarray:
    """Find the angles with which `loading_gates` turn vectors into the state 0.

    Parameters
    ----------
    vectors : ndarray of float64 of shape (n, 2 ** n_qubits)
        Vectors of norm 1.

    Returns
    -------
    ndarray of float64 of shape (n, 2 ** n_qubits - 1)
        Angles in radians in the order of the gates.
    """
    if vectors.shape[1] == 4:
        return -schmidt_angles(vectors)[:, [1, 2, 0]]
    return _multiplexed_angles(vectors)


def loading_gates(qubits: Sequence[int], parameter: int) -> list[Gate]:
    """Turn the vector of a feature into the state 0.

    Parameters
    ----------
    qubits : sequence of int
        The qubits that hold the vector.
    parameter : int
        Number of the first of ``2 ** n_qubits - 1`` parameters.

    Returns
    -------
    list of Gate
        As many rotations as parameters. One qubit needs no CNOT, two qubits need one, and m qubits
        ``2 ** m - 2``.
    """
    if len(qubits) == 2:
        low, high = qubits
        return [
            Gate("ry", (low,), parameter=parameter),
            Gate("ry", (high,), parameter=parameter + 1),
            Gate("cx", (low, high)),
            Gate("ry", (low,), parameter=parameter + 2),
        ]
    return _multiplexed_gates(qubits, parameter)


def _multiplexed_angles(states: np.ndarray) -> np.ndarray:
    """Find the angles of `_multiplexed_gates` for real states of some qubits.

    Parameters
    ----------
    states : ndarray of float64 of shape (n, 2 ** n_qubits)
        States of norm 1.

    Returns
    -------
    ndarray of float64 of shape (n, 2 ** n_qubits - 1)
        Angles in radians in the order of the gates.
    """
    angles = []
    while states.shape[1] > 1:
        pairs = states.reshape(len(states), -1, 2)
        wanted = -2 * np.arctan2(pairs[:, :, 1], pairs[:, :, 0])
        # Each CNOT in between turns the sense of the rotations behind it for half of the states.
        size = wanted.shape[1]
        gray = np.arange(size) ^ np.arange(size) >> 1
        signs = np.ones((size, size))
        for bit in range(size.bit_length() - 1):
            signs *= 1 - 2 * ((gray[:, None] & np.arange(size)) >> bit & 1)
        angles.append(wanted @ signs.T / size)
        states = np.linalg.norm(pairs, axis=2)
    return np.concatenate(angles, axis=1)


def _multiplexed_gates(qubits: Sequence[int], parameter: int) -> list[Gate]:
    """Turn a real state of some qubits, whose angles are parameters, into the state 0.

    Parameters
    ----------
    qubits : sequence of int
        The qubits.
    parameter : int
        Number of the first of ``2 ** n_qubits - 1`` parameters.

    Returns
    -------
    list of Gate
        As many rotations as parameters, and one CNOT fewer; a single qubit needs none.
    """
    gates: list[Gate] = []
    for place, target in enumerate(qubits):
        controls = qubits[place + 1 :]
        size = 1 << len(controls)
        for step in range(size):
            gates.append(Gate("ry", (target,), parameter=parameter))
            parameter += 1
            if controls:
                # The bit in which this Gray code differs from the next one.
                last = step + 1 == size
                bit = len(controls) - 1 if last else ((step + 1) & -(step + 1)).bit_length() - 1
                gates.append(Gate("cx", (controls[bit], target)))
    return gates
