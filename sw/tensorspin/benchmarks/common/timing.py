"""Time short calls repeatedly, and summarise the times."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np


def summary(values: Sequence[float]) -> dict:
    """Summarise measurements; the median is not disturbed by a few that other processes delayed.

    Parameters
    ----------
    values : sequence of float
        The measurements.

    Returns
    -------
    dict
        ``median``, ``quartiles`` (the first and the third) and ``count``, the number of
        measurements.
    """
    first, median, third = np.percentile(values, (25, 50, 75))
    return {"median": median, "quartiles": [first, third], "count": len(values)}


def timed(action: Callable[[], object], repeats: int, warm_up: int = 3) -> dict:
    """Measure the seconds that a call takes.

    Parameters
    ----------
    action : callable
        The call, without arguments.
    repeats : int
        Number of calls that count, at least 1.
    warm_up : int
        Number of calls before them, which fill caches and do not count.

    Returns
    -------
    dict
        The seconds of the calls, as `summary` describes them.
    """
    for _ in range(warm_up):
        action()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - started)
    return summary(seconds)
