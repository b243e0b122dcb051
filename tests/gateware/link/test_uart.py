# amaranth: UnusedElaboratable=no

"""The UART sends and receives each bit in its time, and refuses clocks that cannot."""

import pytest
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tensorspin_gateware.link.uart import MIN_DIVISOR, UARTReceiver, UARTTransmitter, divisor
from tests.gateware.bench import run_bench
from tests.support.selection import slow_but

BAUD = 1_000_000


class UART(wiring.Component):
    """Both directions side by side, so that one simulation is enough."""

    def __init__(self, clock_hz: int, staged: bool = False):
        self._clock_hz = clock_hz
        self._staged = staged
        super().__init__()

    rx_line: In(1)
    received: Out(stream.Signature(8))
    sent: In(stream.Signature(8))
    tx_line: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.submodules.receiver = receiver = UARTReceiver(self._clock_hz, BAUD)
        m.submodules.transmitter = transmitter = UARTTransmitter(self._clock_hz, BAUD, self._staged)
        wiring.connect(m, wiring.flipped(self.received), receiver.data)
        wiring.connect(m, wiring.flipped(self.sent), transmitter.data)
        m.d.comb += [receiver.line.eq(self.rx_line), self.tx_line.eq(transmitter.line)]
        return m


# The least even divisor, and that of fast boards, take longer.
@pytest.mark.parametrize(
    "cycles",
    [
        *slow_but([MIN_DIVISOR], [MIN_DIVISOR, 12]),
        *(pytest.param(cycles, marks=pytest.mark.long) for cycles in (8, 80)),
    ],
)
def test_line(cycles):
    run_bench(UART(cycles * BAUD), "tests.gateware.link.bench_uart", divisor=cycles)


def test_registers_on_its_paths_change_nothing():
    uart = UART(MIN_DIVISOR * BAUD, staged=True)
    run_bench(uart, "tests.gateware.link.bench_uart", divisor=MIN_DIVISOR)


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
        ValueError, match="2000000 baud needs a clock of at least 14000000 Hz, not 12000000 Hz"
    ):
        component(12_000_000, 2_000_000)
