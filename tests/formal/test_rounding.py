# amaranth: UnusedElaboratable=no

"""Rounding and saturation, for all inputs at the widths that the gateware uses."""

import pytest
from amaranth.hdl import Assert, Assume, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from tensorspin.contract.fixed import ACCUMULATOR, MANTISSA, SQ, Format
from tensorspin_gateware.primitives import rounding

from ..support.proof import SOUND, Model, Mutant, variant

MUTANTS = {
    "half up": Mutant(" & (below_half.any() | floor[0])", ""),
    "half down": Mutant("below_half.any() | floor[0]", "below_half.any()"),
    "wraps": Mutant("fits = top.all() | ~top.any()", "fits = 1"),
    "limit of the other sign": Mutant("Cat((~sign)", "Cat((sign)"),
    "wraps above half": Mutant("max(len(floor) + 1, self._to.width)", "len(floor)"),
}
STAGED_MUTANTS = {
    "half up": Mutant("Cat(floor[0], Const", "Cat(1, Const"),
    "half down": Mutant("Cat(floor[0], Const", "Cat(0, Const"),
    "below half up": Mutant("(1 << (self._shift - 1)) - 1", "1 << (self._shift - 1)"),
    **{name: MUTANTS[name] for name in ("wraps", "limit of the other sign")},
}
PRODUCT = (2 * MANTISSA.width, MANTISSA.width - 1, MANTISSA)
"""Width, shift and format of the rounding of a product of two operands."""

SUM = (ACCUMULATOR.width, ACCUMULATOR.width - MANTISSA.width, MANTISSA)
"""Width, shift and format of the rounding of a normalised sum."""


class Harness(wiring.Component):
    """Compares the result with the nearest integer, which is even at a tie.

    The nearest integer is not computed. It is an open input of which its properties are assumed;
    the solver finds the one that has them.
    """

    def __init__(self, module, width: int, shift: int, to: Format, staged: bool) -> None:
        self._dut = module.RoundSaturate(width, shift, to, staged)
        self._staged = staged
        self._shift = shift
        self._to = to
        super().__init__({"value": In(signed(width)), "nearest": In(signed(width))})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.dut = dut = self._dut
        unit = 1 << self._shift
        error = Signal(signed(len(self.value) + self._shift + 2))
        tie = (error == unit // 2) | (error == -unit // 2)
        expected = Signal(signed(len(self.value)))
        minimum, maximum = self._to.minimum, self._to.maximum
        m.d.comb += [
            dut.value.eq(self.value),
            error.eq(self.value - self.nearest * unit),
            Assume((error <= unit // 2) & (error >= -unit // 2)),
            Assume(~(tie & self.nearest[0])),
            expected.eq(
                Mux(
                    self.nearest > maximum,
                    maximum,
                    Mux(self.nearest < minimum, minimum, self.nearest),
                )
            ),
        ]
        if self._staged:
            before = Signal.like(expected)  # that of 0 at first, like the result
            m.d.sync += before.eq(expected)
            m.d.comb += Assert(dut.result == before)
        else:
            m.d.comb += Assert(dut.result == expected)
        return m


@pytest.mark.parametrize("mutant", [SOUND, *MUTANTS])
@pytest.mark.parametrize("parameters", [PRODUCT, SUM, (12, 1, SQ(4, 0))], ids=str)
def test_nearest_even(parameters, mutant, tmp_path):
    harness = Harness(variant(rounding, MUTANTS.get(mutant)), *parameters, staged=False)
    assert Model(harness, tmp_path).holds(cycles=1) == (mutant is SOUND)


@pytest.mark.parametrize("mutant", [SOUND, *STAGED_MUTANTS])
@pytest.mark.parametrize("parameters", [PRODUCT, SUM], ids=str)
def test_nearest_even_in_two_cycles(parameters, mutant, tmp_path):
    harness = Harness(variant(rounding, STAGED_MUTANTS.get(mutant)), *parameters, staged=True)
    assert Model(harness, tmp_path).holds(cycles=2) == (mutant is SOUND)
