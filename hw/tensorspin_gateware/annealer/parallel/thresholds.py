"""Random thresholds, shifted past the spins."""

from __future__ import annotations

from amaranth import Cat, Module, Signal, Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.size import PROBABILITY, RING, AnnealerSize
from tensorspin.contract.annealer.thresholds import WORD_BITS, WORDS, generators

from ...primitives import Family
from ...primitives.copies import copy
from ..common.delay import delay
from ..common.generator import Generator
from ..common.interface import slot_bits
from .spins import READ, REGION_SPINS

DRAWN = READ + 1
"""Cycles from the beginning of a turn to the thresholds that it is compared with."""


class Thresholds(wiring.Component):
    """Draws the digits of thresholds, and what the ring decides, and moves them to lower spins.

    Parameters
    ----------
    size : AnnealerSize
    family : Family

    Ports
    -----
    run : In(1)
        In each cycle numbers are drawn.
    move : In(1)
        The samples among them enter, and all move on; with tempering, those of replica `slot`.
    slot : In
    probabilities : In(threshold_bits x 16)
    ring : In(16)
    ring_clear : In(1)
        The ring's sequence becomes zero.
    seed : In(8)
    seed_enable : In(generators)
        Writes a byte of the generator's seed.
    seed_first : In(1)
        It is the first.
    thresholds : Out(spins x threshold_bits)
    holds : Out(spins)
    word : Out(WORD_BITS)
        For exchanges.

    Thresholds and holds that are drawn in a cycle are there `DRAWN` cycles later.

    127 LUTs for seven samples, 17 a sample to compare, and a register for each digit and spin.
    """

    def __init__(self, size: AnnealerSize, family: Family = Family.BEHAVIOURAL) -> None:
        self._size = size
        self._family = family
        super().__init__(
            {
                "run": In(1),
                "move": In(1),
                "slot": In(slot_bits(size)),
                "probabilities": In(data.ArrayLayout(PROBABILITY.width, size.threshold_bits)),
                "ring": In(RING.width),
                "ring_clear": In(1),
                "seed": In(8),
                "seed_enable": In(generators(size)),
                "seed_first": In(1),
                "thresholds": Out(data.ArrayLayout(size.threshold_bits, size.spins)),
                "holds": Out(size.spins),
                "word": Out(WORD_BITS),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        words = []
        for index in range(generators(size)):
            m.submodules[f"generator_{index}"] = generator = Generator(index)
            m.d.comb += [
                generator.enable.eq(self.run),
                generator.seed.eq(self.seed),
                generator.seed_enable.eq(self.seed_enable[index]),
                generator.seed_first.eq(self.seed_first),
            ]
            words += [generator.state.word_select(word, WORD_BITS) for word in range(WORDS)]
        words = iter(words)
        limits = [*self.probabilities, self.ring << WORD_BITS - RING.f_bits]
        spins, count = size.spins, len(size.sequences)
        sequences = Signal(spins * count, reset_less=True)
        entering = [
            Cat(next(words) < limit for _ in range(n)) for n, limit in zip(size.sequences, limits)
        ]
        late = delay(m, Cat(self.move, self.slot, *entering), DRAWN - 1)
        move = late[0]
        slot, entering = late[1 : 1 + len(self.slot)], late[1 + len(self.slot) :]
        if size.tempering:
            m.submodules.store = store = memory.Memory(
                shape=spins * count, depth=size.replicas, init=[]
            )
            read, write = store.read_port(domain="comb"), store.write_port()
            before = read.data
            after = Signal(spins * count)
            m.d.comb += [
                read.addr.eq(slot),
                write.addr.eq(slot),
                write.en.eq(move),
                write.data.eq(after),
            ]
        else:
            before = sequences
            after = Signal(spins * count)
        for index, stride in enumerate(size.sequences):
            moved = Cat(before.word_select(index, spins), entering[:stride])[stride:]
            entering = entering[stride:]
            if index == size.threshold_bits:
                moved &= self._ring_mask(m)
            m.d.comb += after.word_select(index, spins).eq(moved)
        # What enters in other cycles has left before it is needed.
        m.d.sync += sequences.eq(after)
        for index in range(size.threshold_bits):
            for spin in range(spins):
                m.d.comb += self.thresholds[spin][index].eq(sequences[index * spins + spin])
        if size.ring:
            m.d.comb += self.holds.eq(sequences[-spins:])
        if size.tempering:
            m.d.comb += self.word.eq(next(words))
        return m

    def _ring_mask(self, m: Module) -> Value:
        """A bit for each spin, which clears its sample of the ring; registered for each region."""
        keep = delay(m, ~self.ring_clear, DRAWN - 2)
        spins = self._size.spins
        return Cat(
            copy(m, keep, self._family).replicate(min(REGION_SPINS, spins - first))
            for first in range(0, spins, REGION_SPINS)
        )
