"""Parallel tempering: replicas exchange their temperatures.

Each replica has a *rank* on a *ladder* of temperatures, replica r rank r at the start. In a step
with an `Exchange`, a replica anneals at the temperature of its rank; when all have done their
sweeps, neighbours on the ladder exchange ranks, pairs that begin with an even or with an odd rank,
with the probability ``min(1, exp((1 / T_a - 1 / T_b) (E_a - E_b)))`` (K. Hukushima and K. Nemoto,
J. Phys. Soc. Jpn. 65, 1604, 1996). So each rank samples the Boltzmann distribution of its
temperature.

Where the colder replica has the higher energy, the pair is exchanged in any case; elsewhere if half
the difference of the energies, an integer, is not above a threshold like that of a spin, drawn at
the temperature ``1 / (1 / T_a - 1 / T_b)``. So this needs no multiplication either.

The engine takes one pair after the other, `pair_cycles` each:

======== ==========================================================================
cycle
======== ==========================================================================
0        replica of the first rank
1        that of the second; energy of the first
2        energy of the second
3 ...    a digit of the threshold each, the lowest first, compared with the difference
last two the replicas' new ranks, if they exchange
======== ==========================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .problem import Step, schedule
from .size import AnnealerSize, Exchange
from .thresholds import digit_probabilities

FIRST_DIGIT = 3
"""Cycle of a pair in which the lowest digit is drawn."""

LADDER_READ = 2
"""Cycles from a replica's rank to its probabilities."""


@dataclass(frozen=True)
class Ladder:
    """What the ranks need of their temperatures, from the first rank on.

    Attributes
    ----------
    probabilities : tuple of tuple of int
        Of the thresholds' bits, for each rank, as in `tensorspin.contract.annealer.problem.Step`.
    exchanges : tuple of tuple of int
        Of the bits of a rank's threshold for an exchange with the next; of the last rank 0.
    """

    probabilities: tuple[tuple[int, ...], ...]
    exchanges: tuple[tuple[int, ...], ...]


def ladder(temperatures: Sequence[float], size: AnnealerSize) -> Ladder:
    """The ladder of given temperatures.

    Parameters
    ----------
    temperatures : sequence of float
        From high to low, one for each replica.
    size : AnnealerSize

    Raises
    ------
    ValueError
        If the device has no parallel tempering, or the temperatures do not fit.
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
    """Steps on a ladder, with exchanges of even and odd pairs in turn.

    Parameters
    ----------
    steps : int
    sweeps : int
        Of each step.
    size : AnnealerSize

    Raises
    ------
    ValueError
        If the schedule does not fit.
    """
    # Any temperature does: each replica has that of its rank.
    plain = schedule([1.0] * steps, sweeps, size)
    kinds = (Exchange.EVEN, Exchange.ODD)
    return [replace(step, exchange=kinds[index % 2]) for index, step in enumerate(plain)]


def pair_cycles(size: AnnealerSize) -> int:
    """Cycles for an exchange."""
    return FIRST_DIGIT + size.exchange_bits + 2


def exchange_rounds(size: AnnealerSize) -> int:
    """Rounds for the exchanges of a step, behind the sweeps."""
    return -(-(size.replicas // 2 * pair_cycles(size) + LADDER_READ) // size.replicas)
