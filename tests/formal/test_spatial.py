# amaranth: UnusedElaboratable=no

"""Proofs: narrowing, weighted sums and the greatest score of the spatial engine, for any inputs."""

from __future__ import annotations

import pytest
from amaranth.hdl import Assert, Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from tensorspin.contract.spatial.arithmetic import SCORE_BITS, SHIFT_BITS
from tensorspin.contract.spatial.latency import MULTIPLY, tree_cycles, weighted_sum_cycles
from tensorspin_gateware.primitives import Family
from tensorspin_gateware.spatial import arithmetic, digits, greatest, weighted_sum

from ..support.proof import SOUND, Model, Mutant, variant


class NarrowHarness(wiring.Component):
    """Compares the narrowed number with the contract's words: shift, saturate, set a bit."""

    def __init__(self, module, width: int, least: int, bits: int) -> None:
        self._dut = module.Narrow(width, least, bits)
        self._least, self._bits = least, bits
        super().__init__({"value": In(signed(width)), "shift": In(SHIFT_BITS)})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.dut = dut = self._dut
        limit = 1 << (self._bits - 1)
        shifted = Signal(signed(len(self.value)))
        m.d.comb += [
            dut.value.eq(self.value),
            dut.shift.eq(self.shift),
            shifted.eq(self.value >> (self._least + self.shift)),
            Assert(dut.result[0]),
            Assert(
                dut.result >> 1
                == Mux(
                    shifted > limit - 1,
                    limit - 1,
                    Mux(shifted < -limit, -limit, shifted),
                )
                >> 1
            ),
        ]
        return m


NARROW_MUTANTS = {
    "wraps": Mutant("fits = top.all() | ~top.any()", "fits = 1"),
    "limit of the other sign": Mutant("Cat((~sign)", "Cat((sign)"),
    "even": Mutant("Cat(1, Mux(fits", "Cat(0, Mux(fits"),
    "a shift too many": Mutant("(self.value >> self._least) >> self.shift", "self.value >> 7"),
}


@pytest.mark.parametrize("mutant", [SOUND, *NARROW_MUTANTS])
@pytest.mark.parametrize("parameters", [(23, 4, 12), (12, 0, 16)], ids=str)
def test_narrow(parameters, mutant, tmp_path):
    if mutant == "wraps" and parameters[0] < parameters[2]:
        pytest.skip("what is narrower than the result always fits")
    if mutant == "limit of the other sign" and parameters[0] < parameters[2]:
        pytest.skip("what is narrower than the result is never limited")
    harness = NarrowHarness(variant(arithmetic, NARROW_MUTANTS.get(mutant)), *parameters)
    assert Model(harness, tmp_path).holds(cycles=1) == (mutant is SOUND)


class SumHarness(wiring.Component):
    """Compares a sum of two products with multiplications, for any weights that are shifted in."""

    def __init__(self, module, value_bits: int, weight_bits: int) -> None:
        self._bits = value_bits, weight_bits
        self._cycles = weighted_sum_cycles(2, weight_bits)
        total = value_bits + weight_bits + 1
        self._dut = module.WeightedSum(
            2, value_bits, weight_bits, total, Family.BEHAVIOURAL, in_multipliers=False
        )
        super().__init__(
            {
                "one": In(signed(value_bits)),
                "other": In(signed(value_bits)),
                "weight": In(signed(weight_bits)),
                "shift": In(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.dut = dut = self._dut
        first, second = (Signal(signed(self._bits[1]), name=f"weight_{n}") for n in range(2))
        with m.If(self.shift):
            m.d.sync += [first.eq(second), second.eq(self.weight)]
        expected = self.one * first + self.other * second
        for stage in range(self._cycles):
            later = Signal(expected.shape(), name=f"expected_{stage}")
            m.d.sync += later.eq(expected)
            expected = later
        m.d.comb += [
            dut.values.eq(Cat(self.one, self.other)),
            dut.weight.eq(self.weight),
            dut.shift.eq(self.shift),
            Assert(dut.total == expected),
        ]
        return m


SUM_MUTANTS = {
    "sign of a weight": Mutant("upper - high.value if", "upper + high.value if"),
    "difference of a pair": Mutant("twice - once if negative", "twice + once if negative"),
    "place of a digit": Mutant("Item(digit, low, negative)", "Item(digit, low + 2, negative)"),
}
CHAIN_MUTANTS = {
    "order of the chain": Mutant("[*weights[1:], self.weight]", "[self.weight, *weights[:-1]]"),
}


@pytest.mark.parametrize("mutant", [SOUND, *SUM_MUTANTS, *CHAIN_MUTANTS])
@pytest.mark.parametrize("weight_bits", [3, 4, 5])
def test_weighted_sum(weight_bits, mutant, tmp_path):
    if mutant == "difference of a pair" and weight_bits % 2:
        pytest.skip("the last digit of an odd number of bits is one bit alone")
    parts = variant(digits, SUM_MUTANTS.get(mutant))
    module = variant(weighted_sum, CHAIN_MUTANTS.get(mutant), digits=parts.digits, Item=parts.Item)
    harness = SumHarness(module, 4, weight_bits)
    # As many cycles as there are stages, and two for the weights: nothing is older.
    assert Model(harness, tmp_path).holds(cycles=harness._cycles + 3) == (mutant is SOUND)


class ProductHarness(wiring.Component):
    """Compares a product in look-up tables with a multiplication."""

    def __init__(self, module, left: int, right: int) -> None:
        self._module = module
        super().__init__({"left": In(signed(left)), "right": In(signed(right))})

    def elaborate(self, platform) -> Module:
        m = Module()
        found = self._module.lut_product(m, Family.BEHAVIOURAL, self.left, self.right)
        m.d.comb += Assert(found == arithmetic.delayed(m, self.left * self.right, MULTIPLY))
        return m


@pytest.mark.parametrize("mutant", [SOUND, *SUM_MUTANTS])
@pytest.mark.parametrize("bits", [(5, 5), (4, 6)], ids=str)
def test_product(bits, mutant, tmp_path):
    if mutant == "difference of a pair" and bits[1] % 2:
        pytest.skip("the last digit of an odd number of bits is one bit alone")
    harness = ProductHarness(variant(digits, SUM_MUTANTS.get(mutant)), *bits)
    assert Model(harness, tmp_path).holds(MULTIPLY + 2) == (mutant is SOUND)


class GreatestHarness(wiring.Component):
    """Compares the score that is named with all others."""

    def __init__(self, module, outputs: int) -> None:
        self._dut = module.Greatest(outputs)
        self._outputs = outputs
        super().__init__({"scores": In(outputs * SCORE_BITS)})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.dut = dut = self._dut
        m.d.comb += dut.scores.eq(self.scores)
        scores = arithmetic.delayed(m, self.scores, tree_cycles(self._outputs))
        each = [scores.word_select(n, SCORE_BITS).as_signed() for n in range(self._outputs)]
        best = scores.word_select(dut.index, SCORE_BITS).as_signed()
        m.d.comb += Assert(dut.index < self._outputs)
        for index, score in enumerate(each):
            m.d.comb += Assert(Mux(index < dut.index, best > score, best >= score))
        return m


GREATEST_MUTANTS = {
    "last of equals": Mutant("(left[0] - right[0])[-1]", "~(right[0] - left[0])[-1]"),
    "least": Mutant("(left[0] - right[0])", "(right[0] - left[0])"),
    "unsigned": Mutant("SCORE_BITS).as_signed(), C(", "SCORE_BITS), C("),
}


@pytest.mark.parametrize("mutant", [SOUND, *GREATEST_MUTANTS])
@pytest.mark.parametrize("outputs", [2, 3, 5])
def test_greatest(outputs, mutant, tmp_path):
    harness = GreatestHarness(variant(greatest, GREATEST_MUTANTS.get(mutant)), outputs)
    assert Model(harness, tmp_path).holds(tree_cycles(outputs) + 2) == (mutant is SOUND)
