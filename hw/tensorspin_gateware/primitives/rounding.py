"""Rounding half to even, then saturation: the only conversion between number formats here."""

from __future__ import annotations

from amaranth import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.fixed import Format


class RoundSaturate(wiring.Component):
    """Divides a signed integer by a power of two, rounds half to even, and saturates.

    The result equals ``saturate(round_shift(value, shift), to)`` of `tensorspin.contract.fixed`, so
    that the golden model computes the same bits.

    Parameters
    ----------
    width : int
        Bits of the input.
    shift : int
        Bits that are rounded away, at least 1.
    to : Format
        Number format of the result; signed.
    staged : bool, default=False
        Whether there is a register between rounding and saturation.

    Ports
    -----
    value : In(signed(width))
        The number to be rounded.
    result : Out(signed(to.width))
        The rounded number; the format's greatest or least number if it does not fit.

    Latency: 0, combinational; 1 cycle if `staged`. Resources: about two LUTs for each bit of the
    result, and a tree of LUTs over the bits rounded away, which is a carry chain if `staged`.
    """

    def __init__(self, width: int, shift: int, to: Format, staged: bool = False) -> None:
        if not 1 <= shift < width:
            raise ValueError(f"a shift of {shift} is outside 1..{width - 1}")
        self._shift = shift
        self._to = to
        self._staged = staged
        super().__init__({"value": In(signed(width)), "result": Out(signed(to.width))})

    def elaborate(self, platform) -> Module:
        m = Module()
        # Round up if the bits cut off are more than a half, or a half under an odd number.
        half = self.value[self._shift - 1]
        below_half = self.value[: self._shift - 1]
        floor = Signal(signed(len(self.value) - self._shift))
        rounded = Signal(signed(max(len(floor) + 1, self._to.width)))
        m.d.comb += floor.eq(self.value[self._shift :].as_signed())
        if self._staged:
            # The same as one sum: what is just below a half carries into the bits that are kept if
            # more than a half is cut off, or with the lowest of them a half. Into that sum's lowest
            # place, whose result is cut off, the latter comes as a carry.
            below = (1 << (self._shift - 1)) - 1
            total = Cat(1, self.value).as_signed() + Cat(floor[0], Const(below, self._shift))
            m.d.sync += rounded.eq(total >> (self._shift + 1))
        else:
            m.d.comb += rounded.eq(floor + (half & (below_half.any() | floor[0])))
        width = self._to.width
        # The value fits if all bits from the result's sign bit on are equal.
        top = rounded[width - 1 :]
        sign = rounded[-1]
        fits = top.all() | ~top.any()
        limit = Cat((~sign).replicate(width - 1), sign)
        m.d.comb += self.result.eq(Mux(fits, rounded[:width], limit).as_signed())
        return m
