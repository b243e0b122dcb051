"""What it takes to bring a sample into a circuit: bytes, gates, depth and time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from ...hybrid import BornCircuit, NoiseSnapshot
from ...hybrid.appliance.protocol import digest
from ...hybrid.appliance.wire import pack
from ...hybrid.circuits.gates import Gate
from .figure import MEASURED, MODELLED, Barrier, Figure
from .link import Link
from .sources import AMPLITUDES, REMOTE_QUBITS, REPETITION, SYNTHESIS

MOST_COUNTED = 2000
"""Most CNOTs, by their bound, of a circuit that Qiskit is asked to take apart."""


@dataclass(frozen=True)
class Price:
    """What a circuit takes, all to all and not routed.

    Parameters
    ----------
    two_qubit_gates, one_qubit_gates : int
        Numbers of gates.
    depth : int
        Layers of gates, measurements left out.
    shot_seconds : float
        Time of a shot on a processor in seconds, without the pause before it.
    exact : bool
        Whether the gates were counted; otherwise they are bounds.
    """

    two_qubit_gates: int
    one_qubit_gates: int
    depth: int
    shot_seconds: float
    exact: bool


def price_of(circuit: BornCircuit, noise: NoiseSnapshot) -> Price:
    """Count the gates of a circuit, and how long they take.

    Parameters
    ----------
    circuit : BornCircuit
        The circuit.
    noise : NoiseSnapshot
        The processor, whose gates take some time each.

    Returns
    -------
    Price
        The numbers.
    """
    gates: Sequence[Gate] = circuit.layout.gates
    bound = sum(shannon_gates(len(gate.qubits)) for gate in gates if gate.name == "isometry")
    if 0 < bound <= MOST_COUNTED and find_spec("qiskit"):
        from ...hybrid.circuits.qiskit_circuit import decomposed

        gates, bound = decomposed(gates), 0
    depths, times = np.zeros(circuit.n_qubits, dtype=int), np.zeros(circuit.n_qubits)
    one = two = 0
    for gate in gates:
        layers, seconds, singles, doubles = _taken(gate, noise)
        qubits = list(gate.qubits)
        depths[qubits] = depths[qubits].max() + layers
        times[qubits] = times[qubits].max() + seconds
        one, two = one + singles, two + doubles
    return Price(two, one, int(depths.max()), float(times.max()), bound == 0)


def device_seconds(price: Price, shots: int) -> float:
    """Model how long a processor works on a sample.

    Parameters
    ----------
    price : Price
        What a shot takes.
    shots : int
        Shots of a sample.

    Returns
    -------
    float
        Seconds, with the pause before each shot.
    """
    return shots * (REPETITION.number + price.shot_seconds)


def shannon_gates(qubits: int) -> int:
    """Count the CNOTs of any unitary operation at most.

    Parameters
    ----------
    qubits : int
        Qubits that it acts on, at least 2.

    Returns
    -------
    int
        CNOTs of the quantum Shannon decomposition.

    Examples
    --------
    >>> shannon_gates(2), shannon_gates(3), shannon_gates(4)
    (3, 20, 100)
    """
    return (23 * 4**qubits - 72 * 2**qubits + 64) // 48


def _taken(gate: Gate, noise: NoiseSnapshot) -> tuple[int, float, int, int]:
    """Return layers, seconds, and numbers of gates of one and of two qubits."""
    pulse = 2 * noise.one_qubit_seconds  # a rotation of a qubit is two pulses
    if gate.name == "cx":
        return 1, noise.two_qubit_seconds, 0, 1
    if gate.name in ("measure", "reset"):
        return 0, noise.readout_seconds, 0, 0
    if gate.name == "isometry":
        count = shannon_gates(len(gate.qubits))
        return 2 * count, count * (noise.two_qubit_seconds + pulse), 2 * count, count
    return 1, pulse, 1, 0


def message_bytes(circuit: BornCircuit, X: np.ndarray, shots: int) -> tuple[int, int]:
    """Count the bytes of a sample's request to an appliance, and of the answer.

    Parameters
    ----------
    circuit : BornCircuit
        The circuit.
    X : array-like of shape (n_samples, n_features)
        Samples, of which the first is encoded.
    shots : int
        Shots of a sample.

    Returns
    -------
    request, answer : int
        Bytes of the JSON; headers are left out.
    """
    angles = circuit.angles(X[:1])
    values = dict(zip(circuit.parameter_names, angles.T.tolist()))
    request = {"program": digest(""), "parameters": values, "shots": shots, "result": "bits"}
    measured = np.zeros((1, shots, -(-circuit.n_bits // 8)), dtype=np.uint8)
    answer = {"registers": [pack("outcome", circuit.n_bits, measured)]}
    return len(json.dumps(request)), len(json.dumps(answer))


def encoding_barrier(
    circuit: BornCircuit, X: np.ndarray, price: Price, link: Link | None, shots: int
) -> Barrier:
    """Tell what a sample takes to come into the circuit.

    Parameters
    ----------
    circuit : BornCircuit
        The circuit.
    X : array-like of shape (n_samples, n_features)
        Samples.
    price : Price
        What the circuit takes.
    link : Link or None
        The link, if it is modelled.
    shots : int
        Shots of a sample.

    Returns
    -------
    Barrier
        The numbers. The decisive one is the part of the processor's qubits or, if that is more,
        of the link's message.
    """
    n, sites = circuit.n_features, circuit.n_qubits
    request, answer = message_bytes(circuit, X, shots)
    gates = (MEASURED, "counted in the circuit") if price.exact else (MODELLED, SYNTHESIS)
    log_n = max(n - 1, 0).bit_length()
    rows = {
        "levels of a sample": Figure(n, "B", MEASURED, "one byte for each feature"),
        "request to an appliance": Figure(request, "B", MEASURED, "its JSON, without headers"),
        "answer of an appliance": Figure(answer, "B", MEASURED, "its JSON, without headers"),
        "qubits": Figure(sites, "qubits", MEASURED, "counted in the circuit"),
        "two-qubit gates": Figure(price.two_qubit_gates, "gates", *gates),
        "one-qubit gates": Figure(price.one_qubit_gates, "gates", *gates),
        "depth": Figure(price.depth, "layers", *gates),
        "time of the gates and results of a shot": Figure(
            price.shot_seconds,
            "s",
            MODELLED,
            "the longest path, with the processor's times of gates; not routed",
        ),
        "rotations that load a sample": Figure(
            len(circuit.parameter_names), "gates", MEASURED, "the circuit's parameters"
        ),
        "amplitude encoding of the levels": Figure(
            max(2**log_n - 2, 0),
            "CNOTs",
            MODELLED,
            f"{log_n} qubits; a new circuit for each sample; {AMPLITUDES}",
        ),
        "amplitude encoding of what the network reads": Figure(
            max(2**sites - 2, 0) if sites < 64 else float(2.0 ** min(sites, 1000)),
            "CNOTs",
            MODELLED,
            f"the product of the features' vectors, {sites} qubits; {AMPLITUDES}",
        ),
    }
    load = sites / REMOTE_QUBITS.number
    most = "" if price.exact else "at most "
    words = (
        f"{sites} of {REMOTE_QUBITS.value} qubits, {most}{price.two_qubit_gates:,} two-qubit gates"
    )
    if link is not None and link.frame_bytes is not None and n / link.frame_bytes > load:
        load = n / link.frame_bytes
        words = f"{n} bytes of levels for a message of {link.frame_bytes}"
    return Barrier("encoding", rows, words, load, MEASURED)
