"""Changes of signals are counted bit by bit, and an idle board has few."""

import pytest
from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.device.boards import find_board
from tensorspin_gateware import accelerator
from tensorspin_gateware.simulation import activity, compilation
from tests.support.activity import LIMIT, measure

pytestmark = pytest.mark.slow  # each compiles simulators

BOARD = "icebreaker"

RESTLESS_BITS = 64
"""Registers that change in each cycle: few beside those of an engine at work."""


class Ring(wiring.Component):
    """Passes a bit round, so that two bits change in each cycle."""

    value: Out(4, init=1)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.value.eq(self.value.rotate_left(1))
        return m


class WithRing(wiring.Component):
    """Has a ring as a part of its own, and keeps the last byte."""

    rx: In(stream.Signature(8))
    tx: Out(stream.Signature(8))

    def elaborate(self, platform):
        m = Module()
        m.submodules.ring = ring = Ring()
        kept = Signal(8)
        m.d.comb += [self.rx.ready.eq(1), self.tx.payload.eq(kept), self.tx.valid.eq(ring.value[0])]
        with m.If(self.rx.valid):
            m.d.sync += kept.eq(self.rx.payload)
        return m


class RestlessAccelerator(accelerator.Accelerator):
    """Has registers that no enable holds."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        restless = Signal(RESTLESS_BITS)
        m.d.sync += restless.eq(~restless)
        return m


def test_toggles_are_counted_bit_by_bit(tmp_path):
    library = compilation.compile_simulator(
        WithRing(), tmp_path, lambda line: None, activity.WRAPPER, activity.OPTIONS
    )
    with activity.CountedBoard(library, 12_000_000) as board:
        with board.counting():
            board.run(32)
        idle = board.toggles()
        # Two bits of the registers; what they take next are the same bits in other places.
        assert idle["ring"] == 2 * 32
        with board.counting():
            board.run(32, b"\xff")
        board.run(32)  # not counted
        found = board.toggles()
        # Eight bits of the byte and of what is kept of it rise.
        assert found["ring"] == idle["ring"]
        assert found[activity.REST] - idle[activity.REST] >= 2 * 8


def test_idle_board_rests():
    found = measure(BOARD, activity.load(BOARD, lambda line: None))
    assert sum(found.busy.values()) > 500 and found.share < LIMIT
    assert max(found.busy, key=found.busy.get) == "contractor"


def test_registers_without_enables_are_found(tmp_path):
    row = find_board(BOARD)
    library = compilation.compile_simulator(
        RestlessAccelerator(row, bytes(8)),
        tmp_path,
        lambda line: None,
        activity.WRAPPER,
        activity.OPTIONS,
    )
    found = measure(BOARD, activity.CountedBoard(library, row.clock_hz))
    assert found.share > LIMIT and found.idle[activity.REST] >= RESTLESS_BITS
