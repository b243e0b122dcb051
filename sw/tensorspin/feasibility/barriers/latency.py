"""How often a remote answers before the deadline, and where the time goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...hybrid import BornCircuit
from .encoding import Price, device_seconds, message_bytes
from .figure import CITED, MEASURED, MODELLED, Barrier, Figure
from .link import Link
from .real import RealRun
from .sources import CENTRE_LEAST_QUEUE, CENTRE_MOST_QUEUE, HANDLING, LEAST_HITS, REPETITION

REQUESTS = 2000
"""Exchanges that are drawn from the model."""

_REPEATS = 20
"""How often what this machine computes is timed."""


def modelled_phases(
    circuit: BornCircuit,
    X: np.ndarray,
    price: Price,
    link: Link,
    shots: int,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Draw the seconds of each phase of requests to an appliance that is idle.

    Parameters
    ----------
    circuit : BornCircuit
        The circuit.
    X : array-like of shape (n_samples, n_features)
        Samples.
    price : Price
        What the circuit takes.
    link : Link
        The link to the appliance.
    shots : int
        Shots of a sample.
    rng : numpy.random.Generator
        Where draws are from.

    Returns
    -------
    dict of str to ndarray of float64 of shape (REQUESTS,)
        Seconds of ``encode``, ``network``, ``queue``, ``device`` and ``decode``.
    """
    counts = {"0" * circuit.n_bits: shots - 1, "1" * circuit.n_bits: 1}
    sizes = link.payload(circuit.n_features, *message_bytes(circuit, X, shots))
    handling = HANDLING.number
    return {
        "encode": rng.choice(timed(lambda: circuit.angles(X[:1])), REQUESTS),
        "network": handling + link.seconds(*sizes, REQUESTS, rng),
        "queue": np.zeros(REQUESTS),
        "device": np.full(REQUESTS, device_seconds(price, shots)),
        "decode": rng.choice(timed(lambda: circuit.probability(counts)), REQUESTS),
    }


def timed(work: Callable[[], object], repeats: int = _REPEATS) -> np.ndarray:
    """Time what this machine computes, after one time that is not counted.

    Parameters
    ----------
    work : callable
        What to do.
    repeats : int, default=20
        How often.

    Returns
    -------
    ndarray of float64 of shape (repeats,)
        Seconds.
    """
    work()
    seconds = np.empty(repeats)
    for place in range(repeats):
        start = time.perf_counter()
        work()
        seconds[place] = time.perf_counter() - start
    return seconds


def latency_barrier(
    phases: Mapping[str, np.ndarray],
    deadline: float,
    link: Link | None,
    real: RealRun | None,
    rng: np.random.Generator,
) -> Barrier:
    """Tell how often the deadline is kept.

    Parameters
    ----------
    phases : mapping of str to ndarray of float64 of shape (n_requests,)
        Seconds of each phase.
    deadline : float
        Seconds within which an answer counts.
    link : Link or None
        The link, if it is modelled.
    real : RealRun or None
        The run of a sampler, if there was one.
    rng : numpy.random.Generator
        Where draws are from.

    Returns
    -------
    Barrier
        The numbers. The decisive one is the time within which the answers come that must come.
    """
    total = np.sum(list(phases.values()), axis=0)
    kind, source = _origin(link, real)
    rows = {}
    for name, seconds in phases.items():
        own = name in ("encode", "decode")
        told = _phase_source(name, link, real)
        rows[f"{name}, median"] = Figure(
            float(np.median(seconds)),
            "s",
            MEASURED if own or (real is not None and name != "link") else MODELLED,
            told,
        )
    within = float(np.quantile(total, LEAST_HITS, method="higher"))
    rows |= {
        "whole request, median": Figure(float(np.median(total)), "s", kind, source),
        f"whole request, {LEAST_HITS:.0%} within": Figure(within, "s", kind, source),
        "answers within the deadline": Figure(
            float(np.mean(total <= deadline)), "share", kind, source
        ),
    }
    curves = {"no queue" if real is None else real.name: _curve(total, kind)}
    if real is None:
        low, high = CENTRE_LEAST_QUEUE.number, CENTRE_MOST_QUEUE.number
        at_centre = total + rng.uniform(low, high, len(total))
        rows["answers within the deadline, queue of a centre"] = Figure(
            float(np.mean(at_centre <= deadline)),
            "share",
            MODELLED,
            f"{low:g} to {high:g} s more, evenly distributed; {CENTRE_LEAST_QUEUE.source}",
        )
        rows["seconds that a queue may take"] = Figure(
            max(deadline - within, 0.0), "s", MODELLED, "what the deadline leaves"
        )
        curves["queue of a centre"] = _curve(at_centre, MODELLED)
    words = (
        f"{LEAST_HITS:.0%} of the requests take at most {within:.3g} s ({kind}) of {deadline:g} s"
    )
    return Barrier("latency", rows, words, within / deadline, kind, curves)


def _origin(link: Link | None, real: RealRun | None) -> tuple[str, str]:
    if real is None:
        assert link is not None
        return MODELLED, f"the sum of the phases, {link.name}, an idle appliance"
    if link is None:
        return MEASURED, f"{real.name}: each of {len(real.total)} requests, one sample each"
    return MODELLED, f"{real.name} as measured, and {link.name} as modelled"


def _phase_source(name: str, link: Link | None, real: RealRun | None) -> str:
    if real is not None and name != "link":
        whole = "; all between request and answer that it does not call network or queue"
        told = f"{real.name}, {len(real.total)} requests"
        return told + whole if name == "device" else told
    if name in ("encode", "decode"):
        return "timed on this machine"
    if name == "queue":
        return "no queue: an appliance of one's own that is idle"
    if name == "device":
        return (
            f"shots, each with the time of its gates and a pause of {REPETITION.text} "
            f"({REPETITION.kind}: {REPETITION.source})"
        )
    assert link is not None
    by = "levels that a gateway encodes" if link.by_gateway else "JSON"
    handling = "" if name == "link" else f"; {HANDLING.text} in the appliance ({CITED}, "
    handling = f"{handling}{HANDLING.source})" if handling else ""
    return f"{link.name}, {by}, round trip {link.round_trip.text} ({_told(link)}){handling}"


def _told(link: Link) -> str:
    return f"{link.round_trip.kind}: {link.round_trip.source}"


def _curve(seconds: np.ndarray, kind: str) -> dict[str, Any]:
    """Return the empirical distribution at up to 101 of its steps."""
    shares = np.linspace(0, 1, min(len(seconds), 100) + 1)[1:]
    times = np.quantile(seconds, shares, method="inverted_cdf")
    return {"kind": kind, "seconds": times.tolist(), "share": shares.tolist()}
