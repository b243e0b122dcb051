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

BATCHES = 4
"""Parts of the reads that are timed by themselves."""


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


def measure(task: Task, sample: Callable[[int, int, int], np.ndarray], versions: dict) -> None:
    """Measure, and write the answer.

    The time is that of the processor, so that other processes hardly count, and of the fastest of
    `BATCHES`. What calls take beside sweeps, such as to convert the model, is taken off: it is
    measured with one sweep a read.

    Parameters
    ----------
    task : Task
    sample : callable
        Called with sweeps, reads and a seed; returns the energies.
    versions : dict of str to str
    """
    sample(1, 1, task.seed)  # what is made only once
    reads = -(-task.reads // BATCHES)
    seeds = [task.seed + batch * reads for batch in range(BATCHES)]
    overhead = min(_timed(sample, 1, reads, seed)[0] for seed in seeds)
    runs = []
    for sweeps in task.sweeps:
        seconds, energies = zip(*(_timed(sample, sweeps, reads, seed) for seed in seeds))
        runs.append(
            {
                "sweeps": sweeps,
                "read_seconds": max(min(seconds) - overhead, 0.0) / reads,
                "energies": np.concatenate(energies).astype(float).tolist(),
            }
        )
    Path(sys.argv[2]).write_text(json.dumps({"runs": runs, "versions": versions}))


def _timed(sample, *arguments) -> tuple[float, np.ndarray]:
    started = time.process_time()
    energies = sample(*arguments)
    return time.process_time() - started, energies
