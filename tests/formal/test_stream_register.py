# amaranth: UnusedElaboratable=no

"""A register in a stream passes each word on once, in order, whatever the reader does."""

import pytest
from amaranth.hdl import Assert, Assume, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In

from tensorspin_gateware.primitives import stream_register

from ..support.proof import Model, Mutant, hold_while_stalled, variant

BITS = 4
"""Width of a word; nothing depends on it."""

CYCLES = 6
"""Cycles in which a mutant's fault must show."""

MUTANTS = {
    "a word is overwritten": Mutant(
        "self.before.ready.eq(~self.after.valid)", "self.before.ready.eq(1)"
    ),
    "a word twice": Mutant("self.before.ready.eq(~self.after.valid)", "self.before.ready.eq(0)"),
    "a word is invented": Mutant(
        "self.after.valid.eq(self.before.valid)", "self.after.valid.eq(1)"
    ),
    "a word is lost": Mutant("m.Elif(self.after.ready)", "m.Else()"),
    "another word": Mutant("eq(self.before.payload)", "eq(~self.before.payload)"),
}


class Passing(wiring.Component):
    """Any words with any pauses, and any reader: at most one word is under way.

    Parameters
    ----------
    mutant : Mutant or None
    """

    words: In(stream.Signature(BITS))
    ready: In(1)

    def __init__(self, mutant: Mutant | None) -> None:
        self._dut = variant(stream_register, mutant).StreamRegister(BITS)
        super().__init__()

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.dut = dut = self._dut
        wiring.connect(m, wiring.flipped(self.words), dut.before)
        m.d.comb += dut.after.ready.eq(self.ready)
        hold_while_stalled(m, Assume, self.words, "words")
        hold_while_stalled(m, Assert, dut.after, "after")

        # The word under way, as an observer at both ends knows it.
        expected, held = Signal(BITS), Signal()
        taken = self.words.valid & self.words.ready
        given = dut.after.valid & dut.after.ready
        m.d.sync += held.eq(taken | (held & ~given))
        with m.If(taken):
            m.d.sync += expected.eq(self.words.payload)
        m.d.comb += [
            # No word is lost or invented, and none waits without being offered.
            Assert(dut.after.valid == held),
            Assert(self.words.ready == ~held),
        ]
        with m.If(held):
            m.d.comb += Assert(dut.after.payload == expected)
        return m


def test_passes_each_word_once(tmp_path):
    assert Model(Passing(None), tmp_path).is_proved(cycles=2)


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_found(name, tmp_path):
    assert not Model(Passing(MUTANTS[name]), tmp_path).holds(CYCLES)
