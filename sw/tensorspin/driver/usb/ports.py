"""Guess which serial port is which board's UART, from what USB tells."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...contract.device.boards import BOARDS, BoardSpec
from ...contract.device.usb import ADAPTERS, UsbDevice

if TYPE_CHECKING:
    from serial.tools.list_ports_common import ListPortInfo


@dataclass(frozen=True)
class PortGuess:
    """A serial port, and what may be behind it.

    Parameters
    ----------
    device : str
        Path of the port, as `tensorspin.Board.open` takes it.
    name : str
        What the port says of itself; may be empty.
    boards : tuple of BoardSpec
        Rows of the board table that the port may belong to. If the UART of some of them would be at
        this port, only those.
    certain : bool
        Whether the name of the USB device says that it is one of these boards. If not, only its
        numbers do, which many other things have too.
    uart : bool
        Whether the port is the interface of the USB device that the UART is on, if it belongs to
        one of the boards.
    adapter : str
        Kind of adapter that the port may be, to which any board with its UART on header pins can be
        connected; else empty.

    Examples
    --------
    >>> from tensorspin.contract.device.boards import BOARDS
    >>> from tensorspin.driver.usb import PortGuess
    >>> guess = PortGuess("/dev/ttyUSB1", "", (BOARDS["icebreaker"],), True, True, adapter="")
    >>> print(guess)
    the UART of 1BitSquared iCEBreaker (iCE40 UP5K) (icebreaker)
    """

    device: str
    name: str
    boards: tuple[BoardSpec, ...]
    certain: bool
    uart: bool
    adapter: str

    def __str__(self) -> str:
        titles = " or ".join(
            f"{title} ({', '.join(board.name for board in self.boards if board.title == title)})"
            for title in dict.fromkeys(board.title for board in self.boards)
        )
        perhaps = "" if self.certain else "perhaps "
        if titles and self.uart:
            guess = f"{perhaps}the UART of {titles}"
        elif titles:
            guess = f"{perhaps}for programming {titles}"
        else:
            guess = ""
        if self.adapter:
            header = f"an adapter ({self.adapter}), for a UART on header pins"
            guess = f"{guess}, or {header}" if guess else header
        return guess or "no board known here"


def guess_ports(ports: Iterable[ListPortInfo] | None = None) -> list[PortGuess]:
    """Guess what is behind each serial port.

    Parameters
    ----------
    ports : iterable of ListPortInfo, optional
        Ports as pySerial describes them; by default all that it finds.

    Returns
    -------
    list of PortGuess
        One guess for each port; those that may be a UART come first.

    Examples
    --------
    >>> from serial.tools.list_ports_common import ListPortInfo
    >>> from tensorspin.driver.usb import guess_ports
    >>> port = ListPortInfo("/dev/ttyUSB0")
    >>> port.vid, port.pid, port.product, port.location = 0x1D50, 0x6146, "iCEBreaker.bitsy", "1-2"
    >>> [guess.certain for guess in guess_ports([port])]
    [True]
    """
    # Imported late: the rules of udev, beside this module, need no pySerial.
    import serial.tools.list_ports

    found = list(serial.tools.list_ports.comports() if ports is None else ports)
    guesses = [_guess(port, found) for port in sorted(found, key=_order)]
    return sorted(guesses, key=lambda guess: (not guess.uart, not guess.certain))


def _guess(port: ListPortInfo, ports: list[ListPortInfo]) -> PortGuess:
    devices = [(row, row.usb) for row in BOARDS.values() if row.usb is not None]
    same = [(row, usb) for row, usb in devices if usb.has_numbers(port.vid, port.pid)]
    named = [(row, usb) for row, usb in same if usb.is_named(port.product)]
    adapter = ""
    if not named:
        kinds = (kind for kind, usb in ADAPTERS.items() if usb.has_numbers(port.vid, port.pid))
        adapter = next(kinds, "")
        # A board's chip that serves for programming alone would bear the board's name. So a chip
        # without a name that may be an adapter is none of those.
        same = [(row, usb) for row, usb in same if usb.uart is not None or not adapter]
    boards = [row for row, _ in named or same]
    served = [row for row, usb in named or same if _is_uart(port, usb, ports)]
    uart = bool(adapter or served)
    name = port.product or (port.description if port.description != "n/a" else "") or ""
    return PortGuess(port.device, name, tuple(served or boards), bool(named), uart, adapter)


def _is_uart(port: ListPortInfo, usb: UsbDevice, ports: list[ListPortInfo]) -> bool:
    """Tell whether the port is the interface of a board's USB device that its UART is on."""
    if usb.uart is None:
        return False
    number = _interface(port)
    if number is None or usb.uart == 0:
        # Count the serial ports of the device instead of its interfaces: those before the UART may
        # be no serial ports.
        siblings = [other for other in ports if _device(other) == _device(port)]
        number = sorted(siblings, key=_order).index(port)
    return number == usb.uart


def _interface(port: ListPortInfo) -> int | None:
    """Return the number of a USB device's interface, where the operating system tells it."""
    found = re.search(r":(?:\d+|x)\.(\d+)$", port.location or "")
    return int(found[1]) if found else None


def _device(port: ListPortInfo) -> tuple:
    """Return what identifies the USB device that a port is on."""
    location = (port.location or "").partition(":")[0]
    return port.vid, port.pid, port.serial_number, location


def _order(port: ListPortInfo) -> tuple:
    """Return a key that sorts numbers as numbers: ttyUSB10 comes after ttyUSB9."""
    return tuple(int(part) if part.isdigit() else part for part in re.split(r"(\d+)", port.device))
