"""What the driver needs of a way to the device: bytes out, bytes in, and a clock."""

from __future__ import annotations

from abc import ABC, abstractmethod


class Transport(ABC):
    """A byte stream to one device, and the clock that its time-outs are measured with.

    The clock belongs to the transport so that a run on a virtual board, which may be a thousand
    times slower or faster than a real one, times out neither early nor late and repeats exactly.

    Attributes
    ----------
    url : str
        What was opened, for messages.
    latency : float
        Time in seconds that a byte may spend between the device and `read` beyond its transfer at
        the line's rate. A line is taken to be quiet only after a silence longer than this.
    """

    url: str
    latency: float

    def describe_line(self, baud: int) -> str:
        """What is measured when this transport is: a line of that rate, for reports."""
        return f"{baud} baud"

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Send all of `data`.

        Raises
        ------
        TransportError
            If the device can't be reached any more.
        """

    @abstractmethod
    def read(self, timeout: float) -> bytes:
        """Whatever has arrived.

        Parameters
        ----------
        timeout : float
            Seconds of `now` to wait for the first byte.

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
        """The transport's clock in seconds; its zero means nothing."""

    @abstractmethod
    def close(self) -> None:
        """Release the device. Closing again does nothing."""
