"""The way from replies to bytes of the line."""

from amaranth import Module, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out

from tensorspin.contract.wire.frames import CRC

from .cobs import COBSEncoder
from .packet import PacketByte


class PacketTransmitter(wiring.Component):
    """Appends the CRC to each reply, and makes a frame of it.

    Ports
    -----
    replies : In(stream of PacketByte)
        Packets: type, sequence number, length, and as many bytes of payload.
    tx : Out(stream of 8)
        Bytes for the line.

    Parameters
    ----------
    staged : bool, default=False
        Whether registers cut the long paths, for FPGAs whose logic is slow.

    Latency: 1 cycle and that of `COBSEncoder`; the CRC takes 4 cycles, in which no byte of a reply
    is taken, and 1 more if `staged`. Resources: 244 LUTs and one 4 Kbit block RAM (iCE40), those of
    the encoder included.
    """

    replies: In(stream.Signature(PacketByte))
    tx: Out(stream.Signature(8))

    def __init__(self, staged: bool = False):
        self._staged = staged
        super().__init__()

    def elaborate(self, platform):
        m = Module()

        # The CRC is reset between replies instead of started with each, as its input `start` would
        # put a multiplexer before the whole register.
        crc_reset = Signal()
        crc_ends = crc_reset
        crc = CRC32_ISO_HDLC(data_width=8).create()
        m.submodules.crc = ResetInserter(crc_reset)(crc)
        m.submodules.encoder = encoder = COBSEncoder(self._staged)
        wiring.connect(m, wiring.flipped(self.tx), encoder.frames)

        # A register in front of the encoder, which compares each byte with zero: the logic from
        # which replies come may be long already.
        body = encoder.bodies
        free = Signal()
        m.d.comb += free.eq(~body.valid | body.ready)
        with m.If(body.ready):
            m.d.sync += body.valid.eq(0)

        crc_byte = Signal(range(CRC.size))
        taken = crc.valid
        if self._staged:
            # The CRC gets a byte from the register, a cycle after the byte was taken.
            taken, crc_ends = Signal(), Signal()
            m.d.sync += [crc.valid.eq(taken), crc_reset.eq(crc_ends)]
            m.d.comb += crc.data.eq(body.payload.data)
        with m.FSM(name="packet_transmitter"):
            with m.State("PACKET"):
                m.d.comb += [
                    self.replies.ready.eq(free),
                    *(() if self._staged else [crc.data.eq(self.replies.payload.data)]),
                    taken.eq(self.replies.valid & free),
                ]
                with m.If(free):
                    m.d.sync += [
                        body.payload.data.eq(self.replies.payload.data),
                        body.payload.last.eq(0),
                        body.valid.eq(self.replies.valid),
                    ]
                with m.If(taken & self.replies.payload.last):
                    m.next = "LAST BYTE" if self._staged else "CRC"
            if self._staged:
                with m.State("LAST BYTE"):
                    m.next = "CRC"
            with m.State("CRC"):
                with m.If(free):
                    m.d.sync += [
                        body.payload.data.eq(crc.crc.word_select(crc_byte, 8)),
                        body.payload.last.eq(crc_byte == CRC.size - 1),
                        body.valid.eq(1),
                        crc_byte.eq(crc_byte + 1),
                    ]
                    with m.If(crc_byte == CRC.size - 1):
                        m.d.comb += crc_ends.eq(1)
                        m.d.sync += crc_byte.eq(0)
                        m.next = "PACKET"

        return m
