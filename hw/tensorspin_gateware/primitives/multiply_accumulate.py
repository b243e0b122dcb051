"""Multiply-accumulator: the arithmetic of one of the contractor's lanes."""

from __future__ import annotations

from amaranth import C, ClockSignal, Instance, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.contractor.latency import MULTIPLY_ACCUMULATE
from tensorspin.contract.fixed import ACCUMULATOR, MANTISSA, WEIGHT

from . import Family
from .ecp5_multiplier import REGISTERS, RegisteredMultiplier


class MultiplyAccumulate(wiring.Component):
    """Adds ``left * right`` to a sum, one product a cycle, modulo 2**32.

    Parameters
    ----------
    family : Family
        ``ICE40UP`` takes one DSP and no LUTs: factors, product and sum are registers of the DSP.
        ``ECP5`` takes one DSP for factors and product, and an adder of 32 bits for the sum.

    Ports
    -----
    left : In(signed(16))
        The first factor.
    right : In(signed(8))
        The second factor.
    enable : In(1)
        The factors of ``MULTIPLY_ACCUMULATE - 1`` cycles ago count.
    clear : In(1)
        Make the sum 0, in the next cycle or, with ``ICE40UP``, at once. No factors that count may
        be on their way then.
    total : Out(signed(32))
        The sum.

    Latency: `tensorspin.contract.contractor.latency.MULTIPLY_ACCUMULATE` cycles from factors to the
    sum that includes them.
    """

    def __init__(self, family: Family) -> None:
        if MULTIPLY_ACCUMULATE != 3:
            raise ValueError(f"3 registers stand in a row here, not {MULTIPLY_ACCUMULATE}")
        self._family = family
        super().__init__(
            {
                "left": In(signed(MANTISSA.width)),
                "right": In(signed(WEIGHT.width)),
                "enable": In(1),
                "clear": In(1),
                "total": Out(signed(ACCUMULATOR.width)),
            }
        )

    def elaborate(self, platform) -> Module:
        if self._family is Family.ICE40UP:
            return self._of_mac16()
        m = Module()
        product = Signal(signed(len(self.left) + len(self.right)))
        if self._family is Family.ECP5:
            assert REGISTERS == MULTIPLY_ACCUMULATE - 1
            m.submodules.dsp = dsp = RegisteredMultiplier(len(self.left), len(self.right))
            m.d.comb += [
                dsp.left.eq(self.left),
                dsp.right.eq(self.right),
                product.eq(dsp.product),
            ]
        else:
            left = Signal.like(self.left)
            right = Signal.like(self.right)
            m.d.sync += [left.eq(self.left), right.eq(self.right), product.eq(left * right)]
        with m.If(self.enable):
            m.d.sync += self.total.eq(self.total + product)
        # The later assignment wins: `clear` has precedence over `enable`.
        with m.If(self.clear):
            m.d.sync += self.total.eq(0)
        return m

    def _of_mac16(self) -> Module:
        """Build it from an iCE40 UltraPlus' DSP."""
        m = Module()
        right = Signal(signed(16))
        zero = C(0, 16)
        hold = ~self.enable
        m.d.comb += right.eq(self.right)
        m.submodules.dsp = Instance(
            "SB_MAC16",
            p_A_REG=C(1, 1),
            p_B_REG=C(1, 1),
            p_A_SIGNED=C(1, 1),
            p_B_SIGNED=C(1, 1),
            # All partial products of 16 x 16 bits are registered ...
            p_TOP_8x8_MULT_REG=C(1, 1),
            p_BOT_8x8_MULT_REG=C(1, 1),
            p_PIPELINE_16x16_MULT_REG1=C(1, 1),
            # ... and both halves of their sum are added to the output register.
            p_TOPOUTPUT_SELECT=C(1, 2),
            p_TOPADDSUB_LOWERINPUT=C(2, 2),
            p_TOPADDSUB_CARRYSELECT=C(2, 2),
            p_BOTOUTPUT_SELECT=C(1, 2),
            p_BOTADDSUB_LOWERINPUT=C(2, 2),
            i_CLK=ClockSignal(),
            i_CE=C(1, 1),
            i_A=self.left,
            i_B=right,
            i_C=zero,
            i_D=zero,
            **{f"i_{name}HOLD": C(0, 1) for name in "ABCD"},
            **{f"i_IRST{half}": C(0, 1) for half in ("TOP", "BOT")},
            **{f"i_ORST{half}": self.clear for half in ("TOP", "BOT")},
            **{f"i_OLOAD{half}": C(0, 1) for half in ("TOP", "BOT")},
            **{f"i_OHOLD{half}": hold for half in ("TOP", "BOT")},
            **{f"i_ADDSUB{half}": C(0, 1) for half in ("TOP", "BOT")},
            i_CI=C(0, 1),
            i_ACCUMCI=C(0, 1),
            i_SIGNEXTIN=C(0, 1),
            o_O=self.total,
        )
        return m
