# amaranth: UnusedElaboratable=no

"""Proof: of each segment the first spin that accepts flips, or only the first of all."""

from __future__ import annotations

import pytest
from amaranth import Assert, Assume, Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from tensorspin.contract.annealer.size import GROUP
from tensorspin.contract.device.boards import BOARDS
from tensorspin_gateware.annealer.parallel import search, segments
from tests.support.selection import slow_after

from ..support.annealer_sizes import SIZES
from ..support.proof import Model, Mutant, variant

MUTANTS = {
    "second flip alone": Mutant("before = before | search.found", "before = search.found"),
    "always together": Mutant("(self.together | ~before)", "1"),
    "never together": Mutant("(self.together | ~before)", "~before"),
    "sign of another segment": Mutant(
        "self.spin_negative[index].eq", "self.spin_negative[index - 1].eq"
    ),
}

BENCH_SIZES = {name: size for name, size in SIZES.items() if size.flips > 1}
BOARD_SIZES = {
    name: board.annealer
    for name, board in BOARDS.items()
    if board.annealer and board.annealer.flips > 1
}


class Harness(wiring.Component):
    """Compares each output of the search with the inputs from which it comes, some cycles ago.

    As for the search of one segment (`tests.formal.test_search`), there is no feedback, so that a
    proof over as many cycles as there are stages holds for all time.

    Parameters
    ----------
    module : module
        `tensorspin_gateware.annealer.parallel.segments`, or a variant with a fault.
    size : AnnealerSize
        Size of the annealer.
    """

    def __init__(self, module, size) -> None:
        self._size = size
        self._dut = module.SegmentSearch(size)
        self._inputs = {
            name: port.shape
            for name, port in self._dut.signature.members.items()
            if port.flow is In
        }
        super().__init__({name: In(shape) for name, shape in self._inputs.items()})

    cycles = search.FOUND + 3
    """Cycles of a proof: until the first output that comes from known inputs, and one more."""

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.dut = dut = self._dut
        size, found = self._size, search.FOUND
        groups = -(-size.segment // GROUP)
        history = {}
        for name, shape in self._inputs.items():
            value = getattr(self, name)
            m.d.comb += getattr(dut, name).eq(value)
            history[name] = [value]
            for age in range(1, found + 2):
                history[name].append(Signal(shape, name=f"{name}_{age}"))
                m.d.sync += history[name][age].eq(history[name][age - 1])
        age = Signal(range(self.cycles + 1))
        with m.If(age != self.cycles):
            m.d.sync += age.eq(age + 1)
        with m.If(age != 0):
            m.d.comb += Assume(history["together"][0] == history["together"][1])

        # What should be found: the lowest bits that are set, isolated by arithmetic.
        accepting = []
        for segment in range(size.flips):
            word = Signal(size.segment, name=f"accepting_{segment}")
            own = history["accept"][found].word_select(segment, size.segment)
            for spin in range(size.segment):
                group = segment * groups + spin // GROUP
                m.d.comb += word[spin].eq(own[spin] & history["considered"][found][group])
            accepting.append(word)
        width = len(dut.spin) // size.flips
        for segment, word in enumerate(accepting):
            earlier = Cat(accepting[:segment]).any() if segment else Const(0)
            spin = dut.spin.word_select(segment, width)
            lowest = Signal(len(word), name=f"lowest_{segment}")
            m.d.comb += lowest.eq(word & -word)
            wanted = word.any() & (self.together | ~earlier)
            with m.If(age >= found):
                m.d.comb += Assert(dut.found[segment] == wanted)
                with m.If(dut.found[segment]):
                    m.d.comb += Assert(lowest == Const(1, len(word)) << spin)
            found_before = Signal(name=f"found_before_{segment}")
            spin_before = Signal(width, name=f"spin_before_{segment}")
            m.d.sync += [found_before.eq(dut.found[segment]), spin_before.eq(spin)]
            with m.If((age > found) & found_before):
                signs = history["negative"][found + 1].word_select(segment, size.segment)
                m.d.comb += Assert(dut.spin_negative[segment] == signs.bit_select(spin_before, 1))
        return m


@pytest.mark.parametrize(
    "name", [*BENCH_SIZES, *(pytest.param(name, marks=pytest.mark.long) for name in BOARD_SIZES)]
)
def test_finds_the_first_of_each_segment(name, tmp_path):
    harness = Harness(segments, (BENCH_SIZES | BOARD_SIZES)[name])
    assert Model(harness, tmp_path).is_proved(harness.cycles)


@pytest.mark.parametrize("mutant", slow_after(2, MUTANTS))
def test_mutant_is_refuted(mutant, tmp_path):
    harness = Harness(variant(segments, MUTANTS[mutant]), SIZES["three flips, tempering"])
    assert not Model(harness, tmp_path).holds(harness.cycles)
