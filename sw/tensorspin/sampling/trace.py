"""Show how the energy falls in the course of a run."""

from __future__ import annotations

from dataclasses import dataclass

import dimod
import numpy as np

from ..progress import Progress
from .board_sampler import BoardSampler
from .schedules import betas_of

POINTS = 16
"""Greatest number of times at which the states of a run are looked at."""


@dataclass(frozen=True, eq=False)
class Trace:
    """Energies of all replicas in the course of a run.

    Parameters
    ----------
    seconds : ndarray of float64 of shape (points,)
        Times at which the states were looked at, in seconds from the start of the run.
    energies : ndarray of float64 of shape (points, replicas)
        Energies of the states at these times, in units of the model.
    sweeps : int
        Number of sweeps of the whole run.
    """

    seconds: np.ndarray
    energies: np.ndarray
    sweeps: int


def trace(
    sampler: BoardSampler,
    bqm: dimod.BinaryQuadraticModel,
    *,
    beta_range: tuple[float, float],
    num_sweeps: int,
    seed: int,
    beta_schedule_type: str = "geometric",
    progress: Progress | None = None,
) -> Trace:
    """Look at the states of a run up to `POINTS` times.

    A device shows its states only at the end of a run. But the same seed gives the same run,
    however long its schedule goes on, so the run is repeated, each time with more of its schedule.
    On devices whose replicas share sweeps, that holds for all steps but the last of a repetition.

    Parameters
    ----------
    sampler : BoardSampler
        Sampler that runs the schedule.
    bqm : dimod.BinaryQuadraticModel
        The model.
    beta_range : (float, float)
        First and last inverse temperature, in units of the model.
    num_sweeps : int
        Number of sweeps of the whole run. If it is more than the device has steps, it is rounded to
        a multiple of these.
    seed : int
        Seed of the run.
    beta_schedule_type : str, default="geometric"
        How the inverse temperature goes from the first to the last: "linear" or "geometric".
    progress : callable, optional
        Called with the number of repetitions done, and of all repetitions.

    Returns
    -------
    Trace
        Times and energies.
    """
    steps = min(sampler.properties["annealer"]["steps"], num_sweeps)
    sweeps = max(1, round(num_sweeps / steps))
    betas = betas_of(beta_schedule_type, beta_range, None, steps, 1, beta_range)
    ends = np.unique(np.rint(np.geomspace(1, steps, min(POINTS, steps))).astype(int))
    seconds, energies = [], []
    for done, end in enumerate(ends, start=1):
        found = sampler.sample(
            bqm,
            beta_schedule_type="custom",
            beta_schedule=betas[:end],
            num_sweeps_per_beta=sweeps,
            seed=seed,
            refine=None,
        )
        seconds.append(found.info["device_time"])
        energies.append(found.record.energy)
        if progress is not None:
            progress(done, len(ends))
    return Trace(np.array(seconds), np.array(energies), steps * sweeps)
