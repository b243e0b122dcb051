"""The transport over SPI: bytes in both directions with each transaction of a controller."""

from __future__ import annotations

from typing import Protocol

from ...contract.wire.frames import DELIMITER
from .base import Transport

CHUNK = 64
"""Bytes of a transaction. A device that has nothing to say fills it with delimiters, so that short
transactions waste little, and long ones call the controller less often."""


class Controller(Protocol):
    """What the transport needs from an SPI controller in mode 0, and from the interrupt's pin.

    Attributes
    ----------
    latency : float
        Seconds that an interrupt or a transaction may be late.
    """

    latency: float

    def transfer(self, data: bytes) -> bytes:
        """Exchange bytes in one transaction, with CS# low from the first bit to the last."""

    def wait(self, timeout: float) -> bool:
        """Wait until the interrupt is high, at most `timeout` seconds, and return its level."""

    def now(self) -> float:
        """Read the controller's clock in seconds."""

    def describe(self) -> str:
        """Describe the wires in a few words."""

    def close(self) -> None:
        """Release the controller. Closing again does nothing."""


class SPITransport(Transport):
    """A device behind the wires of an SPI controller.

    Delimiters are what both sides send when they have nothing to say. So the host can listen by
    sending delimiters, and may return more of them than the device's frames have: an empty frame
    means nothing.

    Parameters
    ----------
    url : str
        What was opened, for messages.
    controller : Controller
        The wires. The transport closes it.
    """

    def __init__(self, url: str, controller: Controller) -> None:
        self.url = url
        self.latency = controller.latency
        self._controller = controller
        self._pending = bytearray()
        self._in_frame = False

    def describe_line(self, baud: int) -> str:
        """Describe what a measurement of this transport measures; see `Transport`."""
        return self._controller.describe()

    def write(self, data: bytes) -> None:
        """Send all of `data` with the next reads; see `Transport.write`."""
        self._pending += data

    def read(self, timeout: float) -> bytes:
        """Return whatever has arrived; see `Transport.read`."""
        deadline = self._controller.now() + timeout
        while True:
            if not self._pending and not self._controller.wait(deadline - self._controller.now()):
                return b""
            chunk = bytes(self._pending[:CHUNK]).ljust(CHUNK, bytes([DELIMITER]))
            # What was sent is forgotten first: an error must not send it again.
            del self._pending[:CHUNK]
            data = self._controller.transfer(chunk)
            filler = data.count(DELIMITER) == len(data)
            if self._in_frame or not filler:
                self._in_frame = not data.endswith(bytes([DELIMITER]))
                return data
            if self._controller.now() >= deadline and not self._pending:
                return b""

    def now(self) -> float:
        """Read the controller's clock in seconds; see `Transport.now`."""
        return self._controller.now()

    def close(self) -> None:
        """Release the device; see `Transport.close`."""
        self._controller.close()
