"""Random thresholds, drawn into a ring buffer of words, one for each window."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from tensorspin.contract.annealer.size import PROBABILITY, AnnealerSize
from tensorspin.contract.annealer.thresholds import WORD_BITS, WORDS, generators
from tensorspin.contract.annealer.windows import LAG

from ..common.delay import delay
from ..common.generator import Generator
from .interface import window_bits
from .lanes import COMPARED

DRAWN = 2
"""Cycles from a sample to the word that it is in: compared, and shifted in."""


def ring_words(size: AnnealerSize) -> int:
    """Words of the ring buffer, a power of two."""
    # In a turn more are drawn than the next replica begins later: the last one lags most. A round
    # may begin in the middle of a word.
    gained = size.windows * size.strides[0] - size.window
    lag = size.windows + LAG + 1 + -(-(size.replicas - 1) * gained // size.window)
    return 1 << ceil_log2(lag + 2)


class Thresholds(wiring.Component):
    """Draws the digits of thresholds, and gives those of a window.

    Parameters
    ----------
    size : AnnealerSize

    Ports
    -----
    run : In(1)
        In each cycle numbers are drawn.
    first_window : In
    last, ends_round : In(1)
        As from `Turns`.
    probabilities : In(threshold_bits x 16)
    seed : In(8)
    seed_enable : In(generators)
        Writes a byte of the generator's seed.
    seed_first : In(1)
        It is the first.
    thresholds : Out(window x threshold_bits)
        `COMPARED` cycles after the window.

    Block RAM, 127 LUTs for seven samples, 17 a sample to compare, and a register for each digit and
    spin of a window.
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
        super().__init__(
            {
                "run": In(1),
                "first_window": In(window_bits(size)),
                "last": In(1),
                "ends_round": In(1),
                "probabilities": In(data.ArrayLayout(PROBABILITY.width, size.threshold_bits)),
                "seed": In(8),
                "seed_enable": In(generators(size)),
                "seed_first": In(1),
                "thresholds": Out(data.ArrayLayout(size.threshold_bits, size.window)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        lanes, stride = size.window, size.strides[0]
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

        # Samples enter at the last lane; with the last of a word the first is at lane 0.
        words = iter(words)
        digits = []
        for index in range(size.threshold_bits):
            limit = self.probabilities[index]
            entering = Signal(stride, name=f"entering_{index}", reset_less=True)
            digit = Signal(lanes, name=f"digit_{index}", reset_less=True)
            m.d.sync += [
                entering.eq(Cat(next(words) < limit for _ in range(stride))),
                digit.eq(Cat(digit, entering)[stride:]),
            ]
            digits.append(digit)

        depth = ring_words(size)
        m.submodules.ring = ring = memory.Memory(
            shape=self.thresholds.shape(), depth=depth, init=[]
        )
        read, write = ring.read_port(), ring.write_port()
        drawn = Signal(range(depth))  # words
        cycles = lanes // stride  # of a word
        cycle = Signal(range(cycles))
        complete = self.run & (cycle == cycles - 1)
        with m.If(~self.run):
            m.d.sync += [cycle.eq(0), drawn.eq(0)]
        with m.Elif(complete):
            m.d.sync += [cycle.eq(0), drawn.eq(drawn + 1)]
        with m.Else():
            m.d.sync += cycle.eq(cycle + 1)
        m.d.comb += [
            write.en.eq(delay(m, complete, DRAWN)),
            write.addr.eq(delay(m, drawn, DRAWN)),
        ]
        for index, digit in enumerate(digits):
            m.d.comb += [write.data[lane][index].eq(digit[lane]) for lane in range(lanes)]

        head, pointer = Signal(range(depth)), Signal(range(depth))
        newest = Mux(self.run, drawn + complete, 0)
        following = Signal(range(depth))
        m.d.comb += following.eq(
            Mux(
                self.run & ~self.ends_round,
                head + 1,
                newest + self.first_window - (size.windows + LAG),
            )
        )
        with m.If(self.last | ~self.run):
            m.d.sync += [head.eq(following), pointer.eq(following)]
        with m.Else():
            m.d.sync += pointer.eq(pointer + 1)
        m.d.comb += [
            read.addr.eq(delay(m, pointer, COMPARED - 1)),
            self.thresholds.eq(read.data),
        ]
        return m
