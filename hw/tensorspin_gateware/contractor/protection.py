"""Bits of protected programs that have changed, corrected on the way."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth import C, Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.contractor.latency import CORRECT
from tensorspin.contract.contractor.program import HEADER_BITS
from tensorspin.contract.contractor.protection import (
    HEADER_CHECKS,
    HEADER_COLUMNS,
    HEADER_DATA_BITS,
    PROTECTED_BIT,
    WEIGHT_CHECKS,
    WEIGHT_COLUMNS,
)
from tensorspin.contract.fixed import NARROW_WEIGHT, WEIGHT

from .sequencer import HEADER, WEIGHT_PLACE
from .weights import Weights


def syndrome(word: Value, columns: Sequence[int]) -> Value:
    """Add the columns of the bits that are set, as `tensorspin.contract` does."""
    checks = max(columns).bit_length()
    return Cat(
        Cat(bit for bit, column in zip(word, columns) if column >> check & 1).xor()
        for check in range(checks)
    )


def uncorrectable(found: Value) -> Value:
    """Tell whether a syndrome is that of no bit: it has an even number of ones, and some."""
    return found.any() & ~found.xor()


class HeaderCorrection(wiring.Component):
    """Keeps a header for the cycle in which it is corrected.

    Ports
    -----
    word : In(64)
        A header, as it stands in the program.
    coded : In(1)
        It has a code; constant during a run.
    take : In(1)
        Take it in this cycle.
    header : Out(HEADER)
        The corrected header, in the cycle after `take`, until another is taken.
    protected : Out(1)
        The weights of its node are protected.
    used : Out(57)
        The corrected header and, behind it, `protected`.
    wrong : Out(1)
        More bits of it have changed than can be corrected.

    Latency: 1 cycle, `tensorspin.contract.contractor.latency.CORRECT`. Resources: 64 registers; 7
    sums of 32 bits, and a comparison of 7 bits for each of 57, which share most of it.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "word": In(HEADER_BITS),
                "coded": In(1),
                "take": In(1),
                "header": Out(HEADER),
                "protected": Out(1),
                "used": Out(HEADER_DATA_BITS),
                "wrong": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        assert CORRECT == 1
        taken = Signal(HEADER_DATA_BITS)
        found = Signal(HEADER_CHECKS)
        with m.If(self.take):
            # Without a code there is nothing to correct, and no node is protected.
            m.d.sync += [
                taken.eq(Cat(self.word[:PROTECTED_BIT], self.word[PROTECTED_BIT] & self.coded)),
                found.eq(syndrome(self.word, HEADER_COLUMNS) & self.coded.replicate(HEADER_CHECKS)),
            ]
        # Which column it is, is found in two parts, so that each bit needs no more than four
        # inputs: itself, both parts, and one to spare.
        low, high = Signal(8), Signal(1 << HEADER_CHECKS - 3)
        m.d.comb += [low.eq(1 << found[:3]), high.eq(1 << found[3:])]
        m.d.comb += [
            self.used[bit].eq(taken[bit] ^ (low[column & 7] & high[column >> 3]))
            for bit, column in enumerate(HEADER_COLUMNS[:HEADER_DATA_BITS])
        ]
        m.d.comb += [
            self.header.eq(self.used[:PROTECTED_BIT]),
            self.protected.eq(self.used[PROTECTED_BIT]),
            self.wrong.eq(uncorrectable(found)),
        ]
        with m.If(self.coded):
            m.d.comb += self.header.narrow.eq(0)  # No node of a protected program is.
        return m


class ProtectedWeights(wiring.Component):
    """Takes the weights of an element from a word as `Weights` does, and corrects protected ones.

    Parameters
    ----------
    lanes : int
        Number of lanes.

    Ports
    -----
    word : In(8 * lanes)
        The word from the program memory; lane 0 in the low byte.
    place : In(WEIGHT_PLACE)
        Where in the bytes the weights stand.
    protected : In(1)
        They are protected; then no weights of the program are narrow.
    weights : Out(8 * lanes)
        8-bit weights, lane 0 in the low byte.
    before : Out(8 * lanes)
        What `weights` is in the next cycle.
    decoded : Out(4 * lanes)
        What the word of the cycle before would be as protected weights: their upper halves.

    Latency: 2 cycles. Resources: with `HeaderCorrection`, a contractor of 8 lanes takes 357 LUTs
    and 160 registers more than with `Weights` on iCE40, and 359 and 158 on ECP5.
    """

    def __init__(self, lanes: int) -> None:
        self._lanes = lanes
        super().__init__(
            {
                "word": In(WEIGHT.width * lanes),
                "place": In(WEIGHT_PLACE),
                "protected": In(1),
                "weights": Out(WEIGHT.width * lanes),
                "before": Out(WEIGHT.width * lanes),
                "decoded": Out(NARROW_WEIGHT.width * lanes),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        half = NARROW_WEIGHT.width
        m.submodules.placed = placed = Weights(self._lanes)
        protected = Signal()
        m.d.comb += [placed.word.eq(self.word), placed.place.eq(self.place)]
        m.d.sync += [protected.eq(self.protected), self.weights.eq(self.before)]
        for lane in range(self._lanes):
            found = Signal(WEIGHT_CHECKS, name=f"found_{lane}")
            byte = self.word.word_select(lane, WEIGHT.width)
            m.d.sync += found.eq(syndrome(byte, WEIGHT_COLUMNS))
            # As protected weights are not narrow, their bytes come through as they are.
            weight = placed.weights.word_select(lane, WEIGHT.width)
            changed = Cat(found == column for column in WEIGHT_COLUMNS[WEIGHT_CHECKS:])
            right = (weight[half:] ^ changed) & ~uncorrectable(found).replicate(half)
            m.d.comb += self.decoded.word_select(lane, half).eq(right)
            with m.If(protected):
                m.d.comb += self.before.word_select(lane, WEIGHT.width).eq(Cat(C(0, half), right))
            with m.Else():
                m.d.comb += self.before.word_select(lane, WEIGHT.width).eq(weight)
        return m
