"""The order of a run with several flips a turn: a cursor for each segment of spins."""

from __future__ import annotations

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data

from tensorspin.contract.annealer.segments import bank_rows

from ..common.interface import cursor_bits, index_bits, spin_bits
from .turns import Turns


class SegmentTurns(Turns):
    """Follows the sweeps of replicas whose spins have several segments.

    In a turn each segment has its own part of the spins left, from its cursor on. If spins of some
    segments flip, all segments before the first of them, and with `together` all others, too, have
    been compared to their ends.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer, with two flips or more.

    Ports
    -----
    Those of `Turns`.

    Latency: that of `Turns`.
    """

    def _firsts(self, m: Module) -> Value:
        # A register, as the parameters are written long before they are used.
        size, first, width = self._size, self.parameters.first, cursor_bits(self._size)
        firsts = Signal(len(self.cursor), reset_less=True)
        m.d.sync += firsts.eq(
            Cat(
                (first + (self.parameters.uneven > segment))[:width]
                for segment in range(size.flips)
            )
        )
        return firsts

    def _some_found(self) -> Value:
        return self.found.any()

    def _move_cursors(self, m: Module, cursor: Signal) -> None:
        size, width = self._size, cursor_bits(self._size)
        before: Value = Const(0, 1)
        for segment in range(size.flips):
            place = cursor.word_select(segment, width)
            flip = self.found[segment]
            with m.If(flip):
                spin = self.found_spin.word_select(segment, spin_bits(size))
                m.d.sync += place.eq(spin + 1)
            with m.Elif(self.parameters.together[0] | ~before):
                m.d.sync += place.eq(size.segment)
            before = before | flip

    def _fill_rows(
        self,
        m: Module,
        now: data.View,
        round_index: Value,
        boundary: Value,
        flips: Value,
        states: Signal,
        flipped: Signal,
    ) -> list:
        # Offset rows go through the banks; the spins at one place of all segments flip together.
        size = self._size
        banks = Signal(size.flips, init=1)
        row = Signal(index_bits(size), init=size.segment)
        with m.If(~self.run):
            m.d.sync += [banks.eq(1), row.eq(size.segment)]
        with m.Elif(boundary):
            m.d.sync += banks.eq(banks.rotate_left(1))
            with m.If(banks[-1]):
                m.d.sync += row.eq(Mux(row == bank_rows(size) - 1, 0, row + 1))
        first = Cat(word[0] for word in _words(states, size.flips))
        return [
            now.flips.eq(first & flips.replicate(size.flips)),
            now.banks.eq(banks),
            now.row.eq(Mux(now.offset, row, flipped)),
        ]


def _words(bits: Signal, count: int) -> list[Value]:
    """Split bits into words of equal length."""
    return [bits.word_select(index, len(bits) // count) for index in range(count)]
