"""What the driver needs from a way to the device: bytes out, bytes in, and a clock."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any


class Transport(ABC):
    """A byte stream to one device, and the clock that its time-outs are measured with.

    The clock belongs to the transport, because a virtual board may be a thousand times slower or
    faster than a real one. With a clock of its own it times out neither early nor late, and a run
    repeats exactly.

    Attributes
    ----------
    url : str
        What was opened, for messages.
    latency : float
        Time in seconds that a byte may spend between the device and `read` beyond its transfer at
        the line's rate. A line is taken to be quiet only after a silence longer than this.
    rate : float
        Bits per second that the transport carries at most. Time-outs go by this rate if the device
        allows a faster one.
    advice : str
        What to look at if nothing answers, as a question that ends a message.

    Examples
    --------
    >>> from tensorspin.driver.transports import open_transport
    >>> transport = open_transport("golden://icebreaker")
    >>> transport.write(b"no packet")
    >>> transport.read(timeout=0.5), transport.now()
    (b'', 0.5)
    >>> transport.close()
    """

    url: str
    latency: float
    rate: float = math.inf
    advice: str = (
        "is the board powered, is its bitstream loaded, and is this its UART? (`tensorspin ports` "
        "guesses which port is one)"
    )

    def describe_line(self, baud: int) -> str:
        """Describe what a measurement of this transport measures, for reports.

        Parameters
        ----------
        baud : int
            Rate of the device's serial line in bits per second.

        Returns
        -------
        str
            A few words.
        """
        return f"{baud} baud"

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Send all of `data`.

        Parameters
        ----------
        data : bytes
            Bytes for the device.

        Raises
        ------
        TransportError
            If the device can't be reached any more.
        """

    @abstractmethod
    def read(self, timeout: float) -> bytes:
        """Return whatever has arrived.

        Parameters
        ----------
        timeout : float
            Seconds, by the transport's clock, to wait for the first byte.

        Returns
        -------
        bytes
            At least one byte, or none after the time-out.

        Raises
        ------
        TransportError
            If the device can't be reached any more.
        """

    @abstractmethod
    def now(self) -> float:
        """Read the transport's clock.

        Returns
        -------
        float
            Seconds since some moment, which means nothing by itself.
        """

    def begin_turn(self) -> bool:
        """Take the device for requests that belong together, if others use it, too.

        Returns
        -------
        bool
            Whether the device is as this transport has left it; False if somebody else may have
            used it since.

        Raises
        ------
        TransportError
            If it isn't this transport's turn in time, or the device can't be reached any more.
        """
        return True  # A device that was opened belongs to who has opened it.

    def end_turn(self) -> None:
        """Let others use the device, until the next `begin_turn`."""
        return

    def expect(self, jobs: Sequence[Any]) -> None:
        """Learn which jobs of an engine will probably be run next; only a model has use for it.

        A model may compute them together, which is quicker than one after the other. What the
        device answers does not depend on it.

        Parameters
        ----------
        jobs : sequence
            Jobs of an engine, such as `tensorspin.contract.annealer.job.AnnealJob`.
        """
        return  # A device runs what it is asked to run, when it is asked.

    @abstractmethod
    def close(self) -> None:
        """Release the device. Closing again does nothing."""
