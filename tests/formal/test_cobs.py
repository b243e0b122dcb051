# amaranth: UnusedElaboratable=no

"""What the encoder stuffs, the decoder gives back, and what it did not stuff is called damaged."""

import pytest
from amaranth.hdl import Array, Assert, Assume, Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In

from tensorspin_gateware.link import cobs
from tensorspin_gateware.link.packet import PacketByte
from tests.support.selection import slow_after

from ..support.proof import Model, Mutant, hold_while_stalled, unchanging, variant

MAX_BODY = 2
"""Greatest length of a body: less than the real one, so that proofs take seconds. As with the real
one, no frame has a code of 255, for which COBS has a special rule."""

COUNT = 4
"""Width of the counters of bytes, enough for the cycles of the proofs."""

WITH_STALLS = 10
"""Cycles of the proof with pauses: enough for one body."""

WITHOUT_STALLS = 18
"""Cycles of the proof without pauses: enough for two bodies, one at once behind the other."""

ANSWER = MAX_BODY + 6
"""Greatest number of cycles from the last byte of a body into the encoder to its end out of the
decoder: the code, a latency of 3, the body, the delimiter, and the decoder's latency."""

FRAMES = MAX_BODY + 6
"""Cycles of the proof of the decoder's verdict: more than the longest undamaged frame takes."""

MUTANTS = {
    "zero taken for data": Mutant(
        "self.bodies.valid, 1, byte == 0", "self.bodies.valid, 1, byte == 7"
    ),
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
    "nothing comes out": Mutant("self.bodies.valid.eq(valid & emits)", "block_left.eq(0)"),
    "encoder waits for ever": Mutant('m.next = "FETCH"', 'm.next = "LAST CODE"'),
}


STALL_MUTANTS = {"byte lost at a stall", "takes what it cannot keep"}


class Pair(wiring.Component):
    """Encoder and decoder, with pauses before, between and behind them.

    The byte at any one position is watched: it comes out of the decoder as it went into the
    encoder.
    """

    plain: In(stream.Signature(PacketByte))
    passes: In(1)
    ready: In(1)
    position: In(COUNT)

    def __init__(self, module, stalls: bool, staged: bool = False) -> None:
        self._encoder = module.COBSEncoder(staged)
        self._decoder = module.COBSDecoder(staged)
        self._stalls, self._staged = stalls, staged
        # One cycle more for the byte in the encoder's register, and one for that in the decoder's.
        self._answer = ANSWER + 2 * staged
        super().__init__()

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.encoder = encoder = self._encoder
        m.submodules.decoder = decoder = self._decoder
        wiring.connect(m, wiring.flipped(self.plain), encoder.bodies)
        line, bodies = encoder.frames, decoder.bodies
        # A byte that was offered stays offered until it is taken, as a stream must.
        offered = Signal()
        m.d.sync += offered.eq(decoder.frames.valid & ~decoder.frames.ready)
        m.d.comb += [
            decoder.frames.payload.eq(line.payload),
            decoder.frames.valid.eq(line.valid & (self.passes | offered)),
            line.ready.eq(decoder.frames.ready & (self.passes | offered)),
            bodies.ready.eq(self.ready),
        ]
        if not self._stalls:
            m.d.comb += [Assume(self.passes), Assume(self.ready)]
            if not self._staged:
                m.d.comb += Assume(self.plain.valid)
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

        # What comes out is what went in, and an end comes behind a body's last byte and only there.
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
        waiting = Signal(range(self._answer + 2))
        with m.If(bodies.valid & body.end):
            m.d.sync += waiting.eq(0)
        with m.Elif(waiting != 0):
            m.d.sync += waiting.eq(waiting + 1)
        free = (waiting == 0) | (bodies.valid & body.end)
        if self._staged:
            # The end of a body may then come when the next one's byte is taken already, if that is
            # its only one. One body at a time is enough to compare bytes.
            m.d.comb += Assume(free | ~self.plain.valid | ~self.plain.payload.last)
        with m.If(self.plain.valid & self.plain.ready & self.plain.payload.last):
            m.d.comb += Assert(free)
            m.d.sync += waiting.eq(1)
        if not self._stalls:
            m.d.comb += Assert(waiting <= self._answer)
        with m.If(line.valid & (line.payload == 0)):
            # A zero on the line is a delimiter: it comes only when a whole body has been taken.
            m.d.comb += Assert(length == 0)
        return m


@pytest.mark.parametrize(("stalls", "cycles"), [(True, WITH_STALLS), (False, WITHOUT_STALLS)])
@pytest.mark.parametrize("staged", [False, True])
def test_decoder_inverts_encoder(staged, stalls, cycles, tmp_path):
    pair = Pair(variant(cobs, None, MAX_BODY=MAX_BODY), stalls, staged)
    assert Model(pair, tmp_path).holds(cycles)


@pytest.mark.parametrize("name", slow_after(2, MUTANTS))
def test_mutant_is_refuted(name, tmp_path):
    module = variant(cobs, MUTANTS[name], MAX_BODY=MAX_BODY)
    stalls = name in STALL_MUTANTS
    cycles = WITH_STALLS if stalls else WITHOUT_STALLS
    assert not Model(Pair(module, stalls), tmp_path).holds(cycles)


class Verdict(wiring.Component):
    """The decoder with frames of any bytes and any pauses: whether it calls them damaged."""

    data: In(8)
    valid: In(1)

    def __init__(self, module, staged: bool = False) -> None:
        self._decoder = module.COBSDecoder(staged)
        self._staged = staged
        super().__init__()

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.decoder = decoder = self._decoder
        body = decoder.bodies
        m.d.comb += [
            decoder.frames.payload.eq(self.data),
            decoder.frames.valid.eq(self.valid),
            body.ready.eq(1),
        ]
        # The bytes of the frame: room for one more than the longest body's frame has.
        frame = Array(Signal(8, name=f"frame_{index}") for index in range(MAX_BODY + 2))
        length = Signal(range(len(frame) + 1))
        is_end = self.valid & (self.data == 0)
        with m.If(is_end):
            m.d.sync += length.eq(0)
        with m.Elif(self.valid & (length != len(frame))):
            m.d.sync += [frame[length].eq(self.data), length.eq(length + 1)]

        # The rule: each code points at the next one, and the last one behind the frame's end.
        place = 0
        for _ in frame:
            place = Mux(place < length, place + frame[place], place)
        right = (place == length) & (length > 1) & (length <= MAX_BODY + 1)

        ended, was_right = is_end & (length != 0), right
        for _ in range(1 + self._staged):
            answer = Signal(2)
            m.d.sync += answer.eq(Cat(ended, was_right))
            ended, was_right = answer
        m.d.comb += Assert((body.valid & body.payload.end) == ended)
        with m.If(ended):
            m.d.comb += Assert(body.payload.damaged == ~was_right)
        return m


VERDICT_MUTANTS = {
    "no end comes out": MUTANTS["nothing comes out"],
    "longer than any body": Mutant("is_fault.eq(no_room)", "is_fault.eq(0)"),
    "fault not reported": Mutant("damaged | ~is_code |", "~is_code |"),
    "cut short": Mutant("damaged | ~is_code |", "damaged |"),
    "no body": Mutant("| is_empty)", ")"),
    "fault of the frame before": Mutant("damaged.eq(0),", ""),
    "end of an empty frame": Mutant("emits.eq(started)", "emits.eq(1)"),
}


@pytest.mark.parametrize("staged", [False, True])
def test_decoder_tells_damage(staged, tmp_path):
    verdict = Verdict(variant(cobs, None, MAX_BODY=MAX_BODY), staged)
    assert Model(verdict, tmp_path).holds(FRAMES + staged)


STAGED_MUTANTS = {
    "codes of 1 forgotten": Mutant("Mux(is_code, is_one,", "Mux(is_code, 0,"),
    "end of a block forgotten": Mutant("block_left == 1)", "block_left == 2)"),
    "room remembered": Mutant("no_room.eq(0), is_empty.eq(1)", "is_empty.eq(1)"),
    "room for one byte more": Mutant("no_room.eq(room == 1)", "no_room.eq(room == 0)"),
    "never empty again": Mutant("no_room.eq(0), is_empty.eq(1)", "no_room.eq(0)"),
}


@pytest.mark.parametrize("name", slow_after(2, STAGED_MUTANTS))
def test_wrong_register_is_refuted(name, tmp_path):
    module = variant(cobs, STAGED_MUTANTS[name], MAX_BODY=MAX_BODY)
    assert not Model(Verdict(module, staged=True), tmp_path).holds(FRAMES + 1)


@pytest.mark.parametrize("name", slow_after(2, VERDICT_MUTANTS))
def test_wrong_verdict_is_refuted(name, tmp_path):
    module = variant(cobs, VERDICT_MUTANTS[name], MAX_BODY=MAX_BODY)
    assert not Model(Verdict(module), tmp_path).holds(FRAMES)
