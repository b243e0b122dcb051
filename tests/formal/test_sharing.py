# amaranth: UnusedElaboratable=no

"""Proof: a step whose sweeps are shared is done when all replicas together have done its sweeps."""

from __future__ import annotations

import pytest
from amaranth import Assert, Assume, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from tensorspin.contract.annealer.size import SWEEPS
from tensorspin_gateware.annealer.parallel import sharing
from tests.support.selection import slow_after

from ..support.annealer_sizes import SIZES
from ..support.proof import Model, Mutant, Probes, variant

MUTANTS = {
    "one more in a sweep": Mutant("self._replicas - 1", "self._replicas"),
    "this cycle left out": Mutant("now_left == 0", "left == 0"),
    "not begun anew": Mutant("Mux(last, 0, single + 1)", "single + 1"),
    "step not added": Mutant("Mux(self.take, self.sweeps, 0)", "0"),
    "end lost when a step is taken": Mutant("now_left + Mux", "left + Mux"),
    "count kept by a reset": Mutant(", single.eq(0)", ""),
}

SHARED = {"shared sweeps": 14, "shared sweeps, all else": SWEEPS.maximum - 1}
"""Sizes, and the most sweeps that are left: fewer where replicas are no power of two, as the
harness multiplies by their number, which takes the solver long."""

CYCLES = 15
"""Cycles of a bounded proof: a sweep of all replicas, and some more."""


class Harness(wiring.Component):
    """Sweeps end and steps are taken at any times, as long as their difference is in its range.

    Parameters
    ----------
    module : module
        `tensorspin_gateware.annealer.parallel.sharing`, or a variant with a fault.
    name : str
        Name of a size of `SHARED`.
    """

    def __init__(self, module, name) -> None:
        size = SIZES[name]
        self._dut = module.SharedSweeps(size)
        self._replicas, self._most = size.replicas, SHARED[name]
        self.probes = Probes({"left": "dut.left", "single": "dut.single"})
        super().__init__(
            {
                "reset": In(1),
                "take": In(1),
                "sweeps": In(SWEEPS.width),
                "ended": In(1),
                "left": In(SWEEPS.width),
                "single": In(range(size.replicas)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.dut = dut = self._dut
        replicas, most = self._replicas, self._most
        m.d.comb += [
            dut.reset.eq(self.reset),
            dut.take.eq(self.take),
            dut.sweeps.eq(self.sweeps),
            dut.ended.eq(self.ended),
        ]
        # Sweeps of single replicas that are missing from what should have been done.
        width = SWEEPS.width + replicas.bit_length() + 2
        missing = Signal(signed(width))
        now_missing = Signal(signed(width))
        next_missing = Signal(signed(width))
        m.d.comb += [
            now_missing.eq(missing - self.ended),
            next_missing.eq(now_missing),
            # Before the next step is taken, the replicas may be a whole sweep ahead, and no more.
            Assume(next_missing > -2 * replicas),
            Assume(next_missing <= most * replicas),
            Assume(self.sweeps <= most),
        ]
        with m.If(self.take):
            m.d.comb += next_missing.eq(now_missing + self.sweeps * replicas)
        with m.If(self.reset):
            m.d.comb += next_missing.eq(self.sweeps * replicas)
        m.d.sync += missing.eq(next_missing)
        left = Signal(signed(SWEEPS.width + 1))
        m.d.comb += left.eq(self.left)
        with m.If(self.left == SWEEPS.maximum):
            m.d.comb += left.eq(-1)
        m.d.comb += [
            Assert(self.single < replicas),
            Assert(left <= most),
            Assert(missing == left * replicas - self.single),
            Assert(dut.done == ((now_missing <= 0) & (now_missing > -replicas))),
        ]
        return m


@pytest.mark.parametrize("name", SHARED)
def test_done_with_the_last_sweep_of_all(name, tmp_path):
    assert Model(Harness(sharing, name), tmp_path).is_proved(cycles=1)


@pytest.mark.parametrize("mutant", slow_after(2, MUTANTS))
def test_mutant_is_refuted(mutant, tmp_path):
    harness = Harness(variant(sharing, MUTANTS[mutant]), "shared sweeps")
    assert not Model(harness, tmp_path).holds(CYCLES)
