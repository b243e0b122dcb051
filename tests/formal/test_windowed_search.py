# amaranth: UnusedElaboratable=no

"""Proof: the search of the windowed annealer finds the first spin of a pass that accepts."""

from __future__ import annotations

import pytest
from amaranth import Assert, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from tensorspin.contract.device.boards import BOARDS
from tensorspin_gateware.annealer.windowed import search
from tests.support.selection import slow_after

from ..support.annealer_sizes import SIZES
from ..support.proof import Model, Mutant, variant

MUTANTS = {
    "last of a window": Mutant(
        "for index in reversed(range(self._size.window)):",
        "for index in range(self._size.window):",
    ),
    "last of the windows": Mutant("m.If(first | ~self.found.valid)", "m.If(first | some)"),
    "pass before goes on": Mutant("m.If(first | ~self.found.valid)", "m.If(~self.found.valid)"),
    "window of the next cycle": Mutant("Cat(lane, window)", "Cat(lane, self.window)"),
    "sign of the neighbour": Mutant(
        "negative.bit_select(lane, 1)", "negative.bit_select(lane ^ 1, 1)"
    ),
}

WINDOWED = {
    name: size
    for name, size in (SIZES | {name: board.annealer for name, board in BOARDS.items()}).items()
    if size and size.window
}


class Harness(wiring.Component):
    """Compares what the search finds with the first spin of the pass, kept here another way.

    The search keeps the number of a spin; the harness keeps the lowest bit that is set, isolated.

    Parameters
    ----------
    module : module
        `tensorspin_gateware.annealer.windowed.search`, or a variant with a fault.
    size : AnnealerSize
        Size of an annealer with windows.
    """

    def __init__(self, module, size) -> None:
        self._size = size
        self._dut = module.Search(size)
        assert module.FOUND == 2
        super().__init__(
            {
                name: In(port.shape)
                for name, port in self._dut.signature.members.items()
                if port.flow is In
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.dut = dut = self._dut
        m.d.comb += [
            dut.window.eq(self.window),
            dut.first.eq(self.first),
            dut.accept.eq(self.accept),
            dut.negative.eq(self.negative),
        ]
        kept = {
            "valid": self.accept.any(),
            "lowest": self.accept & -self.accept,
            "window": self.window,
            "negative": (self.negative & self.accept & -self.accept).any(),
        }
        # `best` is what a pass has found so far; the search gives it one cycle later, as `before`.
        best, before = {}, {}
        for name, now in kept.items():
            width = self._size.window if name == "lowest" else len(now)
            best[name] = Signal(width, name=f"best_{name}")
            before[name] = Signal(width, name=f"before_{name}")
            m.d.sync += before[name].eq(best[name])
        with m.If(self.first | ~best["valid"]):
            m.d.sync += [best[name].eq(now) for name, now in kept.items()]
        lane = dut.found.spin[: (self._size.window - 1).bit_length()]
        m.d.comb += Assert(dut.found.valid == before["valid"])
        with m.If(dut.found.valid):
            m.d.comb += [
                Assert(before["lowest"] == Const(1, self._size.window) << lane),
                Assert(before["window"] == dut.found.spin[len(lane) :]),
                Assert(before["negative"] == dut.found.negative),
            ]
        return m


CYCLES = search.FOUND + 3
"""Cycles of a proof: until the first output that comes from known inputs, and some of a pass."""


@pytest.mark.parametrize("name", WINDOWED)
def test_finds_the_first(name, tmp_path):
    assert Model(Harness(search, WINDOWED[name]), tmp_path).is_proved(CYCLES)


@pytest.mark.parametrize("mutant", slow_after(2, MUTANTS))
def test_mutant_is_refuted(mutant, tmp_path):
    harness = Harness(variant(search, MUTANTS[mutant]), WINDOWED["many windows"])
    assert not Model(harness, tmp_path).holds(CYCLES)
