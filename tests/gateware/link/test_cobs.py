"""Byte stuffing in gateware equals that of the host."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tensorspin_gateware.link.cobs import BodyByte, COBSDecoder, COBSEncoder
from tensorspin_gateware.link.packet import PacketByte
from tests.gateware.bench import run_bench


class Pair(wiring.Component):
    """Encoder and decoder side by side, so that one simulation is enough."""

    plain: In(stream.Signature(PacketByte))
    stuffed: Out(stream.Signature(8))
    frames: In(stream.Signature(8))
    bodies: Out(stream.Signature(BodyByte))

    def elaborate(self, platform):
        m = Module()
        m.submodules.encoder = encoder = COBSEncoder()
        m.submodules.decoder = decoder = COBSDecoder()
        wiring.connect(m, wiring.flipped(self.plain), encoder.bodies)
        wiring.connect(m, wiring.flipped(self.stuffed), encoder.frames)
        wiring.connect(m, wiring.flipped(self.frames), decoder.frames)
        wiring.connect(m, wiring.flipped(self.bodies), decoder.bodies)
        return m


def test_equals_contract():
    run_bench(Pair(), "tests.gateware.link.bench_cobs")
