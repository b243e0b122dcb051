"""Counter of leading zeros: it tells how far a number can be shifted to the left."""

from __future__ import annotations

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out


class LeadingZeros(wiring.Component):
    """Counts the zeros above the highest one of a number.

    Parameters
    ----------
    width : int
        Bits of the number: a power of two less one.
    staged : bool, default=False
        Whether there are registers on the way; the width is then at least 15.

    Ports
    -----
    value : In(width)
        The number.
    count : Out(log2(width + 1))
        How many of its highest bits are zero; `width` for 0.

    Latency: 0, combinational. The value is halved log2(width + 1) times: the upper half is kept if
    it has a one, and the lower half otherwise, each time with a bit of the count. If `staged`, the
    latency is 2 cycles: all groups of four bits are looked at, then the highest of them with a one
    is found; the count within it is chosen after the second register.
    """

    def __init__(self, width: int, staged: bool = False) -> None:
        if width & (width + 1) or width < 1:
            raise ValueError(f"a width of {width} is not a power of two less one")
        self._staged = staged
        super().__init__({"value": In(width), "count": Out(range(width + 1))})

    def elaborate(self, platform) -> Module:
        m = Module()
        # With a one below the value there is always one to find, and the width is a power of two.
        rest = Cat(Const(1, 1), self.value)
        if self._staged:
            self._count_in_groups(m, rest)
            return m
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

    def _count_in_groups(self, m: Module, rest: Value) -> None:
        """Find the highest group of four bits with a one, and the zeros within it."""
        groups = len(rest) // 4
        filled = Signal(groups)
        zeros = Signal(data.ArrayLayout(2, groups))
        for group in range(groups):
            _, second, third, top = rest.word_select(group, 4)
            m.d.sync += [
                filled[group].eq(rest.word_select(group, 4).any()),
                zeros[group].eq(Cat(~top & (third | ~second), ~top & ~third)),
            ]
        empty = Signal(range(groups))
        empty_held = Signal.like(empty)
        zeros_held = Signal.like(zeros)
        for group in range(groups):
            with m.If(filled[group]):  # the last assignment counts: that of the highest group
                m.d.comb += empty.eq(groups - 1 - group)
        m.d.sync += [empty_held.eq(empty), zeros_held.eq(zeros)]
        with m.Switch(empty_held):
            for group in range(groups):
                with m.Case(groups - 1 - group):
                    m.d.comb += self.count.eq(Cat(zeros_held[group], empty_held))
