"""Collects a sample's scores into one result, and finds the greatest."""

from __future__ import annotations

from amaranth import Module, Signal, signed
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.fixed import EXPONENT, MANTISSA
from tensorspin.contract.packets import RESULT
from tensorspin.contract.program import MAX_OUTPUTS

from .interface import CYCLE_BITS, RESULT_WORD, RESULT_WORD_BITS
from .normaliser import INDEX_BITS, SCORE

MAX_UNREAD = 3
"""Results that are kept until they are read; then no further sample is started."""

TRAILER_WORDS = 8 * RESULT.size // RESULT_WORD_BITS
"""Words behind the scores."""


class Results(wiring.Component):
    """Buffer of results.

    Ports
    -----
    begin : In(1)
        Strobe, at least one cycle before the first score.
    outputs : In(6)
        Number of scores minus one, in the cycle of `begin`.
    fault : In(1)
        The scores of this sample are meaningless: its result is the one word 0.
    score_valid : In(1)
    score : In(SCORE)
    exponent : In(16)
        From the first score on.
    cycles : In(32)
        Taken with the last score.
    finished : Out(1)
        The last score is here in this cycle.
    room : Out(1)
        Another sample may be started.
    empty : Out(1)
        All results have been read.
    words : Out(stream of RESULT_WORD)

    Memory: 2 block RAMs of 4 Kbit.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "begin": In(1),
                "outputs": In(INDEX_BITS),
                "fault": In(1),
                "score_valid": In(1),
                "score": In(SCORE),
                "exponent": In(EXPONENT.width),
                "cycles": In(CYCLE_BITS),
                "finished": Out(1),
                "room": Out(1),
                "empty": Out(1),
                "words": Out(stream.Signature(RESULT_WORD)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        depth = 1 << (MAX_UNREAD * (1 + MAX_OUTPUTS + TRAILER_WORDS) - 1).bit_length()
        m.submodules.buffer = buffer = fifo.SyncFIFOBuffered(width=RESULT_WORD.size, depth=depth)
        wiring.connect(m, buffer.r_stream, wiring.flipped(self.words))
        # `room` keeps the buffer from ever being full.
        entry = Signal(RESULT_WORD)
        m.d.comb += buffer.w_data.eq(entry)

        best = Signal(signed(MANTISSA.width))
        best_index = Signal(INDEX_BITS)
        cycles = Signal.like(self.cycles)
        trailer = Signal(range(TRAILER_WORDS + 1))  # words of it to come
        low, high = cycles[:RESULT_WORD_BITS], cycles[RESULT_WORD_BITS:]
        trailer_words = [self.exponent, best_index, low, high]
        assert len(trailer_words) == TRAILER_WORDS
        m.d.comb += self.finished.eq(self.score_valid & self.score.last)
        with m.If(self.begin):
            m.d.comb += [buffer.w_en.eq(1), entry.last.eq(self.fault)]
            with m.If(~self.fault):
                m.d.comb += entry.word.eq(self.outputs + 1)
        with m.Elif(self.score_valid & ~self.fault):
            m.d.comb += [buffer.w_en.eq(1), entry.word.eq(self.score.mantissa)]
            with m.If((self.score.index == 0) | (self.score.mantissa > best)):
                m.d.sync += [best.eq(self.score.mantissa), best_index.eq(self.score.index)]
            with m.If(self.score.last):
                m.d.sync += [cycles.eq(self.cycles), trailer.eq(TRAILER_WORDS)]
        with m.Elif(trailer != 0):
            m.d.comb += [buffer.w_en.eq(1), entry.last.eq(trailer == 1)]
            m.d.sync += trailer.eq(trailer - 1)
            with m.Switch(trailer):
                for left, word in zip(range(TRAILER_WORDS, 0, -1), trailer_words):
                    with m.Case(left):
                        m.d.comb += entry.word.eq(word)

        unread = Signal(range(MAX_UNREAD + 1))
        read = self.words.valid & self.words.ready & self.words.payload.last
        m.d.sync += unread.eq(unread + self.begin - read)
        m.d.comb += [
            self.room.eq(unread < MAX_UNREAD),
            self.empty.eq(unread == 0),
        ]
        return m
