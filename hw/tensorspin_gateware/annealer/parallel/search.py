"""Finds the first spin that accepts."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.size import GROUP, AnnealerSize

from ..common.delay import delay
from ..common.interface import MEMBER_BITS, groups

FOUND = 3
"""Cycles from the spins that accept to the first of them."""


class Search(wiring.Component):
    """Three stages: the first in each group of `GROUP`, in each of `GROUP` groups, and of these.

    Parameters
    ----------
    size : AnnealerSize

    Ports
    -----
    accept, negative : In(spins)
    considered : In(groups)
        In the other groups no spin accepts.
    found : Out(1)
        `FOUND` cycles later.
    spin : Out
        The first that accepts.
    spin_negative : Out(1)
        Its sign, one cycle after that.

    About two LUTs a spin (ECP5, 64 spins).
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
        super().__init__(
            {
                "accept": In(size.spins),
                "negative": In(size.spins),
                "considered": In(groups(size)),
                "found": Out(1),
                "spin": Out(range(groups(size) * GROUP)),
                "spin_negative": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        nodes = []
        for group in range(groups(self._size)):
            place = slice(group * GROUP, min((group + 1) * GROUP, self._size.spins))
            accept = self.accept[place]
            some, index = Signal(reset_less=True), Signal(MEMBER_BITS, reset_less=True)
            m.d.sync += [
                some.eq(accept.any() & self.considered[group]),
                index.eq(_first(accept)),
            ]
            nodes.append((some, index))
        signs = _words(delay(m, self.negative, 1), GROUP)
        signs = self._select(m, signs, [index for _, index in nodes])

        regions = [nodes[low : low + GROUP] for low in range(0, len(nodes), GROUP)]
        nodes = []
        for region in regions:
            some, index = Signal(reset_less=True), Signal(2 * MEMBER_BITS, reset_less=True)
            m.d.sync += [some.eq(_any(region)), index.eq(_first_index(region))]
            nodes.append((some, index))
        signs = self._select(m, _words(signs, GROUP), [index[MEMBER_BITS:] for _, index in nodes])

        found = Signal(reset_less=True)
        spin = Signal(len(self.spin), reset_less=True)
        m.d.sync += [found.eq(_any(nodes)), spin.eq(_first_index(nodes))]
        m.d.comb += [
            self.found.eq(found),
            self.spin.eq(spin),
            self.spin_negative.eq(self._select(m, [signs], [spin[2 * MEMBER_BITS :]])),
        ]
        return m

    def _select(self, m: Module, words, indices) -> Signal:
        """From each word the bit of its index, one cycle later."""
        selected = Signal(len(words), reset_less=True)
        m.d.sync += selected.eq(
            Cat(word.bit_select(index, 1) for word, index in zip(words, indices))
        )
        return selected


def _words(bits, width: int) -> list:
    return [bits[low : low + width] for low in range(0, len(bits), width)]


def _any(nodes):
    return Cat(some for some, _ in nodes).any()


def _first(bits):
    """Index of the lowest bit that is set; anything if there is none."""
    return _first_index([(bit, Cat()) for bit in bits])


def _first_index(nodes):
    """Index of the first node, and above it the one that it has."""
    return _merge(nodes)[1]


def _merge(nodes):
    """Pairs of whether there is something, and its index, as a tree."""
    nodes = list(nodes)
    while len(nodes) > 1:
        pairs = [
            (a | b, Cat(Mux(a, low, high), ~a))
            for (a, low), (b, high) in zip(nodes[::2], nodes[1::2])
        ]
        nodes = pairs + ([(nodes[-1][0], Cat(nodes[-1][1], 0))] if len(nodes) % 2 else [])
    return nodes[0]
