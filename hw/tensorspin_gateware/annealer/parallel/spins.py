"""The spins of all replicas, in groups, and the registers that bring signals to all of them.

All groups need the same few signals: the replica's number, the spin that is flipped, the cursor. On
a die with tens of thousands of LUTs a signal that goes to all of them from one register is slow. So
each signal is decoded as far as all have in common, then registered once for each *region* of eight
groups, then once for each group: a tree of registers with only wire between its levels.
"""

from __future__ import annotations

from amaranth import Cat, Module, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.size import GROUP, AnnealerSize

from ...primitives import Family
from ...primitives.accumulate import Operation
from ...primitives.copies import copy
from ..common.delay import delay, delay_fields, named_fields
from ..common.interface import MEMBER_BITS, groups, slot_bits, update_layout
from .group import MASK, SpinGroup, control_layout

REGION = 8
"""Groups of a region, which share one register of each broadcast in front of their own: a fan-out
of 8 at this level, and of ``spins / (REGION * GROUP)`` regions at the source."""

REGION_SPINS = REGION * GROUP
"""Number of spins in a region; the last region may have fewer."""

READ = 2
"""Cycles from a slot to its states: a register of the region and one of the group, then the
distributed RAM, which is read without a register."""

COMPARED = READ + 2
"""Cycles from a slot to the spins that accept: one to update the fields, one to compare them."""

FLIPPED = READ + 2
"""Cycles from a slot to the field of the spin that its turn flips: one to update the fields, one to
choose it."""


class Spins(wiring.Component):
    """Updates the local fields of one replica a cycle, and compares them in the next.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.
    family : Family, default=Family.BEHAVIOURAL
        FPGA family; on ECP5 copies of the same register are kept apart.
    row_bits : int, optional
        Width of what is added to a field where that is the sum of several couplings. The port
        `change` is there then.

    Ports
    -----
    slot : In(slot_bits(size))
        Number of the replica whose turn begins in this cycle.
    update : In(update_layout(size))
        One cycle earlier than `slot`, to be decoded: what the turn does to the replica's state.
    keep : In(1)
        The state before the update becomes the replica's best state.
    active : In(1)
        The turn compares: spins may accept.
    cursor : In(range(spins + 1))
        First spin that may accept, if the turn compares; ``size.spins`` if none is left.
    row : In(spins x signed(coupling_bits or row_bits))
        Row of couplings for the update, `READ` cycles after `slot`.
    thresholds : In(spins x threshold_bits)
        Random thresholds, ``READ + 1`` cycles after `slot`.
    holds : In(spins)
        In the same cycle as the thresholds: the ring holds the spin if it equals the same spin of
        both neighbouring replicas. Those are the replicas of the numbers before and after, which
        have their turns one cycle earlier and later, and do not move in such a step.
    accept, negative : Out(spins)
        `COMPARED` cycles after `slot`: for each spin whether it would flip, and whether it is -1.
    considered : Out(groups)
        At the same time: 1 for the cursor's group and those after it. `accept` is not yet masked
        for the groups before the cursor's.
    flipped : Out(groups x signed(field_bits))
        `FLIPPED` cycles after `slot`: for the group in which a spin was flipped, that spin's field
        after the update; 0 for all other groups.
    change : Out(groups x signed(row_bits))
        With `row_bits`, at the same time: what the update has added to that field, in halves.
    state, best : Out(spins)
        `READ` cycles after `slot`: state of the replica before the update, and its best state.

    Latency: `COMPARED` cycles from a turn's beginning to the spins that accept.

    Resources: for LUTs see `SpinGroup`; the broadcasts take about one a spin (64 spins).
    """

    def __init__(
        self,
        size: AnnealerSize,
        family: Family = Family.BEHAVIOURAL,
        row_bits: int | None = None,
    ) -> None:
        self._size = size
        self._family = family
        self._row_bits = row_bits
        change = data.ArrayLayout(signed(row_bits or 1), groups(size))
        super().__init__(
            {
                "slot": In(slot_bits(size)),
                "update": In(update_layout(size)),
                "keep": In(1),
                "active": In(1),
                "cursor": In(range(size.spins + 1)),
                "row": In(data.ArrayLayout(signed(row_bits or size.coupling_bits), size.spins)),
                "thresholds": In(data.ArrayLayout(size.threshold_bits, size.spins)),
                "holds": In(size.spins),
                "accept": Out(size.spins),
                "negative": Out(size.spins),
                "considered": Out(groups(size)),
                "flipped": Out(data.ArrayLayout(signed(size.field_bits), groups(size))),
                "state": Out(size.spins),
                "best": Out(size.spins),
                **({"change": Out(change)} if row_bits else {}),
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

    def _group(
        self, m: Module, index: int, control: data.View, mask: data.View, considered: Value
    ) -> None:
        """Add a group of spins, and connect it to its part of the ports."""
        size = self._size
        first = index * GROUP
        spins = min(GROUP, size.spins - first)
        m.submodules[f"group_{index}"] = group = SpinGroup(
            size, spins, self._family, self._row_bits
        )
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
        if self._row_bits:
            m.d.comb += self.change[index].eq(group.change)

    def _decode(self, m: Module) -> tuple[data.View, data.View]:
        """Decode the numbers of the flipped spin and of the cursor, one cycle later.

        Each number is split into place in the group, group in the region, and region. The first two
        are decoded once for all regions; for each region one bit tells whether they apply there.
        """
        regions = range(-(-groups(self._size) // REGION))
        operation = self.update.operation.as_value()
        member, group, number = _split(self.update.spin)
        update = delay_fields(
            m,
            1,
            operation=operation,
            clear=operation == Operation.CLEAR,
            member=_one_hot(member, GROUP),
            group=_one_hot(group, REGION),
            flip=Cat(self.update.flip & (number == region) for region in regions),
        )
        member, group, number = _split(self.cursor)
        cursor = delay_fields(
            m,
            1,
            # `members`: in the cursor's group, the spins at or after the cursor. `later`, `group`:
            # in the cursor's region, the groups after the cursor's, and the cursor's itself.
            members=Cat(member <= index for index in range(GROUP)),
            later=Cat(group < index for index in range(REGION)),
            group=_one_hot(group, REGION),
            # `beyond`, `within`: for each region, it comes after the cursor's, or is the cursor's.
            beyond=Cat(self.active & (number < region) for region in regions),
            within=Cat(self.active & (number == region) for region in regions),
        )
        return update, cursor

    def _controls(self, m: Module, region: int, update: data.View) -> list:
        """Give each group of a region its control for a turn, from a register of the region."""
        copied = named_fields(
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
        """Make the masks of the comparison for each group of a region.

        Returned are, from a register of the region, a mask of spins for each group, and for each
        group whether the search considers it at all. `Search` uses the second one cycle after the
        comparison.
        """
        copied = named_fields(
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


def _split(spin: Value) -> tuple[Value, Value, Value]:
    """Split a spin's number: its place in the group, the group's in the region, the region."""
    region_bits = (REGION - 1).bit_length()
    return (
        spin[:MEMBER_BITS],
        spin[MEMBER_BITS : MEMBER_BITS + region_bits],
        spin[MEMBER_BITS + region_bits :],
    )


def _one_hot(number: Value, count: int) -> Value:
    """Decode a number to `count` bits, of which one is set."""
    return Cat(number == index for index in range(count))
