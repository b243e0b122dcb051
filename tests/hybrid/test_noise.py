"""The noise of a processor, computed otherwise; and what it costs a detector."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score

from tensorspin.hybrid import SNAPSHOTS, NoiseSnapshot, born_circuit, noisy_probability
from tensorspin.models import MPSAnomalyDetector

from ..support.born_machines import detector, samples, unitary_gates
from ..support.noisy_circuits import plain_noisy_p0

CLEAN = NoiseSnapshot("clean", "", 0.0, 0.0, 0.0)
DIRTY = NoiseSnapshot("dirty", "", 0.03, 0.01, 0.05)


@pytest.mark.parametrize("n_features", [2, 4])
def test_noise_is_that_of_pauli_errors_gate_by_gate(n_features):
    circuit, X = born_circuit(detector(n_features)), samples(n_features)[:3]
    gates = unitary_gates(circuit)
    expected = [plain_noisy_p0(gates, n_features, angles, DIRTY) for angles in circuit.angles(X)]
    assert noisy_probability(circuit, X, DIRTY) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n_features", [1, 3, 8])
def test_without_errors_it_is_the_exact_p0(n_features):
    circuit, X = born_circuit(detector(n_features)), samples(n_features)
    found = noisy_probability(circuit, X, CLEAN)
    assert found == pytest.approx(circuit.exact_probability(X), abs=1e-12)


def test_a_processor_that_knows_nothing_answers_by_chance():
    circuit, X = born_circuit(detector(4)), samples(4)[:5]
    blind = NoiseSnapshot("blind", "", 0.0, 0.0, 0.5)
    assert noisy_probability(circuit, X, blind) == pytest.approx(np.full(5, 1 / 16))


@pytest.mark.parametrize("options", [{}, {"reuse_qubits": True}])
def test_circuits_that_are_too_large_or_of_another_kind_are_refused(options):
    circuit = born_circuit(detector(11), **options)
    with pytest.raises(ValueError, match="at most 10 qubits, not 11|don't use qubits again"):
        noisy_probability(circuit, samples(11), CLEAN)


@pytest.mark.parametrize("noise", ["boston", None, 0.01])
def test_what_is_no_snapshot_is_refused(noise):
    with pytest.raises(TypeError, match="noise must be a NoiseSnapshot such as SNAPSHOTS"):
        noisy_probability(born_circuit(detector(4)), samples(4), noise)


@pytest.mark.parametrize("error", [-0.1, 0.6, float("nan"), "0.1", None, True])
def test_errors_that_are_no_probabilities_are_refused(error):
    with pytest.raises(ValueError, match="readout_error must be a number from 0 to 0.5, not"):
        NoiseSnapshot("wrong", "", 0.0, 0.0, error)


def test_a_heron_of_2026_costs_a_detector_less_than_a_hundredth_of_its_area():
    X, benign = load_breast_cancer(return_X_y=True)
    areas = np.array([roc_auc_score(benign, column) for column in X.T])
    best = np.sort(np.argsort(np.abs(areas - 0.5))[-8:])
    rng = np.random.default_rng(0)
    normal = rng.permutation(np.flatnonzero(benign))
    test = np.concatenate([normal[250:], np.flatnonzero(benign == 0)])
    model = MPSAnomalyDetector(2, feature_map="trigonometric", random_state=0)
    circuit = born_circuit(model.fit(X[normal[:250]][:, best]))
    X, benign = X[test][:, best], benign[test]
    exact = roc_auc_score(benign, circuit.exact_probability(X))
    p0 = noisy_probability(circuit, X, SNAPSHOTS["boston"])
    of_shots = [roc_auc_score(benign, rng.binomial(200, p0) / 200) for _ in range(5)]
    assert exact > 0.96
    assert exact - np.mean(of_shots) < 0.01
