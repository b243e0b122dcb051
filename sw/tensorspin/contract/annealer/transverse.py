"""Simulated quantum annealing: the replicas as Trotter slices of an Ising model in a transverse
field.

The quantum model is ``E(sz) - gamma sum_i sx_i`` with the energy E of the problem. By the
Suzuki-Trotter formula, its partition function at temperature T is that of M classical copies of
the problem, up to an error of the order ``1 / (M T)**2``. Each copy has the weight
``exp(-E / (M T))``, and the same spin of neighbouring copies is coupled along a ring with the
weight ``exp(K s s')``, ``K = -ln(tanh(gamma / (M T))) / 2`` (R. Martonak, G. E. Santoro and
E. Tosatti, Phys. Rev. B 66, 094203, 2002, whose coupling is ``K M T``).

A flip that breaks both bonds of a spin has the weight ``exp(-4 K) = tanh(gamma / (M T))**2``; with
the rest of the probability the ring holds the spin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .problem import Step, schedule
from .size import RING, AnnealerSize, Moving


def transverse_schedule(
    gammas: Sequence[float], temperature: float, sweeps: int, size: AnnealerSize
) -> list[Step]:
    """Steps of simulated quantum annealing, two for each transverse field.

    Parameters
    ----------
    gammas : sequence of float
        Transverse fields, in units of the couplings; 0 or more.
    temperature : float
        Of the quantum model. A slice sees the problem at ``size.replicas`` times that.
    sweeps : int
        Of each slice, at each transverse field.
    size : AnnealerSize

    Returns
    -------
    list of Step
        In turn for the even and the odd slices.

    Raises
    ------
    ValueError
        If the device has no ring or an odd number of replicas, a transverse field is negative or
        not finite, or the schedule does not fit.
    """
    if not size.ring:
        raise ValueError("the device has no ring: its replicas cannot be Trotter slices")
    if size.replicas % 2:
        raise ValueError(f"Trotter slices must be even in number, not {size.replicas}")
    gammas = np.asarray(gammas, dtype=float)
    if not np.all(np.isfinite(gammas) & (gammas >= 0)):
        raise ValueError("a transverse field must be a number of 0 or more")
    slice_temperature = size.replicas * temperature
    steps = schedule([slice_temperature] * (2 * len(gammas)), sweeps, size)
    held = RING.from_float(1.0 / np.cosh(np.minimum(gammas / slice_temperature, 100.0)) ** 2)
    halves = (Moving.EVEN, Moving.ODD) * len(gammas)
    return [
        replace(step, ring=int(ring), moving=moving)
        for step, ring, moving in zip(steps, np.repeat(held, 2), halves)
    ]
