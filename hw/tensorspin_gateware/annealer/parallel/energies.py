"""Energies of the replicas, and their best."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.size import AnnealerSize

from ..common.delay import delay
from ..common.interface import groups, slot_bits, update_layout
from .spins import FLIPPED
from .tree import or_levels, or_tree


class Energies(wiring.Component):
    """Adds up half the energy of each flip.

    A flip leaves the spin's own field as it is, so that it can be taken from the updated ones.

    Parameters
    ----------
    size : AnnealerSize

    Ports
    -----
    slot : In
        As for `Spins`.
    update : In(update_layout(size))
        At the same time.
    zero : In(1)
        At the same time: the energy is zero, whatever was there.
    initial : In(1)
        At the same time: the energy is the best, whatever was there.
    flipped : In(groups x signed(field_bits))
        From `Spins`.
    keep : Out(1)
        With the replica's next slot: its state is the best so far.
    read_slot : In
    energy, best : Out(signed)
        Of replica `read_slot`; combinational.

    A third of a LUT for each bit of a field and each group (ECP5), and what does not grow with the
    spins.
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
        super().__init__(
            {
                "slot": In(slot_bits(size)),
                "update": In(update_layout(size)),
                "zero": In(1),
                "initial": In(1),
                "flipped": In(data.ArrayLayout(signed(size.field_bits), groups(size))),
                "keep": Out(1),
                "read_slot": In(slot_bits(size)),
                "energy": Out(signed(size.energy.width)),
                "best": Out(signed(size.energy.width)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        count = groups(size)
        read = FLIPPED + or_levels(count)
        field = or_tree(m, [self.flipped[group] for group in range(count)]).as_signed()
        subtract = delay(m, self.update.operation.as_value()[0], read)

        m.submodules.energies = energies = memory.Memory(
            shape=signed(size.energy.width), depth=size.replicas, init=[]
        )
        m.submodules.bests = bests = memory.Memory(
            shape=signed(size.energy.width), depth=size.replicas, init=[]
        )
        early = delay(m, Cat(self.zero, self.initial, self.slot), read)
        before, after = energies.read_port(domain="comb"), energies.write_port()
        m.d.comb += [
            before.addr.eq(early[2:]),
            after.addr.eq(early[2:]),
            after.en.eq(1),
            after.data.eq(Mux(early[0], 0, before.data + Mux(subtract, -field, field))),
        ]
        energy = Signal(signed(size.energy.width), reset_less=True)
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
            self.keep.eq(delay(m, better, size.replicas - read - 1)),
        ]
        for store, port in ((energies, self.energy), (bests, self.best)):
            read = store.read_port(domain="comb")
            m.d.comb += [read.addr.eq(self.read_slot), port.eq(read.data)]
        return m
