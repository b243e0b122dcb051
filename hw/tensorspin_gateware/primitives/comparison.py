"""Comparison of a number, or of its negative, with a threshold."""

from __future__ import annotations

from amaranth import C, Cat, Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from . import Family
from .carry import Place, carry_chain


class Comparison(wiring.Component):
    """Whether ``-value <= threshold``, or ``value <= threshold`` if `negate`, unless masked.

    Parameters
    ----------
    threshold_bits, value_bits : int
        The threshold has fewer.
    family : Family

    Ports
    -----
    threshold : In(threshold_bits)
    value : In(signed(value_bits))
    negate : In(1)
    enable : In(2)
        With both bits 0 the result is 0.
    result : Out(1)

    Combinational. ECP5: ``threshold_bits + 3`` look-up tables and one for each three of the value's
    further bits, rounded up to an even number, all in the carry chain; elsewhere as synthesis finds
    it.
    """

    def __init__(self, threshold_bits: int, value_bits: int, family: Family) -> None:
        self._family = family
        super().__init__(
            {
                "threshold": In(threshold_bits),
                "value": In(signed(value_bits)),
                "negate": In(1),
                "enable": In(2),
                "result": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        if self._family is Family.ECP5:
            m.d.comb += self.result.eq(carry_chain(m, self.negate, self._places())[-1])
        else:
            # threshold + value, or threshold - value.
            width = len(self.value) + 1
            addend = Cat(self.value, self.value[-1]) ^ self.negate.replicate(width)
            total = Signal(width)
            m.d.comb += [
                total.eq(self.threshold + addend + self.negate),
                self.result.eq(~total[-1] & self.enable.any()),
            ]
        return m

    def _places(self) -> list[Place]:
        """threshold + (value ^ negate) + negate is 0 or more if the inverted value is, or if there
        is a carry out of the bits below its sign."""
        negate, value = self.negate, self.value
        places = [
            Place(_sum, digit, value[bit], negate) for bit, digit in enumerate(self.threshold)
        ]
        # Where the threshold has no bits, the carry passes if the inverted value is all ones. Its
        # sign is among them, so there is no carry behind them if it is positive.
        ones = value[len(self.threshold) :]
        for low in range(0, len(ones), 3):
            places.append(_all_ones(ones[low : low + 3], negate))
        c, d = self.enable
        places.append(Place(lambda a, b, c, d: c | d, c=c, d=d))
        positive = Place(lambda a, b, c, d: (a ^ b ^ 1) & (c | d), value[-1], negate, c, d)
        return [*places, positive]


def _sum(digit: int, bit: int, negate: int, one: int) -> int:
    return digit ^ bit ^ negate if one else digit


def _all_ones(bits: Value, negate: Value) -> Place:
    """Passes the carry if all bits differ from `negate`, and stops it otherwise."""
    if len(bits) == 3:
        return Place(lambda a, b, c, d: (a ^ d) & (b ^ d) & (c ^ d), *bits, negate)
    if len(bits) == 2:
        return Place(lambda a, b, c, d: (a ^ d) & (b ^ d) & c, *bits, C(1), negate)
    return Place(lambda a, b, c, d: (a ^ d) & c, bits, C(0), C(1), negate)
