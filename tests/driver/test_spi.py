"""The driver over SPI: on a modelled controller, and on the gateware's simulated pins."""

import pytest

from tensorspin.contract.device.boards import find_board
from tensorspin.contract.device.line import SCK_HZ
from tensorspin.contract.wire.frames import DELIMITER
from tensorspin.driver.board import Board
from tensorspin.driver.transports import baud_rates, check_virtual, open_transport
from tensorspin.driver.transports.simulated_pins import read_settings
from tensorspin.driver.transports.spi import CHUNK, SPITransport
from tensorspin.errors import TransportError
from tensorspin.golden.device import GoldenDevice

from ..support.doubles import ROW, assert_answers
from ..support.faults import FaultRates, FaultyTransport
from ..support.loaded_programs import chain_program, golden_answers, random_levels

FILLER = bytes([DELIMITER])


class ModelController:
    """A controller whose wires end at a golden device.

    Parameters
    ----------
    late : int
        Filler bytes that the device sends in front of a frame.
    rate : float
        Frequency of SCK in Hz.
    """

    latency = 1e-3
    most_bytes = 4096
    has_interrupt = True

    def __init__(self, late=1, rate=8e6):
        self.device = GoldenDevice(ROW)
        self.late = late
        self.rate = rate
        self.waiting = bytearray()
        self.transactions = 0
        self.time = 0.0
        self.closed = False

    def transfer(self, data):
        self.transactions += 1
        self.time += 8 / self.rate * len(data)
        sent = self.waiting[: len(data)]
        del self.waiting[: len(data)]
        for answer in self.device.feed(data):
            self.waiting += FILLER * self.late + answer.frame
        return bytes(sent).ljust(len(data), FILLER)

    def wait(self, timeout):
        if not self.waiting:
            self.time += max(0.0, timeout)
        return bool(self.waiting)

    def now(self):
        return self.time

    def describe(self):
        return "SPI, modelled"

    def close(self):
        self.closed = True


@pytest.mark.parametrize("late", [0, 1, 2, CHUNK - 1])
def test_results_are_those_of_the_golden_model(late):
    controller = ModelController(late)
    board = Board.over(SPITransport("spi://model", controller))
    program, levels = chain_program(), random_levels(40)
    board.load(program, verify=True)
    assert_answers(board.run(levels), golden_answers(program, levels))
    assert board._session.line.statistics.resent == 0
    board.close()
    assert controller.closed


@pytest.mark.parametrize("rate", [*SCK_HZ, 1e4])
def test_no_rate_is_too_slow_for_the_time_outs(rate):
    controller = ModelController(rate=rate)
    program, levels = chain_program(), random_levels(40)
    with Board.over(SPITransport("spi://model", controller)) as board:
        board.load(program, verify=True)
        assert_answers(board.run(levels), golden_answers(program, levels))
        statistics = board._session.line.statistics
        assert (statistics.timeouts, statistics.resent, statistics.hellos) == (0, 0, 1)
        assert board._session.line.baud == min(rate, ROW.baud)


def test_time_out_without_an_answer():
    controller = ModelController()
    transport = SPITransport("spi://model", controller)
    transport.write(b"\0")  # an empty frame
    assert transport.read(0.5) == b""
    assert controller.now() == pytest.approx(0.5, abs=1e-3)
    assert controller.transactions == 1


def test_end_of_a_frame_in_a_transaction_of_its_own_is_kept():
    """It is a byte of zeros, like the filler that is left out."""
    controller = ModelController(late=0)
    controller.waiting += b"x" * CHUNK + FILLER
    transport = SPITransport("spi://model", controller)
    received = transport.read(1.0) + transport.read(1.0)
    assert received.startswith(b"x" * CHUNK + FILLER)
    assert set(received[CHUNK:]) == {DELIMITER}
    assert transport.read(0.1) == b""


@pytest.fixture(scope="module")
def pins():
    try:
        transport = open_transport("sim://icebreaker_spi?sck=20e6")
    except TransportError as error:
        pytest.skip(str(error))
    yield transport
    transport.close()


@pytest.mark.slow
def test_on_simulated_pins(pins):
    board = Board.over(pins)
    assert board.info.board == "icebreaker_spi"
    for features, samples in ((2, 20), (64, 5)):
        program, levels = chain_program(features, seed=features), random_levels(samples, features)
        board.load(program, verify=True)
        assert_answers(board.run(levels), golden_answers(program, levels))
    assert board._session.line.statistics.resent == 0
    assert pins.describe_line(0) == "SPI at 20 MHz, simulated bit by bit"


@pytest.mark.slow
def test_on_simulated_pins_with_faults(pins):
    rates = FaultRates(byte=0.003, frame=0.01, stall=0.001, stall_seconds=0.005)
    program, levels = chain_program(20), random_levels(20, 20)
    board = Board.over(FaultyTransport(pins, rates, seed=0))
    board.load(program)
    assert_answers(board.run(levels), golden_answers(program, levels))


@pytest.mark.parametrize("query", ["sck", "sck=fast", "sck=1e6&mode=3", "mode=3"])
def test_only_the_frequency_can_be_set(query):
    with pytest.raises(TransportError, match="the only setting is sck, the frequency of SCK in Hz"):
        open_transport(f"sim://icebreaker_spi?{query}")


@pytest.mark.parametrize("url", ["sim://icebreaker?sck=1e6", "golden://icebreaker_spi?sck=1e6"])
def test_other_boards_have_no_settings(url):
    with pytest.raises(TransportError, match="only simulated boards with SPI have settings"):
        open_transport(url)


@pytest.mark.parametrize("query", ["mode=3", "sck=fast"])
def test_settings_are_checked_before_anything_is_compiled(query):
    assert check_virtual("golden://icebreaker_spi").name == "icebreaker_spi"
    with pytest.raises(TransportError, match="the only setting is sck"):
        check_virtual(f"sim://icebreaker_spi?{query}")


def test_golden_board_has_the_line_of_its_row():
    transport = open_transport("golden://icebreaker_spi")
    assert transport._byte_time == pytest.approx(8 / 25e6)


def test_serial_ports_are_not_tried_at_the_rate_of_spi():
    assert 25_000_000 not in baud_rates("/dev/ttyUSB1")


def test_frequency_may_have_an_exponent_with_a_sign():
    assert read_settings(find_board("icebreaker_spi"), "sck=1e+7") == 1e7
