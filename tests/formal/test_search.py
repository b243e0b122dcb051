# amaranth: UnusedElaboratable=no

"""Proof: the search of the parallel annealer finds the first spin that accepts, for any spins."""

from __future__ import annotations

import pytest
from amaranth import Assert, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from tensorspin.contract.annealer.size import GROUP
from tensorspin.contract.device.boards import BOARDS
from tensorspin_gateware.annealer.parallel import search
from tests.support.selection import slow_after

from ..support.annealer_sizes import SIZES
from ..support.proof import Model, Mutant, variant

MUTANTS = {
    "last of a pair": Mutant(
        "(a | b, Cat(Mux(a, low, high), ~a))", "(a | b, Cat(Mux(b, high, low), b))"
    ),
    "group not considered": Mutant("accept.any() & self.considered[group]", "accept.any()"),
    "sign of the neighbour": Mutant("word.bit_select(index, 1)", "word.bit_select(index ^ 1, 1)"),
    "odd one forgotten": Mutant("nodes = pairs + (", "nodes = pairs or ("),
}

BENCH_SIZES = {name: size for name, size in SIZES.items() if not size.window and size.flips == 1}
BOARD_SIZES = {
    name: board.annealer
    for name, board in BOARDS.items()
    if board.annealer and not board.annealer.window and board.annealer.flips == 1
}


class Harness(wiring.Component):
    """Compares each output of the search with the inputs from which it comes, some cycles ago.

    The search has no feedback: its registers hold nothing but functions of the last few inputs. So
    a proof over as many cycles as it has stages, from any state of the registers, holds for all
    time.

    Parameters
    ----------
    module : module
        `tensorspin_gateware.annealer.parallel.search`, or a variant with a fault.
    size : AnnealerSize
        Size of the annealer.
    """

    def __init__(self, module, size) -> None:
        self._dut = module.Search(size)
        self._found = module.FOUND
        self._inputs = {
            name: port.shape
            for name, port in self._dut.signature.members.items()
            if port.flow is In
        }
        super().__init__({name: In(shape) for name, shape in self._inputs.items()})

    @property
    def cycles(self) -> int:
        """Cycles of a proof: until the first output that comes from known inputs, and one more."""
        return self._found + 3

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.dut = dut = self._dut
        # For each input its values of this cycle and of those before, by their age.
        history = []
        for name, shape in self._inputs.items():
            value = getattr(self, name)
            m.d.comb += getattr(dut, name).eq(value)
            history.append([value])
            for age in range(1, self._found + 2):
                history[-1].append(Signal(shape, name=f"{name}_{age}"))
                m.d.sync += history[-1][age].eq(history[-1][age - 1])
        by_name = dict(zip(self._inputs, history))
        age = Signal(range(self.cycles + 1))
        with m.If(age != self.cycles):
            m.d.sync += age.eq(age + 1)

        accepting = Signal(len(self.accept))
        for spin in range(len(accepting)):
            considered = by_name["considered"][self._found][spin // GROUP]
            m.d.comb += accepting[spin].eq(by_name["accept"][self._found][spin] & considered)
        # The lowest bit that is set, isolated by arithmetic: a way to find the first that has
        # nothing in common with the tree under proof.
        lowest = Signal(len(accepting))
        m.d.comb += lowest.eq(accepting & -accepting)
        with m.If(age >= self._found):
            m.d.comb += Assert(dut.found == accepting.any())
            with m.If(dut.found):
                m.d.comb += Assert(lowest == Const(1, len(lowest)) << dut.spin)
        # The sign comes one cycle after the spin that it belongs to.
        found_before, spin_before = Signal(), Signal.like(dut.spin)
        m.d.sync += [found_before.eq(dut.found), spin_before.eq(dut.spin)]
        with m.If((age > self._found) & found_before):
            negative = by_name["negative"][self._found + 1]
            m.d.comb += Assert(dut.spin_negative == negative.bit_select(spin_before, 1))
        return m


@pytest.mark.parametrize(
    "name", [*BENCH_SIZES, *(pytest.param(name, marks=pytest.mark.long) for name in BOARD_SIZES)]
)
def test_finds_the_first(name, tmp_path):
    harness = Harness(search, (BENCH_SIZES | BOARD_SIZES)[name])
    assert Model(harness, tmp_path).is_proved(harness.cycles)


@pytest.mark.parametrize("mutant", slow_after(2, MUTANTS))
def test_mutant_is_refuted(mutant, tmp_path):
    harness = Harness(variant(search, MUTANTS[mutant]), SIZES["uneven"])
    assert not Model(harness, tmp_path).holds(harness.cycles)
