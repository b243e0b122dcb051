# amaranth: UnusedElaboratable=no

"""The multiplier of an UltraPlus: the sum of its rows is the product."""

import pytest
from amaranth.hdl import Assert, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from tensorspin_gateware.primitives import Family, multiplier

from ..support.proof import SOUND, Model, Mutant, variant

WIDTH = 4
"""Bits of a factor: fewer than the real 16, whose products no solver compares in time."""

MUTANTS = {
    "top bit counts positive": Mutant("- (pairs[-1][1] << 1)", "+ (pairs[-1][1] << 1)"),
    "rows not shifted": Mutant("low + (high << rows_each)", "low + high"),
    "pairs not shifted": Mutant("[low + (high << 1) for", "[low + high for"),
    "rows of another bit": Mutant("Mux(bit, self.left, 0)", "Mux(~bit, self.left, 0)"),
}


class Harness(wiring.Component):
    """Compares the product with that of the factors that came log2(`WIDTH`) cycles before."""

    left: In(signed(WIDTH))
    right: In(signed(WIDTH))

    def __init__(self, module) -> None:
        self._stages = WIDTH.bit_length() - 1
        # With two stages, which a factor of four bits has, there is another form: it is not asked.
        self._dut = module.Multiplier(WIDTH, Family.ICE40UP, self._stages)
        self._dut.elaborate = lambda platform: self._dut._in_tree()
        super().__init__()

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.dut = dut = self._dut
        m.d.comb += [dut.left.eq(self.left), dut.right.eq(self.right)]
        expected = self.left * self.right
        for _ in range(self._stages):
            later = Signal(signed(2 * WIDTH))
            m.d.sync += later.eq(expected)
            expected = later
        m.d.comb += Assert(dut.product == expected)
        return m


@pytest.mark.parametrize("mutant", [SOUND, *MUTANTS])
def test_sum_of_rows_is_the_product(mutant, tmp_path):
    harness = Harness(variant(multiplier, MUTANTS.get(mutant)))
    assert Model(harness, tmp_path).holds(cycles=4) == (mutant is SOUND)
