"""One step of an accumulator whose register is elsewhere: sum, difference, or neither."""

from __future__ import annotations

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from . import Family
from .carry import Place, carry_chain


class Operation(enum.Enum, shape=2):  # type: ignore[call-arg]  # of Amaranth's metaclass
    """Operation of `Accumulate` in a cycle.

    The upper bit of the values means "add or subtract", the lower one "subtract" or "clear".
    """

    KEEP = 0
    CLEAR = 1
    ADD = 2
    SUBTRACT = 3


class Accumulate(wiring.Component):
    """Computes ``total``, 0, ``total + term`` or ``total - term``, modulo ``2**width``.

    Parameters
    ----------
    width : int
        Bits of the numbers.
    family : Family
        With ``ECP5`` the cells are instantiated; elsewhere synthesis chooses them.

    Ports
    -----
    operation : In(Operation)
        Which of the four results is wanted.
    total : In(signed(width))
        The accumulator.
    term : In(signed(width))
        What is added or subtracted.
    result : Out(signed(width))
        The accumulator's next value.

    Latency: 0, combinational. Resources: on ECP5 `width` + 1 look-up tables, rounded up to an even
    number, all of them those of the carry chain.
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
            # Written such that a bit needs one look-up table in front of its carry, not two.
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
    """Compute what one place of the chain adds to the carry.

    With `change` that is a bit of the sum or difference before its carry. Otherwise it is the bit
    of `total` or, to clear, 1: ones in all places and a first carry of 1 (`subtract`) add up to 0.
    """
    if change:
        return total ^ term ^ subtract
    return total | subtract
