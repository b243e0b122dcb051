# amaranth: UnusedElaboratable=no

"""What the encoder stuffs, the decoder gives back: every byte, in order, and the ends of bodies."""

import pytest
from amaranth.hdl import Assert, Assume, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In

from tensorspin_gateware.link import cobs
from tensorspin_gateware.link.packet import PacketByte

from .proof import Model, Mutant, hold_while_stalled, unchanging, variant

MAX_BODY = 2
"""Smaller than any real one. The longest body's last code is less than 255 all the same."""
COUNT = 4
"""Bits enough to count the bytes of these cycles."""
WITH_STALLS = 10
WITHOUT_STALLS = 18
"""Cycles: of one body, and of two that follow each other at once."""

MUTANTS = {
    "zero taken for data": Mutant("with m.If(byte == 0):", "with m.If(byte == 7):"),
    "code off by one": Mutant(
        "write.data.eq(position - code_position)", "write.data.eq(position - code_position + 1)"
    ),
    "code of the body before": Mutant("code_position.eq(0), position.eq(1)", "position.eq(1)"),
    "byte lost at a stall": Mutant("read.en.eq(self.frames.ready)", "read.en.eq(1)"),
    "no zero between blocks": Mutant("with m.If(~is_code | started):", "with m.If(~is_code):"),
    "zero before the first block": Mutant("with m.If(~is_code | started):", "with m.If(1):"),
    "takes what it cannot keep": Mutant(
        "self.frames.ready.eq(~self.bodies.valid | self.bodies.ready)", "self.frames.ready.eq(1)"
    ),
    "good frames damaged": Mutant("damaged | ~is_code |", "damaged | is_code |"),
}


STALL_MUTANTS = {"byte lost at a stall", "takes what it cannot keep"}


class Pair(wiring.Component):
    """Encoder and decoder with pauses before, between and behind them, and the byte at any one
    position."""

    plain: In(stream.Signature(PacketByte))
    passes: In(1)
    ready: In(1)
    position: In(COUNT)

    def __init__(self, module, stalls: bool) -> None:
        self._encoder = module.COBSEncoder()
        self._decoder = module.COBSDecoder()
        self._stalls = stalls
        super().__init__()

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.encoder = encoder = self._encoder
        m.submodules.decoder = decoder = self._decoder
        wiring.connect(m, wiring.flipped(self.plain), encoder.bodies)
        line, bodies = encoder.frames, decoder.bodies
        # Once offered, a byte stays offered.
        offered = Signal()
        m.d.sync += offered.eq(decoder.frames.valid & ~decoder.frames.ready)
        m.d.comb += [
            decoder.frames.payload.eq(line.payload),
            decoder.frames.valid.eq(line.valid & (self.passes | offered)),
            line.ready.eq(decoder.frames.ready & (self.passes | offered)),
            bodies.ready.eq(self.ready),
        ]
        if not self._stalls:
            m.d.comb += [Assume(self.passes), Assume(self.ready), Assume(self.plain.valid)]
        hold_while_stalled(m, Assume, self.plain, "plain")
        hold_while_stalled(m, Assert, line, "line")
        hold_while_stalled(m, Assert, bodies, "bodies")
        unchanging(m, self.position, "position")

        sent, length = Signal(COUNT), Signal(range(MAX_BODY + 1))
        expected, is_expected = Signal(PacketByte), Signal()
        with m.If(self.plain.valid & self.plain.ready):
            m.d.sync += [sent.eq(sent + 1), length.eq(length + 1)]
            with m.If(self.plain.payload.last):
                m.d.sync += length.eq(0)
            with m.If(sent == self.position):
                m.d.sync += [expected.eq(self.plain.payload), is_expected.eq(1)]
        with m.If(self.plain.valid & (length == MAX_BODY - 1)):
            m.d.comb += Assume(self.plain.payload.last)

        # An end comes behind the last byte, and only there.
        received, was_last = Signal(COUNT), Signal()
        body = bodies.payload
        with m.If(bodies.valid):
            m.d.comb += Assert(received + ~body.end <= sent)
            with m.If(body.end):
                m.d.comb += Assert(~body.damaged)
                with m.If(received == self.position + 1):
                    m.d.comb += Assert(is_expected & expected.last & ~was_last)
            with m.Elif(received == self.position):
                m.d.comb += Assert(is_expected & (body.data == expected.data))
            with m.Elif(received == self.position + 1):
                m.d.comb += Assert(~expected.last | was_last)
        with m.If(bodies.valid & bodies.ready):
            m.d.sync += [received.eq(received + ~body.end), was_last.eq(body.end)]
        with m.If(line.valid & (line.payload == 0)):
            # A delimiter is nothing but the end: whatever was sent has come out before it.
            m.d.comb += Assert(length == 0)
        return m


@pytest.mark.parametrize(("stalls", "cycles"), [(True, WITH_STALLS), (False, WITHOUT_STALLS)])
def test_decoder_inverts_encoder(stalls, cycles, tmp_path):
    assert Model(Pair(variant(cobs, None, MAX_BODY=MAX_BODY), stalls), tmp_path).holds(cycles)


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_refuted(name, tmp_path):
    module = variant(cobs, MUTANTS[name], MAX_BODY=MAX_BODY)
    stalls = name in STALL_MUTANTS
    cycles = WITH_STALLS if stalls else WITHOUT_STALLS
    assert not Model(Pair(module, stalls), tmp_path).holds(cycles)
