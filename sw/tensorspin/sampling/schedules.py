"""Annealing schedules of users: the inverse temperatures of a run, in units of the model.

`tensorspin.sampling.methods` makes steps of the annealer of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from operator import length_hint

import numpy as np

from ..contract.annealer.problem import IsingProblem
from ..contract.annealer.size import AnnealerSize
from ..contract.annealer.steps import highest_temperature
from .arguments import checked_count

TYPES = ("linear", "geometric", "custom")
"""How the inverse temperature goes from the first to the last: in equal differences, in equal
ratios, or as a list says."""

EXCITATION_RATE = 0.01
"""Probability of a flip against the least energy gap in the last sweep of the default range."""

FIRST_FIELD = 1.4
"""Local field (root mean square over all states) of the median spin, divided by the first
temperature of the default range."""

LAST_FIELD = 48 * FIRST_FIELD
"""Greatest value of the same ratio at the last temperature, for a spin with a small field.

If a few coefficients are much smaller than the others, the rest of the problem is frozen long
before the temperature reaches them; the time is better spent at higher temperatures. Cold sweeps
cost next to nothing, however, and with a quarter of this ratio the final states of models with
penalties are two to seven times as far from the optimum."""

SMALL_FIELD = 0.1
"""Fraction of the spins whose local fields count as small."""

IDLE_RANGE = (0.1, 1.0)
"""Inverse temperatures for a problem whose coefficients are all zero; any others would do too."""

DEFAULT_SWEEPS = 1000
"""Number of sweeps of a read by default, as in dwave-samplers."""

ROUNDING = 1e-9
"""Relative error of a temperature that divisions may cause."""


def default_beta_range(problem: IsingProblem, scale: float = 1.0) -> tuple[float, float]:
    """Choose the inverse temperatures from which, and to which, a problem is annealed.

    The last one is that of dwave-samplers (`_default_ising_beta_range` of
    ``dwave.samplers.sa.sampler``, with ``scale_T_with_N=False``): at it a spin crosses the least
    energy gap, twice the smallest coefficient, with the probability `EXCITATION_RATE`. But it is at
    most `LAST_FIELD` over the root-mean-square local field of the spins with small fields.

    The first one is `FIRST_FIELD` over the root-mean-square local field of the median spin, or the
    inverse of the device's highest temperature. With the median, a few strong fields do not count,
    such as those of penalties or of spins that are held. dwave-samplers takes the greatest field
    that could ever arise. There a hot sweep costs as much time as a cold one; here it costs as many
    cycles as it flips spins, and with a start half as hot or hotter, solutions become worse in the
    same time.

    Parameters
    ----------
    problem : IsingProblem
        The quantised problem.
    scale : float, default=1.0
        Factor of the result: number of units of the device in one unit of the model.

    Returns
    -------
    (float, float)
        First and last inverse temperature: in units of the device by default, or in units of the
        model if `scale` is that of the quantised model.
    """
    couplings, linear = problem.couplings, problem.linear
    # Over all states, the mean square of a local field is the sum of its squared coefficients.
    power = linear**2 + (couplings**2).sum(axis=1)
    if not power.any():
        return scale * IDLE_RANGE[0], scale * IDLE_RANGE[1]
    sizes = np.abs(np.column_stack([linear, couplings]))
    small, median = np.quantile(np.sqrt(power[power > 0]), (SMALL_FIELD, 0.5))
    hot = max(FIRST_FIELD / median, least_beta(problem.size))
    cold = min(-np.log(EXCITATION_RATE) / (2 * sizes[sizes > 0].min()), LAST_FIELD / small)
    return scale * float(hot), scale * float(max(hot, cold))


def count_sweeps(
    beta_schedule: Sequence[float] | np.ndarray | None,
    num_sweeps: int | None,
    num_sweeps_per_beta: int,
) -> int:
    """Count the sweeps that the parameters of `betas_of` ask for, without making the list.

    So a number beyond all limits is refused before memory is filled with inverse temperatures.

    Parameters
    ----------
    beta_schedule : sequence of float, optional
        All inverse temperatures.
    num_sweeps : int, optional
        Total number of sweeps.
    num_sweeps_per_beta : int
        Number of sweeps at each inverse temperature.

    Returns
    -------
    int
        Number of sweeps; the greater number if the parameters contradict each other.

    Raises
    ------
    TypeError, ValueError
        If a number is not an integer of at least 1.
    """
    checked_count(num_sweeps_per_beta, "num_sweeps_per_beta")
    if num_sweeps is not None:
        checked_count(num_sweeps, "num_sweeps")
    if beta_schedule is None:
        return DEFAULT_SWEEPS if num_sweeps is None else int(num_sweeps)
    return max(length_hint(beta_schedule) * int(num_sweeps_per_beta), int(num_sweeps or 0))


def betas_of(
    schedule_type: str,
    beta_range: Sequence[float] | None,
    beta_schedule: Sequence[float] | np.ndarray | None,
    num_sweeps: int | None,
    num_sweeps_per_beta: int,
    default_range: tuple[float, float],
) -> np.ndarray:
    """List the inverse temperatures that the parameters of dwave-samplers ask for.

    Parameters
    ----------
    schedule_type : str
        One of `TYPES`.
    beta_range : sequence of two floats, optional
        First and last inverse temperature.
    beta_schedule : sequence of float, optional
        All inverse temperatures, for the type "custom" only.
    num_sweeps : int, optional
        Total number of sweeps: by default `DEFAULT_SWEEPS`, or as many as the custom schedule has.
    num_sweeps_per_beta : int
        Number of sweeps at each inverse temperature.
    default_range : (float, float)
        The range if `beta_range` is not given.

    Returns
    -------
    ndarray of float64 of shape (num_sweeps / num_sweeps_per_beta,)
        Inverse temperatures, in the units of the arguments.

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


def possible_betas(betas: np.ndarray, scale: float, size: AnnealerSize) -> np.ndarray:
    """Raise inverse temperatures to the device's least where they are below it, with a warning.

    Parameters
    ----------
    betas : ndarray of float64 of shape (k,)
        Inverse temperatures in units of the model.
    scale : float
        Number of units of the device in one unit of the model.
    size : AnnealerSize
        Size of the device.

    Returns
    -------
    ndarray of float64 of shape (k,)
        Inverse temperatures in units of the model.
    """
    least = scale * least_beta(size)
    below = betas < least * (1 - ROUNDING)
    if np.any(below):
        warnings.warn(
            f"{below.mean():.0%} of the schedule's inverse temperatures are raised to {least:g}, "
            f"the device's least for this model",
            stacklevel=5,  # the caller of the sampler's `sample`, by way of `plan_anneals`
        )
    return np.maximum(betas, least)


def least_beta(size: AnnealerSize) -> float:
    """Compute the least inverse temperature of a device.

    Parameters
    ----------
    size : AnnealerSize
        Size of the device.

    Returns
    -------
    float
        Inverse of its highest temperature, rounded so that the reciprocal is not above that.
    """
    return (1 + ROUNDING) / highest_temperature(size)


def _check_betas(values, name: str, count: int | None = None) -> np.ndarray:
    """Convert inverse temperatures to an array; refuse what is none."""
    if count is not None and length_hint(values) > count:
        raise ValueError(f"{name} must be {count} numbers, not {length_hint(values)}")
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
