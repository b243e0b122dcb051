"""Random thresholds, drawn into a ring buffer of words, one word for each window.

A threshold's binary digits are independent random bits, each 1 with its own probability. In each
cycle a few samples of each digit are drawn and shifted into a word; when the word is full, with a
threshold for each lane, it goes to the buffer in block RAM. A pass reads as many words in a row as
it has windows. `tensorspin.contract.annealer.windows` says where in the buffer a pass begins, and
why no replica sees a sample twice.
"""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from tensorspin.contract.annealer.size import PROBABILITY, AnnealerSize
from tensorspin.contract.annealer.thresholds import generators
from tensorspin.contract.annealer.windows import LAG

from ..common.delay import delay
from ..common.generator import random_words
from .interface import window_bits
from .lanes import COMPARED

DRAWN = 2
"""Cycles from a random number to the word that its sample is in: one to compare the number with a
probability, one to shift the sample in."""


def ring_words(size: AnnealerSize) -> int:
    """Give the least size of the ring buffer, in words.

    Parameters
    ----------
    size : AnnealerSize
        Size of an annealer with windows.

    Returns
    -------
    int
        A power of two, so that pointers wrap by themselves.
    """
    # Each pass of a round begins one word later than the pass before, while a turn draws
    # `windows * strides[0] / window` words, one or more. What it draws beyond one word adds to
    # the lag of the readers, and the last replica of a round lags most. A round may begin in the
    # middle of a word, which adds one.
    gained = size.windows * size.strides[0] - size.window
    lag = size.windows + LAG + 1 + -(-(size.replicas - 1) * gained // size.window)
    return 1 << ceil_log2(lag + 2)


class Thresholds(wiring.Component):
    """Draws the digits of thresholds, and gives those of a window.

    Parameters
    ----------
    size : AnnealerSize
        Size of an annealer with windows; all its strides are equal.

    Ports
    -----
    run : In(1)
        High while numbers are drawn, one set in each cycle.
    first_window : In(window_bits(size))
        Number of the window with which passes begin.
    last, ends_round : In(1)
        As from `Turns`: the pass has no more windows, and is the last of its round.
    probabilities : In(threshold_bits x 16)
        Probabilities of the digits in the running step, lowest digit first.
    seed : In(8)
        Byte of a generator's seed.
    seed_enable : In(generators)
        Strobes: `seed` goes to that generator.
    seed_first : In(1)
        With `seed_enable`: `seed` is the first byte of that generator's seed.
    thresholds : Out(window x threshold_bits)
        Thresholds of a window's lanes, `COMPARED` cycles after the window.

    Latency: `DRAWN` cycles from a random number to the write of the word that it is in.

    Resources: block RAM; 127 LUTs for a generator, which gives seven samples a cycle; 17 LUTs to
    compare a sample with its probability; a register for each digit and lane.
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
        # Samples enter at the last lane and move down: when the last of a word enters, the first is
        # at lane 0.
        words = random_words(m, self, generators(size))
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
        drawn = Signal(range(depth))  # words that are complete
        cycles = lanes // stride  # in which a word is filled
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

        # `pointer` is the word that is read, `head` the one that the pass began with. Within a
        # round each pass begins one word later than the pass before. A new round begins as many
        # words before the newest as its pass has windows, and `LAG` more, so that all words of the
        # pass are written when they are read.
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
