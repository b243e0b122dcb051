"""Measure the line to a device without disturbing the program on it."""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ...contract.annealer.image import AnnealerSpace, space_bytes
from ...contract.contractor.memory import MemorySpace
from ...contract.wire.packets import OFFSET, PacketType
from .line import LinkStatistics
from .requests import MAX_DATA, Part, Read, Request, Write
from .session import Session

_ROUND_TRIPS = 20


@dataclass(frozen=True)
class LinkReport:
    """What was measured, on the transport's clock.

    Attributes
    ----------
    round_trip : float
        Median time in seconds from a short request to its reply.
    to_device, from_device : float
        Payload in bytes per second, sent pipelined in one direction.
    line : str
        What was measured; the payload can have a tenth of a serial line's rate at most.
    statistics : LinkStatistics
        What happened on the line meanwhile.
    """

    round_trip: float
    to_device: float
    from_device: float
    line: str
    statistics: LinkStatistics

    def __str__(self) -> str:
        return (
            f"round trip {self.round_trip * 1e3:.2f} ms, to the device {self.to_device / 1e3:.1f} "
            f"kB/s, from the device {self.from_device / 1e3:.1f} kB/s of payload\n"
            f"serial line: {self.line}\n{self.statistics}"
        )


def measure_link(session: Session, seconds: float) -> LinkReport:
    """Measure round trips and throughput.

    Uses STATUS, READ, and FEATURES whose sample is never run; on a device without a contractor,
    WRITEs of the annealer's schedule.

    Parameters
    ----------
    session : Session
    seconds : float
        Time for all, more than 0.

    Returns
    -------
    LinkReport
    """
    if not seconds > 0:
        raise ValueError(f"seconds must be more than 0, not {seconds}")
    before = copy.copy(session.line.statistics)
    contractor, annealer = session.description.contractor, session.description.annealer
    if contractor is not None:
        readable, length = MemorySpace.TABLE, contractor.space_bytes(MemorySpace.TABLE)
    else:
        readable, length = AnnealerSpace.RESULTS, space_bytes(annealer, AnnealerSpace.RESULTS)

    def send() -> Request:
        if contractor is not None:
            return _Levels(contractor.features)
        return _Schedule(space_bytes(annealer, AnnealerSpace.STEPS))

    round_trips = _time_round_trips(session, seconds / 4)
    to_device = _throughput(session, seconds * 3 / 8, send)
    from_device = _throughput(
        session, seconds * 3 / 8, lambda: Read(readable, 0, min(MAX_DATA, length))
    )
    return LinkReport(
        statistics.median(round_trips),
        to_device,
        from_device,
        session.line.transport.describe_line(session.description.baud),
        session.line.statistics - before,
    )


class _Levels(Request):
    """The first part of a sample that is never run."""

    def __init__(self, features: int) -> None:
        self.count = min(MAX_DATA, features)

    def parts(self, limit: int) -> list[Part]:
        self.count = min(self.count, limit)
        return [(PacketType.FEATURES, OFFSET.pack(0) + bytes(self.count))]


class _Schedule(Write):
    """Some of a schedule that is never run."""

    def __init__(self, size: int) -> None:
        super().__init__(AnnealerSpace.STEPS, 0, bytes(min(MAX_DATA, size)))
        self.count = len(self.data)

    def split(self, limit: int) -> Sequence[Request]:
        return [self] if self.count <= limit else [_Schedule(limit)]


def _time_round_trips(session: Session, seconds: float) -> list[float]:
    now = session.line.now
    end = now() + seconds
    times = []
    while not times or (len(times) < _ROUND_TRIPS and now() < end):
        start = now()
        session.status()
        times.append(now() - start)
    return times


def _throughput(session: Session, seconds: float, make: Callable[[], Request]) -> float:
    """Bytes per second of requests that have a `count`."""
    now = session.line.now
    start = now()

    def requests() -> Iterator[Request]:
        yield make()
        while now() < start + seconds:
            yield make()

    moved = sum(request.count for request, _ in session.exchange(requests()))
    return moved / (now() - start)
