"""Finds the first spin that accepts."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from tensorspin.contract.annealer import GROUP, AnnealerSize

from .interface import groups


class Search(wiring.Component):
    """Two stages: the first in each group, then the first group.

    Parameters
    ----------
    size : AnnealerSize

    Ports
    -----
    accept, negative : In(spins)
    found : Out(1)
        Two cycles later.
    spin : Out
        The first that accepts.
    spin_negative : Out(1)
        Its sign.

    About four LUTs a spin (ECP5, 64 spins).
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
        super().__init__(
            {
                "accept": In(size.spins),
                "negative": In(size.spins),
                "found": Out(1),
                "spin": Out(ceil_log2(GROUP) + ceil_log2(groups(size))),
                "spin_negative": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        count = groups(self._size)
        members = Signal(ceil_log2(GROUP) * count)
        negatives = Signal(count)
        some = Signal(count)
        for group in range(count):
            place = slice(group * GROUP, min((group + 1) * GROUP, self._size.spins))
            accept, negative = self.accept[place], self.negative[place]
            member, sign = _first(
                accept,
                [(index, negative[index]) for index in range(len(accept))],
            )
            m.d.sync += [
                some[group].eq(accept.any()),
                members.word_select(group, ceil_log2(GROUP)).eq(member),
                negatives[group].eq(sign),
            ]
        group, chosen = _first(
            some,
            [
                (index, Cat(members.word_select(index, ceil_log2(GROUP)), negatives[index]))
                for index in range(count)
            ],
        )
        m.d.sync += [
            self.found.eq(some.any()),
            Cat(self.spin[: ceil_log2(GROUP)], self.spin_negative).eq(chosen),
            self.spin[ceil_log2(GROUP) :].eq(group),
        ]
        return m


def _first(bits, values):
    """Pair of values that belongs to the lowest bit that is set, as a tree."""
    nodes = [(bits[i], *value) for i, value in enumerate(values)]
    while len(nodes) > 1:
        pairs = [
            (a | b, Mux(a, va, vb), Mux(a, wa, wb))
            for (a, va, wa), (b, vb, wb) in zip(nodes[::2], nodes[1::2])
        ]
        nodes = pairs + ([nodes[-1]] if len(nodes) % 2 else [])
    return nodes[0][1:]
