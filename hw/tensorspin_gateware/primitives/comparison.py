"""Comparison of a number, or of its negative, with a threshold: how a spin accepts its flip."""

from __future__ import annotations

from amaranth import C, Cat, Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from . import Family
from .carry import Place, carry_chain


class Comparison(wiring.Component):
    """Tells whether ``-value <= threshold`` or, if `negate`, whether ``value <= threshold``.

    Parameters
    ----------
    threshold_bits, value_bits : int
        Widths of both; the threshold has fewer bits.
    family : Family
        With ``ECP5`` the cells are instantiated; elsewhere synthesis chooses them.

    Ports
    -----
    threshold : In(threshold_bits)
        The threshold, not negative.
    value : In(signed(value_bits))
        The number.
    negate : In(1)
        Compare the number itself, not its negative.
    enable : In(2)
        With both bits 0 the result is 0. Two bits cost no more than one, as the look-up table that
        takes them has the inputs.
    result : Out(1)
        Whether the comparison holds.

    Latency: 0, combinational. Resources: on ECP5 `threshold_bits` + 3 look-up tables and one for
    each three of the value's further bits, rounded up to an even number, all of them those of the
    carry chain.
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
            # threshold + value, or threshold - value: not negative if the comparison holds. One bit
            # more than the value has keeps the sum from wrapping.
            width = len(self.value) + 1
            addend = Cat(self.value, self.value[-1]) ^ self.negate.replicate(width)
            total = Signal(width)
            m.d.comb += [
                total.eq(self.threshold + addend + self.negate),
                self.result.eq(~total[-1] & self.enable.any()),
            ]
        return m

    def _places(self) -> list[Place]:
        """List the places of the carry chain; the last one's sum is the result.

        The sum ``threshold + (value ^ negate) + negate`` is 0 or more if the inverted value is, or
        if there is a carry out of the bits below its sign.
        """
        negate, value = self.negate, self.value
        places = [
            Place(_sum, digit, value[bit], negate) for bit, digit in enumerate(self.threshold)
        ]
        # Above the threshold's highest bit the carry passes if the inverted value has ones only.
        # Its sign is among these bits, so no carry passes if it is positive.
        ones = value[len(self.threshold) :]
        for low in range(0, len(ones), 3):
            places.append(_all_ones(ones[low : low + 3], negate))
        # The carry that reaches the last place is taken into account only if it is enabled ...
        c, d = self.enable
        places.append(Place(lambda a, b, c, d: c | d, c=c, d=d))
        # ... and so is the sign of the inverted value.
        positive = Place(lambda a, b, c, d: (a ^ b ^ 1) & (c | d), value[-1], negate, c, d)
        return [*places, positive]


def _sum(digit: int, bit: int, negate: int, one: int) -> int:
    """Add threshold and inverted value: give the p of a `Place` if `one` is 1, else its g."""
    return digit ^ bit ^ negate if one else digit


def _all_ones(bits: Value, negate: Value) -> Place:
    """Pass the carry if all bits differ from `negate`, and stop it otherwise."""
    if len(bits) == 3:
        return Place(
            lambda a, b, c, d: (a ^ d) & (b ^ d) & (c ^ d), bits[0], bits[1], bits[2], negate
        )
    if len(bits) == 2:
        return Place(lambda a, b, c, d: (a ^ d) & (b ^ d) & c, bits[0], bits[1], C(1), negate)
    return Place(lambda a, b, c, d: (a ^ d) & c, bits, C(0), C(1), negate)
