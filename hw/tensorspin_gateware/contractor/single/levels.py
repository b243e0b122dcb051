"""The levels of a node's features, brought from the sample's group to all groups."""

from __future__ import annotations

from amaranth import Array, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.fixed import LEVEL


class Levels(wiring.Component):
    """Keeps the levels of the two operands of a node for all groups.

    A sample's features lie in the memory of one group. That group reads the levels of the next node
    while the node before is issued, left then right; they come into force when the first operands
    of the node are addressed.

    Parameters
    ----------
    groups : int
        Number of groups.

    Ports
    -----
    levels : In(8) x groups
        What each group reads, two cycles late.
    group : In(log2(groups))
        The group that has the sample.
    new : In(1)
        Strobe: the left level is being read in this cycle, and the right one in the next.
    load : In(1)
        Strobe, two cycles after `new` or later: the node begins in the next cycle.
    left, right : Out(8)
        The levels, from 3 cycles after `load` on.
    """

    def __init__(self, groups: int) -> None:
        super().__init__(
            {
                "levels": In(LEVEL.width).array(groups),
                "group": In(range(groups)),
                "new": In(1),
                "load": In(1),
                "left": Out(LEVEL.width),
                "right": Out(LEVEL.width),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        shared = Signal(LEVEL.width)
        kept_left, kept_right = Signal(LEVEL.width), Signal(LEVEL.width)
        ages = Signal(4)
        loads = Signal(2)
        m.d.sync += [
            shared.eq(Array(self.levels)[self.group]),
            ages.eq(Cat(self.new, ages)),
            loads.eq(Cat(self.load, loads)),
        ]
        with m.If(ages[2]):
            m.d.sync += kept_left.eq(shared)
        with m.If(ages[3]):
            m.d.sync += kept_right.eq(shared)
        # The right level may be there only just now.
        with m.If(loads[-1]):
            m.d.sync += [self.left.eq(kept_left), self.right.eq(Mux(ages[3], shared, kept_right))]
        return m
