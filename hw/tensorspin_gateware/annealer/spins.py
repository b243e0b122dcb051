"""The spins of all replicas: states, local fields, comparison."""

from __future__ import annotations

from amaranth import Cat, Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer import GROUP, AnnealerSize

from ..primitives import Family
from ..primitives.accumulate import Operation
from ..primitives.copies import copy
from .delay import delay
from .group import MASK, SpinGroup, control_layout
from .interface import MEMBER_BITS, groups, slot_bits, update_layout

REGION = 8
"""Groups that share a register between the source of a broadcast and their own."""

REGION_SPINS = REGION * GROUP

READ = 2
"""Cycles from a slot to its states."""

COMPARED = READ + 2
"""Cycles from a slot to the spins that accept."""

FLIPPED = READ + 2
"""Cycles from a slot to the field of the flipped spin."""


class Spins(wiring.Component):
    """Updates the fields of one replica a cycle, and compares them with thresholds in the next.

    Parameters
    ----------
    size : AnnealerSize
    family : Family

    Ports
    -----
    slot : In
        Replica whose turn it is.
    update : In(update_layout(size))
        What is done to its state.
    keep : In(1)
        The state before the update becomes the best.
    active : In(1)
    cursor : In
        The turn compares the spins from there on, if any.
    row : In(spins x coupling_bits)
        `READ` cycles later.
    thresholds : In(spins x threshold_bits)
        ``READ + 1`` cycles later.
    holds : In(spins)
        At the same time: the ring holds the spin if it equals both its neighbours, the replicas
        before and behind, which have their turns one cycle earlier and later and do not move.
    accept, negative : Out(spins)
        `COMPARED` cycles later: spins that would flip, and the signs of all.
    considered : Out(groups)
        At the same time: groups from that of the cursor on.
    flipped : Out(groups x signed(field_bits))
        `FLIPPED` cycles later: for the group in which a spin was flipped, its field after the
        update; 0 for all others.
    state, best : Out(spins)
        `READ` cycles later: of the replica, before the update.

    What is broadcast passes two registers, of a region and of a group. For LUTs see `SpinGroup`;
    the broadcasts take about one a spin (64 spins).
    """

    def __init__(self, size: AnnealerSize, family: Family = Family.BEHAVIOURAL) -> None:
        self._size = size
        self._family = family
        super().__init__(
            {
                "slot": In(slot_bits(size)),
                "update": In(update_layout(size)),
                "keep": In(1),
                "active": In(1),
                "cursor": In(range(size.spins + 1)),
                "row": In(data.ArrayLayout(signed(size.coupling_bits), size.spins)),
                "thresholds": In(data.ArrayLayout(size.threshold_bits, size.spins)),
                "holds": In(size.spins),
                "accept": Out(size.spins),
                "negative": Out(size.spins),
                "considered": Out(groups(size)),
                "flipped": Out(data.ArrayLayout(signed(size.field_bits), groups(size))),
                "state": Out(size.spins),
                "best": Out(size.spins),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        count = groups(self._size)
        cursor = delay(m, Cat(self.active, self.cursor), 1)
        for region, first in enumerate(range(0, count, REGION)):
            controls = self._controls(m, region)
            masks, considered = self._masks(m, region, cursor[0], cursor[1:])
            for place, group in enumerate(range(first, min(first + REGION, count))):
                self._group(m, group, controls[place], masks[place], considered[place])
        return m

    def _group(self, m: Module, index: int, control, mask, considered) -> None:
        size = self._size
        first = index * GROUP
        spins = min(GROUP, size.spins - first)
        m.submodules[f"group_{index}"] = group = SpinGroup(size, spins, self._family)
        m.d.comb += [
            group.control.eq(control),
            self.flipped[index].eq(group.flipped),
            group.mask.eq(mask),
            group.holds.eq(self.holds[first : first + spins]),
            self.considered[index].eq(delay(m, considered, COMPARED - READ)),
            self.accept[first : first + spins].eq(group.accept),
            self.negative[first : first + spins].eq(group.negative),
            self.state[first : first + spins].eq(group.state),
            self.best[first : first + spins].eq(group.best),
        ]
        for spin in range(spins):
            m.d.comb += [
                group.row[spin].eq(self.row[first + spin]),
                group.thresholds[spin].eq(self.thresholds[first + spin]),
            ]

    def _controls(self, m: Module, region: int) -> list:
        """What goes to the groups of a region, one cycle later."""
        spin = self.update.spin
        member, group, number = _split(spin)
        shared = Cat(
            self.slot,
            self.update.operation,
            self.update.operation == Operation.CLEAR,
            _one_hot(member, GROUP),
            self.keep,
            self.update.flip & (number == region),
            _one_hot(group, REGION),
        )
        copied = copy(m, shared, self._family)
        layout = control_layout(self._size)
        controls = []
        for place in range(REGION):
            control = Signal(layout, name=f"control_{place}")
            rest = Signal(1 + REGION, name=f"rest_{place}")
            m.d.comb += [
                Cat(
                    control.slot,
                    control.operation.as_value(),
                    control.clear,
                    control.member,
                    control.keep,
                    rest,
                ).eq(copied),
                control.flip.eq(rest[0] & rest[1 + place]),
            ]
            controls.append(control)
        return controls

    def _masks(self, m: Module, region: int, active, cursor) -> tuple[list, list]:
        """The same for the comparison: masks, and whether the group is considered at all."""
        member, group, number = _split(cursor)
        copied = copy(
            m,
            Cat(
                active & (number < region),
                active & (number == region),
                Cat(member <= index for index in range(GROUP)),
                Cat(group < index for index in range(REGION)),
                _one_hot(group, REGION),
            ),
            self._family,
        )
        beyond, within, members = copied[0], copied[1], copied[2 : 2 + GROUP]
        later = copied[2 + GROUP : 2 + GROUP + REGION]
        here = copied[2 + GROUP + REGION :]
        masks, considered = [], []
        for place in range(REGION):
            mask = Signal(MASK, name=f"mask_{place}")
            m.d.comb += [
                mask.members.eq(members),
                mask.other.eq(~(within & here[place])),
            ]
            masks.append(mask)
            considered.append(beyond | (within & (later[place] | here[place])))
        return masks, considered


def _split(spin):
    """Its place in the group, the group's in the region, and the region."""
    region_bits = (REGION - 1).bit_length()
    return (
        spin[:MEMBER_BITS],
        spin[MEMBER_BITS : MEMBER_BITS + region_bits],
        spin[MEMBER_BITS + region_bits :],
    )


def _one_hot(number, count: int):
    return Cat(number == index for index in range(count))
