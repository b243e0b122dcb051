"""The weights of an element, taken from a word of the program memory."""

from __future__ import annotations

from amaranth import Cat, Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.fixed import NARROW_WEIGHT, WEIGHT

from .sequencer import WEIGHT_PLACE


class Weights(wiring.Component):
    """Takes the weights of an element, one for each lane, from a word, and registers them.

    A word has a byte for each lane. A *narrow* node stores its weights as 4 bits, so a word holds
    those of two elements: the first in the lower halves of the bytes, the second in the upper ones.
    A narrow weight becomes the upper half of an 8-bit weight, whose lower half is 0; so the parts
    after this one need not know how a weight was stored.

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
    weights : Out(8 * lanes)
        8-bit weights, lane 0 in the low byte.

    Latency: 1 cycle. Resources: 8 LUTs and 8 registers a lane.
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
        half = NARROW_WEIGHT.width
        for lane in range(self._lanes):
            byte = self.word.word_select(lane, WEIGHT.width)
            low, high = byte[:half], byte[half:]
            # A bit of the upper half depends on two bits of the word and two of the place: one
            # look-up table. The lower half is that of the byte, or 0 for a narrow weight.
            m.d.sync += self.weights.word_select(lane, WEIGHT.width).eq(
                Cat(
                    low & ~self.place.narrow.replicate(half),
                    Mux(self.place.narrow & ~self.place.upper, low, high),
                )
            )
        return m
