# amaranth: UnusedElaboratable=no

"""The contractor's queue of samples: each one that is filled in is contracted once, in order."""

import pytest
from amaranth.hdl import Array, Assert, Assume, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from tensorspin_gateware.contractor import sample_queue
from tests.support.selection import slow_after

from ..support.proof import Model, Mutant, Probes, unchanging, variant

GROUPS = (1, 2, 3, 8)
CYCLES = 12
"""Cycles of a proof: enough to fill both halves of three groups, and contract and refill one."""


class Harness(wiring.Component):
    """Fills and contracts samples at any times, and watches the fate of any one sample.

    Samples are numbered modulo twice the number for which there is room.

    Parameters
    ----------
    groups : int
    mutant : Mutant or None
    inductive : bool
        Assert what holds inside of the component, too.
    """

    def __init__(self, groups: int, mutant: Mutant | None, inductive: bool) -> None:
        self._dut = variant(sample_queue, mutant).SampleQueue(groups)
        self._groups = groups
        self._inductive = inductive
        self._count_bits = (4 * groups - 1).bit_length()
        probed = {f"full_{half}": 1 for half in range(2)}
        self.probes = Probes({name: f"dut.{name}" for name in probed})
        super().__init__(
            {name: In(shape) for name, shape in probed.items()}
            | {"start": In(1), "take": In(1), "done": In(1), "number": In(self._count_bits)}
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.dut = self._dut.elaborate(None)
        dut, groups, bits = self._dut, self._groups, self._count_bits
        running = Signal()
        m.d.comb += [
            dut.start.eq(self.start),
            dut.take.eq(self.take),
            dut.done.eq(self.done),
            Assume(~self.start | dut.fill_ready),
            Assume(~self.take | (dut.waiting & ~running)),
            Assume(~self.done | running),
        ]
        m.d.sync += running.eq((running | self.take) & ~self.done)
        unchanging(m, self.number, "number")

        # Samples that have been filled in, that have been contracted, and their difference: those
        # that are there.
        filled, contracted = Signal(bits), Signal(bits)
        there = (filled - contracted)[:bits]
        size = Signal(range(groups + 1))
        m.d.comb += size.eq(dut.end - dut.first)
        m.d.sync += filled.eq(filled + self.start)
        with m.If(self.done):
            m.d.sync += contracted.eq(contracted + size)
        # The sample that is watched: whether it is there, in which half and group, and whether the
        # run that is under way must contract it (`due`).
        kept, due = Signal(), Signal()
        half, group = Signal(), Signal(range(groups + 1))
        in_half = half == dut.run_half
        in_run = Signal()
        m.d.comb += in_run.eq(in_half & (group >= dut.first) & (group < dut.end))
        with m.If(self.take):
            m.d.sync += due.eq(kept & in_half)
        with m.If(self.done & in_run):
            m.d.sync += kept.eq(0)
        with m.If(self.start & (filled == self.number)):
            m.d.sync += [kept.eq(1), half.eq(dut.fill_half), group.eq(dut.fill_group)]

        place = (self.number - contracted)[:bits]
        m.d.comb += [
            Assert(there <= 2 * groups),
            Assert(dut.waiting == (there != 0)),
            Assert(dut.fill_ready | (there > groups)),
            Assert(dut.fill_group < groups),
            Assert(kept == (place < there)),
        ]
        with m.If(kept & dut.fill_ready):
            m.d.comb += Assert((dut.fill_half != half) | (dut.fill_group != group))
        with m.If(running):
            m.d.comb += [
                Assert((dut.first < dut.end) & (dut.end <= groups)),
                Assert(size <= there),
                Assert(~kept | (in_run == (place < size))),
                Assert(due == (kept & in_run)),
            ]

        if self._inductive:
            full = Array([self.full_0, self.full_1])
            # Places in use: of samples that are there, and of those in the same half that were
            # contracted by earlier runs. `ahead`: the other half is being filled.
            used = there + dut.first
            ahead = dut.fill_half != dut.run_half
            m.d.comb += [
                Assert(dut.first < groups),
                Assert(full[dut.run_half] == (used >= groups)),
                Assert(full[~dut.run_half] == (used == 2 * groups)),
                Assert(ahead == ((used >= groups) & (used < 2 * groups))),
                Assert((used == dut.fill_group + ahead * groups) | (used == 2 * groups)),
                Assert((used != 2 * groups) | (dut.fill_group == 0)),
                Assert(group < groups),
                Assert(~kept | (place + dut.first == group + (half != dut.run_half) * groups)),
            ]
        return m


MUTANTS = {
    "never full": Mutant("self.fill_ready.eq(~full[self.fill_half])", "self.fill_ready.eq(1)"),
    "one half only": Mutant("self.fill_half.eq(~self.fill_half)", "self.fill_half.eq(0)"),
    "no room while a half is full": Mutant("~full[self.fill_half]", "~(full[0] | full[1])"),
    "half never free": Mutant("full[self.run_half].eq(0)", "full[self.run_half].eq(1)"),
    "half free too soon": Mutant("with m.If(self.end == groups)", "with m.If(self.end != 0)"),
    "half free at once": Mutant(
        "m.d.sync += self.end.eq(complete)",
        "m.d.sync += [self.end.eq(complete), full[self.run_half].eq(0)]",
    ),
    "other half freed": Mutant("full[self.run_half].eq(0)", "full[~self.run_half].eq(0)"),
    "same half again": Mutant("self.run_half.eq(~self.run_half)", "self.run_half.eq(0)"),
    "same samples again": Mutant("self.first.eq(self.end)", "self.first.eq(self.first)"),
    "not from the first group": Mutant("self.first.eq(0)", "self.first.eq(1)"),
    "one group only": Mutant("self.fill_group.eq(self.fill_group + 1)", "self.fill_group.eq(0)"),
    "beyond the last group": Mutant("self.fill_group == groups - 1", "self.fill_group == groups"),
    "one at a time": Mutant("self.end.eq(complete)", "self.end.eq(self.first + 1)"),
    "whole halves at once": Mutant("Mux(full[self.run_half], groups, self.fill_group)", "groups"),
    "full halves only": Mutant(
        "Mux(full[self.run_half], groups, self.fill_group)",
        "Mux(full[self.run_half], groups, self.first)",
    ),
    "full half not seen": Mutant(
        "Mux(full[self.run_half], groups, self.fill_group)", "self.fill_group"
    ),
    "grows while it runs": Mutant(
        "with m.If(self.take):\n            # Samples",
        "with m.If(~self.done):\n            # Samples",
    ),
    "always waiting": Mutant("self.waiting.eq(complete != self.first)", "self.waiting.eq(1)"),
}


@pytest.mark.parametrize("groups", GROUPS)
def test_contracts_each_sample_once(groups, tmp_path):
    assert Model(Harness(groups, None, inductive=True), tmp_path).is_proved(cycles=1)


@pytest.mark.parametrize("name", slow_after(2, MUTANTS))
def test_mutant_is_refuted(name, tmp_path):
    assert not Model(Harness(3, MUTANTS[name], inductive=False), tmp_path).holds(CYCLES)
