"""Which element of a row is a group's own."""

from __future__ import annotations

from amaranth import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from tensorspin.contract.contractor.program import HEADER_FIELDS, MAX_OPERAND

SIDE_BITS = dict(HEADER_FIELDS)["left_size"]
"""Width of an operand's size less one, and of the index of an entry."""


def place_layout(most: int) -> data.StructLayout:
    """Make the layout of an element's place in its node: the indices of the product's factors.

    Parameters
    ----------
    most : int
        Number of elements, up to which the place can lie behind the last one.
    """
    return data.StructLayout({"left": bits_for(MAX_OPERAND + most), "right": SIDE_BITS})


def place_of(m: Module, number: int, right_size: Value, name: str) -> data.View:
    """Give the place of element `number`: its quotient and remainder by the right operand's size.

    Parameters
    ----------
    m : Module
        A table with a row for each size is added to it.
    number : int
        Number of the element.
    right_size : Value
        Size of the right operand, less one.
    name : str
        Name of the signal.
    """
    place = Signal(place_layout(number), name=name)
    with m.Switch(right_size):
        for less_one in range(MAX_OPERAND):
            quotient, remainder = divmod(number, less_one + 1)
            with m.Case(less_one):
                m.d.comb += [place.left.eq(quotient), place.right.eq(remainder)]
    return place


class Elements(wiring.Component):
    """Counts the elements of a block that one group works on.

    The elements of a row are consecutive ones, one for each group: the group's first element is
    that of its number, and from row to row it moves on by the number of groups. In a narrow node
    the group's word holds two consecutive elements, which are issued one after the other.

    An element's place are two indices, and the inner one, `right`, counts to a size that each node
    has for itself. So the place is moved on by a place, which the sequencer gives: its indices, and
    its inner index less that size, so that one addition tells whether the inner index wraps.

    Parameters
    ----------
    groups : int
        Number of groups.
    index : int
        Number of the group.

    Ports
    -----
    load : In(1)
        Strobe: a node begins in the next cycle.
    narrow : In(1)
        With `load`, whether the node is narrow.
    next_left_size, next_right_size : In(6)
        With `load`, sizes of its operands, less one.
    left_size : In(6)
        Size of the left operand of the node whose elements are issued, less one.
    step : In(1)
        Move on.
    step_left, step_right, step_less : In
        By how much; the last is `step_right` less the size of the right operand.
    block_last : In(1)
        With `step`, the block ends, and the next element is the first one again.
    left, right : Out(6)
        The element: indices of the product's factors.
    valid : Out(1)
        There is such an element.
    """

    def __init__(self, groups: int, index: int) -> None:
        self._groups = groups
        self._index = index
        step = place_layout(2 * groups)
        super().__init__(
            {
                "load": In(1),
                "narrow": In(1),
                "next_left_size": In(SIDE_BITS),
                "next_right_size": In(SIDE_BITS),
                "left_size": In(SIDE_BITS),
                "step": In(1),
                "step_left": In(step["left"].shape),
                "step_right": In(step["right"].shape),
                "step_less": In(signed(SIDE_BITS + 1)),
                "block_last": In(1),
                "left": Out(SIDE_BITS),
                "right": Out(SIDE_BITS),
                "valid": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        # From a place that is valid, a step of 2 * groups elements goes no further than this.
        layout = place_layout(4 * self._groups)
        place, first = Signal(layout), Signal(layout)
        firsts = [
            place_of(m, factor * self._index, self.next_right_size, f"first_{factor}")
            for factor in (1, 2)
        ]
        wide, narrow = firsts
        chosen = Signal(layout)
        with m.If(self.narrow):
            m.d.comb += [chosen.left.eq(narrow.left), chosen.right.eq(narrow.right)]
        with m.Else():
            m.d.comb += [chosen.left.eq(wide.left), chosen.right.eq(wide.right)]
        less = Signal(signed(SIDE_BITS + 2))
        wraps = Signal()
        m.d.comb += [
            less.eq(place.right + self.step_less),
            wraps.eq(~less[-1]),
            self.left.eq(place.left),
            self.right.eq(place.right),
        ]
        with m.If(self.load):
            m.d.sync += [place.eq(chosen), first.eq(chosen)]
        with m.Elif(self.step & self.block_last):
            m.d.sync += place.eq(first)
        with m.Elif(self.step):
            m.d.sync += [
                place.right.eq(Mux(wraps, less, place.right + self.step_right)),
                place.left.eq(place.left + self.step_left + wraps),
            ]
        m.d.comb += self.valid.eq(place.left <= self.left_size)
        return m


def thermometer_count(valid: Value) -> Value:
    """Count the ones of a value whose ones are all below its zeros."""
    count: Value = Const(0)
    for number, (bit, above) in enumerate(zip(valid, [*valid[1:], Const(0, 1)]), start=1):
        count = count | Mux(bit & ~above, number, 0)
    return count
