"""What a run has found, as the host reads it."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from tensorspin.contract.annealer.image import RESULT_HEADER, result_bytes, stride_bits
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.contractor.latency import MEMORY_READ

from ..common.delay import delay
from ..common.interface import ADDRESS_BITS, CYCLE_BITS, slot_bits
from .interface import place_layout
from .lanes import READ

STATES = 1 + READ
"""Cycles from an address to the states: a register in `Turns`, then as `Lanes`."""


class Results(wiring.Component):
    """Selects a byte of a replica's block.

    Parameters
    ----------
    size : AnnealerSize

    Ports
    -----
    address : In(ADDRESS_BITS)
    place : Out(place_layout(size))
        Of the states that the address belongs to; combinational.
    energy, best_energy : In(signed)
        Of the replica, two cycles later.
    state, best : In(window)
        Of the place, `STATES` cycles later.
    cycles : In(32)
    data : Out(8)
        `MEMORY_READ` cycles after the address.
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
        byte, is_best = Signal(low), Signal()
        second = RESULT_HEADER.size + length
        m.d.comb += [
            is_best.eq(address >= second),
            byte.eq(address - Mux(is_best, second, RESULT_HEADER.size)),
            self.place.window.eq(byte[window_low:]),
            self.place.slot.eq(self.address[low:]),
        ]

        # In the order of `RESULT_HEADER`.
        place = delay(m, address, STATES - 1)
        slot = delay(m, self.address[low:][: slot_bits(size)], STATES - 1)
        energies = Cat(
            _extended(self.energy), _extended(self.best_energy), self.cycles, _extended(slot, 8)
        )
        assert len(energies) == 8 * RESULT_HEADER.size
        header, in_header = Signal(8, reset_less=True), Signal(reset_less=True)
        m.d.sync += [header.eq(energies.word_select(place[:4], 8)), in_header.eq(0)]
        with m.If(place < RESULT_HEADER.size):
            m.d.sync += in_header.eq(1)
        assert RESULT_HEADER.size <= 16

        late = delay(m, Cat(byte[:window_low], is_best), STATES)
        states = Mux(late[-1], self.best, self.state)
        value = Signal(8, reset_less=True)
        chosen = states.word_select(late[:-1], 8) if window_low else states
        m.d.sync += value.eq(Mux(in_header, header, chosen))
        m.d.comb += self.data.eq(delay(m, value, MEMORY_READ - STATES - 1))
        return m


def _extended(number, bits: int = 32):
    sign = number[-1] if number.shape().signed else 0
    return Cat(number, *(sign for _ in range(bits - len(number))))
