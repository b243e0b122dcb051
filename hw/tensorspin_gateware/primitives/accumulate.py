"""Sum, difference, or neither: one step of an accumulator that is kept elsewhere."""

from __future__ import annotations

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from . import Family
from .carry import Place, carry_chain


class Operation(enum.Enum, shape=2):
    """What `Accumulate` does."""

    KEEP = 0
    CLEAR = 1
    ADD = 2
    SUBTRACT = 3


class Accumulate(wiring.Component):
    """``total``, 0, ``total + term`` or ``total - term``, modulo ``2**width``.

    Parameters
    ----------
    width : int
    family : Family

    Ports
    -----
    operation : In(Operation)
    total, term : In(signed(width))
    result : Out(signed(width))

    Combinational. ECP5: (width + 1) look-up tables, rounded up to an even number, all in the carry
    chain; elsewhere as synthesis finds it.
    """

    def __init__(self, width: int, family: Family) -> None:
        self._width = width
        self._family = family
        super().__init__(
            {
                "operation": In(Operation),
                "total": In(signed(width)),
                "term": In(signed(width)),
                "result": Out(signed(width)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        operation = self.operation.as_value()
        subtract, change = operation[0], operation[1]
        if self._family is Family.ECP5:
            places = [
                Place(_step, self.total[bit], self.term[bit], subtract, change)
                for bit in range(self._width)
            ]
            m.d.comb += self.result.eq(carry_chain(m, subtract, places))
        else:
            # One look-up table a bit, in front of the carry.
            clear = ~change & subtract
            kept = self.total & ~clear.replicate(self._width)
            inverted = self.term ^ subtract.replicate(self._width)
            addend = Signal(self._width)
            m.d.comb += [
                addend.eq(Mux(change, inverted, 0)),
                self.result.eq(kept + addend + (change & subtract)),
            ]
        return m


def _step(total: int, term: int, subtract: int, change: int) -> int:
    """Without change: the total alone, or ones under a first carry of 1, which is 0."""
    if change:
        return total ^ term ^ subtract
    return total | subtract
