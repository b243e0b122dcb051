"""Measure the line to a device without disturbing the program on it."""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .line import LinkStatistics
from .requests import Read, Request
from .session import Session

_ROUND_TRIPS = 20


@dataclass(frozen=True)
class LinkProbe:
    """Requests that load the line and change nothing that a run needs; each engine has its own.

    Parameters
    ----------
    send : callable
        Returns a request with much data for the device.
    receive : callable
        Returns a request for much data from the device.
    """

    send: Callable[[], Request]
    receive: Callable[[], Read]


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


def measure_link(session: Session, seconds: float, probe: LinkProbe) -> LinkReport:
    """Measure round trips, with STATUS, and throughput, with the requests of an engine.

    Parameters
    ----------
    session : Session
        The session with the device.
    seconds : float
        Time for all measurements, more than 0.
    probe : LinkProbe
        Requests of one of the device's engines.

    Returns
    -------
    LinkReport
        Times and rates.

    Raises
    ------
    ValueError
        If `seconds` is not more than 0.
    """
    if not seconds > 0:
        raise ValueError(f"seconds must be more than 0, not {seconds}")
    before = copy.copy(session.line.statistics)
    round_trips = _time_round_trips(session, seconds / 4)
    to_device = _throughput(session, seconds * 3 / 8, probe.send)
    from_device = _throughput(session, seconds * 3 / 8, probe.receive)
    return LinkReport(
        statistics.median(round_trips),
        to_device,
        from_device,
        session.line.transport.describe_line(session.description.baud),
        session.line.statistics - before,
    )


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
