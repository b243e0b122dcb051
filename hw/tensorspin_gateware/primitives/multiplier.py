"""Multiplier of two signed numbers of the same width."""

from __future__ import annotations

from amaranth import Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.contractor.latency import MULTIPLY

from . import Family
from .ecp5_multiplier import REGISTERS, RegisteredMultiplier


class Multiplier(wiring.Component):
    """Multiplies two signed numbers of equal width, one product a cycle.

    Parameters
    ----------
    width : int
        Bits of each factor; an even number.
    family : Family
        With ``ICE40UP`` the product is built of LUTs, about 650 for 16 bits: the device has eight
        DSPs, and each of them is worth more as a lane. With ``ECP5`` it is a DSP.

    Ports
    -----
    left, right : In(signed(width))
        The factors.
    product : Out(signed(2 * width))
        Their product.

    Latency: `tensorspin.contract.contractor.latency.MULTIPLY` cycles.
    """

    def __init__(self, width: int, family: Family) -> None:
        self._family = family
        super().__init__(
            {
                "left": In(signed(width)),
                "right": In(signed(width)),
                "product": Out(signed(2 * width)),
            }
        )

    def elaborate(self, platform) -> Module:
        if self._family is Family.ICE40UP:
            return self._in_luts()
        if self._family is Family.ECP5:
            return self._in_dsp()
        m = Module()
        value = self.left * self.right
        for _ in range(MULTIPLY):
            stage = Signal.like(self.product)
            m.d.sync += stage.eq(value)
            value = stage
        m.d.comb += self.product.eq(value)
        return m

    def _in_dsp(self) -> Module:
        """Build it from an ECP5's multiplier."""
        _check_stages(REGISTERS)
        m = Module()
        m.submodules.dsp = dsp = RegisteredMultiplier(len(self.left), len(self.right))
        m.d.comb += [
            dsp.left.eq(self.left),
            dsp.right.eq(self.right),
            self.product.eq(dsp.product),
        ]
        return m

    def _in_luts(self) -> Module:
        """Build it from rows as in written multiplication: sums of two halves, then their sum."""
        _check_stages(2)
        m = Module()
        width = len(self.left)
        half = width // 2

        def rows(first: int, last: int) -> Value:
            # Rows of the written multiplication: the left factor, shifted, for each bit of the
            # right.
            return sum(
                (Mux(self.right[bit], self.left << (bit - first), 0) for bit in range(first, last)),
                start=0,
            )

        low = Signal(signed(width + half))
        high = Signal(signed(width + half))
        m.d.sync += [
            low.eq(rows(0, half)),
            # In two's complement, the top bit of the factor stands for -2**(width - 1).
            high.eq(
                rows(half, width - 1)
                - Mux(self.right[width - 1], self.left << (width - 1 - half), 0)
            ),
            self.product.eq(low + (high << half)),
        ]
        return m


def _check_stages(stages: int) -> None:
    """Make sure that a form of the multiplier has the latency that all of them must have."""
    if stages != MULTIPLY:
        raise ValueError(f"this multiplier has {stages} stages, the contract asks for {MULTIPLY}")
