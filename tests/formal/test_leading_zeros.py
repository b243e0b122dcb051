# amaranth: UnusedElaboratable=no

"""Leading zeros are counted, at once and with registers on the way."""

import pytest
from amaranth.hdl import Assert, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from tensorspin.contract.fixed import ACCUMULATOR
from tensorspin_gateware.primitives import leading_zeros

from ..support.proof import SOUND, Model, Mutant, variant

WIDTH = ACCUMULATOR.width - 1
"""Bits of the magnitude whose zeros the normaliser counts."""

MUTANTS = {
    (False, "the lower half"): Mutant("Mux(empty, rest[:half]", "Mux(~empty, rest[:half]"),
    (False, "digits swapped"): Mutant("digits.insert(0, empty)", "digits.append(empty)"),
    (True, "a lower group"): Mutant("empty.eq(groups - 1 - group)", "empty.eq(group)"),
    (True, "zeros of another group"): Mutant("Cat(zeros_held[group], ", "Cat(zeros_held[0], "),
    (True, "two zeros for one"): Mutant("~top & (third | ~second)", "~top & ~second"),
    (True, "a one overlooked"): Mutant("word_select(group, 4).any()", "word_select(group, 4)[0]"),
}


class Harness(wiring.Component):
    """Compares the count with the place of the highest one."""

    value: In(WIDTH)

    def __init__(self, module, staged: bool) -> None:
        self._dut = module.LeadingZeros(WIDTH, staged)
        self._staged = staged
        super().__init__()

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.dut = dut = self._dut
        m.d.comb += dut.value.eq(self.value)
        expected = Const(WIDTH, len(dut.count))
        for place in range(WIDTH):
            expected = Mux(self.value[place], WIDTH - 1 - place, expected)
        known = Const(1)
        for _ in range(2 * self._staged):
            later, is_known = Signal.like(dut.count), Signal()
            m.d.sync += [later.eq(expected), is_known.eq(known)]
            expected, known = later, is_known
        m.d.comb += Assert(~known | (dut.count == expected))
        return m


@pytest.mark.parametrize("mutant", [SOUND, *(name for staged, name in MUTANTS if not staged)])
def test_counts_zeros(mutant, tmp_path):
    harness = Harness(variant(leading_zeros, MUTANTS.get((False, mutant))), staged=False)
    assert Model(harness, tmp_path).holds(cycles=1) == (mutant is SOUND)


@pytest.mark.parametrize("mutant", [SOUND, *(name for staged, name in MUTANTS if staged)])
def test_counts_zeros_in_two_cycles(mutant, tmp_path):
    harness = Harness(variant(leading_zeros, MUTANTS.get((True, mutant))), staged=True)
    assert Model(harness, tmp_path).holds(cycles=4) == (mutant is SOUND)
