"""Which serial port is which board's UART: a guess from what USB tells."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import serial.tools.list_ports
from serial.tools.list_ports_common import ListPortInfo

from ...contract.device.boards import BOARDS, BoardSpec
from ...contract.device.usb import ADAPTERS


@dataclass(frozen=True)
class PortGuess:
    """A serial port, and what may be behind it.

    Attributes
    ----------
    device : str
        As `tensorspin.Board.open` takes it.
    name : str
        What the port says of itself; may be empty.
    boards : tuple of BoardSpec
        Rows of the board table that it may belong to; of those with their UART there, if any has.
    certain : bool
        The name says that it is one of these; otherwise many things have the same numbers.
    uart : bool
        It is the interface which the UART is on, if it belongs to one of the boards.
    adapter : str
        Kind of the adapter, if it may be one, which any board with its UART on header pins may be
        connected to; else empty.
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
    """All serial ports, those that may be a UART first.

    Parameters
    ----------
    ports : iterable of ListPortInfo, optional
        By default those that pySerial finds.
    """
    ports = list(serial.tools.list_ports.comports() if ports is None else ports)
    guesses = [_guess(port, ports) for port in sorted(ports, key=_order)]
    return sorted(guesses, key=lambda guess: (not guess.uart, not guess.certain))


def _guess(port: ListPortInfo, ports: list[ListPortInfo]) -> PortGuess:
    same = [row for row in BOARDS.values() if row.usb and row.usb.has_numbers(port.vid, port.pid)]
    named = [row for row in same if row.usb.is_named(port.product)]
    adapter = ""
    if not named:
        kinds = (kind for kind, usb in ADAPTERS.items() if usb.has_numbers(port.vid, port.pid))
        adapter = next(kinds, "")
        # What serves for programming alone would have its name.
        same = [row for row in same if row.usb.uart is not None or not adapter]
    boards = named or same
    served = [row for row in boards if _is_uart(port, row, ports)]
    uart = bool(adapter or served)
    name = port.product or (port.description if port.description != "n/a" else "") or ""
    return PortGuess(port.device, name, tuple(served or boards), bool(named), uart, adapter)


def _is_uart(port: ListPortInfo, board: BoardSpec, ports: list[ListPortInfo]) -> bool:
    """The port is the interface of a board's USB port that its UART is on."""
    if board.usb.uart is None:
        return False
    number = _interface(port)
    if number is None or board.usb.uart == 0:
        # Not the number of the interface, as others may be no serial ports.
        siblings = [other for other in ports if _device(other) == _device(port)]
        number = sorted(siblings, key=_order).index(port)
    return number == board.usb.uart


def _interface(port: ListPortInfo) -> int | None:
    """Number of a USB device's interface, where the operating system tells it."""
    found = re.search(r":(?:\d+|x)\.(\d+)$", port.location or "")
    return int(found[1]) if found else None


def _device(port: ListPortInfo) -> tuple:
    """The USB device that a port is on."""
    location = (port.location or "").partition(":")[0]
    return port.vid, port.pid, port.serial_number, location


def _order(port: ListPortInfo) -> tuple:
    """Numbers count as numbers: ttyUSB10 comes after ttyUSB9."""
    return tuple(int(part) if part.isdigit() else part for part in re.split(r"(\d+)", port.device))
