"""Divide the sweeps of a read between several anneals, and plan each of them."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..contract.annealer.job import AnnealJob
from ..contract.annealer.size import AnnealerSize
from ..errors import CapacityError
from .arguments import checked_count
from .methods import anneal_steps, check_sweeps, plan
from .prepare import Prepared
from .quantise import Quantised
from .runs import Anneal
from .schedules import DEFAULT_SWEEPS, betas_of, default_beta_range, possible_betas

DEFAULT_RESTARTS = 4
"""Greatest number of anneals of a read by default.

With this number instead of one, at equal sweeps, the distance of the best read from the optimum is
a third to a tenth on knapsacks and partitions of numbers, and about the same on other models with
constraints; on fully connected spin glasses reads are better, too."""

SWEEPS_PER_VARIABLE = 1.0
"""Least number of sweeps of an anneal, for each variable of the model, if a read has several.
Shorter anneals lose more than further ones gain, in particular on sparse graphs."""

INEXACT_SWEEPS = 0.5
"""The same for a model that is not exact on the device, of which each anneal has another
rounding."""


CROSSED_SWEEPS = 40
"""Sweeps of each anneal with the method "crossover": crossing many short anneals is better than
crossing few long ones."""

RESTART_STEPS = 24
"""Greatest number of steps of each of several anneals. They are as good as with a step for each
sweep, take a seventh less time, as replicas wait for each other at the end of a step, and their
schedule takes a third of the bytes."""


FORGETTING = 4.0
"""Temperature, in multiples of the first one, of the sweep between two anneals in one run.

At the first temperature a replica remembers where the anneal before has ended, and reads are
worse: on a complete graph of 100 spins with couplings of +1 and -1, by 0.14 % in the mean of the
energies, with this sweep by 0.04 %. Two such sweeps, or hotter ones, are no better."""


@dataclass(frozen=True, eq=False)
class Schedule:
    """How a user wants a read to be annealed: arguments of `BoardSampler.sample`.

    Parameters
    ----------
    method : str
        One of `tensorspin.sampling.methods.METHODS`.
    schedule_type : str
        One of `tensorspin.sampling.schedules.TYPES`.
    beta_range, beta_schedule, num_sweeps, num_sweeps_per_beta
        As `tensorspin.sampling.schedules.betas_of` takes them; they describe a whole read.
    num_restarts : int or None
        Number of anneals of a read; None for what is best.
    exact : bool
        Whether no random number may serve two sweeps of a read.
    flips : int, default=1
        Most flips of a turn.
    """

    method: str
    schedule_type: str
    beta_range: Sequence[float] | None
    beta_schedule: Sequence[float] | np.ndarray | None
    num_sweeps: int | None
    num_sweeps_per_beta: int
    num_restarts: int | None
    exact: bool
    flips: int = 1

    def check(self) -> None:
        """Refuse a method or a number of restarts that contradicts the other arguments.

        Raises
        ------
        TypeError, ValueError
            If the number is not an integer of at least 1, or more than the temperatures of a read;
            if several anneals are asked for with a schedule that is one; if exact states are to be
            crossed.
        """
        if self.exact and self.method == "crossover":
            raise ValueError(
                'method="crossover" can\'t be given with exact=True: states that are crossed '
                "follow no distribution"
            )
        if self.num_restarts is None:
            return
        checked_count(self.num_restarts, "num_restarts")
        if self.num_restarts == 1:
            return
        if self.exact:
            raise ValueError(
                f"num_restarts must be 1 with exact=True, not {self.num_restarts}: the lowest of "
                f"several states follows no distribution; take more num_reads"
            )
        if self.schedule_type == "custom":
            raise ValueError(
                f"num_restarts must be 1 with a beta_schedule, not {self.num_restarts}: the "
                f"schedule is that of a whole read; take more num_reads"
            )
        if self.num_restarts > self._temperatures:
            raise ValueError(
                f"num_restarts must be at most {self._temperatures}, the number of temperatures "
                f"of a read, not {self.num_restarts}; take more num_sweeps"
            )

    @property
    def anneals(self) -> bool:
        """Whether all replicas anneal, and their states need follow no distribution."""
        return self.method in ("annealing", "crossover") and not self.exact

    @property
    def _temperatures(self) -> int:
        """Number of inverse temperatures of a read."""
        sweeps = DEFAULT_SWEEPS if self.num_sweeps is None else int(self.num_sweeps)
        return max(1, sweeps // self.num_sweeps_per_beta)

    def restarts(self, quantised: Quantised) -> int:
        """Find the number of anneals of a read: the user's, or the default for a model.

        By default it is `DEFAULT_RESTARTS`, or fewer so that each has enough sweeps for the
        variables (`SWEEPS_PER_VARIABLE`, `INEXACT_SWEEPS`); if anneals are crossed, it is so great
        that each has `CROSSED_SWEEPS`. It is 1 if the user wants exact samples or a temperature
        that does not change, gives all inverse temperatures, or chooses the method "quantum" or
        "tempering".

        Parameters
        ----------
        quantised : Quantised
            The model.

        Returns
        -------
        int
            The number, at least 1.
        """
        if self.num_restarts is not None:
            return int(self.num_restarts)
        ends = self.beta_range
        fixed = ends is not None and len(ends) == 2 and ends[0] == ends[1]
        if self.exact or fixed or self.schedule_type == "custom":
            return 1
        sweeps = self._temperatures * self.num_sweeps_per_beta
        if self.method == "crossover":
            return max(1, min(self._temperatures, sweeps // CROSSED_SWEEPS))
        if self.method != "annealing":
            return 1
        least = SWEEPS_PER_VARIABLE if quantised.exact else INEXACT_SWEEPS
        enough = int(sweeps / (least * quantised.problem.variables))
        return max(1, min(DEFAULT_RESTARTS, self._temperatures, enough))

    def betas(self, part: int | None, quantised: Quantised, size: AnnealerSize) -> np.ndarray:
        """List the inverse temperatures of an anneal, in units of the model.

        Parameters
        ----------
        part : int or None
            Number of the inverse temperatures; None for those of a whole read.
        quantised : Quantised
            The model in integers.
        size : AnnealerSize
            Size of the device.

        Returns
        -------
        ndarray of float64 of shape (part,)
            Inverse temperatures, not below the device's least.
        """
        betas = betas_of(
            self.schedule_type,
            self.beta_range,
            self.beta_schedule,
            self.num_sweeps if part is None else part * self.num_sweeps_per_beta,
            self.num_sweeps_per_beta,
            default_beta_range(quantised.problem, quantised.scale),
        )
        return possible_betas(betas, quantised.scale, size)


def plan_anneals(
    schedule: Schedule, model: Prepared, size: AnnealerSize, together: bool = False
) -> tuple[list[Anneal], np.ndarray]:
    """Plan the anneals of each read.

    The inverse temperatures of a read are divided between the anneals. Each anneal goes from the
    first to the last temperature, and takes another rounding of the model if that is not exact.

    Parameters
    ----------
    schedule : Schedule
        What the user wants.
    model : Prepared
        The model as the device takes it.
    size : AnnealerSize
        Size of the device.
    together : bool, default=False
        Whether several anneals of a read may be one run, which takes a part of the transfers. They
        are if the model is exact on the device, the temperatures are the default ones, and the
        steps of all anneals fit. Between two anneals there is then one sweep more, `FORGETTING`
        times as hot as the first.

    Returns
    -------
    anneals : list of Anneal
        The anneals.
    betas : ndarray of float64
        Inverse temperatures of the first anneal, in units of the model.

    Raises
    ------
    ValueError
        If the schedule does not fit the device.
    CapacityError
        If a run would take more clock cycles than the device counts.
    """
    count = schedule.restarts(model.quantised)
    parts = _parts(schedule, count)
    anneals: list[Anneal] = []
    first = None
    planned: dict = {}
    for quantised, part in zip(model.roundings(count), parts):
        key = id(quantised), part
        if key not in planned:
            betas = schedule.betas(part, quantised, size)
            most = size.steps if count == 1 else min(RESTART_STEPS, size.steps)
            planned[key] = Anneal(quantised, _job(schedule, betas, model, quantised, size, most))
            first = betas if first is None else first
        anneals.append(planned[key])
    assert first is not None
    plain = schedule.method == "annealing" and schedule.beta_range is None
    if together and plain and model.quantised.exact and count > 1:
        joined = _joined(anneals, first[0] / model.quantised.scale)
        with contextlib.suppress(CapacityError):  # too many steps, or cycles
            joined.job.check()
            anneals = [joined]
    return anneals, first


def _joined(anneals: Sequence[Anneal], first: float) -> Anneal:
    """Join anneals of the same problem, the first inverse temperature of which is given."""
    job, size = anneals[0].job, anneals[0].job.problem.size
    forgetting = anneal_steps(np.array([first / FORGETTING]), 1, size)
    steps = list(job.steps)
    for anneal in anneals[1:]:
        steps += [*forgetting, *anneal.job.steps]
    return Anneal(anneals[0].quantised, replace(job, steps=steps), len(anneals))


def _parts(schedule: Schedule, count: int) -> list[int | None]:
    """Divide the number of inverse temperatures between anneals, as evenly as possible."""
    if count == 1:
        return [None]  # `betas_of` itself says what is wrong with the user's numbers
    sweeps = DEFAULT_SWEEPS if schedule.num_sweeps is None else int(schedule.num_sweeps)
    temperatures, rest = divmod(sweeps, schedule.num_sweeps_per_beta)
    if rest or temperatures < count:
        return [None] * count
    each, longer = divmod(temperatures, count)
    return [each + (number < longer) for number in range(count)]


def _job(
    schedule: Schedule,
    betas: np.ndarray,
    model: Prepared,
    quantised: Quantised,
    size: AnnealerSize,
    most_steps: int,
) -> AnnealJob:
    """Make the job of an anneal."""
    problem, sweeps = quantised.problem, schedule.num_sweeps_per_beta
    refresh = size.exact_refresh(len(model.variables)) if schedule.exact else 0
    check_sweeps(len(betas) * sweeps, problem, refresh)
    steps, ladder = plan(schedule.method, betas / quantised.scale, sweeps, size, most_steps)
    # At one temperature nothing is to be shared: the states may be wanted as samples.
    shared = bool(size.shared_sweeps) and schedule.anneals and len(steps) > 1
    return AnnealJob(
        problem,
        steps,
        refresh=refresh,
        ladder=ladder,
        flips=schedule.flips,
        shared_sweeps=shared,
    )
