# amaranth: UnusedElaboratable=no

"""Proofs: a changed bit of a protected weight or header is corrected, and two are noticed.

Of a weight all bytes can be tried: the solver goes through every weight with every change of its
byte. A header has 64 bits, and solvers are slow with sums of many bits whose changed place is free.
But its syndrome is a sum modulo 2: that of a changed header is that of the header, which is 0, plus
the columns of the changed bits. So two things are proved of any 64 bits: the syndrome is the sum of
the columns of the bits that are set; and whatever the syndrome is, the bit with that column is
inverted, if there is one, and a sum of two columns is told. Columns and sums of two are few enough
to be tried: `test_the_columns_tell_every_change`.
"""

from __future__ import annotations

from itertools import combinations

import pytest
from amaranth import Array, Assert, Assume, C, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from tensorspin.contract.contractor.program import HEADER_BITS
from tensorspin.contract.contractor.protection import (
    CODED_WEIGHTS,
    HEADER_CHECKS,
    HEADER_COLUMNS,
    HEADER_DATA_BITS,
    PROTECTED_BIT,
    syndrome,
)
from tensorspin_gateware.contractor import protection
from tensorspin_gateware.contractor.sequencer import HEADER
from tests.support.selection import long_after

from ..support.proof import Model, Mutant, Probes, variant

WEIGHT_MUTANTS = {
    "two changed bits are kept": Mutant("& ~uncorrectable(found).replicate(half)", ""),
    "the bit after it is inverted": Mutant(
        "WEIGHT_COLUMNS[WEIGHT_CHECKS:])", "WEIGHT_COLUMNS[WEIGHT_CHECKS - 1 : -1])"
    ),
    "nothing is corrected": Mutant("(weight[half:] ^ changed)", "weight[half:]"),
    "a check is left out": Mutant("for check in range(checks)", "for check in range(checks - 1)"),
    "one changed bit counts as two": Mutant("found.any() & ~found.xor()", "found.any()"),
    "syndrome of another lane": Mutant(
        "byte = self.word.word_select(lane,", "byte = self.word.word_select(0,"
    ),
    "lower half is kept": Mutant("Cat(C(0, half), right)", "Cat(weight[:half], right)"),
}

HEADER_MUTANTS = {
    "two changed bits are not told": Mutant(
        "self.wrong.eq(uncorrectable(found))", "self.wrong.eq(0)"
    ),
    "nothing is corrected": Mutant("taken[bit] ^ (low", "taken[bit] ^ (0 & low"),
    "half of the column": Mutant("low[column & 7] & high[column >> 3]", "low[column & 7]"),
    "a check is left out": Mutant("for check in range(checks)", "for check in range(checks - 1)"),
    "a program without codes is changed": Mutant("& self.coded.replicate(HEADER_CHECKS)", ""),
    "the flag is not corrected": Mutant(
        "self.protected.eq(self.used[PROTECTED_BIT])", "self.protected.eq(taken[PROTECTED_BIT])"
    ),
    "not kept": Mutant("with m.If(self.take)", "with m.If(self.take | 1)"),
}


class WeightHarness(wiring.Component):
    """Any weight in the upper of two lanes, with any change of its byte, and any byte below it."""

    def __init__(self, module) -> None:
        self._dut = module.ProtectedWeights(2)
        self.probes = Probes()
        super().__init__({"weight": In(4), "change": In(8), "other": In(8), "upper": In(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.dut = dut = self._dut
        coded = Array(C(int(byte), 8) for byte in CODED_WEIGHTS)[self.weight]
        bits = sum(self.change)
        expected, known, begun = Signal(4), Signal(), Signal()
        m.d.comb += [
            dut.word.eq(Cat(self.other, coded ^ self.change)),
            dut.protected.eq(1),
            dut.place.upper.eq(self.upper),
        ]
        m.d.sync += [
            begun.eq(1),
            expected.eq(Mux(bits == 2, 0, self.weight)),
            known.eq(bits <= 2),
        ]
        late, late_known = Signal(8), Signal()
        m.d.sync += [late.eq(Cat(C(0, 4), expected)), late_known.eq(begun & known)]
        m.d.comb += [
            Assert(~(begun & known) | (dut.decoded[4:] == expected)),
            Assert(~late_known | (dut.weights[8:] == late)),
        ]
        return m


class HeaderHarness(wiring.Component):
    """Any 64 bits, taken at any times, in programs with and without codes."""

    def __init__(self, module) -> None:
        self._dut = module.HeaderCorrection()
        self.probes = Probes({"found": "dut.found"})
        super().__init__(
            {"word": In(HEADER_BITS), "coded": In(1), "take": In(1), "found": In(HEADER_CHECKS)}
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.dut = dut = self._dut
        was_coded, begun = Signal(), Signal()
        m.d.comb += [
            dut.word.eq(self.word),
            dut.take.eq(self.take),
            dut.coded.eq(self.coded),
            # It is constant during a run.
            Assume(~begun | (self.coded == was_coded)),
        ]
        m.d.sync += [begun.eq(1), was_coded.eq(self.coded)]
        expected, kept = Signal(HEADER_CHECKS), Signal(HEADER_DATA_BITS)
        with m.If(self.take):
            for check in range(HEADER_CHECKS):
                bits = [
                    self.word[bit]
                    for bit, column in enumerate(HEADER_COLUMNS)
                    if column >> check & 1
                ]
                m.d.sync += expected[check].eq(Cat(bits).xor() & self.coded)
            m.d.sync += kept.eq(self.word)
            with m.If(~self.coded):
                m.d.sync += kept[PROTECTED_BIT].eq(0)
        m.d.comb += Assert(self.found == expected)
        right = Cat(
            kept[bit] ^ (expected == column)
            for bit, column in enumerate(HEADER_COLUMNS[:HEADER_DATA_BITS])
        )
        # Two columns differ, and have odd numbers of ones: their sum is not 0, and has an even one.
        two = (expected != 0) & ~expected.xor()
        # No node of a program with codes is narrow.
        header = Signal(HEADER)
        m.d.comb += header.eq(right[:PROTECTED_BIT])
        with m.If(self.coded):
            m.d.comb += header.narrow.eq(0)
        m.d.comb += [
            Assert(dut.header == header),
            Assert(dut.used == right),
            Assert(dut.protected == right[PROTECTED_BIT]),
            Assert(dut.wrong == two),
        ]
        return m


def test_the_columns_tell_every_change():
    """The other half of the proof for headers: what a syndrome says of the bits that changed."""
    single = [syndrome(1 << bit, HEADER_COLUMNS) for bit in range(HEADER_BITS)]
    assert single == list(HEADER_COLUMNS) and len(set(single)) == HEADER_BITS
    assert all(column.bit_count() % 2 for column in single)
    for one, other in combinations(single, 2):
        assert one ^ other and (one ^ other).bit_count() % 2 == 0


def test_weights_are_corrected(tmp_path):
    assert Model(WeightHarness(protection), tmp_path).is_proved(cycles=3)


def test_headers_are_corrected(tmp_path):
    assert Model(HeaderHarness(protection), tmp_path).is_proved(cycles=1)


@pytest.mark.parametrize("name", long_after(1, WEIGHT_MUTANTS))
def test_mutant_of_weights_is_refuted(name, tmp_path):
    harness = WeightHarness(variant(protection, WEIGHT_MUTANTS[name]))
    assert not Model(harness, tmp_path).holds(4)


@pytest.mark.parametrize("name", long_after(1, HEADER_MUTANTS))
def test_mutant_of_headers_is_refuted(name, tmp_path):
    harness = HeaderHarness(variant(protection, HEADER_MUTANTS[name]))
    assert not Model(harness, tmp_path).holds(4)
