"""The spins of all replicas: states, local fields, comparison."""

from __future__ import annotations

from amaranth import Cat, Module, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.size import GROUP, AnnealerSize

from ...primitives import Family
from ...primitives.accumulate import Operation
from ...primitives.copies import copy
from ..common.delay import delay
from ..common.interface import MEMBER_BITS, groups, slot_bits, update_layout
from .group import MASK, SpinGroup, control_layout

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
        One cycle earlier: what is done to its state.
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

    What is broadcast is decoded, then passes two registers, of a region and of a group: nothing but
    wire crosses the die. For LUTs see `SpinGroup`; the broadcasts take about one a spin (64 spins).
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
        update, cursor = self._decode(m)
        for region, first in enumerate(range(0, count, REGION)):
            controls = self._controls(m, region, update)
            masks, considered = self._masks(m, region, cursor)
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

    def _decode(self, m: Module) -> tuple[data.View, data.View]:
        """Where the update flips a spin, and where the cursor is, one cycle later."""
        regions = range(-(-groups(self._size) // REGION))
        operation = self.update.operation.as_value()
        member, group, number = _split(self.update.spin)
        update = _fields(
            lambda value: delay(m, value, 1),
            operation=operation,
            clear=operation == Operation.CLEAR,
            member=_one_hot(member, GROUP),
            group=_one_hot(group, REGION),
            flip=Cat(self.update.flip & (number == region) for region in regions),
        )
        member, group, number = _split(self.cursor)
        cursor = _fields(
            lambda value: delay(m, value, 1),
            members=Cat(member <= index for index in range(GROUP)),
            later=Cat(group < index for index in range(REGION)),
            group=_one_hot(group, REGION),
            beyond=Cat(self.active & (number < region) for region in regions),
            within=Cat(self.active & (number == region) for region in regions),
        )
        return update, cursor

    def _controls(self, m: Module, region: int, update: data.View) -> list:
        """What goes to the groups of a region, one cycle later."""
        copied = _fields(
            lambda value: copy(m, value, self._family),
            slot=self.slot,
            operation=update.operation,
            clear=update.clear,
            member=update.member,
            keep=self.keep,
            flip=update.flip[region],
            group=update.group,
        )
        controls = []
        for place in range(REGION):
            control = Signal(control_layout(self._size), name=f"control_{place}")
            m.d.comb += [
                control.slot.eq(copied.slot),
                control.operation.as_value().eq(copied.operation),
                control.clear.eq(copied.clear),
                control.flip.eq(copied.flip & copied.group[place]),
                control.member.eq(copied.member),
                control.keep.eq(copied.keep),
            ]
            controls.append(control)
        return controls

    def _masks(self, m: Module, region: int, cursor: data.View) -> tuple[list, list]:
        """The same for the comparison: masks, and whether the group is considered at all."""
        copied = _fields(
            lambda value: copy(m, value, self._family),
            members=cursor.members,
            later=cursor.later,
            group=cursor.group,
            beyond=cursor.beyond[region],
            within=cursor.within[region],
        )
        masks, considered = [], []
        for place in range(REGION):
            here = copied.group[place]
            mask = Signal(MASK, name=f"mask_{place}")
            m.d.comb += [
                mask.members.eq(copied.members),
                mask.other.eq(~(copied.within & here)),
            ]
            masks.append(mask)
            considered.append(copied.beyond | (copied.within & (copied.later[place] | here)))
        return masks, considered


def _fields(register, **values) -> data.View:
    """Values with names, behind a register of them all."""
    layout = data.StructLayout({name: Value.cast(value).shape() for name, value in values.items()})
    return data.View(layout, register(Cat(values.values())))


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
