"""Bytes at an SPI target's pins, bit by bit, shown on a device that sends back what it gets."""

import random

import pytest
from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from tensorspin_gateware.accelerator import SPIAccelerator
from tensorspin_gateware.link import spi
from tensorspin_gateware.simulation import compilation, pins

from ..support.proof import Mutant, variant

CLOCK_HZ = 30_000_000
RATES = (1e6, 3.1e6, 14.9e6, 20e6, 25e6, 29.9e6)
"""Frequencies of SCK in Hz up to that of the device's clock, in any phase."""


class Echo(wiring.Component):
    """Sends back what it receives, through a queue that is never full here.

    Filler is left out, as by the link, since a controller that listens sends nothing else.
    """

    rx: In(stream.Signature(8))
    tx: Out(stream.Signature(8))

    def elaborate(self, platform):
        m = Module()
        m.submodules.queue = queue = SyncFIFOBuffered(width=8, depth=512)
        m.d.comb += [
            queue.w_stream.payload.eq(self.rx.payload),
            queue.w_stream.valid.eq(self.rx.valid & (self.rx.payload != spi.FILLER)),
            self.rx.ready.eq(queue.w_stream.ready),
        ]
        wiring.connect(m, queue.r_stream, wiring.flipped(self.tx))
        return m


def compiled(component, folder):
    return compilation.compile_simulator(component, folder, lambda line: None, pins.WRAPPER)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return compiled(SPIAccelerator(Echo()), tmp_path_factory.mktemp("pins"))


def drain(device):
    """Get what waits, in short transactions."""
    received = b""
    while device.wait_for_irq(5e-6):
        device.select(True)
        received += device.transfer(bytes(3))
        device.select(False)
    return received


def without_filler(data):
    return bytes(byte for byte in data if byte != spi.FILLER)


def converse(device, rng, transactions=60):
    """Exchange random bytes in random transactions, with all that a controller may do to them."""
    sent, received = b"", b""
    for _ in range(transactions):
        if rng.random() < 0.5:
            device.wait(rng.random() * 3e-6)
        if rng.random() < 0.2:  # traffic of others, with CS# high
            device.transfer(rng.randbytes(2))
            device.transfer_bits(rng.randrange(256), rng.randrange(8))
        data = bytes(rng.choice([0, rng.randrange(256)]) for _ in range(rng.randrange(6)))
        device.select(True)
        sent += data
        received += device.transfer(data)
        if rng.random() < 0.3:
            byte = rng.randrange(256)
            sent += bytes([byte])
            received += bytes([device.transfer_early(byte)])
            continue
        if rng.random() < 0.5:  # a byte that is cut off
            device.transfer_bits(rng.randrange(256), rng.randrange(8))
        device.select(False)
    return sent, received + drain(device)


@pytest.mark.parametrize("sck_hz", RATES)
def test_each_byte_once_and_in_order(library, sck_hz):
    with pins.VirtualPins(library, CLOCK_HZ, sck_hz) as device:
        rng = random.Random(sck_hz)
        for _ in range(10):
            sent, received = converse(device, rng)
            assert without_filler(received) == without_filler(sent)
            assert not device.irq


def test_bytes_follow_each_other_without_filler(library):
    """Otherwise a frame would be cut in two."""
    with pins.VirtualPins(library, CLOCK_HZ, CLOCK_HZ * 2 / 3) as device:
        data = bytes(range(1, 256))
        device.select(True)
        received = device.transfer(data + bytes(8))
        assert received.strip(bytes([spi.FILLER])) == data


def test_mutant_that_forgets_the_end_of_a_transaction(tmp_path):
    """CS# may end before SCK has fallen; what was complete then must not come again."""
    fault = Mutant("m.d.rise += complete.eq(last)", "m.d.select_rise += complete.eq(last)")
    component = SPIAccelerator(Echo(), variant(spi, fault).SPITarget())
    with pins.VirtualPins(compiled(component, tmp_path), CLOCK_HZ, 10e6) as device:
        sent, received = converse(device, random.Random(1))
        assert without_filler(received) != without_filler(sent)


@pytest.mark.parametrize("sck_hz", [0, -1, 200e6, float("nan"), float("inf")])
def test_frequency_out_of_range(library, sck_hz):
    with pytest.raises(ValueError, match="SCK must have a frequency from 1000 to 1e\\+08 Hz, not"):
        pins.VirtualPins(library, CLOCK_HZ, sck_hz)


def test_time_passes_in_calls_only(library):
    with pins.VirtualPins(library, CLOCK_HZ, 1e6) as device:
        before = device.now()
        assert device.now() == before
        device.wait(1e-3)
        assert device.now() - before == pytest.approx(1e-3)
        assert not device.wait_for_irq(1e-3)
        assert device.now() - before == pytest.approx(2e-3)
        device.select(True)
        assert device.now() - before == pytest.approx(2e-3 + 0.5e-6)
        device.transfer(b"abc")
        assert device.now() - before == pytest.approx(2e-3 + 24.5e-6)


def test_closed(library):
    device = pins.VirtualPins(library, CLOCK_HZ, 1e6)
    device.close()
    device.close()
    with pytest.raises(ValueError, match="the virtual board is closed"):
        device.transfer(b"")


def test_boards_without_spi_have_no_pins():
    with pytest.raises(ValueError, match="board 'icebreaker' has no SPI pins, but a UART"):
        pins.load("icebreaker")
