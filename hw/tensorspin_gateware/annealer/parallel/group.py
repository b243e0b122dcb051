"""A group of spins, with registers of its own for the signals that all spins need."""

from __future__ import annotations

from amaranth import Cat, Const, Module, Signal, Value, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.size import GROUP, AnnealerSize

from ...primitives import Family
from ...primitives.accumulate import Accumulate, Operation
from ...primitives.comparison import Comparison
from ...primitives.copies import copy
from ..common.interface import slot_bits


def control_layout(size: AnnealerSize) -> data.StructLayout:
    """Lay out what a turn does with the spins of a group.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.

    Returns
    -------
    StructLayout
        `slot`: number of the replica whose turn it is. `operation`: what is done with the row of
        couplings. `clear`: all spins become positive, and the fields' lowest bits are taken from
        the row; redundant with `operation`, but decoded once for many groups. `flip`: the spin that
        `member` has a one for is flipped. `keep`: the state before the turn becomes the best one.
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
"""Spins of a group that may accept a flip. `other` allows all, in a group that the cursor is not
in; `members` allows those at or after the cursor, where it is in the group."""


class SpinGroup(wiring.Component):
    """Keeps the states and local fields of `GROUP` spins in all replicas, and compares the fields.

    In the turn of a replica its fields are read from distributed RAM, a row of couplings is added
    to them, and they are written back; in the next cycle they are compared with thresholds.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.
    spins : int
        Spins of this group, `GROUP` or, in the last group, fewer.
    family : Family
        FPGA family, for its carry chains and registers.

    Ports
    -----
    control : In(control_layout(size))
        What the turn does.
    mask : In(MASK)
        Spins that may accept, one cycle after `control`.
    row : In(spins x signed(coupling_bits))
        The group's part of the row of couplings, one cycle after `control`.
    thresholds : In(spins x threshold_bits)
        Random thresholds, two cycles after `control`.
    holds : In(spins)
        In the same cycle as the thresholds: the ring's decisions, as for `Spins`.
    negative, accept : Out(spins)
        Three cycles after `control`: for each spin whether it is -1, and whether it
        accepts a flip.
    flipped : Out(signed(field_bits))
        Three cycles after `control`: local field, after the update, of the spin that the turn
        flips; 0 if that spin is in another group, or none is flipped.
    state, best : Out(spins)
        One cycle after `control`: state of the replica before the update, and its best state; 1 for
        a negative spin.

    Latency: one cycle to the registers of this group, one to update, one to compare.

    Resources: a spin of an ECP5 takes 1.5 LUTs for each bit of its field (but not for the lowest
    bit, which no flip changes), for its state and for its best state; the carry chains of
    `Accumulate` and `Comparison`; one LUT, and two more for a ring; and five for each eight bits of
    a field, to choose the flipped spin's. With fields of 11 bits and thresholds of 8 that makes 50
    LUTs a spin, and 52 with a ring.

    No register has a reset. The eight registers of an ECP5's tile share one reset signal, nextpnr
    puts none without a reset beside one that has it, and on a full device its placer then finds no
    place for the last ones. Nothing needs a reset here: fill rounds overwrite all of the state.
    """

    def __init__(
        self, size: AnnealerSize, spins: int, family: Family, row_bits: int | None = None
    ) -> None:
        self._size = size
        self._spins = spins
        self._family = family
        self._row_bits = row_bits
        super().__init__(
            {
                "control": In(control_layout(size)),
                "mask": In(MASK),
                "row": In(data.ArrayLayout(signed(row_bits or size.coupling_bits), spins)),
                "thresholds": In(data.ArrayLayout(size.threshold_bits, spins)),
                "holds": In(spins),
                "negative": Out(spins),
                "accept": Out(spins),
                "flipped": Out(signed(size.field_bits)),
                "state": Out(spins),
                "best": Out(spins),
                **({"change": Out(signed(row_bits))} if row_bits else {}),
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
        # The flipped spin's field is chosen here and not behind all groups: one word leaves the
        # group, and a tree of ors joins the groups' words.
        chosen: Value = Const(0, len(flipped))
        for spin in range(self._spins):
            chosen |= fields[spin] & selected[spin].replicate(len(flipped))
        m.d.sync += [
            compared.eq(negative),
            selected.eq(control.member & control.flip.replicate(self._spins)),
            flipped.eq(chosen),
        ]
        if self._row_bits:
            self._choose_change(m, selected)
        m.d.comb += [
            self.accept.eq(accept),
            self.negative.eq(compared),
            self.flipped.eq(flipped),
        ]
        for spin in range(self._spins):
            comparison = Comparison(self._size.threshold_bits, self._size.field_bits, self._family)
            m.submodules[f"comparison_{spin}"] = comparison
            enable: Value = Cat(mask.other, mask.members[spin])
            if self._size.ring:
                # Neighbours on the ring have their turns one cycle before and after, so their
                # states need no further read: the next register of the pipeline holds that of the
                # replica before, the memory's output that of the replica after. (`negative` is this
                # replica's.)
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

    def _update_states(self, m: Module, control: data.View) -> Signal:
        """Flip or clear the states; return them after that, one cycle later."""
        m.submodules.states = states = memory.Memory(
            shape=self._spins, depth=self._size.replicas, init=[]
        )
        m.submodules.bests = bests = memory.Memory(
            shape=self._spins, depth=self._size.replicas, init=[]
        )
        # Distributed RAM: read without a register, so that state and field of a replica are read,
        # changed and written back within the one cycle of its turn.
        read, write = states.read_port(domain="comb"), states.write_port()
        read_best, write_best = bests.read_port(domain="comb"), bests.write_port()
        flipped = control.member[: self._spins] & control.flip.replicate(self._spins)
        negative = Signal(self._spins, reset_less=True)
        for port in (read, write, read_best, write_best):
            m.d.comb += port.addr.eq(control.slot)
        m.d.comb += [
            # States are written in every turn, also where nothing changes, which needs no logic.
            write.en.eq(1),
            write.data.eq((read.data ^ flipped) & ~control.clear.replicate(self._spins)),
            write_best.en.eq(control.keep),
            write_best.data.eq(read.data),
            self.state.eq(read.data),
            self.best.eq(read_best.data),
        ]
        m.d.sync += negative.eq(write.data)
        return negative

    def _update_fields(self, m: Module, control: data.View) -> data.View:
        """Add the row to the fields; return them after that, one cycle later."""
        # A flip changes a field by twice a coupling, so the lowest bit never changes after the
        # first offset row has set it. It is the same in all replicas: a register in place of RAM.
        width = self._size.field_bits - 1
        m.submodules.fields = upper = memory.Memory(
            shape=data.ArrayLayout(signed(width), self._spins), depth=self._size.replicas, init=[]
        )
        read, write = upper.read_port(domain="comb"), upper.write_port()
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

    def _choose_change(self, m: Module, selected: Signal) -> None:
        """Choose what has been added to the flipped spin's field, as the field itself is chosen."""
        rows = Signal(self.row.shape(), reset_less=True)
        change = Signal.like(self.change, reset_less=True)
        chosen: Value = Const(0, len(change))
        for spin in range(self._spins):
            chosen |= rows[spin] & selected[spin].replicate(len(change))
        m.d.sync += [rows.eq(self.row), change.eq(chosen)]
        m.d.comb += self.change.eq(change)
