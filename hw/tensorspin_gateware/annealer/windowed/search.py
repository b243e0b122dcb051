"""Finds the first spin of a pass that accepts."""

from __future__ import annotations

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.size import AnnealerSize

from ..common.delay import delay
from .interface import flip_layout, lane_bits, window_bits

FOUND = 2
"""Cycles from the spins of the last window that accept to the first of the pass."""


class Search(wiring.Component):
    """The first of a window, then the first of the windows.

    Parameters
    ----------
    size : AnnealerSize

    Ports
    -----
    window : In
    first : In(1)
        It is the first of a pass.
    accept, negative : In(window)
    found : Out(flip_layout(size))
        `FOUND` cycles later, for one cycle. If no spin accepts, only `valid` is defined.
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
        super().__init__(
            {
                "window": In(window_bits(size)),
                "first": In(1),
                "accept": In(size.window),
                "negative": In(size.window),
                "found": Out(flip_layout(size)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        some = Signal(reset_less=True)
        lane = Signal(lane_bits(self._size), reset_less=True)
        m.d.sync += some.eq(self.accept.any())
        for index in reversed(range(self._size.window)):
            with m.If(self.accept[index]):
                m.d.sync += lane.eq(index)
        negative = delay(m, self.negative, 1)
        window, first = delay(m, self.window, 1), delay(m, self.first, 1)
        with m.If(first | ~self.found.valid):
            m.d.sync += [
                self.found.valid.eq(some),
                self.found.spin.eq(Cat(lane, window)),
                self.found.negative.eq(negative.bit_select(lane, 1)),
            ]
        return m
