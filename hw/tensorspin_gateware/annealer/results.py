"""Sends what a run has found."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer import AnnealerSize

from .interface import RESULT_WORD, RESULT_WORD_BITS, slot_bits
from .spins import READ
from .tree import or_levels, or_tree

CYCLE_BITS = 2 * RESULT_WORD_BITS


class Results(wiring.Component):
    """Walks the replicas and sends the words of `RESULT_WORD`.

    Parameters
    ----------
    size : AnnealerSize

    Ports
    -----
    begin : In(1)
    cycles : In(32)
    energy, best_energy : In(signed)
    state, best : In(spins)
        Of replica `slot`; combinational.
    slot : Out
    words : Out(stream of RESULT_WORD)
    busy : Out(1)
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
        energy = signed(size.energy.width)
        super().__init__(
            {
                "begin": In(1),
                "cycles": In(CYCLE_BITS),
                "energy": In(energy),
                "best_energy": In(energy),
                "state": In(size.spins),
                "best": In(size.spins),
                "slot": Out(slot_bits(size)),
                "words": Out(stream.Signature(RESULT_WORD)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        words = []
        for value in (
            Cat(_extended(self.energy), _extended(self.best_energy)),
            self.state,
            self.best,
        ):
            words += [
                value[first : first + RESULT_WORD_BITS]
                for first in range(0, len(value), RESULT_WORD_BITS)
            ]
        index = Signal(range(len(words)))
        # Gathered from all over the device, so given time: the word changes, and then settles.
        gathered = []
        for place, word in enumerate(words):
            chosen = Signal(RESULT_WORD_BITS, name=f"word_{place}", reset_less=True)
            here = Signal(name=f"here_{place}", reset_less=True)
            m.d.sync += [here.eq(index == place), chosen.eq(Mux(here, word, 0))]
            gathered.append(chosen)
        settle = READ + 2 + or_levels(len(words))
        ends = Signal()  # the cycles, behind the last replica
        waiting = Signal(4)
        m.d.comb += [
            self.words.valid.eq(self.busy & (waiting == 0)),
            self.words.payload.word.eq(or_tree(m, gathered)),
        ]
        with m.If(ends):
            m.d.comb += [
                self.words.payload.word.eq(self.cycles.word_select(index[0], RESULT_WORD_BITS)),
                self.words.payload.last.eq(index[0]),
            ]
        with m.If(waiting != 0):
            m.d.sync += waiting.eq(waiting - 1)
        with m.If(self.words.valid & self.words.ready):
            m.d.sync += [index.eq(index + 1), waiting.eq(settle)]
            with m.If(index == len(words) - 1):
                m.d.sync += [index.eq(0), self.slot.eq(self.slot + 1)]
                with m.If(self.slot == self._size.replicas - 1):
                    m.d.sync += ends.eq(1)
            with m.If(self.words.payload.last):
                m.d.sync += self.busy.eq(0)
        with m.If(self.begin):
            m.d.sync += [self.busy.eq(1), index.eq(0), self.slot.eq(0), ends.eq(0)]
            m.d.sync += waiting.eq(settle)
        return m


def _extended(energy):
    width = 2 * RESULT_WORD_BITS
    return Cat(energy, energy[-1].replicate(width - len(energy)))
