"""Energies of the replicas' states, and the best energy of each."""

from __future__ import annotations

from amaranth import Module, Mux, Signal, Value, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.size import AnnealerSize

from ..common.delay import delay, delay_fields
from ..common.interface import groups, slot_bits, update_layout
from .spins import FLIPPED
from .tree import or_levels, or_tree


class Energies(wiring.Component):
    """Adds up half the energy change of each flip, and remembers the least sum of each replica.

    A flip of spin i changes the energy by ``-2 s_i F_i``, with its sign ``s_i`` before the flip and
    its local field ``F_i``. A flip does not change the spin's own field, so that the field can be
    taken from the updated ones, which are in registers anyway. Half the change is the field or its
    negative: no multiplication.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.

    Ports
    -----
    slot : In(slot_bits(size))
        Number of the replica whose turn begins, as for `Spins`.
    update : In(update_layout(size))
        In the same cycle as `slot`: what the turn does to the replica's state.
    zero : In(1)
        In the same cycle as `slot`: the replica's energy becomes zero. High in the rounds of the
        offset rows; energies are counted from the state with all spins positive.
    initial : In(1)
        In the same cycle as `slot`: the replica's energy becomes its best one, even if that was
        lower.
    flipped : In(groups x signed(field_bits))
        Field of the spin that was flipped, from `Spins`, `FLIPPED` cycles after `slot`.
    keep : Out(1)
        In the cycle of the replica's next turn: the state that it has then is the best so far.
    read_slot : In(slot_bits(size))
        Number of the replica that is read.
    energy, best : Out(signed(energy bits))
        Half the energy, and half the best energy, of replica `read_slot`; combinational.

    Latency: the energy is up to date `FLIPPED` cycles and the levels of a tree of ors after the
    turn has begun, one cycle later the best energy.

    Resources: a third of a LUT for each bit of a field and each group of spins (ECP5), to choose
    one group's field; adders and memories do not grow with the number of spins.
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
        super().__init__(
            {
                "slot": In(slot_bits(size)),
                "zero": In(1),
                "initial": In(1),
                **self._inputs(size),
                "keep": Out(1),
                "read_slot": In(slot_bits(size)),
                "energy": Out(signed(size.energy.width)),
                "best": Out(signed(size.energy.width)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        read = FLIPPED + self._change_levels()
        change = self._change(m, read)

        m.submodules.energies = energies = memory.Memory(
            shape=signed(size.energy.width), depth=size.replicas, init=[]
        )
        m.submodules.bests = bests = memory.Memory(
            shape=signed(size.energy.width), depth=size.replicas, init=[]
        )
        # Distributed RAM is read without a register, so a turn reads, adds and writes in one cycle,
        # and the next cycle's turn is another replica's: nothing needs to be forwarded.
        early = delay_fields(m, read, zero=self.zero, initial=self.initial, slot=self.slot)
        before, after = energies.read_port(domain="comb"), energies.write_port()
        m.d.comb += [
            before.addr.eq(early.slot),
            after.addr.eq(early.slot),
            after.en.eq(1),
            after.data.eq(Mux(early.zero, 0, before.data + change)),
        ]
        energy = Signal(signed(size.energy.width), reset_less=True)
        m.d.sync += energy.eq(after.data)
        late = data.View(early.shape(), delay(m, early, 1))
        best, new_best = bests.read_port(domain="comb"), bests.write_port()
        better = Signal()
        m.d.comb += [
            best.addr.eq(late.slot),
            new_best.addr.eq(late.slot),
            better.eq(energy < best.data),
            new_best.en.eq(better | late.initial),
            new_best.data.eq(energy),
            # The state itself is copied by `Spins` when it is read in the replica's next turn,
            # a whole round after this one.
            self.keep.eq(delay(m, better, size.replicas - read - 1)),
        ]
        for store, port in ((energies, self.energy), (bests, self.best)):
            read = store.read_port(domain="comb")
            m.d.comb += [read.addr.eq(self.read_slot), port.eq(read.data)]
        return m

    def _inputs(self, size: AnnealerSize) -> dict:
        """Give the ports from which the change of energy comes."""
        return {
            "update": In(update_layout(size)),
            "flipped": In(data.ArrayLayout(signed(size.field_bits), groups(size))),
        }

    def _change_levels(self) -> int:
        """Give the cycles from `flipped` to the change of energy."""
        return or_levels(groups(self._size))

    def _change(self, m: Module, read: int) -> Value:
        """Give half the change of energy, `read` cycles after `slot`."""
        # All groups but the flipped spin's give zero, and all do in a turn without a flip.
        count = groups(self._size)
        field = or_tree(m, [self.flipped[group] for group in range(count)]).as_signed()
        # The lowest bit tells SUBTRACT from ADD. In turns that do neither the field is zero.
        subtract = delay(m, self.update.operation.as_value()[0], read)
        return Mux(subtract, -field, field)
