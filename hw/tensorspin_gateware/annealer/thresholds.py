"""Random thresholds, shifted past the spins."""

from __future__ import annotations

from amaranth import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer import PROBABILITY, AnnealerSize
from tensorspin.contract.thresholds import WORD_BITS, WORDS, generators

from .generator import Generator


class Thresholds(wiring.Component):
    """Draws the digits of thresholds and moves them towards lower spins.

    Parameters
    ----------
    size : AnnealerSize

    Ports
    -----
    run : In(1)
        In each cycle samples are drawn, and all move on.
    probabilities : In(threshold_bits x 16)
    seed : In(8)
    seed_enable : In(generators)
        Writes a byte of the generator's seed.
    seed_first : In(1)
        It is the first.
    thresholds : Out(spins x threshold_bits)
        Those drawn in a cycle are there in the next.

    127 LUTs for seven samples, 17 a sample to compare, and a register for each digit and spin.
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
        super().__init__(
            {
                "run": In(1),
                "probabilities": In(data.ArrayLayout(PROBABILITY.width, size.threshold_bits)),
                "seed": In(8),
                "seed_enable": In(generators(size)),
                "seed_first": In(1),
                "thresholds": Out(data.ArrayLayout(size.threshold_bits, size.spins)),
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
        for digit, stride in enumerate(size.strides):
            samples = Signal(stride, name=f"samples_{digit}")
            chain = Signal(size.spins, name=f"chain_{digit}")
            m.d.comb += samples.eq(
                Cat(next(words) < self.probabilities[digit] for _ in range(stride))
            )
            with m.If(self.run):
                m.d.sync += chain.eq(Cat(chain, samples)[stride:])
            for spin in range(size.spins):
                m.d.comb += self.thresholds[spin][digit].eq(chain[spin])
        return m
