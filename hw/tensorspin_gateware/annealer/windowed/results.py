"""The results of a run as the host reads them: a block of bytes for each replica."""

from __future__ import annotations

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from tensorspin.contract.annealer.image import RESULT_HEADER, result_bytes, stride_bits
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.contractor.latency import MEMORY_READ

from ..common.delay import delay, delay_fields
from ..common.header import result_header
from ..common.interface import ADDRESS_BITS, CYCLE_BITS, slot_bits
from .interface import place_layout
from .lanes import READ

STATES = 1 + READ
"""Cycles from an address to the states that it selects: one register in `Turns`, then `READ` in
`Lanes`."""


class ReplicaResults(wiring.Component):
    """Selects a byte of a replica's block of results.

    A block is a header, the replica's state and its best state. The two states lie in block RAM a
    window at a time, so the address is first turned into a window's.

    Parameters
    ----------
    size : AnnealerSize
        Size of an annealer with windows.

    Ports
    -----
    address : In(ADDRESS_BITS)
        Byte address in `AnnealerSpace.RESULTS`.
    place : Out(place_layout(size))
        Replica and window that the address belongs to; combinational.
    energy, best_energy : In(signed(energy bits))
        Half the energies of that replica, two cycles after `address`.
    state, best : In(window)
        States of that window, `STATES` cycles after `address`; 1 for a negative spin.
    cycles : In(CYCLE_BITS)
        Cycles of the run.
    data : Out(8)
        Byte at `address`, `MEMORY_READ` cycles after it.
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
        energy = signed(size.energy.width)
        super().__init__(
            {
                "address": In(ADDRESS_BITS),
                "place": Out(place_layout(size)),
                "energy": In(energy),
                "best_energy": In(energy),
                "state": In(size.window),
                "best": In(size.window),
                "cycles": In(CYCLE_BITS),
                "data": Out(8),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        low = stride_bits(result_bytes(size))
        length = -(-size.spins // 8)
        window_low = ceil_log2(size.window // 8)
        address = self.address[:low]
        # `byte` is the byte's place in a state or a best state; meaningless within the header.
        byte, is_best = Signal(low), Signal()
        second = RESULT_HEADER.size + length
        m.d.comb += [
            is_best.eq(address >= second),
            byte.eq(address - Mux(is_best, second, RESULT_HEADER.size)),
            self.place.window.eq(byte[window_low:]),
            self.place.slot.eq(self.address[low:]),
        ]

        # The header's byte is chosen one cycle before the states come, so that the last stage has
        # only one of two bytes to choose.
        place = delay(m, address, STATES - 1)
        slot = delay(m, self.address[low:][: slot_bits(size)], STATES - 1)
        energies = result_header(self.energy, self.best_energy, self.cycles, slot)
        header, in_header = Signal(8, reset_less=True), Signal(reset_less=True)
        m.d.sync += [header.eq(energies.word_select(place[:4], 8)), in_header.eq(0)]
        with m.If(place < RESULT_HEADER.size):
            m.d.sync += in_header.eq(1)
        assert RESULT_HEADER.size <= 16

        late = delay_fields(m, STATES, byte=byte[:window_low], is_best=is_best)
        states = Mux(late.is_best, self.best, self.state)
        value = Signal(8, reset_less=True)
        chosen = states.word_select(late.byte, 8) if window_low else states
        m.d.sync += value.eq(Mux(in_header, header, chosen))
        m.d.comb += self.data.eq(delay(m, value, MEMORY_READ - STATES - 1))
        return m
