"""The results of a run as the host reads them: a block of bytes for each replica."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.image import result_bytes, stride_bits
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.contractor.latency import MEMORY_READ

from ...primitives import Family
from ...primitives.copies import copy
from ..common.delay import delay
from ..common.header import result_header, whole_bytes
from ..common.interface import ADDRESS_BITS, CYCLE_BITS, slot_bits
from .spins import READ, REGION_SPINS
from .tree import or_levels, or_tree

BLOCK = 1 + READ
"""Cycles from an address to its replica's block of results: one register of the replica's number in
`Turns`, then `READ` in `Spins`."""


class ReplicaResults(wiring.Component):
    """Selects a byte of a replica's block of results.

    Most of the block are states, which lie beside their spins all over the die. So each pair of
    bytes has a register near to it that is zero unless the address selects the pair, and a tree of
    ors joins these registers.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.
    family : Family, default=Family.BEHAVIOURAL
        FPGA family; on ECP5 copies of the same register are kept apart.

    Ports
    -----
    address : In(ADDRESS_BITS)
        Byte address in `AnnealerSpace.RESULTS`.
    slot : Out(slot_bits(size))
        Number of the replica that the address belongs to; combinational.
    energy, best_energy : In(signed(energy bits))
        Half the energies of replica `slot`, `BLOCK` cycles after `address`.
    state, best : In(spins)
        States of replica `slot`, `BLOCK` cycles after `address`; 1 for a negative spin.
    cycles : In(CYCLE_BITS)
        Cycles of the run.
    rank : In(slot_bits(size))
        Rank of replica `slot`, one cycle after `address`.
    data : Out(8)
        Byte at `address`, `MEMORY_READ` cycles after it.

    Resources: one LUT for each spin (ECP5).
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
        block = Cat(
            result_header(self.energy, self.best_energy, self.cycles, self.rank),
            whole_bytes(self.state),
            whole_bytes(self.best),
        )
        assert len(block) == 8 * length
        place = delay(m, self.address[:low], BLOCK - 1)
        chosen = []
        for index in range(0, length, 2):
            if index % (REGION_SPINS // 8) == 0:
                # One copy of the lowest address bit for each region of spins, near to them.
                odd = copy(m, place[0], self._family)
            here = Signal(name=f"here_{index}", reset_less=True)
            byte = Signal(8, name=f"byte_{index}", reset_less=True)
            pair = block[8 * index : 8 * (index + 2)]
            # An AND gate: a multiplexer with zero would become the registers' reset in synthesis,
            # and registers with a reset of their own are hard to place, see `SpinGroup`.
            m.d.sync += [
                here.eq(place[1:] == index // 2),
                byte.eq(Mux(odd, pair[8:], pair[:8]) & here.replicate(8)),
            ]
            chosen.append(byte)
        # All memories answer after `MEMORY_READ` cycles, so that the router needs only one number:
        # the cycles that are left are waited here.
        spare = MEMORY_READ - BLOCK - 1 - or_levels(len(chosen))
        m.d.comb += [
            self.slot.eq(self.address[low:]),
            self.data.eq(delay(m, or_tree(m, chosen), spare)),
        ]
        return m
