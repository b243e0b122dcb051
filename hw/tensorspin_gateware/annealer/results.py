"""What a run has found, as the host reads it."""

from __future__ import annotations

from amaranth import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer import AnnealerSize
from tensorspin.contract.annealer_image import result_bytes, stride_bits
from tensorspin.contract.latency import MEMORY_READ

from .delay import delay
from .interface import ADDRESS_BITS, CYCLE_BITS, slot_bits


class Results(wiring.Component):
    """Selects a byte of a replica's block.

    Parameters
    ----------
    size : AnnealerSize

    Ports
    -----
    address : In(ADDRESS_BITS)
    slot : Out
        Replica that the address belongs to; combinational.
    energy, best_energy : In(signed)
    state, best : In(spins)
        Of replica `slot`, one cycle later.
    cycles : In(32)
    rank : In
        Of replica `slot`, one cycle later.
    data : Out(8)
        `MEMORY_READ` cycles after the address.

    About two LUTs for three spins (ECP5).
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
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
        place = Signal(low)
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
        choice = [block.word_select(index, 8) for index in range(length)]
        for bit in place:
            choice = [
                Mux(bit, odd, even)
                for even, odd in zip(choice[::2], choice[1::2] + choice[-1:] * (len(choice) % 2))
            ]
        m.d.comb += self.slot.eq(self.address[low:])
        m.d.sync += place.eq(self.address)
        m.d.comb += self.data.eq(delay(m, choice[0], MEMORY_READ - 1))
        return m


def _extended(energy):
    return Cat(energy, energy[-1].replicate(32 - len(energy)))


def _whole_bytes(state):
    return Cat(state, Const(0, -len(state) % 8))
