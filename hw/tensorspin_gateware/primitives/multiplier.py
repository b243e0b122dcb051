"""Multiplier of two signed numbers of the same width."""

from __future__ import annotations

from amaranth import Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.contractor.latency import SHORT

from . import Family
from .ecp5_multiplier import REGISTERS, RegisteredMultiplier


class Multiplier(wiring.Component):
    """Multiplies two signed numbers of equal width, one product a cycle.

    Parameters
    ----------
    width : int
        Bits of each factor; a power of two.
    family : Family
        With ``ICE40UP`` the product is built of LUTs, about 650 for 16 bits: the device has eight
        DSPs, and each of them is worth more as a lane. With ``ECP5`` it is a DSP.
    stages : int, default=2
        Registers in a row, the last of which holds the product. There are 2 in a DSP, and in LUTs 2
        or log2(width).

    Ports
    -----
    left, right : In(signed(width))
        The factors.
    product : Out(signed(2 * width))
        Their product.

    Latency: `stages` cycles.
    """

    def __init__(self, width: int, family: Family, stages: int = SHORT.multiply) -> None:
        self._stages = stages
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
            return self._in_rows() if self._stages == 2 else self._in_tree()
        if self._family is Family.ECP5:
            return self._in_dsp()
        m = Module()
        value = self.left * self.right
        for _ in range(self._stages):
            stage = Signal.like(self.product)
            m.d.sync += stage.eq(value)
            value = stage
        m.d.comb += self.product.eq(value)
        return m

    def _in_dsp(self) -> Module:
        """Build it from an ECP5's multiplier."""
        self._check_stages(REGISTERS)
        m = Module()
        m.submodules.dsp = dsp = RegisteredMultiplier(len(self.left), len(self.right))
        m.d.comb += [
            dsp.left.eq(self.left),
            dsp.right.eq(self.right),
            self.product.eq(dsp.product),
        ]
        return m

    def _in_tree(self) -> Module:
        """Build it from rows as in written multiplication, which are added in pairs.

        Each level of the tree of adders ends at registers, so that no path is longer than one
        carry chain.
        """
        m = Module()
        width = len(self.left)
        rows = [Mux(bit, self.left, 0) for bit in self.right]
        pairs = list(zip(rows[::2], rows[1::2]))
        # In two's complement, the top bit of the factor stands for -2**(width - 1).
        terms = [low + (high << 1) for low, high in pairs[:-1]]
        terms.append(pairs[-1][0] - (pairs[-1][1] << 1))
        rows_each = 2
        for level in range(width.bit_length() - 1):
            sums = [
                Signal(term.shape(), name=f"sum_{level}_{place}")
                for place, term in enumerate(terms)
            ]
            m.d.sync += [sum_.eq(term) for sum_, term in zip(sums, terms)]
            terms = [low + (high << rows_each) for low, high in zip(sums[::2], sums[1::2])]
            rows_each *= 2
        self._check_stages(level + 1)
        m.d.comb += self.product.eq(sums[0])
        return m

    def _in_rows(self) -> Module:
        """Build it from rows as in written multiplication: sums of two halves, then their sum."""
        self._check_stages(2)
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

    def _check_stages(self, stages: int) -> None:
        """Make sure that a form of the multiplier has the latency that was asked for."""
        if stages != self._stages:
            raise ValueError(f"this multiplier has {stages} stages, not {self._stages}")
