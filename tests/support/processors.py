"""Quantum processors made up for tests: they answer for a detector's samples, or do not."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from tensorspin.hybrid.detector import HybridDetector
from tensorspin.hybrid.remote import RemoteCircuit
from tests.support.virtual_time import VirtualCalls, VirtualClock


class FakeProcessor:
    """A sampler of Qiskit's convention without Qiskit, for circuits of known samples.

    `behave` may be replaced: it is called with the job, before its answer is made, and may let time
    pass, raise, or change the answer (``job.p0``, ``job.shots``, ``job.alter``).
    """

    def __init__(self, program, X, clock: VirtualClock | None = None, seed: int = 0) -> None:
        self.n_bits = program.n_bits
        self.exact = dict(
            zip(map(np.ndarray.tobytes, program.angles(X)), program.exact_probability(X))
        )
        self.clock = clock
        self.rng = np.random.default_rng(seed)
        self.seconds = 0.05
        self.noise = 0.0
        self.behave = lambda job: None
        self.jobs: list[FakeJob] = []
        self.uploads = 0

    def upload(self, circuit) -> None:
        self.uploads += 1

    def run(self, pubs, *, shots, timeout=None):
        ((_, values),) = pubs
        (angles,) = values.values()
        self.jobs.append(FakeJob(self, np.asarray(angles), shots, timeout))
        return self.jobs[-1]


class FakeJob:
    """A job of a `FakeProcessor`."""

    def __init__(self, processor, angles, shots, timeout) -> None:
        self.processor, self.shots, self.timeout = processor, shots, timeout
        exact = np.array([processor.exact[row.tobytes()] for row in angles])
        uniform = 2.0**-processor.n_bits
        self.p0 = np.clip(exact + processor.noise * (uniform - exact), 0, 1)
        self.number = len(processor.jobs)
        self.cancelled = False
        self.alter = lambda bits: bits

    def job_id(self) -> str:
        return f"job-{self.number}"

    def cancel(self) -> None:
        self.cancelled = True

    def result(self):
        processor = self.processor
        if processor.clock is not None:
            processor.clock.sleep(processor.seconds)
        processor.behave(self)
        bits = self.alter(bits_of(processor.rng, self.p0, self.shots, processor.n_bits))
        result = SimpleNamespace(
            data=SimpleNamespace(outcome=bits),
            metadata={"appliance": {"seconds": {"queue": 0.001, "device": 0.04}}},
        )
        return [result]


def bits_of(rng, p0, shots, n_bits):
    """What a BitArray holds: all zeros with probability p0, and one otherwise."""
    ones = rng.random((len(p0), shots)) >= np.asarray(p0)[:, None]
    array = np.zeros((len(p0), shots, -(-n_bits // 8)), dtype=np.uint8)
    array[..., -1] = ones
    return SimpleNamespace(num_bits=n_bits, num_shots=shots, array=array)


class FakeRemote(RemoteCircuit):
    """A `RemoteCircuit` that makes no circuit, as Qiskit may not be installed."""

    def __init__(self, program, sampler, backend, shots) -> None:
        self._program, self._sampler, self.shots = program, sampler, shots
        self._circuit = None
        self._takes_timeout = True


class VirtualHybrid(HybridDetector):
    """A `HybridDetector` on a virtual clock, whose threads take no time but that."""

    _remote_type = FakeRemote

    def on(self, clock: VirtualClock) -> VirtualHybrid:
        self._clock = clock
        self._local_calls = VirtualCalls(16, clock)
        self._remote_calls = VirtualCalls(self.in_flight, clock)
        return self
