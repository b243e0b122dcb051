"""Finds the first spin of a pass that accepts a flip.

The windows of a pass come one a cycle, in the order of their spins. So the first window in which a
spin accepts has the first spin, and later ones are ignored until the next pass begins.
"""

from __future__ import annotations

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.size import AnnealerSize

from ..common.delay import delay
from .interface import flip_layout, lane_bits, window_bits

FOUND = 2
"""Cycles from the accepting spins of a pass's last window to the first accepting spin of the pass:
one to find the first in a window, one to choose between this window and those before."""


class Search(wiring.Component):
    """Finds the first spin of a window, then of the windows of a pass.

    Parameters
    ----------
    size : AnnealerSize
        Size of an annealer with windows.

    Ports
    -----
    window : In(window_bits(size))
        Number of the window of this cycle.
    first : In(1)
        The window is the first of a pass.
    accept, negative : In(window)
        For each lane whether its spin accepts a flip, and whether it is -1.
    found : Out(flip_layout(size))
        The first spin that accepts, `FOUND` cycles after the pass's last window, for one cycle. If
        no spin accepts, only `valid` is defined.

    Latency: `FOUND` cycles.
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
        # In Amaranth the last assignment wins: in reverse order, that of the lowest lane.
        for index in reversed(range(self._size.window)):
            with m.If(self.accept[index]):
                m.d.sync += lane.eq(index)
        negative = delay(m, self.negative, 1)
        window, first = delay(m, self.window, 1), delay(m, self.first, 1)
        # The first spin found in a pass is kept until the next pass begins. Until there is one,
        # the result of each window is taken.
        with m.If(first | ~self.found.valid):
            m.d.sync += [
                self.found.valid.eq(some),
                self.found.spin.eq(Cat(lane, window)),
                self.found.negative.eq(negative.bit_select(lane, 1)),
            ]
        return m
