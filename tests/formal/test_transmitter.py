# amaranth: UnusedElaboratable=no

"""The transmitter sends each byte of a reply once, in order, and the CRC of them all behind."""

import types

import pytest
from amaranth.hdl import Assert, Assume, Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tensorspin_gateware.link import transmitter
from tensorspin_gateware.link.packet import PacketByte
from tests.support.selection import slow_after

from ..support.proof import Model, Mutant, Probes, hold_while_stalled, unchanging, variant

COUNT = 5
"""Width of the counters of bytes, enough for the cycles of the proof."""

CRC = types.SimpleNamespace(size=2)
"""In place of the real CRC: it is shorter, and what is proved does not depend on that."""

CYCLES = 10
"""Cycles of the proof: enough for two replies and their CRCs, with pauses."""


class Wire(wiring.Component):
    """In place of the encoder, which is proved by itself: bytes pass unchanged."""

    bodies: In(stream.Signature(PacketByte))
    frames: Out(stream.Signature(8))

    def elaborate(self, platform) -> Module:
        m = Module()
        m.d.comb += [
            self.frames.payload.eq(self.bodies.payload.data),
            self.frames.valid.eq(self.bodies.valid),
            self.bodies.ready.eq(self.frames.ready),
        ]
        return m


def hashed(register, byte):
    """Update a simple checksum, in place of the CRC, which is proved by itself.

    It depends on each byte and on the order of the bytes.
    """
    return Cat(register[-8:] ^ byte, register[:-8])


class Hash(wiring.Component):
    """The register of that checksum, with the ports of a CRC processor."""

    data: In(8)
    valid: In(1)
    crc: Out(8 * CRC.size, init=1)

    def elaborate(self, platform) -> Module:
        m = Module()
        with m.If(self.valid):
            m.d.sync += self.crc.eq(hashed(self.crc, self.data))
        return m


class HashAlgorithm:
    """The checksum as an algorithm, with the methods of `amaranth.lib.crc` that are called."""

    def __init__(self, data_width: int) -> None:
        assert data_width == len(Hash().data)

    def create(self) -> Hash:
        return Hash()


class Replies(wiring.Component):
    """The transmitter with replies of any bytes and any pauses: the byte at any one position."""

    reply: In(stream.Signature(PacketByte))
    ready: In(1)
    position: In(COUNT)
    body: In(PacketByte)

    def __init__(self, mutant: Mutant | None, staged: bool = False) -> None:
        module = variant(
            transmitter,
            mutant,
            CRC=CRC,
            COBSEncoder=lambda staged: Wire(),
            CRC32_ISO_HDLC=HashAlgorithm,
        )
        self._dut = module.PacketTransmitter(staged)
        self.probes = Probes({"body": "dut.bodies__payload"})
        self._staged = staged
        super().__init__()

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.dut = dut = self._dut
        wiring.connect(m, wiring.flipped(self.reply), dut.replies)
        m.d.comb += dut.tx.ready.eq(self.ready)
        hold_while_stalled(m, Assume, self.reply, "reply")
        hold_while_stalled(m, Assert, dut.tx, "tx")
        unchanging(m, self.position, "position")

        sent, received = Signal(COUNT), Signal(COUNT)
        register = Signal(8 * CRC.size, init=1)
        after = Signal.like(register)
        m.d.comb += after.eq(hashed(register, self.reply.payload.data))
        expected, is_expected = Signal(PacketByte), Signal()
        with m.If(self.reply.valid & self.reply.ready):
            is_last = self.reply.payload.last
            m.d.sync += [
                sent.eq(sent + 1 + Mux(is_last, CRC.size, 0)),
                register.eq(Mux(is_last, 1, after)),
            ]
            with m.If(self.position == sent):
                m.d.sync += [
                    expected.data.eq(self.reply.payload.data),
                    expected.last.eq(0),
                    is_expected.eq(1),
                ]
            for index in range(CRC.size):
                with m.If(is_last & (self.position == sent + 1 + index)):
                    m.d.sync += [
                        expected.data.eq(after.word_select(index, 8)),
                        expected.last.eq(index == CRC.size - 1),
                        is_expected.eq(1),
                    ]
        # Bytes that have been taken are offered at once, and no others are. If staged, the first
        # byte of the CRC may be a cycle late.
        waited = Signal()
        m.d.sync += waited.eq(~dut.tx.valid & (received != sent))
        late = (~waited & (received != sent)) if self._staged else 0
        m.d.comb += Assert((dut.tx.valid == (received != sent)) | (~dut.tx.valid & late))
        with m.If(received == sent):
            m.d.comb += Assert(self.reply.ready)
        with m.If(dut.tx.valid & (received == self.position)):
            m.d.comb += [
                Assert(is_expected & (dut.tx.payload == expected.data)),
                Assert(self.body.last == expected.last),
            ]
        with m.If(dut.tx.valid & dut.tx.ready):
            m.d.sync += received.eq(received + 1)
        return m


MUTANTS = {
    "CRC of all replies": Mutant("crc_ends.eq(1)", "crc_ends.eq(0)"),
    "byte lost at a stall": Mutant("free.eq(~body.valid | body.ready)", "free.eq(1)"),
    "byte hashed twice": Mutant(
        "taken.eq(self.replies.valid & free)", "taken.eq(self.replies.valid)"
    ),
    "first byte of the CRC only": Mutant("word_select(crc_byte, 8)", "word_select(0, 8)"),
    "no end": Mutant("body.payload.last.eq(crc_byte == CRC.size - 1)", "body.payload.last.eq(0)"),
    "end before the CRC": Mutant(
        "body.payload.last.eq(0)", "body.payload.last.eq(self.replies.payload.last)"
    ),
    "no CRC": Mutant('"LAST BYTE" if self._staged else "CRC"', '"PACKET"'),
    "waits for ever": Mutant('m.next = "PACKET"', 'm.next = "CRC"'),
    "nothing sent": Mutant("body.valid.eq(self.replies.valid)", "body.valid.eq(0)"),
}


STAGED_MUTANTS = {
    "CRC without the last byte": Mutant('"LAST BYTE" if self._staged else "CRC"', '"CRC"'),
    "a byte hashed twice": Mutant("[crc.valid.eq(taken)", "[crc.valid.eq(taken | crc.valid)"),
    "CRC of the next byte": Mutant(
        "crc.data.eq(body.payload.data)", "crc.data.eq(self.replies.payload.data)"
    ),
}


@pytest.mark.parametrize("staged", [False, True])
def test_transmits_replies_and_their_crc(staged, tmp_path):
    assert Model(Replies(None, staged), tmp_path).holds(CYCLES + staged)


@pytest.mark.parametrize("name", slow_after(1, STAGED_MUTANTS))
def test_wrong_register_is_refuted(name, tmp_path):
    assert not Model(Replies(STAGED_MUTANTS[name], staged=True), tmp_path).holds(CYCLES)


@pytest.mark.parametrize("name", slow_after(2, MUTANTS))
def test_mutant_is_refuted(name, tmp_path):
    assert not Model(Replies(MUTANTS[name]), tmp_path).holds(CYCLES)
