"""What a circuit takes."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from tensorspin.feasibility.barriers.encoding import (
    device_seconds,
    encoding_barrier,
    message_bytes,
    price_of,
    shannon_gates,
)
from tensorspin.feasibility.barriers.link import LINKS
from tensorspin.hybrid import SNAPSHOTS, NoiseSnapshot, born_circuit
from tests.support.born_machines import detector, samples

UNITS = NoiseSnapshot("units", "", 0, 0, 0, 100.0, 1.0, 1e4)


@pytest.mark.parametrize("n", [2, 4, 8])
def test_gates_are_those_of_the_circuit(n):
    circuit = born_circuit(detector(n))
    price = price_of(circuit, UNITS)
    assert price.exact and price.two_qubit_gates == 2 * n - 3 == circuit.two_qubit_gates
    names = [gate.name for gate in circuit.layout.gates]
    assert price.one_qubit_gates == names.count("ry") + names.count("u")
    # No path is longer than all gates, nor shorter than one qubit's own.
    assert 3 <= price.depth < price.one_qubit_gates + price.two_qubit_gates + 1
    assert price.shot_seconds < 1e4 + 2 * price.one_qubit_gates + 100 * price.two_qubit_gates + 1
    assert price.shot_seconds > 1e4 + 100


def test_two_qubits_take_one_gate_after_the_other():
    circuit = born_circuit(detector(2))
    price = price_of(circuit, UNITS)
    layers = [gate.name for gate in circuit.layout.gates if 0 in gate.qubits]
    singles = sum(name in ("ry", "u") for name in layers)
    assert price.depth == singles + 1
    assert price.shot_seconds == pytest.approx(1e4 + 100 + 2 * singles)


@pytest.mark.parametrize(("qubits", "gates"), [(2, 3), (3, 20), (4, 100), (5, 444)])
def test_the_bound_of_unknown_gates(qubits, gates):
    assert shannon_gates(qubits) == gates


def test_a_processor_pauses_before_each_shot():
    price = price_of(born_circuit(detector(4)), SNAPSHOTS["boston"])
    assert device_seconds(price, 200) == pytest.approx(200 * (250e-6 + price.shot_seconds))


def test_messages_are_as_long_as_those_of_an_appliance():
    circuit, X = born_circuit(detector(4)), samples(4)
    request, answer = message_bytes(circuit, X, 200)
    angles = [[angle] for angle in circuit.angles(X[:1])[0].tolist()]
    body = {"program": "0" * 64, "shots": 200, "result": "bits"}
    body["parameters"] = dict(zip(circuit.parameter_names, angles))
    assert request == len(json.dumps(body))
    assert math.ceil(200 / 3) * 4 < answer < math.ceil(200 / 3) * 4 + 100


def test_amplitude_encoding_stands_beside_it():
    circuit, X = born_circuit(detector(8)), samples(8)
    price = price_of(circuit, UNITS)
    rows = encoding_barrier(circuit, X, price, None, 200).rows
    assert rows["amplitude encoding of the levels"].value == 6
    assert rows["amplitude encoding of what the network reads"].value == 254
    assert rows["levels of a sample"].value == rows["qubits"].value == 8
    assert rows["two-qubit gates"].kind == "measured"


def test_more_levels_than_a_message_has_bytes_are_a_barrier():
    circuit, X = born_circuit(detector(60)), samples(60)
    price = price_of(circuit, UNITS)
    assert encoding_barrier(circuit, X, price, LINKS["lan"], 200).passed
    slow = encoding_barrier(circuit, X, price, LINKS["lora"], 200)
    assert slow.load == pytest.approx(60 / 51) and not slow.passed
    assert "60 bytes of levels for a message of 51" in slow.words


def test_gates_that_numpy_does_not_take_apart_are_bounded():
    price = price_of(born_circuit(detector(14, bond_dim=16)), UNITS)
    assert not price.exact and price.two_qubit_gates > 2000
    assert np.isfinite(price.shot_seconds)
