"""Finds the first spin that accepts a flip, among all spins.

All spins are compared in one cycle, but a flip changes the fields of the others: only the first
flip, in the order of the spins, is the one that a machine with one visit after another would make.
"""

from __future__ import annotations

from collections.abc import Sequence

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.size import GROUP, AnnealerSize

from ..common.delay import delay
from ..common.interface import MEMBER_BITS, groups

Node = tuple[Value, Value]
"""A part of the spins: whether one of them accepts, and the place of the first that does."""

FOUND = 3
"""Cycles from the spins that accept to the first of them: one for each stage of the search."""


class Search(wiring.Component):
    """Finds the lowest spin that accepts, in three registered stages.

    The stages find the first spin in each group of `GROUP` spins, the first such group in each
    region of `GROUP` groups, and the first such region. Each stage is a tree of multiplexers, of
    three levels for eight nodes. With more than 512 spins there are more than eight regions, and
    the last stage is deeper.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.

    Ports
    -----
    accept, negative : In(spins)
        For each spin whether it accepts a flip, and whether it is -1.
    considered : In(groups)
        In a group whose bit is 0 no spin accepts, whatever `accept` says.
    found : Out(1)
        Whether some spin accepts, `FOUND` cycles after `accept`.
    spin : Out(range(groups * GROUP))
        At the same time: number of the first spin that accepts; undefined if none does.
    spin_negative : Out(1)
        Whether that spin is -1, one cycle after `spin`.

    Latency: `FOUND` cycles, one more for the sign.

    Resources: about two LUTs a spin (ECP5, 64 spins).
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
        # Stage 1: in each group.
        nodes = []
        for group in range(groups(self._size)):
            place = slice(group * GROUP, min((group + 1) * GROUP, self._size.spins))
            accept = self.accept[place]
            some, index = Signal(reset_less=True), Signal(MEMBER_BITS, reset_less=True)
            # Groups below the cursor are masked here, behind the comparison: the mask has one cycle
            # more to cross the die.
            m.d.sync += [
                some.eq(accept.any() & self.considered[group]),
                index.eq(_first(accept)),
            ]
            nodes.append((some, index))
        # The sign is chosen alongside, always one cycle behind the index that chooses it. Choosing
        # it in the same cycle would put a multiplexer behind the search's slowest path.
        signs = _words(delay(m, self.negative, 1), GROUP)
        signs = self._select(m, signs, [index for _, index in nodes])

        # Stage 2: in each region.
        regions = [nodes[low : low + GROUP] for low in range(0, len(nodes), GROUP)]
        nodes = []
        for region in regions:
            some, index = Signal(reset_less=True), Signal(2 * MEMBER_BITS, reset_less=True)
            m.d.sync += [some.eq(_any(region)), index.eq(_first_index(region))]
            nodes.append((some, index))
        signs = self._select(m, _words(signs, GROUP), [index[MEMBER_BITS:] for _, index in nodes])

        # Stage 3: among the regions.
        found = Signal(reset_less=True)
        spin = Signal(len(self.spin), reset_less=True)
        m.d.sync += [found.eq(_any(nodes)), spin.eq(_first_index(nodes))]
        m.d.comb += [
            self.found.eq(found),
            self.spin.eq(spin),
            self.spin_negative.eq(self._select(m, [signs], [spin[2 * MEMBER_BITS :]])),
        ]
        return m

    def _select(self, m: Module, words: list[Value], indices: list[Value]) -> Signal:
        """Choose from each word the bit of its index, one cycle later."""
        selected = Signal(len(words), reset_less=True)
        m.d.sync += selected.eq(
            Cat(word.bit_select(index, 1) for word, index in zip(words, indices))
        )
        return selected


def _words(bits: Value, width: int) -> list[Value]:
    return [bits[low : low + width] for low in range(0, len(bits), width)]


def _any(nodes: Sequence[Node]) -> Value:
    return Cat(some for some, _ in nodes).any()


def _first(bits: Value) -> Value:
    """Give the index of the lowest bit that is set; undefined if there is none."""
    return _first_index([(bit, Cat()) for bit in bits])


def _first_index(nodes: Sequence[Node]) -> Value:
    """Give the index of the first node that has something, above the index that the node has."""
    return _merge(nodes)[1]


def _merge(nodes: Sequence[Node]) -> Node:
    """Join nodes pairwise, as a tree.

    Joining two adds a bit to the index, which is 1 if the first of them has nothing.
    """
    nodes = list(nodes)
    while len(nodes) > 1:
        pairs = [
            (a | b, Cat(Mux(a, low, high), ~a))
            for (a, low), (b, high) in zip(nodes[::2], nodes[1::2])
        ]
        nodes = pairs + ([(nodes[-1][0], Cat(nodes[-1][1], 0))] if len(nodes) % 2 else [])
    return nodes[0]
