"""Signatures: checksums over words that were read, compared with the expected one."""

from __future__ import annotations

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.signature import RULES, SIGNATURE_BITS, START


class WordSignature(wiring.Component):
    """Computes the signature of the words that are taken, and compares it with the word after.

    Parameters
    ----------
    lanes : int
        Bytes of a word.
    apart : bool, default=False
        Whether the signature that is expected comes by a port of its own.

    Ports
    -----
    run : In(1)
        Low: the signature begins anew.
    word : In(8 * lanes)
        The word that is offered.
    take : In(1)
        It is taken in this cycle.
    wrong : Out(1)
        The signature is not the one that stands in the word offered; a cycle late. It counts when
        the last word has been taken, for the next word is that of the signature.
    expected : In(32)
        Only with `apart`: what stands in the word offered, instead of its low bits.

    Latency: two cycles from the last `take` to `wrong`; scores come some cycles later. Resources:
    about 60 LUTs and 33 registers on iCE40 with 8 lanes.
    """

    def __init__(self, lanes: int, apart: bool = False) -> None:
        self._apart = apart
        super().__init__(
            {"run": In(1), "word": In(8 * lanes), "take": In(1), "wrong": Out(1)}
            | ({"expected": In(SIGNATURE_BITS)} if apart else {})
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        state = Signal(SIGNATURE_BITS, init=START)
        width = len(state)
        below, above = Cat(0, state[:-1]), Cat(state[1:], 0)
        following = below ^ above ^ (state & RULES)
        for first in range(0, len(self.word), width):
            following = following ^ self.word[first : first + width]
        with m.If(~self.run):
            m.d.sync += state.eq(START)
        with m.Elif(self.take):
            m.d.sync += state.eq(following)
        # Its halves are swapped there: see `tensorspin.contract.contractor.signature.swap_halves`.
        expected = self.expected if self._apart else self.word[:width]
        m.d.sync += self.wrong.eq(state != expected.rotate_left(width // 2))
        return m
