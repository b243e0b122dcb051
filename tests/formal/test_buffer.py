# amaranth: UnusedElaboratable=no

"""The receive buffer gives out what was accepted: each byte once, in order, and as it was."""

import types

import pytest
from amaranth.hdl import Assert, Module, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In

from tensorspin_gateware.link import receiver
from tensorspin_gateware.link.packet import PacketByte
from tests.support.selection import long_after

from ..support.proof import Model, Mutant, Probes, hold_while_stalled, unchanging, variant

SIZE = 4
"""Bytes of the buffer: fewer than of any real one, but only widths depend on it."""

POSITION = SIZE.bit_length()
"""Width of a position, which is an address and one bit more."""

DELAY = 3
"""Greatest number of cycles in which no byte is offered although one is visible."""


class Harness(wiring.Component):
    """The fate of the byte at any one position, with any bytes, any verdicts and any reader.

    Positions are counted modulo twice the size, and the watched position is used again and again,
    so the proof holds for all bytes. The receiver's verdict is cut off and may be anything; whether
    it is right is proved in `test_receiver`.

    Parameters
    ----------
    mutant : Mutant or None
    inductive : bool
        Assert what holds inside of the receiver, too.
    staged : bool
        Take the form with registers on its paths, in which a byte comes every other cycle.
    """

    def __init__(self, mutant: Mutant | None, inductive: bool, staged: bool = False) -> None:
        self._delay = DELAY + 2 * staged
        self._memories = []

        def inspected(*arguments, **parameters) -> memory.Memory:
            """Make a memory that is kept here, so that a read port can be added to look into it."""
            self._memories.append(memory.Memory(*arguments, **parameters))
            return self._memories[-1]

        small = variant(
            receiver, mutant, MAX_BODY=SIZE, memory=types.SimpleNamespace(Memory=inspected)
        )
        self._dut = small.PacketReceiver(SIZE, staged)
        self._inductive = inductive
        probed = {
            "write_enable": ("dut.write__en", 1),
            "write_data": ("dut.write__data", PacketByte),
            "write_position": ("dut.write_position", POSITION),
            "frame_position": ("dut.frame_position", POSITION),
            "read_position": ("dut.read_position", POSITION),
            "fetched": ("dut.fetched", 1),
            "fetched_data": ("dut.read__data", PacketByte),
        }
        verdict = "dut.rejected" if staged else "dut.reason"
        self.probes = Probes({name: path for name, (path, _) in probed.items()}, [verdict])
        super().__init__(
            {name: In(shape) for name, (_, shape) in probed.items()}
            | {
                "data": In(8),
                "valid": In(1),
                "ready": In(1),
                "taken": In(1),
                "position": In(POSITION),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.dut = self._dut.elaborate(None)
        requests = self._dut.requests
        (ring,) = self._memories
        inside = ring.read_port(domain="comb")
        m.d.comb += [
            self._dut.rx.payload.eq(self.data),
            self._dut.rx.valid.eq(self.valid),
            requests.ready.eq(self.ready),
            self._dut.reject.taken.eq(self.taken),
            inside.addr.eq(self.position),
        ]
        unchanging(m, self.position, "position")
        hold_while_stalled(m, Assert, requests, "requests")

        written = Signal(PacketByte)
        with m.If(self.write_enable & (self.write_position == self.position)):
            m.d.sync += written.eq(self.write_data)
        # The position of the byte that is to be given out next.
        given = Signal(POSITION)
        with m.If(requests.valid & requests.ready):
            m.d.sync += given.eq(given + 1)
        with m.If(requests.valid):
            with m.If(given == self.position):
                m.d.comb += Assert(requests.payload.as_value() == written.as_value())
            # It has become visible: the frame position is ahead of it.
            m.d.comb += Assert((self.frame_position - given)[:POSITION] - 1 < SIZE + 2)
        idle = Signal(range(self._delay + 2))
        with m.If(requests.valid | (given == self.frame_position)):
            m.d.sync += idle.eq(0)
        with m.Elif(idle <= self._delay):
            m.d.sync += idle.eq(idle + 1)
        m.d.comb += Assert(idle <= self._delay)

        if self._inductive:
            held = (self.write_position - self.read_position)[:POSITION]
            visible = (self.frame_position - self.read_position)[:POSITION]
            place = (self.position - self.read_position)[:POSITION]
            under_way = requests.valid + self.fetched
            m.d.comb += [
                Assert(held <= SIZE),
                Assert(visible <= held),
                Assert((given + under_way)[:POSITION] == self.read_position),
            ]
            with m.If(place < held):
                m.d.comb += Assert(inside.data.as_value() == written.as_value())
            with m.If(self.fetched & (place == 2 * SIZE - 1)):
                m.d.comb += Assert(self.fetched_data.as_value() == written.as_value())
        return m


MUTANTS = {
    "one byte too many": Mutant(
        "is_full = write_position == end_position", "is_full = write_position != write_position"
    ),
    "read before the frame's end": Mutant(
        "at_end = read_position == frame_position", "at_end = read_position == write_position"
    ),
    "a byte is lost at a stall": Mutant("read.en.eq(fetches | free)", "read.en.eq(1)"),
    "a byte twice": Mutant("read_position + ~empty", "read_position + (free & ~empty)"),
    "changes while offered": Mutant(
        "takes = ~self.requests.valid | self.requests.ready", "takes = self.requests.ready | 1"
    ),
    "gives nothing": Mutant("empty.eq(at_end)\n        m.d.comb", "empty.eq(1)\n        m.d.comb"),
    "forgets the frame before": Mutant(
        "write_position.eq(frame_position)", "write_position.eq(read_position)"
    ),
}


def test_gives_out_what_was_accepted(tmp_path):
    assert Model(Harness(None, inductive=True), tmp_path).is_proved(cycles=DELAY + 2)


STAGED_MUTANTS = {
    "a byte twice": Mutant("self.requests.valid.eq(0)", "overflowed.eq(0)"),
    "read behind the end": Mutant("settled.eq(~read.en | empty)", "settled.eq(1)"),
}


def test_registers_on_the_way_only_delay(tmp_path):
    assert Model(Harness(None, inductive=False, staged=True), tmp_path).holds(cycles=18)


@pytest.mark.parametrize("name", STAGED_MUTANTS)
def test_wrong_register_is_refuted(name, tmp_path):
    harness = Harness(STAGED_MUTANTS[name], inductive=False, staged=True)
    assert not Model(harness, tmp_path).holds(cycles=18)


@pytest.mark.parametrize("name", long_after(2, MUTANTS))
def test_mutant_is_refuted(name, tmp_path):
    assert not Model(Harness(MUTANTS[name], inductive=False), tmp_path).holds(cycles=18)
