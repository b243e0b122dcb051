"""Any sampler of Qiskit's convention runs the same circuit."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.primitives import BaseSamplerV2
from qiskit_aer import AerSimulator
from qiskit_aer.primitives import SamplerV2 as AerSampler
from qiskit_ibm_runtime.fake_provider import FakeManilaV2
from scipy.stats import chi2

from tensorspin.hybrid import NoiseSnapshot, born_circuit, noisy_probability, run_circuit

from ..support.born_machines import detector, samples
from .samplers import EXACT, NOISY, braket_backend, qdmi

SHOTS = 1000


def deviation(run, expected) -> float:
    """The chi-square of measured P0, one degree of freedom for each sample."""
    variance = expected * (1 - expected) / run.shots
    return float(np.sum((run.probabilities - expected) ** 2 / variance))


@pytest.mark.parametrize("maker", EXACT)
def test_samplers_without_noise_agree_with_the_exact_p0(maker):
    sampler, backend = maker()
    assert isinstance(sampler, BaseSamplerV2)
    born, X = born_circuit(detector(4)), samples(4)[:6]
    run = run_circuit(born, X, sampler, shots=SHOTS, backend=backend)
    # Not all take a seed: one run in a million is further off.
    assert chi2.sf(deviation(run, born.exact_probability(X)), len(X)) > 1e-6
    assert all(sum(counts.values()) == SHOTS for counts in run.counts)
    assert [born.probability(counts) for counts in run.counts] == run.probabilities.tolist()


@pytest.mark.parametrize("maker", NOISY)
def test_samplers_with_noise_are_off_as_the_model_says(maker):
    sampler, backend = maker()
    born, X = born_circuit(detector(4)), samples(4)[:6]
    run = run_circuit(born, X, sampler, shots=SHOTS, backend=backend)
    expected = noisy_probability(born, X, NoiseSnapshot.of_backend(FakeManilaV2()))
    assert np.abs(run.probabilities - expected).max() < 0.1
    assert np.mean(born.exact_probability(X) - run.probabilities) > 0.005


def test_seeds_give_the_same_counts():
    born, X = born_circuit(detector(4)), samples(4)[:3]
    first, second = (run_circuit(born, X, AerSampler(seed=5), shots=50) for _ in range(2))
    assert first.counts == second.counts
    assert first.probabilities == pytest.approx(second.probabilities)


def test_qubits_that_are_used_again_measure_the_same():
    model, X = detector(4), samples(4)[:5]
    born = born_circuit(model, reuse_qubits=True)
    for sampler, backend in ((AerSampler(seed=1), AerSimulator()), qdmi()):
        run = run_circuit(born, X, sampler, shots=SHOTS, backend=backend)
        assert chi2.sf(deviation(run, born_circuit(model).exact_probability(X)), len(X)) > 1e-6


def test_maps_of_four_components_and_wide_bonds_measure_the_same():
    for options in ({"feature_map": "damped_bumps"}, {"bond_dim": 4}):
        born, X = born_circuit(detector(4, **options)), samples(4)[:4]
        run = run_circuit(born, X, AerSampler(seed=2), shots=4000)
        assert chi2.sf(deviation(run, born.exact_probability(X)), len(X)) > 1e-3


def test_more_than_ten_features_keep_their_order():
    born, X = born_circuit(detector(12)), samples(12)[:4]
    run = run_circuit(born, X, AerSampler(seed=3), shots=20000)
    assert chi2.sf(deviation(run, born.exact_probability(X)), len(X)) > 1e-3


def test_circuits_that_do_not_fit_are_refused_before_they_are_sent():
    X = samples(6)[:1]
    with pytest.raises(ValueError, match="has 6 qubits, the backend 5"):
        run_circuit(born_circuit(detector(6)), X, AerSampler(), backend=FakeManilaV2())
    sampler, _ = braket_backend()
    reused = born_circuit(detector(6), reuse_qubits=True)
    with pytest.raises(ValueError, match="needs a backend that can reset"):
        run_circuit(reused, X, sampler)
    born = born_circuit(detector(6))
    for wrong in (0, 2_000_000):
        with pytest.raises(ValueError, match="shots must be 1 to"):
            run_circuit(born, X, AerSampler(), shots=wrong)
    with pytest.raises(TypeError, match="shots must be an integer"):
        run_circuit(born, X, AerSampler(), shots=1.5)
    with pytest.raises(TypeError, match="sampler must be"):
        run_circuit(born, X, 3)
    with pytest.raises(TypeError, match="backend must be"):
        run_circuit(born, X, AerSampler(), backend="manila")
