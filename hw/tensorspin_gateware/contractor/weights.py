"""From words of the program to the weights of an element."""

from __future__ import annotations

from amaranth import Cat, Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.contractor.latency import ISSUE_TO_FACTORS, ISSUE_TO_WEIGHT
from tensorspin.contract.fixed import NARROW_WEIGHT, WEIGHT

from .sequencer import WEIGHT_PLACE


class Weights(wiring.Component):
    """Takes an element's weights from a word, and registers them.

    A narrow weight becomes the upper half of a weight; the lower half is 0.

    Parameters
    ----------
    lanes : int

    Ports
    -----
    word : In(8 * lanes)
    place : In(WEIGHT_PLACE)
    weights : Out(8 * lanes)
        Lane 0 in the low byte; one cycle after `word`.

    8 LUTs and registers a lane.
    """

    def __init__(self, lanes: int) -> None:
        self._lanes = lanes
        super().__init__(
            {
                "word": In(WEIGHT.width * lanes),
                "place": In(WEIGHT_PLACE),
                "weights": Out(WEIGHT.width * lanes),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        assert ISSUE_TO_FACTORS == ISSUE_TO_WEIGHT + 1
        half = NARROW_WEIGHT.width
        for lane in range(self._lanes):
            byte = self.word.word_select(lane, WEIGHT.width)
            low, high = byte[:half], byte[half:]
            m.d.sync += self.weights.word_select(lane, WEIGHT.width).eq(
                Cat(
                    low & ~self.place.narrow.replicate(half),
                    Mux(self.place.narrow & ~self.place.upper, low, high),
                )
            )
        return m
