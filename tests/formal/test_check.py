# amaranth: UnusedElaboratable=no

"""Proof: a check of the annealer's memories reads each line once, in order, and then ends."""

from __future__ import annotations

import pytest
from amaranth import Assert, Assume, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from tensorspin.contract.annealer.image import AnnealerSpace, row_bytes, stride_bits
from tensorspin.contract.annealer.segments import memory_rows
from tensorspin.contract.annealer.signature import CHECK_DRAIN, check_lines
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin_gateware.annealer.common import host
from tensorspin_gateware.annealer.common.interface import ADDRESS_BITS, SPACE_BITS
from tests.support.selection import long_after

from ..support.proof import Model, Mutant, Probes, variant

SIZE = AnnealerSize(2, 2, 6, 10, (1,) * 2, 2, 4, ring=0, signature=1)
LINES = check_lines(SIZE)

MUTANTS = {
    "begins at the next line": Mutant(
        "m.d.sync += [self.pointer.eq(0), self.checking.eq(1)",
        "m.d.sync += [word.eq(1), self.checking.eq(1)",
    ),
    "not begun anew": Mutant("[self.pointer.eq(0), self.checking", "[self.checking"),
    "last line missed": Mutant("with m.If(word == lines - 1)", "with m.If(word == lines - 2)"),
    "one line more": Mutant("with m.If(word == lines - 1)", "with m.If(word == lines)"),
    "a line twice": Mutant(
        "m.d.sync += word.eq(word + 1)\n            with m.If(word == lines",
        "m.d.sync += word.eq(word + (word != 1))\n            with m.If(word == lines",
    ),
    "ends too early": Mutant("lines + CHECK_DRAIN - 1", "lines + CHECK_DRAIN - 2"),
    "verdict of a check that was broken off": Mutant("ends & ~self.stop_check", "ends"),
    "not broken off": Mutant("m.If(ends | self.stop_check)", "m.If(ends)"),
    "goes on with the host's address": Mutant(
        "m.Elif(self.checking & ~self.write_enable)", "m.Elif(self.checking)"
    ),
}


class Harness(wiring.Component):
    """Checks begin and are broken off at any times; the host writes whatever it likes."""

    def __init__(self, module, run_late: bool) -> None:
        low = stride_bits(row_bytes(SIZE))
        self._dut = module.HostWrites(SIZE, low, memory_rows(SIZE), run_late)
        self.probes = Probes({"pointer": "dut.pointer", "clearing": "dut.clearing"})
        super().__init__(
            {
                "check": In(1),
                "stop": In(1),
                "space": In(SPACE_BITS),
                "address": In(ADDRESS_BITS),
                "write_enable": In(1),
                "write_data": In(8),
                "pointer": In(ADDRESS_BITS),
                "clearing": In(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.dut = dut = self._dut
        m.d.comb += [
            dut.check.eq(self.check),
            dut.stop_check.eq(self.stop),
            dut.space.eq(self.space),
            dut.address.eq(self.address),
            dut.write_enable.eq(self.write_enable),
            dut.write_data.eq(self.write_data),
        ]
        # The next cycle of the check, counted from 0; as many as there are lines, and the drain.
        length = LINES + CHECK_DRAIN
        place, going = Signal(range(length)), Signal()
        written, address = Signal(), Signal(ADDRESS_BITS)
        couplings = self.write_enable & (self.space == AnnealerSpace.COUPLINGS)
        m.d.sync += [written.eq(couplings), address.eq(self.address)]
        m.d.comb += [
            # A run is over when its check begins, and the memories are not cleared meanwhile.
            Assume(~(self.check & (going | self.clearing | self.write_enable | self.stop))),
            # The host writes during a check only what breaks it off, in that cycle.
            Assume(~(going & self.write_enable & ~self.stop)),
            Assume(~(self.clearing & (going | self.write_enable))),
            Assert(dut.checking == going),
            Assert(dut.line_valid == (going & (place < LINES))),
            Assert(~going | (dut.line == place)),
            Assert(~going | (place < length)),
            # The host's byte goes where the host wants it to, also if it breaks off a check.
            Assert(~written | (dut.pointer == address)),
            Assert(dut.check_ends == (going & (place == length - 1) & ~self.stop)),
        ]
        with m.If(going):
            m.d.sync += place.eq(place + 1)
            with m.If(place == length - 1):
                m.d.sync += going.eq(0)
        with m.If(self.check):
            m.d.sync += [going.eq(1), place.eq(0)]
        with m.If(self.stop):
            m.d.sync += going.eq(0)
        return m


@pytest.mark.parametrize("run_late", [False, True])
def test_reads_each_line_once(run_late, tmp_path):
    assert Model(Harness(host, run_late), tmp_path).is_proved(cycles=1)


@pytest.mark.parametrize("mutant", long_after(2, MUTANTS))
def test_mutant_is_refuted(mutant, tmp_path):
    harness = Harness(variant(host, MUTANTS[mutant]), False)
    assert not Model(harness, tmp_path).holds(LINES + CHECK_DRAIN + 4)
