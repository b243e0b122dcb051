"""The line to a device: bytes out, packets in, what they say, and how long that takes."""

from __future__ import annotations

import struct
from dataclasses import dataclass, fields
from typing import TypeVar

from ...contract.device.description import DeviceDescription, OtherProtocolError
from ...contract.wire.frames import BITS_PER_BYTE, FrameSplitter, Packet
from ...contract.wire.packets import DeviceStatus
from ...errors import LinkError, ProtocolVersionError
from ..transports.base import Transport

_MARGIN = 0.05
"""Seconds added to the expected time of an answer, because the host's operating system may run
other programs meanwhile."""

_UNKNOWN_BAUD = 115_200
"""Rate in bits per second from which time-outs are computed before the device has told its own."""

Layout = TypeVar("Layout", DeviceDescription, DeviceStatus)
"""What a device says of itself, in one of two forms."""


@dataclass
class LinkStatistics:
    """What happened on the line since the session began.

    Parameters
    ----------
    frames : int
        Frames of requests that were sent. A frame that was sent twice counts twice.
    resent : int
        Those of `frames` that had been sent before, or that ask a request again under a new
        number.
    replies : int
        Replies that were taken.
    damaged : int
        Frames from the device that were dropped because they were damaged.
    rejected : int
        REJECTs of the device; each tells that frames were damaged or lost on the way to it.
    timeouts : int
        How often the host waited for an answer in vain.
    hellos : int
        HELLOs that were sent.
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
    """What one read of the line has brought.

    Parameters
    ----------
    size : int
        Bytes that came; 0 after the time-out.
    packets : list of Packet
        Packets that these bytes have completed.
    damaged : int
        Damaged frames that were dropped.
    """

    size: int
    packets: list[Packet]
    damaged: int


class Line:
    """A transport, seen as packets and transfer times.

    Parameters
    ----------
    transport : Transport
        The way to the device.

    Attributes
    ----------
    url : str
        What was opened, for messages.
    now : callable
        The transport's clock: returns seconds.
    baud : float
        Rate in bits per second; a guess until the device has told its own, and the transport's if
        that is slower.
    statistics : LinkStatistics
        Counts since the session began.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.url = transport.url
        # The method itself is kept, as the clock is read several times for each packet.
        self.now = transport.now
        self.adopt_rate(_UNKNOWN_BAUD)
        self.statistics = LinkStatistics()
        self._splitter = FrameSplitter()
        self._free_at = 0.0  # when the last byte written has left the host

    def adopt_rate(self, baud: float) -> None:
        """Compute time-outs from the device's rate, or from the transport's if that is slower."""
        self.baud = min(baud, self.transport.rate)

    def write(self, data: bytes) -> None:
        """Send all of `data`, and note when its last byte will have left the host."""
        duration = self.transfer_time(len(data))
        self._free_at = self.free_at() + duration
        self.transport.write(data)

    def read(self, timeout: float) -> Arrival:
        """Return whatever comes first within `timeout` seconds."""
        data = self.transport.read(timeout)
        damaged = self._splitter.damaged
        packets = self._splitter.feed(data)
        self.statistics.damaged = self._splitter.damaged
        return Arrival(len(data), packets, self._splitter.damaged - damaged)

    def read_until_quiet(self, computing: float = 0.0) -> Arrival:
        """Return whatever comes before the line is quiet, and an empty arrival once it is.

        Parameters
        ----------
        computing : float
            Seconds that the device may compute in silence.
        """
        return self.read(self.free_at() - self.now() + self.quiet_time(computing))

    def unpack(self, layout: type[Layout], packed: bytes) -> Layout:
        """Read what the device says of itself.

        Parameters
        ----------
        layout : type
            `DeviceDescription` or `DeviceStatus`.
        packed : bytes
            Payload of the reply after the status byte.

        Raises
        ------
        ProtocolVersionError
            If the device speaks another version of the protocol.
        LinkError
            If the driver doesn't understand the payload.
        """
        try:
            return layout.unpack(packed)
        except OtherProtocolError as error:
            raise ProtocolVersionError(str(error), error.device, error.driver) from None
        except (ValueError, struct.error) as error:
            raise self.not_understood(error) from error

    def not_understood(self, reason: object) -> LinkError:
        """Make the error of a device whose answer this driver has no reading for."""
        return LinkError(
            f"the device at {self.url} describes itself in a way that this driver doesn't "
            f"understand ({reason}); load the bitstream that belongs to this driver"
        )

    # Times

    def free_at(self) -> float:
        """Return the time at which a byte written now would begin to leave the host."""
        return max(self._free_at, self.now())

    def transfer_time(self, count: int) -> float:
        """Return the seconds that `count` bytes spend on the line."""
        return count * BITS_PER_BYTE / self.baud

    def work_time(self, count: int, seconds: float) -> float:
        """Return the seconds that bytes spend on the line and the device spends computing.

        Parameters
        ----------
        count : int
            Bytes on the line, in both directions.
        seconds : float
            Time that the device computes.
        """
        return self.transfer_time(count) + seconds

    def quiet_time(self, computing: float = 0.0) -> float:
        """Return the seconds of silence after which nothing more is to be expected."""
        return self.transport.latency + computing

    def answer_time(self, work: float = 0.0) -> float:
        """Return the seconds after which an answer is overdue.

        Parameters
        ----------
        work : float
            Seconds of transfer and computing that the answer takes. They count twice, since both
            are estimates.
        """
        return _MARGIN + 2 * self.transport.latency + 2 * work

    def overdue_at(self, count: int, seconds: float) -> float:
        """Return the time at which the answers to what is under way will be overdue.

        Parameters
        ----------
        count, seconds
            Bytes on the line and seconds of computing, as in `work_time`.
        """
        return self.now() + self.answer_time(self.work_time(count, seconds))
