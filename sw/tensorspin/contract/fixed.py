"""Number formats of the datapath, and the one rounding rule that all of it uses.

Names follow Amaranth's RFC 41 (`SQ`, `UQ`, `i_bits`, `f_bits`; the sign bit counts as an integer
bit). The gateware's counterpart of `round_shift` and `saturate` is
`tensorspin_gateware.primitives.rounding`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Format:
    """A two's complement or unsigned fixed-point format.

    Conversion into a format rounds half to even and saturates; there is no other mode.

    Parameters
    ----------
    signed : bool
    i_bits : int
        Integer bits, including the sign bit of a signed format.
    f_bits : int
        Fraction bits.
    """

    signed: bool
    i_bits: int
    f_bits: int

    @property
    def width(self) -> int:
        """Bits in all."""
        return self.i_bits + self.f_bits

    @property
    def minimum(self) -> int:
        """Least raw integer."""
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def maximum(self) -> int:
        """Greatest raw integer."""
        return (1 << (self.width - self.signed)) - 1

    def from_float(self, values) -> np.ndarray:
        """Raw integers (int64) nearest to `values`, ties to even, saturated.

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


def SQ(i_bits: int, f_bits: int) -> Format:  # noqa: N802 (RFC 41's name)
    """Signed format; `i_bits` includes the sign bit."""
    return Format(True, i_bits, f_bits)


def UQ(i_bits: int, f_bits: int) -> Format:  # noqa: N802 (RFC 41's name)
    """Unsigned format."""
    return Format(False, i_bits, f_bits)


MANTISSA = SQ(1, 15)
"""Entries of feature tables and of vectors; a vector carries one exponent beside them."""

WEIGHT = SQ(8, 0)
"""Weights, whatever their storage; a node has one step, which is the host's business."""

NARROW_WEIGHT = SQ(4, 0)
"""Weights of a narrow node as stored, two in a byte."""

NARROW_STEP = 1 << (WEIGHT.width - NARROW_WEIGHT.width)
"""A narrow node's weights are multiples of this: the upper half of a `WEIGHT`, the lower half 0."""

ACCUMULATOR = SQ(32, 0)
"""Sums of weight x product. `tensorspin.contract.contractor.program.WEIGHT_SUM_LIMIT` keeps them
inside."""

LEVEL = UQ(8, 0)
"""A feature on the wire: the row of the feature table."""

EXPONENT = UQ(16, 0)
"""Summed left shifts of a vector: its values are mantissas x 2**-exponent, up to a constant."""


def round_shift(raw, shift: int) -> np.ndarray:
    """Divide integers by ``2**shift``, rounding half to even.

    Parameters
    ----------
    raw : array_like of int
    shift : int
        0 or more.

    Returns
    -------
    ndarray of int64
    """
    raw = np.asarray(raw, dtype=np.int64)
    if shift == 0:
        return raw
    floor = raw >> shift
    remainder = raw & ((1 << shift) - 1)
    half = 1 << (shift - 1)
    return floor + ((remainder > half) | ((remainder == half) & ((floor & 1) == 1)))


def saturate(raw, to: Format) -> np.ndarray:
    """Clip integers to the range of a format."""
    return np.clip(raw, to.minimum, to.maximum)
