"""What a run has found, as the host reads it."""

from __future__ import annotations

from amaranth import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.image import result_bytes, stride_bits
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.contractor.latency import MEMORY_READ

from ...primitives import Family
from ...primitives.copies import copy
from ..common.delay import delay
from ..common.interface import ADDRESS_BITS, CYCLE_BITS, slot_bits
from .spins import READ, REGION_SPINS
from .tree import or_levels, or_tree

BLOCK = 1 + READ
"""Cycles from an address to its replica's block: a register in `Turns`, then as `Spins`."""


class Results(wiring.Component):
    """Selects a byte of a replica's block.

    Parameters
    ----------
    size : AnnealerSize
    family : Family

    Ports
    -----
    address : In(ADDRESS_BITS)
    slot : Out
        Replica that the address belongs to; combinational.
    energy, best_energy : In(signed)
    state, best : In(spins)
        Of replica `slot`, `BLOCK` cycles later.
    cycles : In(32)
    rank : In
        Of replica `slot`, one cycle later.
    data : Out(8)
        `MEMORY_READ` cycles after the address.

    A LUT for a spin (ECP5).
    """

    def __init__(self, size: AnnealerSize, family: Family = Family.BEHAVIOURAL) -> None:
        self._size = size
        self._family = family
        energy = signed(size.energy.width)
        super().__init__(
            {
                "address": In(ADDRESS_BITS),
                "slot": Out(slot_bits(size)),
                "energy": In(energy),
                "best_energy": In(energy),
                "state": In(size.spins),
                "best": In(size.spins),
                "cycles": In(CYCLE_BITS),
                "rank": In(slot_bits(size)),
                "data": Out(8),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        length = result_bytes(self._size)
        low = stride_bits(length)
        # In the order of `RESULT_HEADER`.
        block = Cat(
            _extended(self.energy),
            _extended(self.best_energy),
            self.cycles,
            _whole_bytes(self.rank),
            _whole_bytes(self.state),
            _whole_bytes(self.best),
        )
        assert len(block) == 8 * length
        place = delay(m, self.address[:low], BLOCK - 1)
        chosen = []
        for index in range(0, length, 2):
            if index % (REGION_SPINS // 8) == 0:
                odd = copy(m, place[0], self._family)
            here = Signal(name=f"here_{index}", reset_less=True)
            byte = Signal(8, name=f"byte_{index}", reset_less=True)
            pair = block[8 * index : 8 * (index + 2)]
            # As a multiplexer with zero it would become a reset, see `SpinGroup`.
            m.d.sync += [
                here.eq(place[1:] == index // 2),
                byte.eq(Mux(odd, pair[8:], pair[:8]) & here.replicate(8)),
            ]
            chosen.append(byte)
        spare = MEMORY_READ - BLOCK - 1 - or_levels(len(chosen))
        m.d.comb += [
            self.slot.eq(self.address[low:]),
            self.data.eq(delay(m, or_tree(m, chosen), spare)),
        ]
        return m


def _extended(energy):
    return Cat(energy, energy[-1].replicate(32 - len(energy)))


def _whole_bytes(state):
    return Cat(state, Const(0, -len(state) % 8))
