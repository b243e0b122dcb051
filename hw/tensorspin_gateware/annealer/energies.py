"""Energies of the replicas, and their best."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer import GROUP, AnnealerSize

from .delay import delay
from .interface import groups, slot_bits, update_layout

READ = 3
"""Cycles from the beginning of a turn to the flipped spin's field."""


class Energies(wiring.Component):
    """Adds up half the energy of each flip.

    A flip leaves the spin's own field as it is, so that it can be taken from the updated ones.

    Parameters
    ----------
    size : AnnealerSize

    Ports
    -----
    slot, update : In
        At the beginning of a turn.
    zero : In(1)
        At the beginning of a turn: the energy is zero, whatever was there.
    initial : In(1)
        At the beginning of a turn: the energy is the best, whatever was there.
    fields : In(spins x signed(field_bits))
        In the next cycle.
    keep : Out(1)
        At the beginning of the replica's next turn: its state is the best so far.
    read_slot : In
    energy, best : Out(signed)
        Of replica `read_slot`; combinational.

    About eight LUTs a spin (ECP5, fields of 11 bits): the choice of a field.
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
        super().__init__(
            {
                "slot": In(slot_bits(size)),
                "update": In(update_layout(size)),
                "zero": In(1),
                "initial": In(1),
                "fields": In(data.ArrayLayout(signed(size.field_bits), size.spins)),
                "keep": Out(1),
                "read_slot": In(slot_bits(size)),
                "energy": Out(signed(size.energy.width)),
                "best": Out(signed(size.energy.width)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        width = size.field_bits
        member = delay(m, self.update.member, 1)
        group = delay(m, self.update.group, 2)
        subtract = delay(m, self.update.subtract, READ)

        chosen = [Signal(width, name=f"chosen_{index}") for index in range(groups(size))]
        for index, field in enumerate(chosen):
            spins = range(index * GROUP, min((index + 1) * GROUP, size.spins))
            m.d.sync += field.eq(
                _any(
                    self.fields[k].as_unsigned() & member[k % GROUP].replicate(width) for k in spins
                )
            )
        field = Signal(signed(width))
        m.d.sync += field.eq(
            _any(value & group[index].replicate(width) for index, value in enumerate(chosen))
        )

        m.submodules.energies = energies = memory.Memory(
            shape=signed(size.energy.width), depth=size.replicas, init=[]
        )
        m.submodules.bests = bests = memory.Memory(
            shape=signed(size.energy.width), depth=size.replicas, init=[]
        )
        early = delay(m, Cat(self.zero, self.initial, self.slot), READ)
        before, after = energies.read_port(domain="comb"), energies.write_port()
        m.d.comb += [
            before.addr.eq(early[2:]),
            after.addr.eq(early[2:]),
            after.en.eq(1),
            after.data.eq(Mux(early[0], 0, before.data + Mux(subtract, -field, field))),
        ]
        energy = Signal(signed(size.energy.width))
        m.d.sync += energy.eq(after.data)
        late = delay(m, early, 1)
        best, new_best = bests.read_port(domain="comb"), bests.write_port()
        better = Signal()
        m.d.comb += [
            best.addr.eq(late[2:]),
            new_best.addr.eq(late[2:]),
            better.eq(energy < best.data),
            new_best.en.eq(better | late[1]),
            new_best.data.eq(energy),
            self.keep.eq(delay(m, better, size.replicas - READ - 1)),
        ]
        for store, port in ((energies, self.energy), (bests, self.best)):
            read = store.read_port(domain="comb")
            m.d.comb += [read.addr.eq(self.read_slot), port.eq(read.data)]
        return m


def _any(values):
    """Bitwise or, as a tree."""
    values = list(values)
    while len(values) > 1:
        values = [a | b for a, b in zip(values[::2], values[1::2])] + (
            [values[-1]] if len(values) % 2 else []
        )
    return values[0]
