"""Samplers of several makers, all of them offline."""

from __future__ import annotations

from qiskit.primitives import BackendSamplerV2, StatevectorSampler
from qiskit_aer.noise import NoiseModel
from qiskit_aer.primitives import SamplerV2 as AerSampler
from qiskit_ibm_runtime import SamplerV2 as RuntimeSampler
from qiskit_ibm_runtime.fake_provider import FakeManilaV2


def statevector():
    """Qiskit's own simulator."""
    return StatevectorSampler(seed=1), None


def aer():
    """Aer without noise."""
    return AerSampler(seed=1), None


def aer_with_noise():
    """Aer with the noise of a small processor."""
    backend = FakeManilaV2()
    options = {"backend_options": {"noise_model": NoiseModel.from_backend(backend)}}
    return AerSampler(seed=1, options=options), backend


def runtime():
    """IBM's client in local mode, with the noise of a small processor."""
    options = {"simulator": {"seed_simulator": 1}}
    return RuntimeSampler(mode=FakeManilaV2(), options=options), None


def braket():
    """Amazon's local simulator. It takes no seed."""
    from qiskit_braket_provider import BraketLocalBackend, BraketSampler

    return BraketSampler(BraketLocalBackend()), None


def braket_backend():
    """The same as a backend behind Qiskit's sampler of backends."""
    from qiskit_braket_provider import BraketLocalBackend

    return BackendSamplerV2(backend=BraketLocalBackend()), None


def qdmi():
    """The DDSIM device behind QDMI. It takes no seed."""
    from mqt.core.plugins.qiskit import QDMIProvider

    (device,) = [found for found in QDMIProvider().backends() if "DDSIM" in found.name]
    return BackendSamplerV2(backend=device), None


EXACT = [statevector, aer, braket, braket_backend, qdmi]
"""Samplers without noise."""

NOISY = [aer_with_noise, runtime]
"""Samplers with the noise of FakeManilaV2, whose circuits are transpiled for it."""
