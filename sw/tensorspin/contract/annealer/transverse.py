"""Simulated quantum annealing: the replicas as Trotter slices of a model in a transverse field.

The quantum model is ``E(sz) - gamma sum_i sx_i`` with the energy E of the problem and the
transverse field gamma. By the Suzuki-Trotter formula, its partition function at temperature T is
that of M classical copies of the problem, the *slices*, up to an error of the order
``1 / (M T)**2``. Each slice has the weight ``exp(-E / (M T))``, and the same spin of neighbouring
slices is coupled along a ring with the weight ``exp(K s s')``, ``K = -ln(tanh(gamma / (M T))) / 2``
(R. Martonak, G. E. Santoro and E. Tosatti, Phys. Rev. B 66, 094203, 2002, whose coupling is
``K M T``).

A flip that breaks both bonds of a spin has the weight ``exp(-4 K) = tanh(gamma / (M T))**2``. With
the rest of the probability, ``1 / cosh(gamma / (M T))**2``, the ring holds the spin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .size import RING, AnnealerSize, Moving
from .steps import Step, schedule

_GREATEST_RATIO = 100.0
"""Transverse field over slice temperature beyond which the ring holds nothing: the probability
rounds to 0 long before, and the hyperbolic cosine of a larger number might overflow."""


def transverse_schedule(
    gammas: Sequence[float] | np.ndarray, temperature: float, sweeps: int, size: AnnealerSize
) -> list[Step]:
    """Make the steps of simulated quantum annealing, two for each transverse field.

    Parameters
    ----------
    gammas : sequence of float
        Transverse fields in units of the couplings, 0 or more.
    temperature : float
        Temperature of the quantum model. A slice sees the problem at ``size.replicas`` times that.
    sweeps : int
        Number of sweeps of each slice at each transverse field.
    size : AnnealerSize
        Size of the device that is to run the schedule.

    Returns
    -------
    list of Step
        For each transverse field a step that moves the even slices and one that moves the odd ones:
        two neighbours on the ring must not move at the same time.

    Raises
    ------
    ValueError
        If the device has no ring or an odd number of replicas, a transverse field is negative or
        not finite, or the schedule does not fit.

    Examples
    --------
    >>> from tensorspin.contract.annealer import AnnealerSize
    >>> size = AnnealerSize(spins=24, coupling_bits=4, field_bits=9, replicas=10,
    ...                     strides=(1,) * 6, offset_rows=16, steps=8)
    >>> [step.moving.name for step in transverse_schedule([4.0, 1.0], 0.3, 5, size)]
    ['EVEN', 'ODD', 'EVEN', 'ODD']
    """
    if not size.ring:
        raise ValueError("the device has no ring: its replicas cannot be Trotter slices")
    if size.replicas % 2:
        raise ValueError(f"Trotter slices must be even in number, not {size.replicas}")
    fields = np.asarray(gammas, dtype=float)
    if not np.all(np.isfinite(fields) & (fields >= 0)):
        raise ValueError("a transverse field must be a number of 0 or more")
    slice_temperature = size.replicas * temperature
    steps = schedule([slice_temperature] * (2 * len(fields)), sweeps, size)
    ratios = np.minimum(fields / slice_temperature, _GREATEST_RATIO)
    held = RING.from_float(1.0 / np.cosh(ratios) ** 2)
    halves = (Moving.EVEN, Moving.ODD) * len(fields)
    return [
        replace(step, ring=int(ring), moving=moving)
        for step, ring, moving in zip(steps, np.repeat(held, 2), halves)
    ]
