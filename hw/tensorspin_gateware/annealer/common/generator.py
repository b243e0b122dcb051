"""A uniform generator: one look-up table and register a bit."""

from __future__ import annotations

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.thresholds import GENERATOR_BITS, generator_taps


class Generator(wiring.Component):
    """Makes a step of a linear generator in each enabled cycle.

    Parameters
    ----------
    index : int
        As for `tensorspin.contract.annealer.thresholds.generator_taps`.

    Ports
    -----
    enable : In(1)
    seed_enable, seed_first : In(1)
        Takes a byte of the seed; the first from a state of zero.
    seed : In(8)
    state : Out(127)

    About 127 LUTs and registers.
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
