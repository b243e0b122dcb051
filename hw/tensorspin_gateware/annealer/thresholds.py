"""Random thresholds, shifted past the spins."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer import PROBABILITY, RING, AnnealerSize
from tensorspin.contract.thresholds import WORD_BITS, WORDS, generators

from .generator import Generator
from .interface import slot_bits


class Thresholds(wiring.Component):
    """Draws the digits of thresholds, and what the ring decides, and moves them to lower spins.

    Parameters
    ----------
    size : AnnealerSize

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

    Thresholds and holds that drawn in a cycle are there in the next.

    127 LUTs for seven samples, 17 a sample to compare, and a register for each digit and spin.
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
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
        sequences = Signal(spins * count)
        if size.tempering:
            m.submodules.store = store = memory.Memory(
                shape=spins * count, depth=size.replicas, init=[]
            )
            read, write = store.read_port(domain="comb"), store.write_port()
            before = read.data
            after = Signal(spins * count)
            m.d.comb += [
                read.addr.eq(self.slot),
                write.addr.eq(self.slot),
                write.en.eq(self.move),
                write.data.eq(after),
            ]
        else:
            before = sequences
            after = Signal(spins * count)
        for index, (stride, limit) in enumerate(zip(size.sequences, limits)):
            samples = Cat(next(words) < limit for _ in range(stride))
            moved = Cat(before.word_select(index, spins), samples)[stride:]
            if index == size.threshold_bits:
                moved = Mux(self.ring_clear, 0, moved)
            m.d.comb += after.word_select(index, spins).eq(moved)
        with m.If(self.move):
            m.d.sync += sequences.eq(after)
        for index in range(size.threshold_bits):
            for spin in range(spins):
                m.d.comb += self.thresholds[spin][index].eq(sequences[index * spins + spin])
        if size.ring:
            m.d.comb += self.holds.eq(sequences[-spins:])
        if size.tempering:
            m.d.comb += self.word.eq(next(words))
        return m
