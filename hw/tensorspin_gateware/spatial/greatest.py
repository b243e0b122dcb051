"""The index of the greatest score."""

from __future__ import annotations

from amaranth import C, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.spatial.arithmetic import SCORE_BITS
from tensorspin.contract.spatial.latency import tree_cycles

from .arithmetic import joined


class Greatest(wiring.Component):
    """Finds the greatest of some scores, the first of equals.

    Parameters
    ----------
    outputs : int
        Number of scores.

    Ports
    -----
    scores : In(outputs * SCORE_BITS)
        The scores, the first in the lowest bits.
    index : Out
        Index of the greatest.

    Latency: `tree_cycles` of the number of scores.
    """

    def __init__(self, outputs: int) -> None:
        self._outputs = outputs
        super().__init__(
            {
                "scores": In(outputs * SCORE_BITS),
                "index": Out(max(1, (outputs - 1).bit_length())),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        width = len(self.index)

        def join(left, right):
            # The sign of the difference takes a carry chain; of a comparison Yosys makes a tree.
            later = (left[0] - right[0])[-1]
            return Mux(later, right[0], left[0]), Mux(later, right[1], left[1])

        def register(item):
            score, index = Signal(signed(SCORE_BITS)), Signal(width)
            m.d.sync += [score.eq(item[0]), index.eq(item[1])]
            return score, index

        items = [
            (self.scores.word_select(index, SCORE_BITS).as_signed(), C(index, width))
            for index in range(self._outputs)
        ]
        _, best = joined(items, join, register, tree_cycles(self._outputs))
        m.d.comb += self.index.eq(best)
        return m
