"""The line to a device: bytes out, packets in, and how long that takes."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ...contract.wire.packets import BITS_PER_BYTE, FrameSplitter, Packet
from ..transports.base import Transport

_MARGIN = 0.05
"""Seconds added to the expected time of an answer: scheduling on the host."""
_UNKNOWN_BAUD = 115_200
"""Rate assumed for time-outs before the device has told its own."""


@dataclass
class LinkStatistics:
    """What happened on the line since the session began.

    Attributes
    ----------
    frames : int
        Requests' frames sent, all times counted.
    resent : int
        Those sent before, or asked again under a new number.
    replies : int
        Replies taken.
    damaged : int
        Frames from the device dropped because they were damaged.
    rejected : int
        REJECTs of the device: frames damaged or lost on the way to it.
    timeouts : int
        Times that an answer was waited for in vain.
    hellos : int
        HELLOs sent.
    """

    frames: int = 0
    resent: int = 0
    replies: int = 0
    damaged: int = 0
    rejected: int = 0
    timeouts: int = 0
    hellos: int = 0

    def __sub__(self, earlier: LinkStatistics) -> LinkStatistics:
        names = (field.name for field in fields(self))
        return LinkStatistics(*(getattr(self, name) - getattr(earlier, name) for name in names))

    def __str__(self) -> str:
        return ", ".join(f"{field.name} {getattr(self, field.name)}" for field in fields(self))


@dataclass(frozen=True)
class Arrival:
    """What one read has brought.

    Attributes
    ----------
    size : int
        Bytes; 0 after the time-out.
    packets : list of Packet
        Those that are complete now.
    damaged : int
        Frames that were dropped.
    """

    size: int
    packets: list[Packet]
    damaged: int


class Line:
    """A transport, seen as packets and transfer times.

    Parameters
    ----------
    transport : Transport

    Attributes
    ----------
    baud : int
        Rate in bits per second, once the device has told it.
    statistics : LinkStatistics
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.baud = _UNKNOWN_BAUD
        self.statistics = LinkStatistics()
        self._splitter = FrameSplitter()
        self._free_at = 0.0  # when all that was written has left

    @property
    def url(self) -> str:
        """What was opened, for messages."""
        return self.transport.url

    def now(self) -> float:
        """The transport's clock in seconds."""
        return self.transport.now()

    def write(self, data: bytes) -> None:
        """Send all of `data`."""
        self._free_at = self.free_at() + self.transfer_time(len(data))
        self.transport.write(data)

    def read(self, timeout: float) -> Arrival:
        """Whatever comes first within `timeout` seconds."""
        data = self.transport.read(timeout)
        damaged = self._splitter.damaged
        packets = self._splitter.feed(data)
        self.statistics.damaged = self._splitter.damaged
        return Arrival(len(data), packets, self._splitter.damaged - damaged)

    def read_until_quiet(self, computing: float = 0.0) -> Arrival:
        """Whatever comes before the line is quiet; nothing once it is.

        Parameters
        ----------
        computing : float
            Seconds that the device may compute in silence.
        """
        return self.read(self.free_at() - self.now() + self.quiet_time(computing))

    def free_at(self) -> float:
        """When a byte written now would begin to leave."""
        return max(self._free_at, self.now())

    def transfer_time(self, count: int) -> float:
        """Seconds that bytes spend on the line."""
        return count * BITS_PER_BYTE / self.baud

    def quiet_time(self, computing: float = 0.0) -> float:
        """Seconds of silence after which nothing more is to be expected."""
        return self.transport.latency + computing

    def answer_time(self, work: float = 0.0) -> float:
        """Seconds after which an answer is overdue.

        Parameters
        ----------
        work : float
            Seconds of transfer and computing that the answer takes.
        """
        return _MARGIN + 2 * self.transport.latency + 2 * work
