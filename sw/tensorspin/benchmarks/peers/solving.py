"""Annealing an Ising model: the task, and how the time of a read is measured.

A read is one solution: a random state that is annealed by a number of sweeps, in each of which
every spin is visited once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import process

Sample = Callable[[int, int, int], object]
"""Makes reads: called with the number of sweeps, the number of reads and a seed."""

REPEATS = 5
"""Repetitions of each timing; the minimum is reported, as other processes can only add time."""

SWEEPS_PART = 0.7
"""Share of a call's time that its sweeps must take.

The rest (converting the model, starting a run) is measured apart and subtracted; it varies from
call to call, so the difference of two nearly equal times would be mostly noise.
"""

MOST_SECONDS = 1.0
"""Seconds of processor time of a call, beyond which no more reads are added to reach that share."""

GROWTH = 2, 16
"""Bounds of the factor by which the number of reads is increased."""


@dataclass(frozen=True)
class Task:
    """One Ising model, to be annealed with several numbers of sweeps.

    Parameters
    ----------
    data : str
        Path of a ``.npz`` file with ``linear``, ``rows``, ``columns``, ``weights``: the model's
        linear terms, and the two spins and the weight of each coupling.
    betas : list of float
        First and last inverse temperature; in between they form a geometric sequence, with one
        inverse temperature for each sweep.
    sweeps : list of int
        Numbers of sweeps to measure with.
    reads : int
        Number of reads for each number of sweeps.
    seed : int
        Seed of the random numbers.
    """

    data: str
    betas: list[float]
    sweeps: list[int]
    reads: int
    seed: int

    def model(self) -> tuple[dict, dict]:
        """Read the model.

        Returns
        -------
        linear : dict of int to float
            Linear term of each spin.
        quadratic : dict of (int, int) to float
            Weight of each coupling.
        """
        with np.load(self.data, allow_pickle=False) as archive:
            linear, rows, columns, weights = (
                archive[name].tolist() for name in ("linear", "rows", "columns", "weights")
            )
        return dict(enumerate(linear)), dict(zip(zip(rows, columns), weights))


def begin() -> Task:
    """Keep this process on one core, and read its task."""
    return process.begin(Task)


def measure(
    task: Task,
    sample: Callable[[int, int, int], np.ndarray],
    versions: dict,
    repeat: Sample | None = None,
) -> None:
    """Make the reads, measure their time, and write the answer.

    Parameters
    ----------
    task : Task
        What to do.
    sample : callable
        Called with the number of sweeps, the number of reads and a seed; returns the energies.
    versions : dict of str to str
        Version of the library.
    repeat : callable, optional
        Called likewise, to measure the time. Its reads may all be the same, which some libraries
        can do in one call only. By default `sample`.
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
    process.answer({"runs": runs, "versions": versions})


def read_seconds(sample: Sample, sweeps: int, seed: int) -> float | None:
    """Measure the time of one read's sweeps.

    The time is that of the processor, so that other processes hardly matter. A call takes time
    beside its sweeps, for example to convert the model. That time is measured with one sweep per
    read and subtracted; calls make as many reads as it takes for the sweeps to dominate.

    Parameters
    ----------
    sample : callable
        Makes reads, as in `measure`.
    sweeps : int
        Sweeps of the read, at least 2.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    float or None
        Seconds; None if a call takes no longer than one with one sweep per read.
    """
    sample(1, 1, seed)  # the first call may compile code or fill caches
    reads = 1
    while True:
        seconds, beside = (
            min(_seconds(sample, count, reads, seed) for _ in range(REPEATS))
            for count in (sweeps, 1)
        )
        net = seconds - beside
        if net >= SWEEPS_PART * seconds or seconds > MOST_SECONDS:
            break
        # Times the sweeps must grow to make up their share, if what is beside them stays the same.
        wanted = beside * SWEEPS_PART / (1 - SWEEPS_PART)
        reads *= int(np.clip(wanted / net, *GROWTH)) if net > 0 else GROWTH[1]
    # The difference is the time of one sweep less than `sweeps`: the other call has one sweep, too.
    return net / reads * sweeps / (sweeps - 1) if net > 0 else None


def _seconds(sample: Sample, sweeps: int, reads: int, seed: int) -> float:
    started = time.process_time()
    sample(sweeps, reads, seed)
    return time.process_time() - started
