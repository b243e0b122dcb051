"""The annealer with several flips a turn: spins in segments, each with a bank of couplings.

The spins of a build with `AnnealerSize.flips` = k form k *segments* of equal length. Each segment
has a *bank*, a memory that holds the rows of couplings of its spins, so that k rows, one of each
segment, are read and added to the fields in one cycle.

A run takes one of two ways:

- With one flip a turn the first accepting spin of all is flipped, as on other builds. The states
  are those of Metropolis' algorithm.
- With k flips a turn each segment has a cursor of its own, and the first accepting spin of *each*
  segment is flipped. All are decided on the same fields, before any of them has changed. A sweep
  ends with the turn in which no segment has an accepting spin. A sweep takes about a k-th of the
  turns, and still visits every spin once. It is no longer Metropolis' algorithm, since spins that
  flip together do not see each other: samples at a fixed temperature do not follow Boltzmann's
  distribution, but anneals find states of low energy in less time.

Energies are exact either way. Spins that flip together change the energy by
``-sum_i s_i (F_i + F'_i)``, with the signs s_i before the flips and the local fields before (F)
and after them (F'). Both fields have the same parity, so half the change is an integer.

*Place of a problem.* The variables are divided as evenly as possible between the segments, in
order; each segment has its part in its last spins. A build with one segment has all of them in its
last spins.

*Rows.* A bank has a row for each spin of its segment, and its part of the offset rows after them.
Offset row i is in bank ``i % k``. Where a bank has no room for more, they go on at its row 0, since
small problems do not use the first spins. Banks begin at multiples of a power of two of rows; the
row after a bank's last is read where a turn flips no spin of the segment. Nothing but
`AnnealerSpace.CLEAR` writes it, so that a device must have been cleared before its first run.
"""

from __future__ import annotations

import numpy as np

from .size import AnnealerSize


def bank_rows(size: AnnealerSize) -> int:
    """Count the rows of couplings of a bank, offset rows included."""
    return size.segment + size.offset_rows // size.flips


def bank_stride(size: AnnealerSize) -> int:
    """Count the rows from the beginning of a bank to that of the next: a power of two.

    It leaves room for a row after the last one.
    """
    return 1 << bank_rows(size).bit_length()


def memory_rows(size: AnnealerSize) -> int:
    """Count the rows of couplings that have an address."""
    return size.flips * bank_stride(size) if size.flips > 1 else bank_rows(size)


def segment_firsts(size: AnnealerSize, variables: int) -> list[int]:
    """Find where the variables of each segment begin.

    Parameters
    ----------
    size : AnnealerSize
        Size of the device.
    variables : int
        Number of variables of the problem.

    Returns
    -------
    list of int
        For each segment the place in it of its first variable; the segment's length if it has
        none.

    Examples
    --------
    >>> from tensorspin.contract.annealer import AnnealerSize
    >>> size = AnnealerSize(spins=24, coupling_bits=4, field_bits=9, replicas=10,
    ...                     strides=(1,) * 6, offset_rows=16, steps=8, flips=2)
    >>> segment_firsts(size, 15)
    [5, 4]
    """
    least, uneven = divmod(size.spins - variables, size.flips)
    return [least + (segment < uneven) for segment in range(size.flips)]


def segment_bounds(size: AnnealerSize, variables: int) -> list[int]:
    """Find which variables are in which segment.

    Parameters
    ----------
    size : AnnealerSize
        Size of the device.
    variables : int
        Number of variables of the problem.

    Returns
    -------
    list of int
        The first variable of each segment, and the number of variables: a segment has those from
        its own element up to the next one.
    """
    lengths = [size.segment - first for first in segment_firsts(size, variables)]
    return np.cumsum([0, *lengths]).tolist()


def variable_spins(size: AnnealerSize, variables: int) -> np.ndarray:
    """Find the spin of each variable.

    Parameters
    ----------
    size : AnnealerSize
        Size of the device.
    variables : int
        Number of variables of the problem.

    Returns
    -------
    ndarray of int64 of shape (variables,)
        Numbers of the spins, in ascending order.
    """
    firsts = segment_firsts(size, variables)
    return np.concatenate(
        [
            np.arange(number * size.segment + first, (number + 1) * size.segment)
            for number, first in enumerate(firsts)
        ]
    )


def spin_rows(size: AnnealerSize, spins: np.ndarray) -> np.ndarray:
    """Find the rows of spins in the coupling memory.

    Parameters
    ----------
    size : AnnealerSize
        Size of the device.
    spins : ndarray of int
        Numbers of spins.

    Returns
    -------
    ndarray of int
        Numbers of their rows.
    """
    segment, place = np.divmod(spins, size.segment)
    return segment * bank_stride(size) + place


def offset_places(size: AnnealerSize, count: int) -> list[int]:
    """Find the offset rows in the coupling memory.

    Parameters
    ----------
    size : AnnealerSize
        Size of the device.
    count : int
        Number of offset rows.

    Returns
    -------
    list of int
        Numbers of the rows in which they are.
    """
    return [
        bank * bank_stride(size) + (size.segment + turn) % bank_rows(size)
        for turn, bank in (divmod(index, size.flips) for index in range(count))
    ]


def most_offset_rows(size: AnnealerSize, variables: int) -> int:
    """Count the rows that can be offset rows: those that no variable needs.

    Parameters
    ----------
    size : AnnealerSize
        Size of the device.
    variables : int
        Number of variables of the problem.

    Returns
    -------
    int
        Greatest number of offset rows. It is a multiple of the number of banks.
    """
    return size.offset_rows + size.flips * ((size.spins - variables) // size.flips)
