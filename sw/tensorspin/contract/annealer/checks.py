"""What makes the seeds and the ladder of a job unfit for a device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .size import AnnealerSize
from .steps import Step
from .tempering import Ladder
from .thresholds import SEED_BYTES, generators


def check_seed(seed: int | np.ndarray, size: AnnealerSize) -> None:
    """Refuse a seed from which no generator can start.

    Parameters
    ----------
    seed : int or ndarray of uint8 of shape (generators, SEED_BYTES)
        As for `tensorspin.contract.annealer.job.AnnealJob`.
    size : AnnealerSize
        Size of the device.

    Raises
    ------
    ValueError
        If the number is negative, or the array has another shape or type.
    """
    if not isinstance(seed, np.ndarray):
        if seed < 0:
            raise ValueError(f"seed must be 0 or more, not {seed}")
        return
    shape = (generators(size), SEED_BYTES)
    if seed.shape != shape or seed.dtype != np.uint8:
        raise ValueError(
            f"seeds of the generators must be uint8 of shape {shape}, not {seed.dtype} of "
            f"shape {seed.shape}"
        )


def check_ladder(ladder: Ladder | None, steps: Sequence[Step], size: AnnealerSize) -> None:
    """Refuse a ladder that is missing, or made for another device.

    Parameters
    ----------
    ladder : Ladder or None
        The ladder of a job.
    steps : sequence of Step
        Its schedule.
    size : AnnealerSize
        Size of the device.

    Raises
    ------
    ValueError
        If steps need a ladder and there is none, or the device has no use for it, or it has other
        numbers of ranks or digits.
    """
    if ladder is None:
        if any(step.exchange for step in steps):
            raise ValueError("steps with an exchange need a ladder of temperatures")
        return
    if not size.tempering:
        raise ValueError("a ladder of temperatures is given, which the device does not exchange")
    shapes = [(len(rows), {len(row) for row in rows}) for rows in vars(ladder).values()]
    if shapes != [
        (size.replicas, {size.threshold_bits}),
        (size.replicas, {size.exchange_bits}),
    ]:
        raise ValueError("the ladder is that of another device: make it for this one's size")
