"""The schedule of a run: temperatures become steps, and temperatures in them probabilities.

The device knows no temperatures. A step holds, for each binary digit of the random thresholds, the
probability with which the digit is 1; `tensorspin.contract.annealer.thresholds` derives the formula
that `digit_probabilities` uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .size import PROBABILITY, RING, SWEEPS, AnnealerSize, Exchange, Moving


@dataclass(frozen=True)
class Step:
    """Sweeps at one temperature.

    Parameters
    ----------
    probabilities : tuple of int
        Probability that a digit of a threshold is 1, for each digit, the lowest first; in the
        format `tensorspin.contract.annealer.size.PROBABILITY`.
    sweeps : int
        Number of sweeps, 1 or more.
    ring : int, default=0
        Probability with which the ring holds a spin that equals both of its neighbours, in the
        format `tensorspin.contract.annealer.size.RING`.
    moving : Moving, default=Moving.ALL
        Which replicas do the sweeps.
    exchange : Exchange, default=Exchange.NONE
        Which neighbouring ranks swap their replicas after the sweeps. For any value other than
        ``NONE`` each replica has the temperature of its rank, and `probabilities` are not used.

    Raises
    ------
    ValueError
        If the step has a ring although neighbouring replicas move at the same time.

    Examples
    --------
    >>> Step(probabilities=(30000, 20000, 9000), sweeps=10).moving.name
    'ALL'
    """

    probabilities: tuple[int, ...]
    sweeps: int
    ring: int = 0
    moving: Moving = Moving.ALL
    exchange: Exchange = Exchange.NONE

    def __post_init__(self) -> None:
        if self.ring and self.moving is Moving.ALL:
            raise ValueError("on a ring, neighbouring replicas must not move in the same step")


def schedule(
    temperatures: Sequence[float] | np.ndarray, sweeps: int, size: AnnealerSize
) -> list[Step]:
    """Make a schedule with one step at each temperature.

    Parameters
    ----------
    temperatures : sequence of float
        Temperatures in the order of the steps, in units of the couplings.
    sweeps : int
        Number of sweeps of each step.
    size : AnnealerSize
        Size of the device that is to run the schedule.

    Returns
    -------
    list of Step
        One step for each temperature.

    Raises
    ------
    ValueError
        If there are no temperatures or too many, a temperature is not positive or too high, or the
        number of sweeps does not fit.

    Examples
    --------
    >>> from tensorspin.contract.annealer import AnnealerSize
    >>> size = AnnealerSize(spins=24, coupling_bits=4, field_bits=9, replicas=10,
    ...                     strides=(1,) * 6, offset_rows=16, steps=8)
    >>> steps = schedule([8.0, 4.0, 2.0, 1.0], sweeps=5, size=size)
    >>> len(steps), steps[0].sweeps
    (4, 5)
    """
    if not 1 <= len(temperatures) <= size.steps:
        raise ValueError(f"a schedule must have 1 to {size.steps} steps, not {len(temperatures)}")
    if not 1 <= sweeps <= SWEEPS.maximum:
        raise ValueError(f"a step must have 1 to {SWEEPS.maximum} sweeps, not {sweeps}")
    return [
        Step(tuple(int(p) for p in digit_probabilities(temperature, size)), sweeps)
        for temperature in temperatures
    ]


def digit_probabilities(
    temperature: float, size: AnnealerSize, bits: int | None = None
) -> np.ndarray:
    """Compute the probabilities of a threshold's digits at a temperature.

    Parameters
    ----------
    temperature : float
        Temperature in units of the couplings, greater than 0.
    size : AnnealerSize
        Size of the device, which has the width of a spin's threshold.
    bits : int, optional
        Width of the threshold, if it is not a spin's.

    Returns
    -------
    ndarray of int64 of shape (bits,)
        Probability that a digit is 1, the lowest digit first, in the format `PROBABILITY`.

    Raises
    ------
    ValueError
        If the temperature is not a positive number, or so high that thresholds need more digits.
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise ValueError(f"a temperature must be a positive number, not {temperature}")
    bits = size.threshold_bits if bits is None else bits
    # One digit more than the threshold has, to see whether that digit is always 0.
    digits = np.ldexp(1.0, np.arange(bits + 1))
    with np.errstate(over="ignore"):
        # Written so that low temperatures give 0 rather than infinity over infinity.
        exact = 1.0 / (1.0 + np.exp(2.0 * digits / temperature))
    raw = PROBABILITY.from_float(exact)
    if raw[-1]:
        raise ValueError(
            f"a temperature of {temperature:g} is above {highest_temperature(size, bits):g}, the "
            f"highest for thresholds of {bits} bits"
        )
    return raw[:-1]


def highest_temperature(size: AnnealerSize, bits: int | None = None) -> float:
    """Compute the highest temperature for which thresholds have enough digits.

    Above it, the first digit that a threshold lacks would have a probability that does not round
    to 0.

    Parameters
    ----------
    size : AnnealerSize
        Size of the device, which has the width of a spin's threshold.
    bits : int, optional
        Width of the threshold, if it is not a spin's.

    Returns
    -------
    float
        Temperature in units of the couplings.

    Examples
    --------
    >>> from tensorspin.contract.annealer import AnnealerSize
    >>> size = AnnealerSize(spins=24, coupling_bits=4, field_bits=9, replicas=10,
    ...                     strides=(1,) * 6, offset_rows=16, steps=8)
    >>> round(float(highest_temperature(size)), 2)
    10.26
    """
    least = 0.5 * 2.0**-PROBABILITY.f_bits
    bits = size.threshold_bits if bits is None else bits
    return 2.0 ** (bits + 1) / np.log(1.0 / least - 1.0)


def check_step(index: int, step: Step, size: AnnealerSize) -> None:
    """Refuse a step that a device cannot run.

    Parameters
    ----------
    index : int
        Number of the step in its schedule, for the message.
    step : Step
        The step.
    size : AnnealerSize
        Size of the device.

    Raises
    ------
    ValueError
        If a probability or the number of sweeps is out of range, the step is made for thresholds of
        another width, or it needs a ring that the device has not or cannot close.
    """
    if len(step.probabilities) != size.threshold_bits:
        raise ValueError(
            f"step {index} has {len(step.probabilities)} probabilities, the device's "
            f"thresholds have {size.threshold_bits} bits: make the schedule for its size"
        )
    if not all(0 <= p <= PROBABILITY.maximum for p in step.probabilities):
        raise ValueError(f"probabilities must be 0 to {PROBABILITY.maximum}, see step {index}")
    if not 0 <= step.ring <= RING.maximum * size.ring:
        raise ValueError(
            f"the ring's probability must be 0 to {RING.maximum}, step {index} has {step.ring}"
            if size.ring
            else f"step {index} couples the replicas along a ring, which the device has not"
        )
    if step.ring and size.replicas % 2:
        raise ValueError(
            f"step {index} couples the replicas along a ring, which the device does with an even "
            f"number of them only, and it has {size.replicas}: the last would move beside the first"
        )
    if not 1 <= step.sweeps <= SWEEPS.maximum:
        raise ValueError(
            f"a step must have 1 to {SWEEPS.maximum} sweeps, step {index} has {step.sweeps}"
        )
