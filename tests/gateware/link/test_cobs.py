"""Byte stuffing in gateware equals that of the host."""

import pytest
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

    def __init__(self, staged: bool):
        self._staged = staged
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.submodules.encoder = encoder = COBSEncoder(self._staged)
        m.submodules.decoder = decoder = COBSDecoder(self._staged)
        wiring.connect(m, wiring.flipped(self.plain), encoder.bodies)
        wiring.connect(m, wiring.flipped(self.stuffed), encoder.frames)
        wiring.connect(m, wiring.flipped(self.frames), decoder.frames)
        wiring.connect(m, wiring.flipped(self.bodies), decoder.bodies)
        return m


@pytest.mark.parametrize("staged", [False, True])
def test_equals_contract(staged):
    run_bench(Pair(staged), "tests.gateware.link.bench_cobs", staged=staged)
