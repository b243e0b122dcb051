"""Run a detector's circuit on any sampler of Qiskit's convention, and wait for the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .checks import checked_shots
from .circuits.circuit import BornCircuit
from .remote import RemoteCircuit, identifier


@dataclass(frozen=True, eq=False)
class CircuitRun:
    """What a sampler measured; `run_circuit` returns it.

    Parameters
    ----------
    probabilities : ndarray of float64 of shape (n_samples,)
        P0 of each sample: the share of shots whose results are all 0.
    counts : list of dict of str to int
        How often each result came, for each sample.
    shots : int
        Shots of each sample.
    job : str
        The job's identifier; empty if it has none.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.hybrid import CircuitRun
    >>> run = CircuitRun(np.array([0.25]), [{"00": 1, "10": 3}], shots=4, job="")
    >>> run.standard_errors().round(3).tolist()
    [0.217]
    """

    probabilities: np.ndarray
    counts: list[dict[str, int]]
    shots: int
    job: str

    def standard_errors(self) -> np.ndarray:
        """Compute how exact the probabilities are.

        Returns
        -------
        ndarray of float64 of shape (n_samples,)
            The standard deviation that each has by chance, from its own value.
        """
        return np.sqrt(self.probabilities * (1 - self.probabilities) / self.shots)


def run_circuit(
    circuit: BornCircuit, X: Any, sampler: Any, *, shots: int = 1024, backend: Any = None
) -> CircuitRun:
    """Measure P0 of samples on a quantum processor, or on a simulator of one.

    `HybridDetector` does the same with a deadline and a fallback.

    Parameters
    ----------
    circuit : BornCircuit
        The detector's circuit.
    X : array-like of shape (n_samples, n_features)
        Samples as the detector takes them. All are sent in one job.
    sampler : qiskit.primitives.BaseSamplerV2
        What runs the circuit: Qiskit's own samplers, those of Aer, of IBM's runtime, of Braket, an
        `ApplianceSampler`, or ``BackendSamplerV2(backend=...)`` over any other backend.
    shots : int, default=1024
        Shots of each sample.
    backend : qiskit.providers.BackendV2, optional
        What the circuit is transpiled for. None: what the sampler says that it runs on, if it
        does; otherwise the circuit is sent as it is.

    Returns
    -------
    CircuitRun
        P0 and counts of each sample.

    Raises
    ------
    TypeError
        If the sampler or the backend is none, or shots is no integer.
    ValueError
        If X or the number of shots is invalid, the backend has too few qubits, or the answer has
        other shots, bits or samples than were asked for.

    Examples
    --------
    >>> from tensorspin.hybrid import born_circuit, run_circuit
    >>> def measured(detector, X):
    ...     from qiskit.primitives import StatevectorSampler
    ...
    ...     sampler = StatevectorSampler(seed=1)
    ...     return run_circuit(born_circuit(detector), X, sampler, shots=200).probabilities
    """
    shots = checked_shots(shots)
    angles = circuit.angles(X)
    remote = RemoteCircuit(circuit, sampler, backend, shots)
    job = remote.submit(angles)
    result = job.result()
    answer = remote.check((identifier(job), result), len(angles))
    bits = result[0].data.outcome
    counts = [dict(bits.get_counts(place)) for place in range(len(angles))]
    return CircuitRun(answer.zeros / shots, counts, shots, answer.job)
