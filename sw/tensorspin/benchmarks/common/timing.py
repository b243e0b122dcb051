"""Repeated timing of short calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np


def summary(values: Sequence[float]) -> dict:
    """Median and quartiles of a list of measurements, and how many there are."""
    first, median, third = np.percentile(values, (25, 50, 75))
    return {"median": median, "quartiles": [first, third], "count": len(values)}


def timed(action: Callable[[], object], repeats: int, warm_up: int = 3) -> dict:
    """Seconds that a call takes.

    Parameters
    ----------
    action : callable
    repeats : int
        Calls that count, at least 1.
    warm_up : int
        Calls before them.

    Returns
    -------
    dict
        As `summary`.
    """
    for _ in range(warm_up):
        action()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - started)
    return summary(seconds)
