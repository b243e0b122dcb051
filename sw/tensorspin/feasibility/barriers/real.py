"""A run of the circuit on a sampler, request by request, with the time of each phase."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import TensorspinError
from ...hybrid import BornCircuit
from ...hybrid.deadline import Call, Calls
from ...hybrid.remote import RemoteCircuit, identifier
from ...progress import progress_bar

MOST_REQUESTS = 200
"""Most requests of a run."""

MOST_SECONDS = 8.0
"""Seconds after which no further request is sent."""

ENOUGH = 100
"""Samples that are enough for an area; if fewer were sent one by one, one job has all of them."""

LONGEST = 120.0
"""Seconds after which an answer is given up."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class RealRun:
    """What a sampler measured.

    Parameters
    ----------
    name : str
        The sampler.
    phases : dict of str to ndarray of float64 of shape (n_requests,)
        Seconds of ``encode``, ``network``, ``queue``, ``device`` and ``decode``. Where the sampler
        does not tell its own times, ``device`` is all from the request to the answer.
    probabilities : ndarray of float64 of shape (n_measured,)
        P0 of each sample that was measured, one by one or in one job.
    rows : ndarray of int of shape (n_measured,)
        Which samples these are.
    shots : int
        Shots of each sample.
    """

    name: str
    phases: dict[str, np.ndarray]
    probabilities: np.ndarray
    rows: np.ndarray
    shots: int

    @property
    def total(self) -> np.ndarray:
        """Seconds of each request, all phases together."""
        return np.sum(list(self.phases.values()), axis=0)


def run_real(
    circuit: BornCircuit,
    X: np.ndarray,
    sampler: Any,
    backend: Any,
    name: str,
    shots: int,
    rng: np.random.Generator,
) -> RealRun:
    """Send samples one by one, and wait for each.

    Parameters
    ----------
    circuit : BornCircuit
        The circuit.
    X : array-like of shape (n_samples, n_features)
        Samples, which are sent in a random order until `MOST_SECONDS` or `MOST_REQUESTS` are over.
        A sampler that is too slow for `ENOUGH` of them gets one job more, with all.
    sampler : BaseSamplerV2
        What runs them.
    backend : BackendV2 or None
        What the circuit is transpiled for.
    name : str
        What the report calls the sampler.
    shots : int
        Shots of a sample.
    rng : numpy.random.Generator
        The order.

    Returns
    -------
    RealRun
        What it measured, and how long it took.

    Raises
    ------
    TensorspinError
        If the sampler fails, or does not answer within `LONGEST` seconds.
    TypeError, ValueError
        If the circuit does not fit the backend.
    """
    remote = RemoteCircuit(circuit, sampler, backend, shots)
    order = rng.permutation(len(X))[:MOST_REQUESTS]
    found: list[tuple[float, dict[str, float]]] = []
    _logger.info("waiting for the first answer of %s, %g s at most", name, LONGEST)
    calls = Calls(1, "tensorspin sampler")
    try:
        # The first request compiles, connects and uploads: it is not counted.
        _answer(calls, remote, circuit, X[order[:1]])
        start = time.monotonic()
        with progress_bar(f"requests to {name}", "request", delay=2.0) as progress:
            for row in order:
                if found and time.monotonic() - start > MOST_SECONDS:
                    break
                zeros, seconds = _answer(calls, remote, circuit, X[row : row + 1])
                found.append((float(zeros[0]), seconds))
                progress(len(found), len(order))
        phases = {key: np.array([seconds[key] for _, seconds in found]) for key in found[0][1]}
        probabilities = np.array([probability for probability, _ in found])
        alone = float(np.median(np.sum(list(phases.values()), axis=0)))
        if len(found) < min(ENOUGH, len(order)) and alone * ENOUGH < LONGEST / 2:
            _logger.info("sending %d samples in one job to %s", len(order), name)
            probabilities = _answer(calls, remote, circuit, X[order])[0]
    except TimeoutError as error:
        raise TensorspinError(
            f"the sampler {name} has not answered within {LONGEST:g} s; try again when its queue "
            f"is shorter, or leave --sampler out"
        ) from error
    except Exception as error:  # of another library
        told = " ".join(str(error).split()) or type(error).__name__
        raise TensorspinError(f"the sampler {name} failed: {told}") from error
    return RealRun(name, phases, probabilities, order[: len(probabilities)], shots)


def _answer(
    calls: Calls, remote: RemoteCircuit, circuit: BornCircuit, samples: np.ndarray
) -> tuple[np.ndarray, dict[str, float]]:
    """Ask for samples in one job; return P0 of each, and the seconds of each phase."""
    call = calls.start(lambda call: _asked(remote, circuit, samples, call))
    assert call is not None  # the call before has ended
    try:
        if not call.wait(LONGEST):
            raise TimeoutError
    except BaseException:  # such as Ctrl-C
        call.abandon()
        raise
    return call.answer()


def _asked(
    remote: RemoteCircuit, circuit: BornCircuit, samples: np.ndarray, call: Call
) -> tuple[np.ndarray, dict[str, float]]:
    start = time.perf_counter()
    angles = circuit.angles(samples)
    encoded = time.perf_counter()
    job = remote.submit(angles)
    if callable(getattr(job, "cancel", None)):
        call.cancel_with(job.cancel)
    result = job.result()
    answered = time.perf_counter()
    answer = remote.check((identifier(job), result), len(samples))
    ended = time.perf_counter()
    whole = answered - encoded
    queue = min(answer.seconds.get("queue", 0.0), whole)
    device = min(answer.seconds.get("device", whole - queue), whole - queue)
    seconds = {
        "encode": encoded - start,
        "network": whole - queue - device,
        "queue": queue,
        "device": device,
        "decode": ended - answered,
    }
    return answer.zeros / remote.shots, seconds
