"""Round half to even, then saturate: the gateware's one conversion between number formats."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.fixed import Format


class RoundSaturate(wiring.Component):
    """Divide a signed integer by a fixed power of two.

    Equals ``saturate(round_shift(value, shift), to)`` of `tensorspin.contract.fixed`.

    Parameters
    ----------
    width : int
        Bits of the input.
    shift : int
        Bits that are rounded away, at least 1.
    to : Format
        Signed result format.

    Ports
    -----
    value : In(signed(width))
    result : Out(signed(to.width))

    Combinational. About two LUTs a result bit and a tree over the bits rounded away.
    """

    def __init__(self, width: int, shift: int, to: Format) -> None:
        if not 1 <= shift < width:
            raise ValueError(f"a shift of {shift} is outside 1..{width - 1}")
        self._shift = shift
        self._to = to
        super().__init__({"value": In(signed(width)), "result": Out(signed(to.width))})

    def elaborate(self, platform) -> Module:
        m = Module()
        half = self.value[self._shift - 1]
        below_half = self.value[: self._shift - 1]
        floor = Signal(signed(len(self.value) - self._shift))
        rounded = Signal(signed(max(len(floor) + 1, self._to.width)))
        m.d.comb += [
            floor.eq(self.value[self._shift :].as_signed()),
            rounded.eq(floor + (half & (below_half.any() | floor[0]))),
        ]
        width = self._to.width
        # The value fits if all bits from the result's sign bit on are equal.
        top = rounded[width - 1 :]
        sign = rounded[-1]
        fits = top.all() | ~top.any()
        limit = Cat((~sign).replicate(width - 1), sign)
        m.d.comb += self.result.eq(Mux(fits, rounded[:width], limit).as_signed())
        return m
