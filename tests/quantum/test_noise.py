"""The model of noise is the one that Qiskit's simulator has, and reads Qiskit's backends."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit import transpile
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError, depolarizing_error
from qiskit_ibm_runtime.fake_provider import FakeManilaV2

from tensorspin.hybrid import SNAPSHOTS, NoiseSnapshot, born_circuit, noisy_probability
from tensorspin.hybrid.circuits.isometries import leaves
from tensorspin.hybrid.circuits.loading import loading_gates
from tensorspin.hybrid.circuits.qiskit_circuit import decomposed

from ..support.born_machines import detector, samples
from ..support.noisy_circuits import plain_noisy_p0

DIRTY = NoiseSnapshot("dirty", "", 0.03, 0.01, 0.05)


def test_aer_computes_the_same():
    noise = NoiseSnapshot("", "", two_qubit_error=0.03, one_qubit_error=0.0, readout_error=0.05)
    model = NoiseModel(basis_gates=["cx", "u", "ry"])
    model.add_all_qubit_quantum_error(depolarizing_error(0.03 * 4 / 3, 2), ["cx"])
    model.add_all_qubit_readout_error(ReadoutError([[0.95, 0.05], [0.05, 0.95]]))
    born, X = born_circuit(detector(4)), samples(4)[:6]
    simulator = AerSimulator(method="density_matrix", noise_model=model, seed_simulator=1)
    circuit = transpile(born.circuit, simulator, optimization_level=0)
    shots = 20000
    bound = [circuit.assign_parameters(angles) for angles in born.angles(X)]
    counts = simulator.run(bound, shots=shots).result().get_counts()
    found = np.array([born.probability(count) for count in counts])
    expected = noisy_probability(born, X, noise)
    deviations = (found - expected) / np.sqrt(expected * (1 - expected) / shots)
    assert np.abs(deviations).max() < 4
    assert np.abs(born.exact_probability(X) - expected).max() > 0.02


@pytest.mark.parametrize(
    "local_dim, n_features, bond_dim", [(4, 2, 2), (3, 2, 2), (2, 4, 4), (5, 1, 2)]
)
def test_larger_isometries_have_the_noise_of_their_gates(local_dim, n_features, bond_dim):
    born = born_circuit(detector(n_features, bond_dim, feature_map="bumps", local_dim=local_dim))
    X = samples(n_features)[: 1 + (n_features > 1)]
    each = born.network.site_qubits
    gates = decomposed(born.layout.preparation)
    for place, feature in enumerate(leaves(born.network.tree)):
        qubits = range(place * each, (place + 1) * each)
        gates += loading_gates(qubits, feature * ((1 << each) - 1))
    expected = [plain_noisy_p0(gates, born.n_qubits, angles, DIRTY) for angles in born.angles(X)]
    assert noisy_probability(born, X, DIRTY) == pytest.approx(expected, abs=1e-9)


def test_a_backend_tells_its_errors():
    noise = NoiseSnapshot.of_backend(FakeManilaV2())
    assert noise.name == "fake_manila" and len(noise.date) == 10
    assert 0 < noise.one_qubit_error < noise.two_qubit_error < noise.readout_error < 0.1
    assert 0 < noise.one_qubit_seconds < noise.two_qubit_seconds < noise.readout_seconds < 1e-5
    with pytest.raises(ValueError, match="tells no errors"):
        NoiseSnapshot.of_backend(AerSimulator())


def test_snapshots_are_those_of_the_package_that_they_cite():
    from qiskit_ibm_runtime.fake_provider import FakeMarrakesh

    found = NoiseSnapshot.of_backend(FakeMarrakesh())
    cited = SNAPSHOTS["marrakesh"]
    assert found.date == cited.date
    for name in ("two_qubit_error", "readout_error", "two_qubit_seconds", "readout_seconds"):
        assert getattr(found, name) == pytest.approx(getattr(cited, name), rel=0.01)
    assert found.one_qubit_error == pytest.approx(cited.one_qubit_error, rel=0.1)
