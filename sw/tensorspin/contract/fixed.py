"""Number formats of the datapath, and the one rounding rule that all of it uses.

A format is written as in Amaranth's RFC 41: ``SQ(i_bits, f_bits)`` is signed and
``UQ(i_bits, f_bits)`` unsigned, with so many integer bits (the sign bit counts as one) and fraction
bits. Hardware and models work with *raw integers*: the value times ``2**f_bits``. The gateware's
counterpart of `round_shift` and `saturate` is `tensorspin_gateware.primitives.rounding`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Format:
    """A two's complement or unsigned fixed-point format.

    Conversion into a format rounds half to even and saturates; there is no other mode.

    Parameters
    ----------
    signed : bool
        Whether the format is two's complement.
    i_bits : int
        Number of integer bits, including the sign bit of a signed format.
    f_bits : int
        Number of fraction bits.

    Examples
    --------
    >>> half = SQ(1, 15).from_float(0.5)
    >>> int(half)
    16384
    """

    signed: bool
    i_bits: int
    f_bits: int

    # A format never changes, and its limits are asked for in every run: they are computed once.

    @cached_property
    def width(self) -> int:
        """Number of bits of a number in this format."""
        return self.i_bits + self.f_bits

    @cached_property
    def minimum(self) -> int:
        """Least raw integer that the format can hold."""
        return -(1 << (self.width - 1)) if self.signed else 0

    @cached_property
    def maximum(self) -> int:
        """Greatest raw integer that the format can hold."""
        return (1 << (self.width - self.signed)) - 1

    def from_float(self, values: npt.ArrayLike) -> np.ndarray:
        """Convert numbers to raw integers.

        Parameters
        ----------
        values : array-like of float
            Numbers of any shape.

        Returns
        -------
        ndarray of int64
            The nearest raw integers, ties to even, saturated at the ends of the format; of the
            shape of `values`.

        Raises
        ------
        ValueError
            If a value is NaN or infinite.
        """
        values = np.asarray(values, dtype=np.float64)
        if not np.all(np.isfinite(values)):
            raise ValueError(f"{self} cannot hold NaN or infinity")
        raw = np.rint(np.ldexp(values, self.f_bits))
        return np.clip(raw, self.minimum, self.maximum).astype(np.int64)

    def __str__(self) -> str:
        return f"{'SQ' if self.signed else 'UQ'}({self.i_bits}, {self.f_bits})"


def SQ(i_bits: int, f_bits: int) -> Format:
    """Make a signed format.

    Parameters
    ----------
    i_bits : int
        Number of integer bits, including the sign bit.
    f_bits : int
        Number of fraction bits.

    Returns
    -------
    Format
        The format.
    """
    return Format(True, i_bits, f_bits)


def UQ(i_bits: int, f_bits: int) -> Format:
    """Make an unsigned format.

    Parameters
    ----------
    i_bits : int
        Number of integer bits.
    f_bits : int
        Number of fraction bits.

    Returns
    -------
    Format
        The format.
    """
    return Format(False, i_bits, f_bits)


MANTISSA = SQ(1, 15)
"""Format of an entry of a feature table or a vector: -1 to just below 1. All entries of a vector
share one exponent, which stands beside them."""

WEIGHT = SQ(8, 0)
"""Format of a weight when it reaches the multipliers, however it is stored. The weights of a node
share one scale, the *step*; only the host knows it."""

NARROW_WEIGHT = SQ(4, 0)
"""Format in which the weights of a narrow node are stored, two in a byte."""

NARROW_STEP = 1 << (WEIGHT.width - NARROW_WEIGHT.width)
"""All weights of a narrow node are multiples of this number (16): they are the upper half of a
`WEIGHT` whose lower half is 0."""

ACCUMULATOR = SQ(32, 0)
"""Format of a sum of products of weights and mantissas. The compiler keeps the sums of a node's
weights below `tensorspin.contract.contractor.program.WEIGHT_SUM_LIMIT`, so that no sum of products
leaves the format."""

LEVEL = UQ(8, 0)
"""Format of a feature on the wire. A level is the number of a row of the feature table."""

EXPONENT = UQ(16, 0)
"""Format of a vector's exponent: the number of left shifts of its entries, summed over all nodes
that led to it. The vector's values are mantissas x 2**-exponent, up to a constant of the network
that only the host knows."""


def round_shift(raw: npt.ArrayLike, shift: int) -> np.ndarray:
    """Divide integers by ``2**shift``, rounding half to even.

    Parameters
    ----------
    raw : array-like of int
        Integers of any shape.
    shift : int
        Number of bits to remove, 0 or more.

    Returns
    -------
    ndarray of int64
        The quotients, of the shape of `raw`.

    Examples
    --------
    >>> round_shift([5, 6, 7, -6], 2).tolist()
    [1, 2, 2, -2]
    """
    raw = np.asarray(raw, dtype=np.int64)
    if shift == 0:
        return raw
    floor = raw >> shift
    remainder = raw & ((1 << shift) - 1)
    half = 1 << (shift - 1)
    # Up if more than half remains, or exactly half and the quotient would be odd.
    return floor + ((remainder > half) | ((remainder == half) & ((floor & 1) == 1)))


def saturate(raw: npt.ArrayLike, to: Format) -> np.ndarray:
    """Clip integers to the range of a format.

    Parameters
    ----------
    raw : array-like of int
        Raw integers of any shape.
    to : Format
        The format.

    Returns
    -------
    ndarray of int
        Raw integers of the format, of the shape of `raw`.

    Examples
    --------
    >>> saturate([300, -300, 5], WEIGHT).tolist()
    [127, -128, 5]
    """
    return np.clip(raw, to.minimum, to.maximum)
