"""What the scripts are told and what they answer."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

REPEATS = 5
"""Times that each time is taken; the least counts."""

SWEEPS_PART = 0.7
"""Of the time of a call that the sweeps must take: what else there is must be taken off, and is not
the same twice."""

MOST_SECONDS = 1.0
"""Processor time of a call, from which on no more reads are added to come to that part."""

GROWTH = 2, 16
"""Least and greatest factor by which they become more."""


@dataclass(frozen=True)
class Task:
    """One instance, with several numbers of sweeps.

    Attributes
    ----------
    data : str
        ``.npz`` file with ``linear``, ``rows``, ``columns``, ``weights``: an Ising model.
    betas : list of float
        First and last inverse temperature; in between they are geometric, one a sweep.
    sweeps : list of int
    reads, seed : int
    """

    data: str
    betas: list[float]
    sweeps: list[int]
    reads: int
    seed: int

    def model(self) -> tuple[dict, dict]:
        """Linear terms and couplings."""
        with np.load(self.data, allow_pickle=False) as archive:
            linear, rows, columns, weights = (
                archive[name].tolist() for name in ("linear", "rows", "columns", "weights")
            )
        return dict(enumerate(linear)), dict(zip(zip(rows, columns), weights))


def begin() -> Task:
    """The task of this process, which stays on one core from now on."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return Task(**json.loads(sys.argv[1]))


def measure(
    task: Task,
    sample: Callable[[int, int, int], np.ndarray],
    versions: dict,
    repeat: Callable[[int, int, int], object] | None = None,
) -> None:
    """Measure, and write the answer.

    Parameters
    ----------
    task : Task
    sample : callable
        Called with sweeps, reads and a seed; returns the energies.
    versions : dict of str to str
    repeat : callable, optional
        Called likewise, to take the time: its reads may be alike. By default `sample`.
    """
    runs = []
    for sweeps in task.sweeps:
        energies = sample(sweeps, task.reads, task.seed)
        runs.append(
            {
                "sweeps": sweeps,
                "read_seconds": read_seconds(repeat or sample, sweeps, task.seed),
                "energies": np.asarray(energies, dtype=float).tolist(),
            }
        )
    Path(sys.argv[2]).write_text(json.dumps({"runs": runs, "versions": versions}))


def read_seconds(sample: Callable[[int, int, int], object], sweeps: int, seed: int) -> float | None:
    """Time of a read's sweeps.

    The time is that of the processor, so that other processes hardly count. What calls take beside
    sweeps, such as to convert the model, is measured with one sweep a read and taken off; calls
    have as many reads as it takes to make it small.

    Parameters
    ----------
    sample : callable
        As for `measure`.
    sweeps : int
        2 or more.
    seed : int

    Returns
    -------
    float or None
        Seconds; None if a call takes no longer than one with one sweep a read.
    """
    sample(1, 1, seed)  # what is made only once
    reads = 1
    while True:
        seconds, beside = (
            min(_seconds(sample, count, reads, seed) for _ in range(REPEATS))
            for count in (sweeps, 1)
        )
        net = seconds - beside
        if net >= SWEEPS_PART * seconds or seconds > MOST_SECONDS:
            break
        wanted = beside * SWEEPS_PART / (1 - SWEEPS_PART)
        reads *= int(np.clip(wanted / net, *GROWTH)) if net > 0 else GROWTH[1]
    return net / reads * sweeps / (sweeps - 1) if net > 0 else None


def _seconds(sample, *arguments) -> float:
    started = time.process_time()
    sample(*arguments)
    return time.process_time() - started
