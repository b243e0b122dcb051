"""The spins of all replicas: states, local fields, comparison."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer import GROUP, AnnealerSize

from .interface import slot_bits, update_layout, window_layout


class Spins(wiring.Component):
    """Updates the fields of one replica a cycle, and compares them with thresholds in the next.

    Parameters
    ----------
    size : AnnealerSize

    Ports
    -----
    run : In(1)
        The state of the replica is written back.
    slot : In
        Replica whose turn it is.
    row : In(spins x coupling_bits)
    update : In(update_layout(size))
        With `row`: what is done to the state.
    keep : In(1)
        The state before the update becomes the best.
    window : In(window_layout(size))
        In the next cycle.
    thresholds : In(spins x threshold_bits)
        In the next cycle.
    holds : In(spins)
        In the next cycle: the ring holds the spin if it equals both its neighbours, the replicas
        before and behind, which have their turns one cycle earlier and later and do not move.
    fields : Out(spins x signed(field_bits))
        One cycle later: after the update.
    negative : Out(spins)
        Two cycles later: signs of the spins that were compared.
    accept : Out(spins)
        Two cycles later.
    state, best : Out(spins)
        Of the replica, before the update.

    A spin takes an adder and a comparison of its field's bits and a word of asynchronous memory.
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
        super().__init__(
            {
                "run": In(1),
                "slot": In(slot_bits(size)),
                "row": In(data.ArrayLayout(signed(size.coupling_bits), size.spins)),
                "update": In(update_layout(size)),
                "keep": In(1),
                "window": In(window_layout(size)),
                "thresholds": In(data.ArrayLayout(size.threshold_bits, size.spins)),
                "holds": In(size.spins),
                "fields": Out(data.ArrayLayout(signed(size.field_bits), size.spins)),
                "negative": Out(size.spins),
                "accept": Out(size.spins),
                "state": Out(size.spins),
                "best": Out(size.spins),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        m.submodules.fields = fields = memory.Memory(
            shape=size.spins * size.field_bits, depth=size.replicas, init=[]
        )
        m.submodules.states = states = memory.Memory(shape=size.spins, depth=size.replicas, init=[])
        m.submodules.bests = bests = memory.Memory(shape=size.spins, depth=size.replicas, init=[])
        write_fields, write_states = fields.write_port(), states.write_port()
        write_bests = bests.write_port()
        read_fields = fields.read_port(domain="comb")
        read_states = states.read_port(domain="comb")
        read_bests = bests.read_port(domain="comb")
        for port in (write_fields, write_states, write_bests, read_fields, read_states, read_bests):
            m.d.comb += port.addr.eq(self.slot)
        m.d.comb += [
            write_fields.en.eq(self.run),
            write_states.en.eq(self.run),
            write_bests.en.eq(self.run & self.keep),
            write_bests.data.eq(read_states.data),
            self.state.eq(read_states.data),
            self.best.eq(read_bests.data),
        ]
        negative = Signal(size.spins)
        m.d.sync += [negative.eq(write_states.data), self.negative.eq(negative)]
        held = Signal(size.spins)
        if size.ring:
            m.d.comb += held.eq(
                self.holds & ~(negative ^ self.negative) & ~(negative ^ read_states.data)
            )
        for spin in range(size.spins):
            group, member = divmod(spin, GROUP)
            field = self._update(
                m, self.row[spin], read_fields.data.word_select(spin, size.field_bits)
            )
            flipped = self.update.group[group] & self.update.member[member]
            m.d.comb += [
                write_fields.data.word_select(spin, size.field_bits).eq(field),
                write_states.data[spin].eq((read_states.data[spin] ^ flipped) & ~self.update.clear),
            ]
            m.d.sync += [
                self.fields[spin].eq(field),
                self.accept[spin].eq(
                    self._compare(m, self.fields[spin], negative[spin], self.thresholds[spin])
                    & ~held[spin]
                    & (
                        self.window.beyond[group]
                        | (self.window.within[group] & self.window.members[member])
                    )
                ),
            ]
        return m

    def _update(self, m: Module, coupling, field):
        """The field's lowest bit never changes: the rest takes the coupling."""
        width = self._size.field_bits - 1
        # One look-up table a bit, in front of the carry.
        kept = field[1:] & ~self.update.clear.replicate(width)
        extended = Cat(coupling, coupling[-1].replicate(width - len(coupling)))
        addend = (extended ^ self.update.subtract.replicate(width)) & ~self.update.clear.replicate(
            width
        )
        upper = Signal(width)
        m.d.comb += upper.eq(kept + addend + self.update.subtract)
        return Cat(Mux(self.update.clear, coupling[0], field[0]), upper).as_signed()

    def _compare(self, m: Module, field, negative, threshold):
        """Whether half the flip's energy, plus or minus the field, is the threshold or less."""
        width = self._size.field_bits + 1
        # threshold - field for a negative spin, threshold + field for a positive one.
        signed_field = Cat(field, field[-1]) ^ negative.replicate(width)
        difference = Signal(width)
        m.d.comb += difference.eq(threshold + signed_field + negative)
        return ~difference[-1]
