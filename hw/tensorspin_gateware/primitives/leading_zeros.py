"""Counter of leading zeros: it tells how far a number can be shifted to the left."""

from __future__ import annotations

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class LeadingZeros(wiring.Component):
    """Counts the zeros above the highest one of a number.

    Parameters
    ----------
    width : int
        Bits of the number: a power of two less one.

    Ports
    -----
    value : In(width)
        The number.
    count : Out(log2(width + 1))
        How many of its highest bits are zero; `width` for 0.

    Latency: 0, combinational. The value is halved log2(width + 1) times: the upper half is kept if
    it has a one, and the lower half otherwise, each time with a bit of the count.
    """

    def __init__(self, width: int) -> None:
        if width & (width + 1) or width < 1:
            raise ValueError(f"a width of {width} is not a power of two less one")
        super().__init__({"value": In(width), "count": Out(range(width + 1))})

    def elaborate(self, platform) -> Module:
        m = Module()
        # With a one below the value there is always one to find, and the width is a power of two.
        rest = Cat(Const(1, 1), self.value)
        digits: list[Signal] = []
        while len(rest) > 1:
            half = len(rest) // 2
            kept = Signal(half, name=f"kept_{half}")
            empty = Signal(name=f"empty_{half}")
            m.d.comb += [
                empty.eq(~rest[half:].any()),
                kept.eq(Mux(empty, rest[:half], rest[half:])),
            ]
            # The first halving gives the highest bit of the count.
            digits.insert(0, empty)
            rest = kept
        m.d.comb += self.count.eq(Cat(digits))
        return m
