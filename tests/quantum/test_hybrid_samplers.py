"""A hybrid detector on samplers of several vendors, all of them simulators without a network."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.primitives import BackendSamplerV2, StatevectorSampler
from qiskit.providers.fake_provider import GenericBackendV2
from scipy.stats import chisquare

from tensorspin.hybrid import HybridDetector, born_circuit

from ..support.born_machines import detector, samples

SHOTS = 400


def statevector():
    return StatevectorSampler(seed=1), None


def aer():
    from qiskit_aer.primitives import SamplerV2

    return SamplerV2(seed=1), None


def aer_with_noise():
    from qiskit_aer.primitives import SamplerV2
    from qiskit_ibm_runtime.fake_provider import FakeManilaV2

    backend = FakeManilaV2()
    return SamplerV2.from_backend(backend, seed=1), backend


def runtime_in_local_mode():
    from qiskit_ibm_runtime import SamplerV2
    from qiskit_ibm_runtime.fake_provider import FakeManilaV2

    backend = FakeManilaV2()
    options = {"simulator": {"seed_simulator": 1}}
    return SamplerV2(mode=backend, options=options), backend


def braket():
    from qiskit_braket_provider import BraketLocalBackend, BraketSampler

    return BraketSampler(BraketLocalBackend()), None


def qdmi():
    from mqt.core.plugins.qiskit import QDMIProvider

    backend = next(each for each in QDMIProvider().backends() if "DDSIM" in each.name)
    return BackendSamplerV2(backend=backend), None


EXACT, NOISY = (statevector, aer, braket, qdmi), (aer_with_noise, runtime_in_local_mode)


@pytest.mark.parametrize("make", EXACT + NOISY)
def test_each_of_them_answers_and_is_found_to_be_right(make):
    sampler, backend = make()
    X = samples(4)[:40]
    # The backend is of 2021, and its noise is more than what is allowed by default.
    hybrid = HybridDetector(
        detector(4),
        sampler=sampler,
        backend=backend,
        shots=SHOTS,
        deadline=120.0,
        drift_tolerance=0.3,
    )
    with hybrid:
        run = hybrid.run(X)
    assert run.counts() == {("remote", "answered"): len(X)}, run[0].detail
    exact = np.array([record.exact for record in run])
    if make in NOISY:
        assert 0 < np.abs(run.scores - exact).mean() < 0.1
        return
    zeros = np.round(run.scores * SHOTS)
    seen = np.concatenate([zeros, SHOTS - zeros])
    meant = SHOTS * np.concatenate([exact, 1 - exact])
    # Each sample has one free number; cells that expect next to nothing are left out.
    kept = meant >= 5
    scale = seen[kept].sum() / meant[kept].sum()
    assert chisquare(seen[kept], scale * meant[kept], ddof=0).pvalue > 1e-3


@pytest.mark.parametrize("reuse_qubits", [False, True])
def test_one_sample_is_a_batch_of_one(reuse_qubits):
    X = samples(4)[:1]
    sampler, _ = aer()
    hybrid = HybridDetector(
        detector(4), sampler=sampler, shots=SHOTS, deadline=60.0, reuse_qubits=reuse_qubits
    )
    (record,) = hybrid.run(X)
    assert record.source == "remote", record.detail
    assert abs(record.difference) < 5 * np.sqrt(0.25 / SHOTS)
    assert record.job


def test_the_backend_of_the_sampler_is_transpiled_for_unless_another_is_named():
    backend = GenericBackendV2(5, basis_gates=["cz", "rz", "sx", "x"], seed=1)
    sampler = BackendSamplerV2(backend=backend)
    hybrid = HybridDetector(detector(4), sampler=sampler, deadline=60.0).prepare()
    circuit = hybrid._runtime.remote._circuit
    assert set(circuit.count_ops()) <= {"cz", "rz", "sx", "x", "measure", "barrier", "delay"}
    assert circuit.num_parameters == 4
    assert hybrid.run(samples(4)[:2]).counts() == {("remote", "answered"): 2}


def test_a_circuit_wider_than_the_backend_is_refused_with_words():
    sampler = BackendSamplerV2(backend=GenericBackendV2(3, seed=1))
    with pytest.raises(ValueError, match="the circuit has 4 qubits, the backend 3; take fewer"):
        HybridDetector(detector(4), sampler=sampler).prepare()
    assert HybridDetector(detector(4), sampler=sampler, reuse_qubits=True).prepare()


def test_a_backend_that_can_not_reset_is_refused_where_it_must():
    backend = GenericBackendV2(5, seed=1)
    backend.target._gate_map.pop("reset", None)
    sampler = BackendSamplerV2(backend=backend)
    with pytest.raises(ValueError, match="needs a backend that can reset qubits"):
        HybridDetector(detector(4), sampler=sampler, reuse_qubits=True).prepare()


def test_what_is_no_backend_is_refused():
    with pytest.raises(TypeError, match="backend must be a qiskit.providers.BackendV2"):
        HybridDetector(detector(4), sampler=StatevectorSampler(), backend="ibm_boston").prepare()


def test_more_features_than_digits_stay_in_their_order():
    model, X = detector(12), samples(12)[:20]
    hybrid = HybridDetector(model, sampler=StatevectorSampler(seed=1), deadline=120.0)
    run = hybrid.run(X)
    assert run.counts() == {("remote", "answered"): len(X)}, run[0].detail
    assert run.scores == pytest.approx(born_circuit(model).exact_probability(X), abs=0.15)
