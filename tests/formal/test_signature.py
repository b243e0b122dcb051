# amaranth: UnusedElaboratable=no

"""The signature of a run is that of exactly the words that it takes, and is compared at its end."""

from __future__ import annotations

import pytest
from amaranth.hdl import Assert, Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from tensorspin.contract.signature import RULES, SIGNATURE_BITS, START
from tensorspin_gateware.primitives import signature
from tests.support.selection import slow_after

from ..support.proof import Model, Mutant, Probes, variant

CYCLES = 6
"""Cycles of a bounded proof: enough for a run, its end, and another."""

MUTANTS = {
    "not begun anew": Mutant("state.eq(START)", "state.eq(state)"),
    "taken while offered": Mutant("m.Elif(self.take)", "m.Else()"),
    "half of the word left out": Mutant("len(self.word), width)", "width, width)"),
    "not compared": Mutant("state != expected", "0 & state != expected"),
    "halves not swapped": Mutant(".rotate_left(width // 2)", ""),
    "no state of its own": Mutant(" ^ (state & RULES)", ""),
    "one neighbour": Mutant("below ^ above", "below"),
    "ends joined": Mutant("Cat(0, state[:-1])", "Cat(state[-1], state[:-1])"),
}


class SignatureHarness(wiring.Component):
    """Any words, taken at any times, in runs of any lengths."""

    def __init__(self, lanes: int, mutant: Mutant | None) -> None:
        self._dut = variant(signature, mutant).WordSignature(lanes)
        self.probes = Probes({"state": "dut.state"})
        ports = {"run": In(1), "take": In(1), "word": In(8 * lanes), "state": In(SIGNATURE_BITS)}
        super().__init__(ports)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.dut = dut = self._dut
        m.d.comb += [
            dut.run.eq(self.run),
            dut.take.eq(self.take),
            dut.word.eq(self.word),
        ]
        # Cell by cell, as the contract says it in words.
        cells = Signal(SIGNATURE_BITS, init=START)
        following = Signal(SIGNATURE_BITS)
        stored = Signal(SIGNATURE_BITS)
        expected = Signal()
        for index in range(SIGNATURE_BITS):
            terms = [self.word[bit] for bit in range(index, len(self.word), SIGNATURE_BITS)]
            if index > 0:
                terms.append(cells[index - 1])
            if index < SIGNATURE_BITS - 1:
                terms.append(cells[index + 1])
            if RULES >> index & 1:
                terms.append(cells[index])
            m.d.comb += [
                following[index].eq(Cat(terms).xor()),
                stored[index].eq(self.word[(index + SIGNATURE_BITS // 2) % SIGNATURE_BITS]),
            ]
        with m.If(self.run & self.take):
            m.d.sync += cells.eq(following)
        with m.Elif(~self.run):
            m.d.sync += cells.eq(START)
        m.d.sync += expected.eq(stored != cells)
        m.d.comb += [Assert(self.state == cells), Assert(dut.wrong == expected)]
        return m


@pytest.mark.parametrize("lanes", [8, 24])
def test_is_that_of_the_words_taken(lanes, tmp_path):
    assert Model(SignatureHarness(lanes, None), tmp_path).is_proved(cycles=1)


@pytest.mark.parametrize("name", slow_after(2, MUTANTS))
def test_mutant_is_refuted(name, tmp_path):
    assert not Model(SignatureHarness(8, MUTANTS[name]), tmp_path).holds(CYCLES)
