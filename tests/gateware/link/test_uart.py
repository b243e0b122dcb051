# amaranth: UnusedElaboratable=no

"""The UART, bit by bit, and its divisor."""

import pytest
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tensorspin_gateware.link.uart import UARTReceiver, UARTTransmitter, divisor
from tests.gateware.bench import run_bench

CLOCK_HZ = 12_000_000
BAUD = 1_000_000


class UART(wiring.Component):
    """Both directions side by side, for one build."""

    rx_line: In(1)
    received: Out(stream.Signature(8))
    sent: In(stream.Signature(8))
    tx_line: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.submodules.receiver = receiver = UARTReceiver(CLOCK_HZ, BAUD)
        m.submodules.transmitter = transmitter = UARTTransmitter(CLOCK_HZ, BAUD)
        wiring.connect(m, wiring.flipped(self.received), receiver.data)
        wiring.connect(m, wiring.flipped(self.sent), transmitter.data)
        m.d.comb += [receiver.line.eq(self.rx_line), self.tx_line.eq(transmitter.line)]
        return m


def test_line():
    run_bench(UART(), "tests.gateware.link.bench_uart", divisor=divisor(CLOCK_HZ, BAUD))


@pytest.mark.parametrize(
    ("clock_hz", "baud", "cycles"),
    [(12_000_000, 1_000_000, 12), (12_000_000, 115_200, 104), (25_000_000, 1_000_000, 25)],
)
def test_divisor(clock_hz, baud, cycles):
    assert divisor(clock_hz, baud) == cycles


@pytest.mark.parametrize("component", [UARTReceiver, UARTTransmitter])
def test_refused_rates(component):
    with pytest.raises(
        ValueError,
        match=r"a clock of 12000000 Hz gives 923077 baud \(divisor 13\), \+2\.6% from the "
        r"900000 baud wanted; the limit is 1\.5%",
    ):
        component(12_000_000, 900_000)
    with pytest.raises(
        ValueError, match="4000000 baud needs a clock of at least 16000000 Hz, not 12000000 Hz"
    ):
        component(12_000_000, 4_000_000)
