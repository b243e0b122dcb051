"""The spins, the search and the energies with several flips a turn: a part for each segment."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.size import AnnealerSize

from ...primitives import Family
from ...primitives.accumulate import Operation
from ..common.delay import delay
from ..common.interface import (
    cursor_bits,
    groups,
    row_bits,
    segment_size,
    slot_bits,
    spin_bits,
    updates_layout,
)
from ..common.ports import forward
from .energies import Energies
from .search import Search
from .spins import Spins
from .tree import or_levels, or_tree

CHANGE = 2
"""Cycles from the fields of the flipped spins to the change of energy: one for the share of each
flip, one to add them up."""


class Segments(wiring.Component):
    """Updates the local fields of one replica a cycle, and compares them in the next.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer, with two flips or more.
    family : Family, default=Family.BEHAVIOURAL
        FPGA family; on ECP5 copies of the same register are kept apart.

    Ports
    -----
    slot, keep, active, thresholds, holds, accept, negative, state, best
        As those of `Spins`, for the spins of all segments, one segment after the other.
    update : In(updates_layout(size))
        One cycle earlier than `slot`: which spins the turn flips.
    cursor : In(flips x cursor_bits(size))
        For each segment the number in it of the first spin that may accept.
    row : In(spins x signed(row_bits(size)))
        What the turn adds to the fields, in halves, `READ` cycles after `slot`.
    considered : Out(flips x groups)
        As that of `Spins`, for the groups of all segments.
    flipped : Out(flips x groups x signed(field_bits))
        As that of `Spins`: at most one group of a segment has the field of a flipped spin.
    change : Out(flips x groups x signed(row_bits(size)))
        At the same time: what the turn has added to that field, in halves.

    Latency: that of `Spins`.

    Resources: those of `Spins`, and two LUTs a spin for each three bits of `change` (ECP5).
    """

    def __init__(self, size: AnnealerSize, family: Family = Family.BEHAVIOURAL) -> None:
        self._size = size
        self._family = family
        count = size.flips * groups(segment_size(size))
        super().__init__(
            {
                "slot": In(slot_bits(size)),
                "update": In(updates_layout(size)),
                "keep": In(1),
                "active": In(1),
                "cursor": In(size.flips * cursor_bits(size)),
                "row": In(data.ArrayLayout(signed(row_bits(size)), size.spins)),
                "thresholds": In(data.ArrayLayout(size.threshold_bits, size.spins)),
                "holds": In(size.spins),
                "accept": Out(size.spins),
                "negative": Out(size.spins),
                "considered": Out(count),
                "flipped": Out(data.ArrayLayout(signed(size.field_bits), count)),
                "change": Out(data.ArrayLayout(signed(row_bits(size)), count)),
                "state": Out(size.spins),
                "best": Out(size.spins),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        one = segment_size(self._size)
        for index in range(self._size.flips):
            spins = Spins(one, self._family, row_bits(self._size))
            m.submodules[f"segment_{index}"] = spins
            forward(m, self, spins, "slot", "keep", "active")
            # The row comes with its sign, and is zero where nothing flips.
            operation = Mux(self.update.clear, Operation.CLEAR, Operation.ADD)
            update = self.update.segments[index]
            m.d.comb += [
                spins.update.operation.eq(operation),
                spins.update.flip.eq(update.flip),
                spins.update.spin.eq(update.spin),
                spins.cursor.eq(self.cursor.word_select(index, cursor_bits(self._size))),
            ]
            for name in ("row", "thresholds", "holds"):
                part = Value.cast(getattr(spins, name))
                whole = Value.cast(getattr(self, name))
                m.d.comb += part.eq(whole.word_select(index, len(part)))
            for name in ("accept", "negative", "considered", "flipped", "change", "state", "best"):
                part = Value.cast(getattr(spins, name))
                whole = Value.cast(getattr(self, name))
                m.d.comb += whole.word_select(index, len(part)).eq(part)
        return m


class SegmentSearch(wiring.Component):
    """Finds the spins that flip: the first of each segment that accepts, or the first of all.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer, with two flips or more.

    Ports
    -----
    accept, negative : In(spins)
        For each spin whether it accepts a flip, and whether it is -1.
    considered : In(flips x groups)
        In a group of a segment whose bit is 0 no spin accepts, whatever `accept` says.
    together : In(1)
        High: a spin flips in each segment that has one which accepts. Low: only in the first of
        these segments. Stable while there are turns.
    found : Out(flips)
        Whether a spin of the segment flips, `FOUND` cycles after `accept`.
    spin : Out(flips x spin_bits(size))
        At the same time, for each segment: number in it of the first spin that accepts; undefined
        if none does.
    spin_negative : Out(flips)
        Whether that spin is -1, one cycle after `spin`.

    Latency: that of `Search`.

    Resources: those of a `Search` for each segment.
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
        super().__init__(
            {
                "accept": In(size.spins),
                "negative": In(size.spins),
                "considered": In(size.flips * groups(segment_size(size))),
                "together": In(1),
                "found": Out(size.flips),
                "spin": Out(size.flips * spin_bits(size)),
                "spin_negative": Out(size.flips),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        before: Value = Signal()
        for index in range(self._size.flips):
            m.submodules[f"search_{index}"] = search = Search(segment_size(self._size))
            for name in ("accept", "negative", "considered"):
                part, whole = getattr(search, name), getattr(self, name)
                m.d.comb += part.eq(whole.word_select(index, len(part)))
            m.d.comb += [
                self.found[index].eq(search.found & (self.together | ~before)),
                self.spin.word_select(index, len(search.spin)).eq(search.spin),
                self.spin_negative[index].eq(search.spin_negative),
            ]
            before = before | search.found
        return m


class SegmentEnergies(Energies):
    """Adds up half the energy change of all flips of a turn; else as `Energies`.

    Spins that flip together change the energy by ``-sum_i s_i (F_i + F'_i)``, with the signs s_i
    and the local fields F_i before the flips, and the fields F'_i after them. What the turn has
    added to a field, in halves, comes with the field after it: half of ``F_i + F'_i`` is the field
    after the turn less that.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer, with two flips or more.

    Ports
    -----
    Those of `Energies`, but `update` is In(updates_layout(size)), and `flipped` and `change` are
    those of `Segments`.

    Latency: `CHANGE` cycles more than `Energies`.
    """

    def _inputs(self, size: AnnealerSize) -> dict:
        count = size.flips * groups(segment_size(size))
        return {
            "update": In(updates_layout(size)),
            "flipped": In(data.ArrayLayout(signed(size.field_bits), count)),
            "change": In(data.ArrayLayout(signed(row_bits(size)), count)),
        }

    def _change(self, m: Module, read: int) -> Value:
        size = self._size
        count = groups(segment_size(size))
        shares = []
        for segment in range(size.flips):
            own = range(segment * count, (segment + 1) * count)
            words = [Cat(self.flipped[group], self.change[group]) for group in own]
            word = or_tree(m, words)
            field, change = word[: size.field_bits].as_signed(), word[size.field_bits :].as_signed()
            subtract = delay(m, self.update.segments[segment].subtract, read - CHANGE)
            mean = field - change
            share = Signal(signed(len(mean) + 1), name=f"share_{segment}", reset_less=True)
            m.d.sync += share.eq(Mux(subtract, -mean, mean))
            shares.append(share)
        total: Value = shares[0]
        for share in shares[1:]:
            total = total + share
        change = Signal(total.shape(), reset_less=True)
        m.d.sync += change.eq(total)
        return change

    def _change_levels(self) -> int:
        return or_levels(groups(segment_size(self._size))) + CHANGE
