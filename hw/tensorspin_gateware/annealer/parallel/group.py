"""A group of spins, with registers of its own for all that is broadcast to them."""

from __future__ import annotations

from amaranth import Cat, Const, Module, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.size import GROUP, AnnealerSize

from ...primitives import Family
from ...primitives.accumulate import Accumulate, Operation
from ...primitives.comparison import Comparison
from ...primitives.copies import copy
from ..common.interface import slot_bits


def control_layout(size: AnnealerSize) -> data.StructLayout:
    """What a turn does with the spins of a group.

    `slot` is the replica, `flip` says that the spin `member`, one bit each, is flipped, `operation`
    what is done with the row, `keep` that the state before becomes the best. `clear` sets all spins
    positive and takes the fields' lowest bits from the row.
    """
    return data.StructLayout(
        {
            "slot": slot_bits(size),
            "operation": Operation,
            "clear": 1,
            "flip": 1,
            "member": GROUP,
            "keep": 1,
        }
    )


MASK = data.StructLayout({"other": 1, "members": GROUP})
"""Spins that may accept: all of a group in which the cursor is not, or those behind it."""


class SpinGroup(wiring.Component):
    """States, local fields and comparison of `GROUP` spins.

    Parameters
    ----------
    size : AnnealerSize
    spins : int
        Of this group.
    family : Family

    Ports
    -----
    control : In(control_layout(size))
    mask : In(MASK)
        One cycle later.
    row : In(spins x coupling_bits)
        One cycle later.
    thresholds : In(spins x threshold_bits)
        Two cycles later.
    holds : In(spins)
        At the same time; as for `Spins`.
    negative, accept : Out(spins)
        Three cycles later.
    flipped : Out(signed(field_bits))
        Three cycles later: the field after the update of the spin that was flipped, otherwise 0.
    state, best : Out(spins)
        One cycle later: of the replica, before the update.

    A spin of an ECP5 takes 1.5 LUTs for each bit of its field but the lowest, which no flip
    changes, of its state and of its best state; the carry chains of `Accumulate` and `Comparison`;
    one LUT, and two more for a ring; and five for each eight bits of a field, to choose one. With
    fields of 11 bits and thresholds of 8 these are 50 and 2.

    No register has a reset: nextpnr puts only those of the same reset into a tile of the ECP5, and
    none without a reset beside them.
    """

    def __init__(self, size: AnnealerSize, spins: int, family: Family) -> None:
        self._size = size
        self._spins = spins
        self._family = family
        super().__init__(
            {
                "control": In(control_layout(size)),
                "mask": In(MASK),
                "row": In(data.ArrayLayout(signed(size.coupling_bits), spins)),
                "thresholds": In(data.ArrayLayout(size.threshold_bits, spins)),
                "holds": In(spins),
                "negative": Out(spins),
                "accept": Out(spins),
                "flipped": Out(signed(size.field_bits)),
                "state": Out(spins),
                "best": Out(spins),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        control = data.View(self.control.shape(), copy(m, self.control.as_value(), self._family))
        mask = data.View(MASK, copy(m, self.mask.as_value(), self._family))
        negative = self._update_states(m, control)
        fields = self._update_fields(m, control)
        accept = Signal(self._spins, reset_less=True)
        compared = Signal(self._spins, reset_less=True)
        selected = Signal(self._spins, reset_less=True)
        flipped = Signal.like(self.flipped, reset_less=True)
        chosen = Const(0, len(flipped))
        for spin in range(self._spins):
            chosen |= fields[spin] & selected[spin].replicate(len(flipped))
        m.d.sync += [
            compared.eq(negative),
            selected.eq(control.member & control.flip.replicate(self._spins)),
            flipped.eq(chosen),
        ]
        m.d.comb += [
            self.accept.eq(accept),
            self.negative.eq(compared),
            self.flipped.eq(flipped),
        ]
        for spin in range(self._spins):
            comparison = Comparison(self._size.threshold_bits, self._size.field_bits, self._family)
            m.submodules[f"comparison_{spin}"] = comparison
            enable = Cat(mask.other, mask.members[spin])
            if self._size.ring:
                equal = (negative[spin] == compared[spin]) & (negative[spin] == self.state[spin])
                enable = (enable.any() & ~(self.holds[spin] & equal)).replicate(2)
            m.d.comb += [
                comparison.threshold.eq(self.thresholds[spin]),
                comparison.value.eq(fields[spin]),
                comparison.negate.eq(negative[spin]),
                comparison.enable.eq(enable),
            ]
            m.d.sync += accept[spin].eq(comparison.result)
        return m

    def _update_states(self, m: Module, control) -> Signal:
        """States after the update, one cycle later."""
        m.submodules.states = states = memory.Memory(
            shape=self._spins, depth=self._size.replicas, init=[]
        )
        m.submodules.bests = bests = memory.Memory(
            shape=self._spins, depth=self._size.replicas, init=[]
        )
        read, write = states.read_port(domain="comb"), states.write_port()
        read_best, write_best = bests.read_port(domain="comb"), bests.write_port()
        flipped = control.member[: self._spins] & control.flip.replicate(self._spins)
        negative = Signal(self._spins, reset_less=True)
        for port in (read, write, read_best, write_best):
            m.d.comb += port.addr.eq(control.slot)
        m.d.comb += [
            write.en.eq(1),
            write.data.eq((read.data ^ flipped) & ~control.clear.replicate(self._spins)),
            write_best.en.eq(control.keep),
            write_best.data.eq(read.data),
            self.state.eq(read.data),
            self.best.eq(read_best.data),
        ]
        m.d.sync += negative.eq(write.data)
        return negative

    def _update_fields(self, m: Module, control) -> data.View:
        """Fields after the update, one cycle later."""
        width = self._size.field_bits - 1
        m.submodules.fields = upper = memory.Memory(
            shape=data.ArrayLayout(signed(width), self._spins), depth=self._size.replicas, init=[]
        )
        read, write = upper.read_port(domain="comb"), upper.write_port()
        # The same in all replicas.
        lowest = Signal(self._spins, reset_less=True)
        fields = Signal(data.ArrayLayout(signed(width), self._spins), reset_less=True)
        m.d.comb += [
            read.addr.eq(control.slot),
            write.addr.eq(control.slot),
            write.en.eq(1),
        ]
        for spin in range(self._spins):
            m.submodules[f"accumulate_{spin}"] = accumulate = Accumulate(width, self._family)
            m.d.comb += [
                accumulate.operation.eq(control.operation),
                accumulate.total.eq(read.data[spin]),
                accumulate.term.eq(self.row[spin]),
                write.data[spin].eq(accumulate.result),
            ]
            with m.If(control.clear):
                m.d.sync += lowest[spin].eq(self.row[spin][0])
        m.d.sync += fields.eq(write.data)
        whole = Signal(data.ArrayLayout(signed(width + 1), self._spins))
        m.d.comb += [whole[spin].eq(Cat(lowest[spin], fields[spin])) for spin in range(self._spins)]
        return whole
