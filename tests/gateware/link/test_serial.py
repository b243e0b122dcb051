# amaranth: UnusedElaboratable=no

"""The link recovers from resets, and from a host that does not wait for the device."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tensorspin_gateware.link import Link, UARTReceiver, UARTTransmitter
from tensorspin_gateware.link.packet import PacketByte
from tests.gateware.bench import run_bench

BAUD = 1_000_000
DIVISOR = 8


class Serial(wiring.Component):
    """The link as a board has it: behind a UART, and in front of a router."""

    rx_line: In(1)
    tx_line: Out(1)
    requests: Out(stream.Signature(PacketByte))
    replies: In(stream.Signature(PacketByte))

    def elaborate(self, platform):
        m = Module()
        m.submodules.receiver = receiver = UARTReceiver(DIVISOR * BAUD, BAUD)
        m.submodules.transmitter = transmitter = UARTTransmitter(DIVISOR * BAUD, BAUD)
        m.submodules.link = link = Link(256)
        wiring.connect(m, receiver.data, link.rx)
        wiring.connect(m, link.tx, transmitter.data)
        wiring.connect(m, wiring.flipped(self.requests), link.requests)
        wiring.connect(m, wiring.flipped(self.replies), link.replies)
        m.d.comb += [receiver.line.eq(self.rx_line), self.tx_line.eq(transmitter.line)]
        return m


def test_resets():
    run_bench(Serial(), "tests.gateware.link.bench_serial", divisor=DIVISOR)
