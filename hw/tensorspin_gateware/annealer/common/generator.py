"""Uniform random bits: a linear generator of one look-up table and one register a bit."""

from __future__ import annotations

from collections.abc import Iterator

from amaranth import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.thresholds import (
    GENERATOR_BITS,
    WORD_BITS,
    WORDS,
    generator_taps,
)


class Generator(wiring.Component):
    """Makes a step of a linear generator in each enabled cycle.

    Each bit of the next state is the exclusive or of two to four bits of the present state. So one
    look-up table of four inputs and one register make a random bit a cycle, and no bit depends on a
    carry or on another bit of the same cycle.

    Parameters
    ----------
    index : int
        Number of the generator, which decides the taps of its bits, as for
        `tensorspin.contract.annealer.thresholds.generator_taps`.

    Ports
    -----
    enable : In(1)
        The state makes a step.
    seed_enable : In(1)
        A byte of the seed is taken, whatever `enable` is: the state makes a step, and the byte is
        added (exclusive or) to its lowest bits.
    seed_first : In(1)
        With `seed_enable`: the byte is the seed's first, and starts from a state of zero.
    seed : In(8)
        The byte.
    state : Out(GENERATOR_BITS)
        The random bits, from registers. All zero until a seed is taken, and zero has no successor
        but itself.

    Latency: the new state is there one cycle after `enable` or `seed_enable`.

    Resources: about 127 LUTs and 127 registers.
    """

    def __init__(self, index: int) -> None:
        self._index = index
        super().__init__(
            {
                "enable": In(1),
                "seed_enable": In(1),
                "seed_first": In(1),
                "seed": In(8),
                "state": Out(GENERATOR_BITS),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        bits = []
        for taps in generator_taps(self._index):
            bit = self.state[taps[0]]
            for tap in taps[1:]:
                bit = bit ^ self.state[tap]
            bits.append(bit)
        step = Signal(GENERATOR_BITS)
        m.d.comb += step.eq(Cat(bits))
        with m.If(self.seed_enable):
            m.d.sync += self.state.eq(step ^ self.seed)
            with m.If(self.seed_first):
                m.d.sync += self.state.eq(self.seed)
        with m.Elif(self.enable):
            m.d.sync += self.state.eq(step)
        return m


def random_words(m: Module, source, count: int) -> Iterator[Value]:
    """Add generators, and give their uniform numbers.

    Parameters
    ----------
    m : Module
        The generators are added to this module.
    source : component
        With ports `run`, which enables the generators, and `seed`, `seed_enable` (one bit for each
        generator) and `seed_first`, as those of `Generator`.
    count : int
        Number of generators.

    Returns
    -------
    iterator of Value
        `WORDS` numbers of `WORD_BITS` bits from each generator, in the order in which the contract
        gives them to samples. A new set of all comes in each cycle of `run`.
    """
    words = []
    for index in range(count):
        m.submodules[f"generator_{index}"] = generator = Generator(index)
        m.d.comb += [
            generator.enable.eq(source.run),
            generator.seed.eq(source.seed),
            generator.seed_enable.eq(source.seed_enable[index]),
            generator.seed_first.eq(source.seed_first),
        ]
        words += [generator.state.word_select(word, WORD_BITS) for word in range(WORDS)]
    return iter(words)
