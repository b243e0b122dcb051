"""Random thresholds, shifted past the spins.

A threshold's binary digits are independent random bits, each 1 with its own probability
(`tensorspin.contract.annealer.thresholds`). So each digit has a *sequence*, a shift register with a
place for each spin: in a cycle a few new samples of the digit enter above the last spin, and all
others move on towards spin 0, by the digit's *stride*. A sample that is drawn once serves every
spin that it passes, which is why a thousand spins need no more random numbers than ten.
"""

from __future__ import annotations

from amaranth import Cat, Module, Signal, Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.size import PROBABILITY, RING, AnnealerSize
from tensorspin.contract.annealer.thresholds import WORD_BITS, generators

from ...primitives import Family
from ...primitives.copies import copy
from ..common.delay import delay, delay_fields
from ..common.generator import random_words
from ..common.interface import slot_bits
from .spins import READ, REGION_SPINS

DRAWN = READ + 1
"""Cycles from the beginning of a turn to the thresholds that it is compared with: those drawn in
its first cycle are the ones that have just entered."""


class Thresholds(wiring.Component):
    """Draws the digits of thresholds and the decisions of the ring, and moves them to lower spins.

    Without tempering there is one set of sequences, and it moves on in each cycle, that is in the
    turn of each replica. With tempering each replica has sequences of its own, drawn at its own
    temperature, that wait in distributed RAM between its turns.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer; its `sequences` are the strides.
    family : Family, default=Family.BEHAVIOURAL
        FPGA family; on ECP5 copies of the same register are kept apart.

    Ports
    -----
    run : In(1)
        High while numbers are drawn, one set in each cycle.
    move : In(1)
        With tempering: the samples of this cycle enter the sequences of replica `slot`, which move
        on. Without it the sequences always move.
    slot : In(slot_bits(size))
        Number of the replica whose turn begins.
    probabilities : In(threshold_bits x 16)
        Probabilities of the digits in this turn, lowest digit first.
    ring : In(16)
        Probability with which the ring holds a spin that equals both its neighbours.
    ring_clear : In(1)
        High while all replicas move: the ring's sequence becomes zero, so that no spin is held.
    seed : In(8)
        Byte of a generator's seed.
    seed_enable : In(generators)
        Strobes: `seed` goes to that generator.
    seed_first : In(1)
        With `seed_enable`: `seed` is the first byte of that generator's seed.
    thresholds : Out(spins x threshold_bits)
        Thresholds of all spins, `DRAWN` cycles after the beginning of the turn.
    holds : Out(spins)
        At the same time: 1 for a spin that the ring holds if it equals both its neighbours.
    word : Out(WORD_BITS)
        With tempering: a uniform number for exchanges, another in each cycle.

    Latency: `DRAWN` cycles.

    Resources: 127 LUTs for a generator, which gives seven samples a cycle; 17 LUTs to compare a
    sample with its probability; a register for each digit and spin.
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
        words = random_words(m, self, generators(size))
        # The ring's probability has fewer fractional bits than a uniform number; zeros fill it up.
        limits = [*self.probabilities, self.ring << WORD_BITS - RING.f_bits]
        spins, count = size.spins, len(size.sequences)
        # No reset: it would cost the wide shift registers their places (see `SpinGroup`), and a run
        # begins with as many fill rounds as it takes to shift everything out (`fill_rounds`).
        sequences = Signal(spins * count, reset_less=True)
        # A uniform number below the limit makes a 1 with the limit's probability.
        samples = [
            Cat(next(words) < limit for _ in range(n)) for n, limit in zip(size.sequences, limits)
        ]
        late = delay_fields(m, DRAWN - 1, move=self.move, slot=self.slot, samples=Cat(*samples))
        entering = late.samples
        if size.tempering:
            m.submodules.store = store = memory.Memory(
                shape=spins * count, depth=size.replicas, init=[]
            )
            read, write = store.read_port(domain="comb"), store.write_port()
            before = read.data
            after = Signal(spins * count)
            m.d.comb += [
                read.addr.eq(late.slot),
                write.addr.eq(late.slot),
                write.en.eq(late.move),
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
        # The register is loaded in every cycle, also when nothing is drawn or written back: what
        # it takes then is never compared, and a clock enable would have to reach all of it.
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
        """Give a bit for each spin that is 0 while the ring's sequence is to be cleared.

        The bit is registered once for each region of spins, so that no register drives them all.
        """
        keep = delay(m, ~self.ring_clear, DRAWN - 2)
        spins = self._size.spins
        return Cat(
            copy(m, keep, self._family).replicate(min(REGION_SPINS, spins - first))
            for first in range(0, spins, REGION_SPINS)
        )
