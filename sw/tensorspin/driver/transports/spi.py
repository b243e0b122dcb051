"""The transport over SPI: bytes in both directions with each transaction of a controller."""

from __future__ import annotations

import logging
from typing import Protocol

from ...contract.wire.frames import DELIMITER
from .base import Transport

_logger = logging.getLogger(__name__)

CHUNK = 64
"""Bytes of a transaction in which the host only listens. A device that has nothing to say fills it
with delimiters, so that short transactions waste little, and long ones call the controller less
often."""

_LEAST_CHUNK = 8
"""Bytes of such a transaction at least, however slow SCK is: a reply has more."""

_LISTENING_SECONDS = 1e-3
"""Time in seconds that such a transaction takes at most with a slow SCK."""

_POLL = 50e-6, 1e-3
"""Seconds between two looks at a device whose interrupt is not known: after the first look in vain,
and at most."""

_MISSES = 2
"""How often in a row bytes wait though the interrupt is low until it is relied on no more. Once
happens by chance: bytes may come just after the wait for the interrupt has ended."""


class Controller(Protocol):
    """What the transport needs from an SPI controller in mode 0, and from the interrupt's pin.

    Attributes
    ----------
    latency : float
        Seconds that an interrupt or a transaction may be late.
    rate : float
        Frequency of SCK in Hz.
    most_bytes : int
        Greatest number of bytes of a transaction.
    has_interrupt : bool
        Whether the interrupt's pin is known.
    """

    latency: float
    rate: float
    most_bytes: int
    has_interrupt: bool

    def transfer(self, data: bytes) -> bytes:
        """Exchange bytes in one transaction, with CS# low from the first bit to the last."""

    def wait(self, timeout: float) -> bool:
        """Wait until the interrupt is high, at most `timeout` seconds, and return its level.

        Without an interrupt the whole time passes.
        """

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

    Without an interrupt the host listens again and again while it waits. It also looks once more
    when a wait for an answer has been in vain, so that an interrupt whose wire is broken delays
    answers and loses none.

    Parameters
    ----------
    url : str
        What was opened, for messages.
    controller : Controller
        The wires. The transport closes it.
    """

    advice = (
        "is the board powered, is the bitstream of a board whose name ends in `_spi` loaded, and "
        "are ground, SCK, COPI, CIPO, CS# and IRQ wired as docs/coprocessor.md shows? Try a lower "
        "speed, too"
    )

    def __init__(self, url: str, controller: Controller) -> None:
        self.url = url
        self.rate = controller.rate
        listening = max(_LEAST_CHUNK, int(_LISTENING_SECONDS * controller.rate / 8))
        self._listening = min(CHUNK, listening, controller.most_bytes)
        self.latency = controller.latency + self._listening * 8 / controller.rate
        self._controller = controller
        self._pending = bytearray()
        self._in_frame = False
        self._owed = False  # whether the device has been asked since it last said something
        self._polling = not controller.has_interrupt
        self._misses = 0

    def describe_line(self, baud: int) -> str:
        """Describe what a measurement of this transport measures; see `Transport`."""
        return self._controller.describe()

    def write(self, data: bytes) -> None:
        """Send all of `data` with the next reads; see `Transport.write`."""
        self._pending += data

    def read(self, timeout: float) -> bytes:
        """Return whatever has arrived; see `Transport.read`."""
        deadline = self._controller.now() + timeout
        pause, most_pause = 0.0, _POLL[1]
        while True:
            missed = False
            if not self._pending and self._polling:
                if pause:
                    self._controller.wait(min(pause, deadline - self._controller.now()))
                pause = min(2 * pause or _POLL[0], most_pause)
            elif not self._pending:
                missed = not self._controller.wait(deadline - self._controller.now())
                if missed and not (self._owed or self._in_frame):
                    return b""
            data = self._transfer()
            if self._in_frame or data.count(DELIMITER) < len(data):
                self._in_frame = not data.endswith(bytes([DELIMITER]))
                self._owed = False
                self._count_misses(missed)
                return data
            if self._controller.now() >= deadline and not self._pending:
                self._owed = self._owed and not missed
                return b""

    def now(self) -> float:
        """Read the controller's clock in seconds; see `Transport.now`."""
        return self._controller.now()

    def close(self) -> None:
        """Release the device; see `Transport.close`."""
        self._controller.close()

    def _transfer(self) -> bytes:
        """Exchange what is to be sent, or as much as fits a transaction."""
        sent = bytes(self._pending[: self._controller.most_bytes])
        # What was sent is forgotten first: an error must not send it again.
        del self._pending[: len(sent)]
        self._owed = self._owed or sent.count(DELIMITER) < len(sent)
        return self._controller.transfer(sent.ljust(self._listening, bytes([DELIMITER])))

    def _count_misses(self, missed: bool) -> None:
        """Notice an interrupt that stays low though bytes wait."""
        self._misses = self._misses + 1 if missed else 0
        if self._misses == _MISSES:
            self._polling = True
            _logger.warning(
                "%s: bytes waited though the interrupt was low; check the wire of IRQ. Until the "
                "board is opened again, the host asks without it",
                self.url,
            )
