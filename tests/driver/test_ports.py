"""What `tensorspin ports` guesses, and the rules that `tensorspin udev` prints."""

import re

import pytest
import serial.tools.list_ports
from serial.tools.list_ports_common import ListPortInfo

from tensorspin.cli.main import main
from tensorspin.contract.device.boards import BOARDS
from tensorspin.contract.device.usb import ADAPTERS
from tensorspin.driver.transports import linux_spi
from tensorspin.driver.usb.ports import guess_ports
from tensorspin.driver.usb.udev import GROUP, udev_rules


def port(device, numbers=(None, None), product=None, location=None, serial_number=None):
    found = ListPortInfo(device)
    found.vid, found.pid = numbers
    found.product, found.location, found.serial_number = product, location, serial_number
    return found


FT2232, FT231X, FT232H = (0x0403, 0x6010), (0x0403, 0x6015), (0x0403, 0x6014)


@pytest.mark.parametrize(
    ("locations", "devices"),
    [
        (("1-2:1.0", "1-2:1.1"), ("/dev/ttyUSB0", "/dev/ttyUSB1")),
        # The order in which the system found them does not matter ...
        (("1-2:1.0", "1-2:1.1"), ("/dev/ttyUSB10", "/dev/ttyUSB9")),
        (("1-1:x.0", "1-1:x.1"), ("COM3", "COM4")),
        # ... unless the system tells nothing else.
        ((None, None), ("/dev/cu.usbserial-ib0", "/dev/cu.usbserial-ib1")),
        (("20-1", "20-1"), ("/dev/cu.usbserial-9", "/dev/cu.usbserial-10")),
    ],
)
def test_second_interface_is_the_uart(locations, devices):
    ports = [
        port(device, FT2232, "iCEBreaker V1.0e", location)
        for device, location in zip(devices, locations)
    ]
    uart, other = guess_ports(reversed(ports))
    assert (uart.device, other.device) == (devices[1], devices[0])
    expected = "the UART of 1BitSquared iCEBreaker (iCE40 UP5K) (icebreaker"
    assert str(uart).startswith(expected)
    assert str(other).startswith("for programming 1BitSquared iCEBreaker")


def test_uart_is_known_when_the_programmer_has_taken_the_other_interface():
    (guess,) = guess_ports([port("/dev/ttyUSB1", FT2232, "iCEBreaker V1.0e", "1-2:1.1")])
    assert guess.uart


def test_two_boards_of_a_kind_are_kept_apart():
    ports = [
        port(f"/dev/ttyUSB{2 * board + number}", FT2232, "iCEBreaker", None, f"serial{board}")
        for board in range(2)
        for number in range(2)
    ]
    uarts = [guess.device for guess in guess_ports(ports) if guess.uart]
    assert uarts == ["/dev/ttyUSB1", "/dev/ttyUSB3"]


def test_name_tells_the_size():
    (guess,) = guess_ports([port("/dev/ttyUSB0", FT231X, "ULX3S FPGA 85K v3.0.8", "1-2")])
    assert guess.uart and guess.certain
    assert guess.boards and all(board.name.startswith("ulx3s_85f") for board in guess.boards)


def test_chip_without_a_name_may_be_many_boards():
    ports = [port(f"ttyUSB{n}", FT2232, "Dual RS232-HS", f"1-2:1.{n}") for n in range(2)]
    uart, other = guess_ports(ports)
    names = {board.name for board in uart.boards}
    assert {"icebreaker", "ecpix5_45f", "versa_ecp5"} <= names
    assert uart.uart and not uart.certain and str(uart).startswith("perhaps the UART of")
    assert not other.uart
    on_header_pins = "ice40_up5k_b_evn"
    assert on_header_pins not in names
    assert on_header_pins in {board.name for board in other.boards}


def test_microcontroller_with_other_interfaces():
    (guess,) = guess_ports([port("/dev/ttyACM0", (0x1D50, 0x602B), "DAPLink", "1-3:1.1")])
    assert guess.uart
    assert {board.name for board in guess.boards} == {"icesugar", "icesugar_pro"}


def test_adapter():
    (guess,) = guess_ports([port("COM7", (0x10C4, 0xEA60), "CP2102")])
    assert str(guess) == "an adapter (Silicon Labs CP210x), for a UART on header pins"


def test_port_for_programming_alone():
    upduino, adapter = port("a", FT232H, "UPduino v3.1c"), port("b", FT232H, "UM232H")
    first, second = guess_ports([upduino, adapter])
    assert (first.device, second.device) == ("b", "a")
    assert first.adapter and not first.boards
    assert str(second) == "for programming tinyVision.ai UPduino v3 (iCE40 UP5K) (upduino_v3)"


def test_port_of_the_computer():
    (guess,) = guess_ports([port("/dev/ttyS0")])
    assert not guess.uart and str(guess) == "no board known here"


def test_command(monkeypatch, capsys):
    found = [port("/dev/ttyUSB1", FT2232, "iCEBreaker V1.0e", "1-2:1.1"), port("/dev/ttyS0")]
    monkeypatch.setattr(serial.tools.list_ports, "comports", lambda: found)
    assert main(["ports"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert re.match(r"/dev/ttyUSB1  iCEBreaker V1\.0e  the UART of 1BitSquared", first)
    assert re.match(r"/dev/ttyS0 .* no board known here", second)


def test_command_with_spi_ports(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(serial.tools.list_ports, "comports", list)
    monkeypatch.setattr(linux_spi, "DEVICES", tmp_path)
    (tmp_path / "spidev0.1").touch()
    assert main(["ports"]) == 0
    assert capsys.readouterr().out == (
        f"spi://{tmp_path}/spidev0.1  an SPI port, for boards whose name ends in _spi\n"
    )


def test_command_without_ports(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(serial.tools.list_ports, "comports", list)
    monkeypatch.setattr(linux_spi, "DEVICES", tmp_path)
    assert main(["ports"]) == 1
    assert "no serial ports were found: is the board plugged in?" in capsys.readouterr().err


def test_rules_for_all_devices(capsys):
    assert main(["udev"]) == 0
    assert capsys.readouterr().out == udev_rules()
    rule = r'ATTRS\{idVendor\}=="(\w{4})", ATTRS\{idProduct\}=="(\w{4})", TAG\+="uaccess"'
    rules = {
        (int(vendor, 16), int(product, 16)) for vendor, product in re.findall(rule, udev_rules())
    }
    devices = [row.usb for row in BOARDS.values() if row.usb is not None] + [*ADAPTERS.values()]
    assert rules == {(usb.vendor, usb.product) for usb in devices}
    for row in BOARDS.values():
        assert row.usb is None or f"# {row.title}\n" in udev_rules()
    # Not the serial ports', which would be taken from the system's.
    spi, line = [line for line in udev_rules().splitlines() if f'GROUP="{GROUP}"' in line]
    assert 'SUBSYSTEM=="spidev"' in spi and 'SUBSYSTEM!="tty"' in line
    labels = set(re.findall('GOTO="(.*)"', udev_rules()))
    assert labels == set(re.findall('LABEL="(.*)"', udev_rules()))
