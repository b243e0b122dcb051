"""What an annealer's replicas make of a schedule: annealing, and its two relatives.

In a step all replicas wait for the one that flips most. While tempering, that is the hottest; and
of Trotter slices only every other one may move at a time. Annealing keeps all of them busy: so the
others leave it much of the time, the hot part above all. Their parameters were found on random,
planar and toroidal graphs of the G-set and on complete graphs, at a few milliseconds a run.
"""

from __future__ import annotations

import numpy as np

from ..contract.annealer.problem import Step
from ..contract.annealer.size import AnnealerSize
from ..contract.annealer.tempering import Ladder, ladder, tempering_schedule
from ..contract.annealer.transverse import transverse_schedule
from .schedules import anneal_steps, least_beta

METHODS = ("annealing", "quantum", "tempering")
"""What is made of a schedule: `plan`."""

TEMPERING_PARTS = (0.3, 0.3)
"""Parts of the sweeps that the replicas anneal alike, and that they then temper; with the rest they
anneal alike again."""

LADDER = (1.8, 4.3)
"""Inverse temperatures of the first and the last rank, in multiples of the schedule's first."""

EXCHANGE_SWEEPS = 4
"""Sweeps between two exchanges at least: samples drawn before an exchange have the temperature of
the rank before, and take some rounds to pass."""

QUANTUM_PARTS = (0.7, 0.2)
"""Parts of the sweeps that the replicas anneal alike, and that they are then slices; with the rest
they cool alike."""

SLICES = (3.9, 7.9)
"""Inverse temperatures of a slice from the first transverse field to the last, in multiples of the
schedule's first."""

FIELDS = (2.0, 0.5)
"""First and last transverse field, in temperatures of a slice."""


def plan(
    method: str, betas: np.ndarray, sweeps: int, size: AnnealerSize
) -> tuple[list[Step], Ladder | None]:
    """The steps of an annealer for a schedule, by one of its methods.

    "annealing": `anneal_steps`. The others take from the schedule its highest and its lowest
    temperature and its sweeps, and begin as geometric annealing.

    - "tempering" anneals to the last temperature of its ladder. Then replicas exchange temperatures
      after each step; those of the ranks are geometric over `LADDER`. At last all anneal, linearly,
      from the middle of the ladder to the lowest temperature, so that all are reads.
    - "quantum" anneals to the first temperature of the slices. Slices then cool over `SLICES` while
      the transverse field falls, linearly over `FIELDS`, and uncoupled to the lowest temperature.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    betas, sweeps, size
        As for `anneal_steps`.

    Returns
    -------
    list of Step
    Ladder or None
        For tempering.

    Raises
    ------
    ValueError
        If the device can't do it, or the schedule does not fit.
    """
    steps = anneal_steps(betas, sweeps, size)
    if method == "annealing":
        return steps, None
    first, last = np.maximum([betas.min(), betas.max()], least_beta(size))
    make = _tempering if method == "tempering" else _quantum
    return make(first, last, len(betas) * sweeps, size)


def _tempering(first, last, sweeps, size) -> tuple[list[Step], Ladder]:
    hot, cold = np.minimum(first * np.array(LADDER), (np.sqrt(first * last), last))
    ranks = ladder(np.geomspace(1 / hot, 1 / cold, size.replicas), size)
    before, each, count = _shares(TEMPERING_PARTS, EXCHANGE_SWEEPS, sweeps, size.steps // 2)
    after = sweeps - before - each * count
    begin = _alike(np.geomspace(first, cold, before), size.steps // 4, size)
    end = _alike(np.linspace(np.sqrt(hot * cold), last, after), size.steps // 4, size)
    return begin + tempering_schedule(count, each, size) + end, ranks


def _quantum(first, last, sweeps, size) -> tuple[list[Step], None]:
    hot, cold = np.minimum(first * np.array(SLICES), last)
    before, each, count = _shares(QUANTUM_PARTS, 1, sweeps, size.steps // 4)
    after = sweeps - before - each * count
    steps = _alike(np.geomspace(first, hot, before), size.steps // 4, size)
    for beta, field in zip(np.linspace(hot, cold, count), np.linspace(*FIELDS, count)):
        temperature = 1 / (beta * size.replicas)
        steps += transverse_schedule([field / beta], temperature, each, size)
    return steps + _alike(np.linspace(cold, last, after), size.steps // 4, size), None


def _shares(parts, least, sweeps, most_steps) -> tuple[int, int, int]:
    """Sweeps before the middle part, then of each of its steps, and the number of these."""
    before, middle = int(parts[0] * sweeps), max(1, int(parts[1] * sweeps))
    each = max(min(least, middle), -(-middle // max(1, most_steps)))
    return before, each, middle // each


def _alike(betas: np.ndarray, most_steps: int, size: AnnealerSize) -> list[Step]:
    """Annealing; nothing if there is no sweep or no step for it."""
    return anneal_steps(betas, 1, size, most_steps) if len(betas) and most_steps else []
