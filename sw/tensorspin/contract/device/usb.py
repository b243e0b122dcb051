"""How boards and their serial ports show themselves on USB."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class UsbDevice:
    """A chip with a USB port: a board's own, or an adapter.

    Attributes
    ----------
    vendor, product : int
        Numbers that the device gives (VID, PID).
    name : str
        Regular expression that the device's product name begins with. Many boards share the numbers
        of a chip, and only the name, if somebody has written it into the chip, tells them apart.
    uart : int or None
        Which of the device's interfaces the UART is, from 0 on; None if none of them is.
    """

    vendor: int
    product: int
    name: str = ""
    uart: int | None = None

    @property
    def numbers(self) -> str:
        """As lsusb writes them."""
        return f"{self.vendor:04x}:{self.product:04x}"

    def has_numbers(self, vendor: int | None, product: int | None) -> bool:
        """The numbers are this device's."""
        return (vendor, product) == (self.vendor, self.product)

    def is_named(self, name: str | None) -> bool:
        """The name is one that this device gives."""
        return bool(self.name) and re.match(self.name, name or "", re.IGNORECASE) is not None


def ft2232(name: str, uart: int | None = 1) -> UsbDevice:
    """FTDI's chip with two interfaces; boards use the first for programming."""
    return UsbDevice(0x0403, 0x6010, name, uart)


def ft231x(name: str) -> UsbDevice:
    """FTDI's chip with one interface, whose further pins boards use for programming."""
    return UsbDevice(0x0403, 0x6015, name, uart=0)


ICELINK = UsbDevice(0x1D50, 0x602B, uart=0)
"""MuseLab's debugger, a microcontroller with one serial port beside others' interfaces (see
https://github.com/wuxx/icesugar, tools/src/60-icesugar.rules)."""

ADAPTERS = {
    "FTDI FT232R": UsbDevice(0x0403, 0x6001, uart=0),
    "FTDI FT232H": UsbDevice(0x0403, 0x6014, uart=0),
    "FTDI FT4232H": UsbDevice(0x0403, 0x6011, uart=0),
    "FTDI FT-X": UsbDevice(0x0403, 0x6015, uart=0),
    "Silicon Labs CP210x": UsbDevice(0x10C4, 0xEA60, uart=0),
    "WCH CH340": UsbDevice(0x1A86, 0x7523, uart=0),
    "Prolific PL2303": UsbDevice(0x067B, 0x2303, uart=0),
}
"""Adapters that people connect to header pins. Some boards have such a chip, too."""
