"""Parallel tempering: replicas exchange their temperatures.

Each replica has a *rank*, its place on a *ladder* of temperatures that falls from the first rank to
the last; replica r begins with rank r. In a step with an `Exchange` a replica anneals at the
temperature of its rank. When all replicas have done their sweeps, pairs of neighbouring ranks,
either those whose lower rank is even or those whose lower rank is odd, swap their replicas with the
probability ``min(1, exp((1 / T_a - 1 / T_b) (E_a - E_b)))`` (K. Hukushima and K. Nemoto, J. Phys.
Soc. Jpn. 65, 1604, 1996). Each rank thereby samples the Boltzmann distribution of its temperature.

If the colder replica has the higher energy, the pair is always exchanged. Otherwise it is exchanged
if half the difference of the two energies, an integer, does not exceed a threshold. The threshold
is drawn like a spin's, at the temperature ``1 / (1 / T_a - 1 / T_b)``, so the decision needs no
multiplication either.

The engine takes one pair after the other, `AnnealerSize.pair_cycles` each:

======== ==========================================================================
cycle    what happens
======== ==========================================================================
0        replica of the first rank is read
1        replica of the second rank is read, and the energy of the first
2        energy of the second replica is read
3 ...    one digit of the threshold a cycle, the lowest first, compared with the
         difference of the energies
last two new ranks of both replicas are written, if they exchange
======== ==========================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .size import AnnealerSize, Exchange
from .steps import Step, digit_probabilities, schedule


@dataclass(frozen=True)
class Ladder:
    """The temperatures of all ranks, as the probabilities that the device needs.

    Parameters
    ----------
    probabilities : tuple of tuple of int
        For each rank, from the hottest on: the probabilities of the digits of a spin's threshold,
        as in `tensorspin.contract.annealer.steps.Step`.
    exchanges : tuple of tuple of int
        For each rank: the probabilities of the digits of the threshold for an exchange with the
        next rank. All 0 for the last rank, which has no next.

    Examples
    --------
    >>> Ladder(probabilities=((9, 4), (5, 1)), exchanges=((7, 6, 2), (0, 0, 0))).probabilities[0]
    (9, 4)
    """

    probabilities: tuple[tuple[int, ...], ...]
    exchanges: tuple[tuple[int, ...], ...]


def ladder(temperatures: Sequence[float] | np.ndarray, size: AnnealerSize) -> Ladder:
    """Make the ladder of given temperatures.

    Parameters
    ----------
    temperatures : sequence of float
        Temperatures from high to low, one for each replica, in units of the couplings.
    size : AnnealerSize
        Size of the device that is to temper.

    Returns
    -------
    Ladder
        One rank for each temperature.

    Raises
    ------
    ValueError
        If the device has no parallel tempering, or the temperatures do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.contract.annealer import AnnealerSize
    >>> size = AnnealerSize(spins=24, coupling_bits=4, field_bits=9, replicas=10,
    ...                     strides=(1,) * 6, offset_rows=16, steps=8, tempering=1)
    >>> len(ladder(np.geomspace(8.0, 1.0, 10), size).probabilities)
    10
    """
    if not size.tempering:
        raise ValueError("the device has no parallel tempering")
    temperatures = [float(temperature) for temperature in temperatures]
    if len(temperatures) != size.replicas:
        raise ValueError(
            f"a ladder must have {size.replicas} temperatures, one for each replica, not "
            f"{len(temperatures)}"
        )
    probabilities = [digit_probabilities(temperature, size) for temperature in temperatures]
    bits = size.exchange_bits
    exchanges = []
    for hot, cold in zip(temperatures, temperatures[1:]):
        if not cold < hot:
            raise ValueError(f"a ladder's temperatures must fall: {cold:g} follows on {hot:g}")
        try:
            exchanges.append(digit_probabilities(hot * cold / (hot - cold), size, bits))
        except ValueError:
            raise ValueError(
                f"the temperatures {hot:g} and {cold:g} are too close to each other for thresholds "
                f"of {bits} bits"
            ) from None
    exchanges.append(np.zeros(bits, dtype=np.int64))
    return Ladder(
        *(tuple(tuple(row.tolist()) for row in rows) for rows in (probabilities, exchanges))
    )


def tempering_schedule(steps: int, sweeps: int, size: AnnealerSize) -> list[Step]:
    """Make steps in which the replicas temper, with exchanges of even and odd pairs in turn.

    Parameters
    ----------
    steps : int
        Number of steps.
    sweeps : int
        Number of sweeps of each step, after which ranks are exchanged once.
    size : AnnealerSize
        Size of the device that is to temper.

    Returns
    -------
    list of Step
        The steps; they need a `Ladder` in the same job.

    Raises
    ------
    ValueError
        If the schedule does not fit.

    Examples
    --------
    >>> from tensorspin.contract.annealer import AnnealerSize
    >>> size = AnnealerSize(spins=24, coupling_bits=4, field_bits=9, replicas=10,
    ...                     strides=(1,) * 6, offset_rows=16, steps=8, tempering=1)
    >>> [step.exchange.name for step in tempering_schedule(3, 4, size)]
    ['EVEN', 'ODD', 'EVEN']
    """
    # Any temperature would do here: in these steps each replica has the temperature of its rank.
    plain = schedule([1.0] * steps, sweeps, size)
    kinds = (Exchange.EVEN, Exchange.ODD)
    return [replace(step, exchange=kinds[index % 2]) for index, step in enumerate(plain)]
