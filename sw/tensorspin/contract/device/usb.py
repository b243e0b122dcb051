"""How boards and their serial ports show themselves on USB.

`tensorspin ports` guesses from this which board is behind a serial port, and `tensorspin udev`
makes rules from it that let users open the port.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class UsbDevice:
    """A chip with a USB port: the one on a board, or that of an adapter.

    Parameters
    ----------
    vendor : int
        Number of the vendor that the device gives (VID).
    product : int
        Number of the product that the device gives (PID).
    name : str
        Regular expression that matches the beginning of the product name that the device gives.
        Many boards have the same chip, and so the same numbers. Only the name tells them apart, if
        their makers have written one into the chip.
    uart : int, optional
        Which of the device's interfaces is the UART, from 0 on; None if none of them is.

    Examples
    --------
    >>> device = UsbDevice(0x0403, 0x6010, name="iCEBreaker", uart=1)
    >>> device.numbers, device.is_named("iCEBreaker V1.0e")
    ('0403:6010', True)
    """

    vendor: int
    product: int
    name: str = ""
    uart: int | None = None

    @property
    def numbers(self) -> str:
        """Vendor and product as lsusb writes them."""
        return f"{self.vendor:04x}:{self.product:04x}"

    def has_numbers(self, vendor: int | None, product: int | None) -> bool:
        """Compare numbers with those of this device.

        Parameters
        ----------
        vendor : int or None
            Number of a vendor; None if the port is not on USB.
        product : int or None
            Number of a product.

        Returns
        -------
        bool
            True if both are equal.
        """
        return (vendor, product) == (self.vendor, self.product)

    def is_named(self, name: str | None) -> bool:
        """Compare a product name with the name of this device.

        Parameters
        ----------
        name : str or None
            Product name that a device gives, if it gives any.

        Returns
        -------
        bool
            True if it begins with this device's name; False if this device has none.
        """
        return bool(self.name) and re.match(self.name, name or "", re.IGNORECASE) is not None


def ft2232(name: str, uart: int | None = 1) -> UsbDevice:
    """Describe FTDI's chip with two interfaces; boards use the first for programming."""
    return UsbDevice(0x0403, 0x6010, name, uart)


def ft231x(name: str) -> UsbDevice:
    """Describe FTDI's chip with one interface; boards use its spare pins for programming."""
    return UsbDevice(0x0403, 0x6015, name, uart=0)


ICELINK = UsbDevice(0x1D50, 0x602B, uart=0)
"""MuseLab's debugger: a microcontroller that shows one serial port and several other interfaces
(https://github.com/wuxx/icesugar, tools/src/60-icesugar.rules)."""

ADAPTERS = {
    "FTDI FT232R": UsbDevice(0x0403, 0x6001, uart=0),
    "FTDI FT232H": UsbDevice(0x0403, 0x6014, uart=0),
    "FTDI FT4232H": UsbDevice(0x0403, 0x6011, uart=0),
    "FTDI FT-X": UsbDevice(0x0403, 0x6015, uart=0),
    "Silicon Labs CP210x": UsbDevice(0x10C4, 0xEA60, uart=0),
    "WCH CH340": UsbDevice(0x1A86, 0x7523, uart=0),
    "Prolific PL2303": UsbDevice(0x067B, 0x2303, uart=0),
}
"""Serial adapters that people connect to a board's header pins, by the name of the chip. Some
boards have such a chip on them, too, so that its numbers do not say which board it is."""
