"""How the energy falls in the course of a run."""

from __future__ import annotations

from dataclasses import dataclass

import dimod
import numpy as np

from ..progress import Progress
from .board_sampler import BoardSampler
from .schedules import betas_of

POINTS = 16
"""Times at which a run is looked at."""


@dataclass(frozen=True, eq=False)
class Trace:
    """Energies in the course of a run.

    Attributes
    ----------
    seconds : ndarray of float, shape (points,)
        Of the device's clock, from the start of the run.
    energies : ndarray of float, shape (points, replicas)
        Of the states at these times, in units of the model.
    sweeps : int
        Of the whole run.
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
    """Look at a run `POINTS` times.

    The same seed gives the same run, however long the schedule goes on. So the run is repeated,
    each time with more of its schedule.

    Parameters
    ----------
    sampler : BoardSampler
    bqm : dimod.BinaryQuadraticModel
    beta_range, num_sweeps, seed, beta_schedule_type
        As for `BoardSampler.sample`. If there are more sweeps than the device has steps, they are
        rounded to a multiple of these.
    progress : callable, optional
        Called with the repetitions done and to do.

    Returns
    -------
    Trace
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
        )
        seconds.append(found.info["device_time"])
        energies.append(found.record.energy)
        if progress is not None:
            progress(done, len(ends))
    return Trace(np.array(seconds), np.array(energies), steps * sweeps)
