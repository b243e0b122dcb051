"""URLs, clocks, and what is said when something can't be opened."""

import errno
import fcntl
import os
import sys
import termios
import types
from dataclasses import dataclass

import pytest
import serial
import serial.tools.list_ports

from tensorspin.contract.wire.frames import DELIMITER, Packet
from tensorspin.contract.wire.packets import PacketType
from tensorspin.driver.board import Board
from tensorspin.driver.transports import baud_rates, open_transport
from tensorspin.driver.transports.golden import GoldenTransport
from tensorspin.errors import BaudRateError, LinkError, TransportError
from tensorspin.golden.device import GoldenDevice

from ..support.doubles import ROW, SilentDevice, assert_answers
from ..support.loaded_programs import chain_program, golden_answers, random_levels

# URLs


@pytest.mark.parametrize("scheme", ["golden", "sim", "GOLDEN"])
def test_unknown_board_lists_the_known(scheme):
    with pytest.raises(
        TransportError, match=r"no board is called 'icebraker'; known: .*icebreaker"
    ):
        open_transport(f"{scheme}://icebraker")


@pytest.mark.parametrize("url", [None, 3, b"/dev/ttyUSB0"])
def test_url_must_be_a_string(url):
    with pytest.raises(TypeError, match="the device's URL must be a string, not"):
        open_transport(url)


def test_rates_to_try():
    assert ROW.baud in baud_rates("/dev/ttyUSB0")
    assert len(baud_rates("golden://icebreaker")) == 1
    assert len(set(baud_rates("COM3"))) == len(baud_rates("COM3"))


def test_serial_urls_reach_pyserial_as_they_are(monkeypatch):
    opened = []

    def record(url, **options):
        opened.append((url, options["baudrate"], options["exclusive"]))
        raise serial.SerialException("recorded")

    monkeypatch.setattr(serial, "serial_for_url", record)
    urls = ["/dev/ttyUSB1", "COM3", "hwgrep://iCEBreaker", "socket://host:3", "rfc2217://h:1"]
    for url in urls:
        with pytest.raises(TransportError, match=f"cannot open {url}: recorded"):
            open_transport(url, baud=57600)
    assert opened == [(url, 57600, True) for url in urls]


def test_all_rates_are_tried(monkeypatch):
    tried = []

    def open_silent(url, *, baud):
        tried.append(baud)
        return GoldenTransport(ROW, SilentDevice(ROW))

    monkeypatch.setattr("tensorspin.driver.connection.open_transport", open_silent)
    monkeypatch.setattr("tensorspin.driver.connection.baud_rates", lambda url: [1_000_000, 115_200])
    with pytest.raises(LinkError, match=r"\(tried at 1000000, 115200 baud\)"):
        Board.open("/dev/ttyUSB0")
    assert tried == [1_000_000, 115_200]


@pytest.mark.parametrize(
    "refusal", [ValueError("Invalid baud rate"), termios.error(22, "Invalid argument")]
)
def test_rate_that_the_port_refuses(refusal, monkeypatch):
    def refuse():
        raise refusal

    port = types.SimpleNamespace(open=refuse)
    monkeypatch.setattr(serial, "serial_for_url", lambda url, **options: port)
    with pytest.raises(BaudRateError, match="/dev/ttyACM0 refused 1000000 baud: .*nvalid"):
        open_transport("/dev/ttyACM0", baud=1_000_000)
    with pytest.raises(BaudRateError, match=r"\(tried at 1000000, 3000000, 115200 baud\)"):
        Board.open("/dev/ttyACM0")


@pytest.mark.parametrize("answering", [1_000_000, 3_000_000, 115_200])
@pytest.mark.parametrize("refused", [None, 1_000_000])
def test_rate_of_the_board_is_found(answering, refused, monkeypatch):
    def open_port(url, *, baud):
        if baud == refused:
            raise BaudRateError(f"{url} refused {baud} baud")
        return GoldenTransport(ROW, None if baud == answering else SilentDevice(ROW))

    monkeypatch.setattr("tensorspin.driver.connection.open_transport", open_port)
    if refused == answering:
        with pytest.raises(LinkError, match="tried at 1000000, 3000000, 115200 baud"):
            Board.open("/dev/ttyACM0")
    else:
        with Board.open("/dev/ttyACM0") as board:
            assert board.info.board == ROW.name


# Golden


def test_golden_clock_counts_bytes_and_silence():
    transport = GoldenTransport(ROW)
    assert transport.read(0.25) == b""
    assert transport.now() == 0.25
    hello = Packet(PacketType.HELLO, 0).frame()
    transport.write(hello)
    reply = transport.read(1.0)
    assert reply[-1] == DELIMITER
    assert transport.now() == pytest.approx(0.25 + (len(hello) + len(reply)) * 10 / ROW.baud)


def test_golden_answers_come_no_sooner_than_they_can():
    transport = GoldenTransport(ROW)
    transport.write(Packet(PacketType.HELLO, 0).frame())
    assert transport.read(1e-5) == b""
    assert transport.now() == 1e-5
    assert transport.read(1.0)


# Simulated


class FakeVirtualBoard:
    """The interface of `tensorspin_gateware.simulation.simulator.VirtualBoard`; 8 cycles a byte."""

    def __init__(self):
        self.clock_hz = ROW.clock_hz
        self.cycles = 0
        self.closed = False
        self._device = GoldenDevice(ROW)
        self._output = bytearray()

    def run(self, cycles, data=b"", *, stop_on_delimiter=False):
        assert cycles > 0
        accepted = min(len(data), max(1, cycles // 8), 100)
        self._output += self._device.respond(data[:accepted])
        end = self._output.find(DELIMITER) + 1
        self.cycles += 8 * (accepted + end) if end else cycles
        received = bytes(self._output[:end])
        del self._output[:end]
        return accepted, received

    def close(self):
        self.closed = True


@pytest.fixture
def fake_simulator(monkeypatch):
    boards = []

    def load(name, progress=None):
        assert name == "icebreaker"
        boards.append(FakeVirtualBoard())
        return boards[-1]

    simulator = types.ModuleType("tensorspin_gateware.simulation.simulator")
    simulator.load = load
    package = types.ModuleType("tensorspin_gateware.simulation")
    package.simulator = simulator
    monkeypatch.setitem(sys.modules, "tensorspin_gateware.simulation", package)
    monkeypatch.setitem(sys.modules, simulator.__name__, simulator)
    simulator.boards = boards
    return simulator


def test_simulated_board(fake_simulator):
    program, levels = chain_program(), random_levels(100)
    with Board.open("sim://icebreaker") as board:
        board.load(program)
        assert_answers(board.run(levels), golden_answers(program, levels))
        assert board._session.line.statistics.resent == 0
    assert fake_simulator.boards[0].closed


def test_simulated_time_is_that_of_the_clock(fake_simulator):
    transport = open_transport("sim://icebreaker")
    assert transport.read(0.01) == b""
    assert transport.now() == pytest.approx(0.01)


def test_simulated_board_without_gateware(monkeypatch):
    # The package that is imported: another test may have imported it, so that its parent is not
    # looked for.
    monkeypatch.setitem(sys.modules, "tensorspin_gateware.simulation", None)
    with pytest.raises(TransportError, match=r"`make setup` or `pip install '\.\[gateware\]'`"):
        open_transport("sim://icebreaker")


def test_simulator_that_can_not_be_built(fake_simulator):
    def load(name, progress=None):
        raise RuntimeError("g++ is missing: install it")

    fake_simulator.load = load
    with pytest.raises(TransportError, match="cannot open sim://icebreaker: g\\+\\+ is missing"):
        open_transport("sim://icebreaker")


# Serial


@dataclass(order=True)
class FakePort:
    device: str
    description: str


def fail_to_open(monkeypatch, error):
    def serial_for_url(url, **options):
        raise error

    monkeypatch.setattr(serial, "serial_for_url", serial_for_url)


def found(monkeypatch, *ports):
    items = [FakePort(device, text) for device, text in ports]
    monkeypatch.setattr(serial.tools.list_ports, "comports", lambda *options: items)


def test_missing_port_lists_those_found(monkeypatch):
    found(monkeypatch, ("/dev/ttyUSB1", "iCEBreaker B"), ("/dev/ttyUSB0", "iCEBreaker A"))
    with pytest.raises(
        TransportError,
        match=r"there is no port /dev/ttyNOTHING; ports found: /dev/ttyUSB0 \(iCEBreaker A\), "
        r"/dev/ttyUSB1 \(iCEBreaker B\)",
    ):
        open_transport("/dev/ttyNOTHING")


def test_missing_port_and_no_others(monkeypatch):
    found(monkeypatch)
    with pytest.raises(TransportError, match="no serial ports were found: is the board plugged in"):
        open_transport("/dev/ttyNOTHING")


def test_pattern_that_fits_no_port(monkeypatch):
    found(monkeypatch)
    with pytest.raises(TransportError, match="there is no port hwgrep://nothing at all"):
        open_transport("hwgrep://nothing at all")


def test_missing_port_on_windows(monkeypatch):
    found(monkeypatch, ("COM7", "USB Serial Port"))
    message = "could not open port 'COM3': FileNotFoundError(2, 'not found', None, 2)"
    fail_to_open(monkeypatch, serial.SerialException(message))
    with pytest.raises(TransportError, match=r"there is no port COM3; ports found: COM7"):
        open_transport("COM3")


def test_no_permission_names_the_group(monkeypatch, tmp_path):
    fail_to_open(monkeypatch, serial.SerialException(errno.EACCES, "could not open port"))
    port = tmp_path / "ttyUSB0"
    with pytest.raises(TransportError, match=r"no permission .*\(dialout or uucp\).*udev rule"):
        open_transport(str(port))
    grp = pytest.importorskip("grp")
    port.touch()
    name = "dialout"
    monkeypatch.setattr(grp, "getgrgid", lambda number: types.SimpleNamespace(gr_name=name))
    with pytest.raises(
        TransportError, match=r"usermod -aG dialout .* tensorspin udev [|] sudo tee /etc/udev"
    ):
        open_transport(str(port))


def test_busy_port_of_the_kernel(monkeypatch):
    fail_to_open(monkeypatch, serial.SerialException(errno.EBUSY, "could not open port"))
    with pytest.raises(TransportError, match="COM3 is in use by another program; close"):
        open_transport("COM3")


def test_rate_that_the_port_does_not_know(monkeypatch):
    found(monkeypatch)
    fail_to_open(monkeypatch, ValueError("Invalid baud rate: 12345"))
    with pytest.raises(TransportError, match="cannot open X: Invalid baud rate: 12345"):
        open_transport("X", baud=12345)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs pseudo-terminals")
def test_busy_port_by_lock():
    primary, secondary = os.openpty()
    try:
        fcntl.flock(secondary, fcntl.LOCK_EX | fcntl.LOCK_NB)
        name = os.ttyname(secondary)
        with pytest.raises(TransportError, match=f"{name} is in use by another program"):
            open_transport(name)
        fcntl.flock(secondary, fcntl.LOCK_UN)
        first = open_transport(name)
        with pytest.raises(TransportError, match=f"{name} is in use by another program"):
            open_transport(name)
        first.close()
        open_transport(name).close()
    finally:
        os.close(primary)
        os.close(secondary)


def test_a_board_name_without_scheme_gets_a_hint():
    with pytest.raises(TransportError, match="did you mean sim://icebreaker"):
        open_transport("icebreaker")
