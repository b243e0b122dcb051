"""Turn inverse temperatures into steps of the annealer, by one of its methods.

In a step all replicas wait for the one that flips most spins. With parallel tempering, that is the
hottest replica; of Trotter slices only every other one may move at a time. Plain annealing keeps
every replica busy, so the other two methods use it for part of the schedule, in particular the hot
part. The constants of both methods were found on random, planar and toroidal graphs of the G-set
and on complete graphs, with runs of a few milliseconds.
"""

from __future__ import annotations

import warnings

import numpy as np

from ..contract.annealer.problem import IsingProblem
from ..contract.annealer.size import CYCLES, SWEEPS, AnnealerSize
from ..contract.annealer.steps import Step, schedule
from ..contract.annealer.tempering import Ladder, ladder, tempering_schedule
from ..contract.annealer.transverse import transverse_schedule
from ..errors import CapacityError
from .schedules import least_beta

METHODS = ("annealing", "crossover", "quantum", "tempering")
"""Names of the methods; `plan` describes them."""

COARSE = 0.6
"""Fraction of a schedule's range that one step of the device may stand for without a warning."""

TEMPERING_PARTS = (0.3, 0.3)
"""Fractions of the sweeps in which the replicas first all anneal, and then temper. With the rest of
the sweeps they all anneal again."""

LADDER = (1.8, 4.3)
"""Inverse temperatures of the first and the last rank, in multiples of the inverse temperature with
which the schedule begins."""

EXCHANGE_SWEEPS = 4
"""Least number of sweeps between two exchanges. Random samples drawn before an exchange have the
temperature that the replica had before it, and stay in use for some rounds."""

QUANTUM_PARTS = (0.7, 0.2)
"""Fractions of the sweeps in which the replicas first all anneal, and then are Trotter slices. With
the rest of the sweeps they all cool, uncoupled."""

SLICES = (3.9, 7.9)
"""Inverse temperatures of a slice at the first transverse field and at the last, in multiples of
the inverse temperature with which the schedule begins."""

FIELDS = (2.0, 0.5)
"""First and last transverse field, in multiples of the temperature of a slice."""


def check_sweeps(sweeps: int, problem: IsingProblem, refresh: int = 0) -> None:
    """Refuse more sweeps than any schedule of a run can have, before a schedule is made.

    Parameters
    ----------
    sweeps : int
        Number of sweeps of a read.
    problem : IsingProblem
        The quantised problem, made for the device's size.
    refresh : int, default=0
        Number of turns that a replica sits out between two sweeps.

    Raises
    ------
    ValueError
        If the device's steps cannot hold so many sweeps.
    CapacityError
        If the device cannot count so many clock cycles.
    """
    size = problem.size
    _check_steps(sweeps, size.steps)
    # This is what the sweeps alone take if every visit is a flip; `AnnealJob.most_cycles` adds the
    # rest of the run. The problem, not the schedule, decides how much a sweep takes.
    each = size.replicas * size.turn(problem.first) * (problem.variables + 1 + refresh)
    if sweeps * each > CYCLES.maximum:
        raise CapacityError(
            f"cycles of a run of {sweeps} sweeps in which every visit is a flip",
            sweeps * each,
            CYCLES.maximum,
            f"take {CYCLES.maximum // each} sweeps or fewer, and more reads",
        )


def _check_steps(sweeps: int, steps: int) -> None:
    """Refuse more sweeps than so many steps can hold."""
    if sweeps > (most := steps * SWEEPS.maximum):
        raise ValueError(f"the device takes {most} sweeps at most, not {sweeps}")


def plan(
    method: str,
    betas: np.ndarray,
    sweeps: int,
    size: AnnealerSize,
    most_steps: int | None = None,
) -> tuple[list[Step], Ladder | None]:
    """Make the steps of an annealer for a schedule, by one of its methods.

    The method "annealing" is `anneal_steps`, and so is "crossover", which is the host's part
    (`tensorspin.sampling.crossover`). The others take from the schedule only its highest and its
    lowest temperature and its number of sweeps, and begin with geometric annealing:

    - "tempering" anneals to the last temperature of its ladder. Then the replicas exchange
      temperatures after each step; the ranks are geometric over `LADDER`. At last all replicas
      anneal, linearly, from the middle of the ladder to the lowest temperature, so that each of
      them is a read.
    - "quantum" anneals to the first temperature of the slices. Then the slices cool over `SLICES`
      while the transverse field falls, both linearly, the field over `FIELDS`. At last the replicas
      cool uncoupled to the lowest temperature.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    betas : ndarray of float64 of shape (k,)
        Inverse temperatures in units of the device.
    sweeps : int
        Number of sweeps at each inverse temperature.
    size : AnnealerSize
        Size of the device.
    most_steps : int, optional
        Greatest number of steps of plain annealing; by default all that the device has.

    Returns
    -------
    steps : list of Step
        The schedule.
    ladder : Ladder or None
        The temperatures of the ranks, for tempering.

    Raises
    ------
    ValueError
        If the device lacks what the method needs, or the schedule does not fit.
    """
    steps = anneal_steps(betas, sweeps, size, most_steps)
    if method in ("annealing", "crossover"):
        return steps, None
    first, last = np.maximum([betas.min(), betas.max()], least_beta(size))
    make = _tempering if method == "tempering" else _quantum
    return make(first, last, len(betas) * sweeps, size)


def anneal_steps(
    betas: np.ndarray, sweeps: int, size: AnnealerSize, most_steps: int | None = None
) -> list[Step]:
    """Make the steps of an annealer for plain annealing.

    If there are more inverse temperatures than the device has steps, neighbours are replaced with
    their mean, with a warning if they differ by more than `COARSE` of the range. Temperatures above
    the device's highest are lowered to that.

    Parameters
    ----------
    betas : ndarray of float64 of shape (k,)
        Inverse temperatures in units of the device.
    sweeps : int
        Number of sweeps at each inverse temperature.
    size : AnnealerSize
        Size of the device.
    most_steps : int, optional
        Greatest number of steps, at least 1; by default all that the device has.

    Returns
    -------
    list of Step
        The schedule.

    Raises
    ------
    ValueError
        If there are more sweeps than the steps can hold.
    """
    most_steps = size.steps if most_steps is None else most_steps
    _check_steps(len(betas) * sweeps, most_steps)
    # Equal inverse temperatures in a row share a step, as far as its counter of sweeps goes. Where
    # there are more rows than steps, millions perhaps, no list of them is made.
    changes = np.flatnonzero(np.diff(betas)) + 1
    parts = [
        part
        for run in (np.split(betas, changes) if len(changes) < most_steps else ())
        for part in np.array_split(run, min(-(-len(run) * sweeps // SWEEPS.maximum), len(run)))
    ]
    if len(parts) > most_steps or not parts:
        parts = np.array_split(betas, most_steps)
        if max(np.ptp(part) for part in parts) > COARSE * np.ptp(betas):
            warnings.warn(
                f"the schedule has {len(betas)} inverse temperatures, the device {most_steps} "
                f"steps: neighbours that differ much are replaced with their mean",
                stacklevel=6,  # the caller of the sampler's `sample`, by way of `plan_anneals`
            )
    least = least_beta(size)
    return [
        step
        for part in parts
        for step in schedule([1 / max(part.mean(), least)], len(part) * sweeps, size)
    ]


def _tempering(
    first: float, last: float, sweeps: int, size: AnnealerSize
) -> tuple[list[Step], Ladder]:
    """Make the steps and the ladder of parallel tempering."""
    # The ladder stays within the range of the schedule, even if that is short: the hot end is never
    # colder than the geometric mean of the range, the cold end never colder than its end.
    hot, cold = np.minimum(first * np.array(LADDER), (np.sqrt(first * last), last))
    ranks = ladder(np.geomspace(1 / hot, 1 / cold, size.replicas), size)
    before, each, count = _shares(TEMPERING_PARTS, EXCHANGE_SWEEPS, sweeps, size.steps // 2)
    after = sweeps - before - each * count
    begin = _alike(np.geomspace(first, cold, before), size.steps // 4, size)
    end = _alike(np.linspace(np.sqrt(hot * cold), last, after), size.steps // 4, size)
    return begin + tempering_schedule(count, each, size) + end, ranks


def _quantum(first: float, last: float, sweeps: int, size: AnnealerSize) -> tuple[list[Step], None]:
    """Make the steps of simulated quantum annealing."""
    hot, cold = np.minimum(first * np.array(SLICES), last)
    before, each, count = _shares(QUANTUM_PARTS, 1, sweeps, size.steps // 4)
    after = sweeps - before - each * count
    steps = _alike(np.geomspace(first, hot, before), size.steps // 4, size)
    for beta, field in zip(np.linspace(hot, cold, count), np.linspace(*FIELDS, count)):
        # `beta` is that of a slice; the temperature of the quantum model is lower by their number.
        temperature = 1 / (beta * size.replicas)
        steps += transverse_schedule([field / beta], temperature, each, size)
    return steps + _alike(np.linspace(cold, last, after), size.steps // 4, size), None


def _shares(
    parts: tuple[float, float], least: int, sweeps: int, most_steps: int
) -> tuple[int, int, int]:
    """Divide the sweeps of a read between the three parts of a method.

    Returns the number of sweeps of the first part, the number of sweeps of each step of the middle
    part, and the number of these steps. The last part has the rest of the sweeps.
    """
    before, middle = int(parts[0] * sweeps), max(1, int(parts[1] * sweeps))
    each = max(min(least, middle), -(-middle // max(1, most_steps)))
    return before, each, middle // each


def _alike(betas: np.ndarray, most_steps: int, size: AnnealerSize) -> list[Step]:
    """Make steps in which all replicas anneal; none if there is no sweep or no step for it."""
    return anneal_steps(betas, 1, size, most_steps) if len(betas) and most_steps else []
