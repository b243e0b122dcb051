"""SPI ports of Linux, on stand-ins of spidev and gpiod that end in a device."""

import errno
import logging
import os
import sys
import time

import pytest

from tensorspin.cli.main import main
from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.device.boards import find_board
from tensorspin.contract.device.line import SCK_HZ
from tensorspin.driver.board import Board
from tensorspin.driver.transports import baud_rates, is_spi, open_transport
from tensorspin.driver.transports import linux_spi as module
from tensorspin.driver.transports.linux_spi import SPISettings
from tensorspin.driver.usb import udev_rules
from tensorspin.errors import LinkError, TransportError

from ..support.anneals import BOTH, check, cooling, random_ising
from ..support.doubles import assert_answers
from ..support.linux_spi import GoldenWires, Packages, PinWires
from ..support.loaded_programs import chain_program, golden_answers, random_levels

URL = "spi:///dev/spidev0.0?speed=20000000&irq=gpiochip0:25"
POLLED = "spi:///dev/spidev1.2?speed=20e6"
SPI_ROW = find_board("icebreaker_spi")


@pytest.fixture
def packages(monkeypatch):
    return Packages(GoldenWires(SPI_ROW)).install(monkeypatch)


# The whole driver


@pytest.mark.parametrize("url", [URL, POLLED])
@pytest.mark.parametrize("late", [0, 1, 2])
def test_results_are_those_of_the_golden_model(packages, url, late):
    packages.wires.late = late
    program, levels = chain_program(), random_levels(40)
    with Board.open(url) as board:
        assert board.url == url
        board.load(program, verify=True)
        assert_answers(board.run(levels), golden_answers(program, levels))
        assert board._session.line.statistics.resent == 0
    (port,) = packages.ports
    assert (port.path, port.max_speed_hz) == (url.split("?")[0][6:], 20_000_000)
    assert port.file is None and all(request.released for request in packages.requests)
    assert max(packages.transfers) <= 4096


def test_interrupt_is_an_input_of_its_chip(packages):
    with Board.open(URL):
        (request,) = packages.requests
        assert (request.path, request.line) == ("/dev/gpiochip0", 25)
        assert request.consumer == "tensorspin"


@pytest.mark.parametrize("url", [URL, POLLED])
def test_annealer(monkeypatch, url):
    Packages(GoldenWires(BOTH)).install(monkeypatch)
    job = AnnealJob(random_ising(), cooling())
    program, levels = chain_program(), random_levels(5)
    with Board.open(url) as board:
        for _ in range(2):
            check(board, job)
        board.load(program)
        assert_answers(board.run(levels), golden_answers(program, levels))


@pytest.mark.parametrize("buffer", [16, 100, 4096])
def test_transactions_fit_the_buffer_of_the_kernel(packages, monkeypatch, tmp_path, buffer):
    file = tmp_path / "bufsiz"
    file.write_text(f"{buffer}\n")
    monkeypatch.setattr(module, "BUFFER_SIZE", file)
    program, levels = chain_program(64), random_levels(30, 64)
    with Board.open(URL) as board:
        board.load(program)
        assert_answers(board.run(levels), golden_answers(program, levels))
    assert max(packages.transfers) <= buffer
    assert buffer == 4096 or max(packages.transfers) == buffer


@pytest.mark.parametrize("text", ["65536", "0", "none", None])
def test_buffer_that_is_large_or_not_told(monkeypatch, tmp_path, text):
    file = tmp_path / "bufsiz"
    if text is not None:
        file.write_text(text)
    monkeypatch.setattr(module, "BUFFER_SIZE", file)
    assert module.buffer_size() == 4096


@pytest.fixture(scope="module")
def pins():
    pins = pytest.importorskip("tensorspin_gateware.simulation.pins")
    try:
        board = pins.load("icebreaker_spi", 20e6)
    except RuntimeError as error:
        pytest.skip(str(error))
    with board:
        yield board


@pytest.mark.slow
@pytest.mark.parametrize("url", [URL, POLLED])
def test_on_the_simulated_pins(pins, monkeypatch, url):
    Packages(PinWires(pins)).install(monkeypatch)
    program, levels = chain_program(16), random_levels(6, 16)
    with Board.open(url) as board:
        board.load(program, verify=True)
        assert_answers(board.run(levels), golden_answers(program, levels))
        assert board._session.line.statistics.resent == 0


def test_commands(packages, capsys, tmp_path):
    program = tmp_path / "iris.npz"
    assert main(["train", "iris", "--bond", "2", "--epochs", "1", "--output", str(program)]) == 0
    assert main(["info", URL]) == 0
    assert "SPI at 25 MHz at most" in capsys.readouterr().out
    assert main(["run", str(program), "--board", URL, "--data", "iris"]) == 0
    assert main(["selftest", URL]) == 0
    assert "all checks passed" in capsys.readouterr().out


# The interrupt


@pytest.mark.parametrize("level", [False, True])
def test_interrupt_that_is_stuck_delays_answers_and_loses_none(packages, caplog, level):
    packages.interrupt = level
    program, levels = chain_program(), random_levels(10)
    with Board.open(URL) as board:
        board.load(program)
        assert_answers(board.run(levels), golden_answers(program, levels))
    warned = "the interrupt was low; check the wire of IRQ" in caplog.text
    assert warned is not level


def test_silent_device_is_given_up_in_bounded_time(packages, monkeypatch):
    monkeypatch.setattr(packages.wires, "transfer", lambda data: bytes(len(data)))
    monkeypatch.setattr(packages.wires, "irq", lambda timeout=0.0: False)
    for url in (URL, POLLED):
        begun = time.monotonic()
        with pytest.raises(LinkError, match="are ground, SCK, COPI, CIPO, CS# and IRQ wired as"):
            Board.open(url, timeout=0.2)
        assert time.monotonic() - begun < 20  # that it ends is what counts
    assert all(port.file is None for port in packages.ports)


# Rates


def test_time_outs_go_by_the_slower_rate(packages):
    with Board.open("spi:///dev/spidev0.0?speed=1e5") as board:
        assert board._session.line.baud == 100_000
    with Board.open("spi:///dev/spidev0.0?speed=2e7") as board:
        assert board._session.line.baud == 20_000_000


def test_rate_beyond_the_timing_of_the_board_is_told(packages, caplog):
    with caplog.at_level(logging.WARNING), Board.open("spi:///dev/spidev0.0?speed=25e6"):
        assert not caplog.text
    with Board.open("spi:///dev/spidev0.0?speed=40e6") as board:
        assert board._session.line.baud == SPI_ROW.baud
    assert "SPI's clock of 40 MHz is faster than the 25 MHz" in caplog.text


def test_line_is_described(packages):
    for url, text in ((URL, "20 MHz at most, interrupt at line 25"), (POLLED, "no interrupt")):
        with Board.open(url) as board:
            assert text in board.link_test(0.05).line


# URLs


def test_urls():
    assert is_spi("SPI:///dev/spidev0.0") and not is_spi("/dev/spidev0.0")
    assert len(baud_rates(URL)) == 1
    assert SPISettings.parse("spi:///dev/spidev0.0") == SPISettings("/dev/spidev0.0", 10_000_000)
    parsed = SPISettings.parse("spi:///dev/my%20port?irq=/dev/gpiochip4:7")
    assert parsed == SPISettings("/dev/my port", irq=("/dev/gpiochip4", 7))
    for least_or_greatest in SCK_HZ:
        url = f"spi:///dev/spidev0.0?speed={least_or_greatest:g}"
        assert SPISettings.parse(url).speed_hz == least_or_greatest


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("spi://", "path of the port must begin with a slash, not ''"),
        ("spi://dev/spidev0.0", "must begin with a slash, not 'dev/spidev0.0'"),
        ("spi://0.0?speed=1e6", "must begin with a slash, not '0.0'"),
        ("spi:///dev/spidev0.0?mode=3", "there is no setting 'mode', only speed and irq"),
        ("spi:///dev/spidev0.0?speed=1e6&speed=2e6", "speed must be given once"),
        ("spi:///dev/spidev0.0?&", "settings have the form NAME=VALUE"),
        ("spi:///dev/spidev0.0?speed", "speed must be 1000 to 1e[+]08 Hz, not ''"),
        ("spi:///dev/spidev0.0?speed=fast", "Hz, not 'fast'"),
        ("spi:///dev/spidev0.0?speed=nan", "Hz, not 'nan'"),
        ("spi:///dev/spidev0.0?speed=inf", "Hz, not 'inf'"),
        ("spi:///dev/spidev0.0?speed=-1e6", "Hz, not '-1e6'"),
        ("spi:///dev/spidev0.0?speed=999", "Hz, not '999'"),
        ("spi:///dev/spidev0.0?speed=2e8", "Hz, not '2e8'"),
        ("spi:///dev/spidev0.0?irq=25", "a GPIO chip and a line, as gpiochip0:25, not '25'"),
        ("spi:///dev/spidev0.0?irq=gpiochip0:-1", "not 'gpiochip0:-1'"),
        ("spi:///dev/spidev0.0?irq=/etc/passwd:1", "not '/etc/passwd:1'"),
        ("spi:///dev/spidev0.0?irq=", "not ''"),
    ],
)
def test_urls_that_are_refused_before_anything_is_opened(url, message, monkeypatch):
    monkeypatch.setitem(sys.modules, "spidev", None)
    with pytest.raises(TransportError, match=f"cannot open .*{message}.*; a URL has the form spi:"):
        open_transport(url)


# What can't be opened


@pytest.mark.parametrize("name", ["spidev", "gpiod"])
def test_package_that_is_missing(packages, monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(TransportError, match=rf"package {name} .*`pip install '\.\[spi\]'`"):
        open_transport(URL)


def test_only_an_interrupt_needs_gpiod(packages, monkeypatch):
    monkeypatch.setitem(sys.modules, "gpiod", None)
    open_transport(POLLED).close()


def test_gpiod_of_version_1(packages, monkeypatch):
    monkeypatch.delattr(packages.gpiod, "request_lines")
    with pytest.raises(TransportError, match=r"its version is older than 2.*`pip install"):
        open_transport(URL)


def refuse(packages, path, number):
    packages.errors[path] = OSError(number, os.strerror(number))


def test_port_that_a_link_names(packages):
    open_transport("spi:///dev/accelerator?speed=1e6").close()
    assert packages.ports[0].path == "/dev/accelerator"


def test_port_that_is_missing(packages):
    refuse(packages, "/dev/spidev0.0", errno.ENOENT)
    with pytest.raises(TransportError, match="no SPI port /dev/spidev0.0; .* switch SPI on"):
        open_transport(URL)


def test_port_without_permission(packages, monkeypatch):
    refuse(packages, "/dev/spidev0.0", errno.EACCES)
    monkeypatch.setattr(module, "_group_advice", lambda path: "")
    with pytest.raises(TransportError, match=r"no permission .*tensorspin udev [|] sudo tee /etc"):
        open_transport(URL)
    assert 'SUBSYSTEM=="spidev"' in udev_rules()
    monkeypatch.setattr(module, "_group_advice", lambda path: "join the group spi")
    with pytest.raises(TransportError, match="no permission to open /dev/spidev0.0: join the gro"):
        open_transport(URL)


def test_group_that_may_use_a_device(monkeypatch, tmp_path):
    grp = pytest.importorskip("grp")
    port = tmp_path / "spidev0.0"
    assert module._group_advice(str(port)) == ""
    port.touch()
    for name in ("spi", "root"):
        monkeypatch.setattr(grp, "getgrgid", lambda _, n=name: type("G", (), {"gr_name": n}))
        assert ("usermod -aG spi $USER" in module._group_advice(str(port))) is (name == "spi")


def test_port_that_is_no_spidev(packages):
    refuse(packages, "/dev/spidev0.0", errno.ENOTTY)
    with pytest.raises(TransportError, match="cannot open .* must be a port of spidev"):
        open_transport(URL)


def test_port_in_use(packages):
    first = open_transport(URL)
    with pytest.raises(TransportError, match="/dev/spidev0.0 is in use by another program; close"):
        open_transport(URL)
    first.close()
    first.close()
    open_transport(URL).close()


def test_speed_that_the_port_refuses(packages, monkeypatch):
    class Slow(type(packages.spidev.SpiDev())):
        def __setattr__(self, name, value):
            if name == "max_speed_hz" and value:
                raise OSError(errno.EINVAL, "Invalid argument")
            super().__setattr__(name, value)

    monkeypatch.setattr(packages.spidev, "SpiDev", lambda: Slow(packages))
    with pytest.raises(TransportError, match="refused mode 0 with 8 bits at 20000000 Hz"):
        open_transport(URL)


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.EBUSY, "line 25 of /dev/gpiochip0 is in use .*another pin, or leave irq out"),
        (errno.EACCES, "no permission to open /dev/gpiochip0: "),
        (errno.ENOENT, "there is no GPIO chip /dev/gpiochip0; .*gpiodetect"),
        (errno.EINVAL, "cannot use line 25 of /dev/gpiochip0 .*`gpioinfo` lists"),
    ],
)
def test_line_that_can_not_be_had(packages, number, message):
    refuse(packages, "/dev/gpiochip0", number)
    with pytest.raises(TransportError, match=message):
        open_transport(URL)
    assert all(port.file is None for port in packages.ports)


def test_rule_for_a_chip_of_roots(packages, monkeypatch):
    refuse(packages, "/dev/gpiochip0", errno.EPERM)
    monkeypatch.setattr(module, "_group_advice", lambda path: "")
    with pytest.raises(TransportError, match='SUBSYSTEM=="gpio", KERNEL=="gpiochip0", MODE="0660"'):
        open_transport(URL)


def test_port_that_is_lost(packages):
    transport = open_transport(URL)
    transport.close()
    transport.write(b"\1\0")
    with pytest.raises(TransportError, match=r"lost /dev/spidev0\.0 .*open the board again"):
        transport.read(0.1)
