"""Annealing schedules: inverse temperatures of a model to the steps of an annealer."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from numbers import Integral

import numpy as np

from ..contract.annealer.problem import IsingProblem, Step, schedule
from ..contract.annealer.size import SWEEPS, AnnealerSize
from ..contract.annealer.thresholds import highest_temperature

TYPES = ("linear", "geometric", "custom")
"""How the inverse temperature goes from the first to the last."""

EXCITATION_RATE = 0.01
"""Probability of a flip against the least gap in the last sweep of the default range."""

FIRST_FIELD = 1.4
"""Root-mean-square local field of the median spin over the first temperature of the default
range."""

LAST_FIELD = 12 * FIRST_FIELD
"""The same of a spin with a small field, over the last temperature, at most. Where few coefficients
are much smaller than the others, a problem is frozen long before they matter; beyond this, the same
time is better spent at higher temperatures."""

SMALL_FIELD = 0.1
"""Part of the spins whose fields are smaller than that."""

COARSE = 0.6
"""Part of a schedule's range that one step of the device may stand for without a warning."""

IDLE_RANGE = (0.1, 1.0)
"""Inverse temperatures for a problem whose coefficients are all zero; any would do."""

DEFAULT_SWEEPS = 1000

ROUNDING = 1e-9
"""Relative: what divisions may lose."""


def default_beta_range(problem: IsingProblem) -> tuple[float, float]:
    """Inverse temperatures from which, and to which, a problem is annealed.

    The last is that of dwave-samplers (`_default_ising_beta_range` of `dwave.samplers.sa.sampler`,
    with ``scale_T_with_N=False``): a spin crosses the least gap, twice the smallest coefficient,
    with the probability `EXCITATION_RATE`; but it is no more than `LAST_FIELD` over the
    root-mean-square local field, over all states, of the spins with small ones. The first is
    `FIRST_FIELD` over that of the median spin, so that some strong fields, as of penalties or of
    spins that are held, do not count; or the device's highest temperature. dwave-samplers takes the
    greatest field that could ever arise; there a hot sweep costs as much as a cold one, here as
    many cycles as it flips spins. From half as hot on, solutions become worse in the same time.

    Parameters
    ----------
    problem : IsingProblem

    Returns
    -------
    (float, float)
        In units of the device.
    """
    couplings, linear = problem.couplings, problem.linear
    power = linear**2 + (couplings**2).sum(axis=1)
    if not power.any():
        return IDLE_RANGE
    sizes = np.abs(np.column_stack([linear, couplings]))
    small, median = np.quantile(np.sqrt(power[power > 0]), (SMALL_FIELD, 0.5))
    hot = max(FIRST_FIELD / median, least_beta(problem.size))
    cold = min(-np.log(EXCITATION_RATE) / (2 * sizes[sizes > 0].min()), LAST_FIELD / small)
    return float(hot), float(max(hot, cold))


def betas_of(
    schedule_type: str,
    beta_range: Sequence[float] | None,
    beta_schedule: Sequence[float] | None,
    num_sweeps: int | None,
    num_sweeps_per_beta: int,
    default_range: tuple[float, float],
) -> np.ndarray:
    """The inverse temperatures that dwave-samplers' parameters ask for.

    Parameters
    ----------
    schedule_type : str
        One of `TYPES`.
    beta_range : sequence of two floats, optional
        First and last.
    beta_schedule : sequence of float, optional
        All of them; for "custom" alone.
    num_sweeps : int, optional
        Sweeps in all, `DEFAULT_SWEEPS` or as many as the custom schedule has.
    num_sweeps_per_beta : int
    default_range : (float, float)
        Where no range is given.

    Returns
    -------
    ndarray of float64, shape (num_sweeps / num_sweeps_per_beta,)

    Raises
    ------
    TypeError, ValueError
        If a parameter has the wrong type or value, or contradicts another.
    """
    checked_count(num_sweeps_per_beta, "num_sweeps_per_beta")
    if num_sweeps is not None:
        checked_count(num_sweeps, "num_sweeps")
    if schedule_type not in TYPES:
        known = ", ".join(f'"{name}"' for name in TYPES)
        raise ValueError(f"beta_schedule_type must be {known}, not {schedule_type!r}")
    if schedule_type == "custom":
        if beta_schedule is None:
            raise ValueError('beta_schedule_type="custom" needs a beta_schedule')
        betas = _check_betas(beta_schedule, "beta_schedule")
        sweeps = len(betas) * num_sweeps_per_beta
        if num_sweeps not in (None, sweeps):
            raise ValueError(f"num_sweeps is {num_sweeps}, the beta_schedule has {sweeps} sweeps")
        if beta_range is not None and not np.array_equal(
            _check_betas(beta_range, "beta_range", 2), betas[[0, -1]]
        ):
            raise ValueError("beta_range and beta_schedule contradict each other; give one")
        return betas
    if beta_schedule is not None:
        raise ValueError(f"a beta_schedule is for the type custom, not {schedule_type}")
    first, last = _check_betas(default_range if beta_range is None else beta_range, "beta_range", 2)
    sweeps = DEFAULT_SWEEPS if num_sweeps is None else num_sweeps
    count, rest = divmod(sweeps, num_sweeps_per_beta)
    if rest or not count:
        raise ValueError(
            f"num_sweeps must be a multiple of num_sweeps_per_beta ({num_sweeps_per_beta}), not "
            f"{sweeps}"
        )
    if count == 1:
        return np.array([last])
    if schedule_type == "linear":
        return np.linspace(first, last, count)
    if min(first, last) == 0:
        raise ValueError("a geometric schedule can't begin or end at an inverse temperature of 0")
    return np.geomspace(first, last, count)


def anneal_steps(
    betas: np.ndarray, sweeps: int, size: AnnealerSize, most_steps: int | None = None
) -> list[Step]:
    """The steps of an annealer for a schedule.

    Where there are more inverse temperatures than the device has steps, as many as needed are
    replaced with their mean, with a warning if these differ by more than `COARSE`. Temperatures
    above the device's highest are lowered to that.

    Parameters
    ----------
    betas : ndarray of float, shape (k,)
        In units of the device.
    sweeps : int
        At each.
    size : AnnealerSize
    most_steps : int, optional
        At least 1; by default all that the device has.

    Returns
    -------
    list of Step

    Raises
    ------
    ValueError
        If there are more sweeps than the schedule can hold.
    """
    most_steps = size.steps if most_steps is None else most_steps
    if len(betas) * sweeps > (most := most_steps * SWEEPS.maximum):
        raise ValueError(f"the device takes {most} sweeps at most, not {len(betas) * sweeps}")
    runs = np.split(betas, np.flatnonzero(np.diff(betas)) + 1)
    parts = [
        part
        for run in runs
        for part in np.array_split(run, min(-(-len(run) * sweeps // SWEEPS.maximum), len(run)))
    ]
    if len(parts) > most_steps:
        parts = np.array_split(betas, most_steps)
        if max(np.ptp(part) for part in parts) > COARSE * np.ptp(betas):
            warnings.warn(
                f"the schedule has {len(betas)} inverse temperatures, the device {most_steps} "
                f"steps: neighbours that differ much are replaced with their mean",
                stacklevel=4,
            )
    least = least_beta(size)
    return [
        step
        for part in parts
        for step in schedule([1 / max(part.mean(), least)], len(part) * sweeps, size)
    ]


def least_beta(size: AnnealerSize) -> float:
    """Inverse of the highest temperature, rounded so that its reciprocal is not above that.

    Parameters
    ----------
    size : AnnealerSize
    """
    return (1 + ROUNDING) / highest_temperature(size)


def checked_count(value, name: str) -> None:
    """Refuse what is no integer of at least 1.

    Raises
    ------
    TypeError, ValueError
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, not {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value}")


def _check_betas(values, name: str, count: int | None = None) -> np.ndarray:
    try:
        betas = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be numbers: {error}") from error
    if betas.ndim != 1 or not len(betas) or count not in (None, len(betas)):
        wanted = "one number or more" if count is None else f"{count} numbers"
        raise ValueError(f"{name} must be {wanted}, not of shape {betas.shape}")
    wrong = betas[~(np.isfinite(betas) & (betas >= 0))]
    if len(wrong):
        raise ValueError(
            f"{name} holds {wrong[0]:g}; inverse temperatures are finite and not negative (a "
            f"temperature of zero has none)"
        )
    return betas
