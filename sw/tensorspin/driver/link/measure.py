"""Measure the line to a device without disturbing the program on it."""

from __future__ import annotations

import copy
import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ...progress import Progress
from .line import LinkStatistics
from .requests import AskStatus, Read, Request
from .session import Session

_ROUND_TRIPS = 20
"""Round trips to measure at most. Their median is steady long before that many."""

MOST_SECONDS = 3600.0
"""Longest measurement in seconds. What an hour does not show, no measurement of this kind shows."""


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
    receive: Callable[[], Read | AskStatus]


@dataclass(frozen=True)
class LinkReport:
    """What was measured, on the transport's clock.

    Parameters
    ----------
    round_trip : float
        Median time in seconds from a short request to its reply.
    to_device, from_device : float
        Payload in bytes per second, sent in one direction without waiting for replies.
    line : str
        The line that was measured. The payload of a serial line is at most a tenth of its baud
        rate, since each byte takes ten bits.
    statistics : LinkStatistics
        What happened on the line meanwhile.

    Examples
    --------
    >>> from tensorspin import Board
    >>> with Board.open("golden://icebreaker") as board:
    ...     report = board.link_test(0.1)
    >>> print(report.line)
    3000000 baud, modelled
    >>> report.round_trip < 0.01 and report.to_device > 50_000
    True
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


def measure_link(
    session: Session,
    seconds: float,
    probe: LinkProbe,
    wall_seconds: float = math.inf,
    progress: Progress | None = None,
) -> LinkReport:
    """Measure round trips, with STATUS, and throughput, with the requests of an engine.

    Parameters
    ----------
    session : Session
        The session with the device.
    seconds : float
        Time for all measurements on the transport's clock, more than 0 and at most `MOST_SECONDS`.
    probe : LinkProbe
        Requests of one of the device's engines.
    wall_seconds : float
        Time after which the measurements end in any case, on the computer's own clock. A simulated
        device may take minutes for a second of its clock.
    progress : callable, optional
        Called with the percentage done and 100.

    Returns
    -------
    LinkReport
        Times and rates.

    Raises
    ------
    ValueError
        If `seconds` is out of this range, or `wall_seconds` is not more than 0.
    """
    check_seconds(seconds)
    if not wall_seconds > 0:
        raise ValueError(f"wall_seconds must be more than 0, not {wall_seconds}")
    before = copy.copy(session.line.statistics)
    watch = _Stopwatch(session.line.now, seconds, wall_seconds, progress)
    watch.start(1 / 4)
    round_trips = _time_round_trips(session, watch)
    watch.start(3 / 8)
    to_device = _throughput(session, watch, probe.send)
    watch.start(3 / 8)
    from_device = _throughput(session, watch, probe.receive)
    return LinkReport(
        statistics.median(round_trips),
        to_device,
        from_device,
        session.line.transport.describe_line(session.description.baud),
        session.line.statistics - before,
    )


def check_seconds(seconds: float) -> None:
    """Refuse a time that no measurement takes.

    Parameters
    ----------
    seconds : float
        Time for all measurements.

    Raises
    ------
    ValueError
        If the time is not more than 0 and at most `MOST_SECONDS`; NaN is neither.
    """
    if not 0 < seconds <= MOST_SECONDS:
        raise ValueError(
            f"seconds must be more than 0 and at most {MOST_SECONDS:g}, not {seconds:g}"
        )


class _Stopwatch:
    """Shares of the time for all measurements, on two clocks: a share ends with the earlier."""

    def __init__(
        self,
        now: Callable[[], float],
        seconds: float,
        wall_seconds: float,
        progress: Progress | None,
    ) -> None:
        self._limits = ((now, seconds), (time.monotonic, wall_seconds))
        self._progress = progress
        self._before = 0.0
        self._share = 0.0
        self._starts: list[float] = []

    def start(self, share: float) -> None:
        """Begin the next share, a part of 1."""
        self._before += self._share
        self._share = share
        self._starts = [now() for now, _ in self._limits]

    def over(self) -> bool:
        """Whether the share has passed; report the progress."""
        passed = max(
            (now() - start) / (seconds * self._share)
            for (now, seconds), start in zip(self._limits, self._starts, strict=True)
        )
        if self._progress is not None:
            self._progress(round(100 * (self._before + self._share * min(passed, 1))), 100)
        return passed >= 1


def _time_round_trips(session: Session, watch: _Stopwatch) -> list[float]:
    now = session.line.now
    times: list[float] = []
    while not times or (len(times) < _ROUND_TRIPS and not watch.over()):
        start = now()
        session.status()
        times.append(now() - start)
    return times


def _throughput(session: Session, watch: _Stopwatch, make: Callable[[], Request]) -> float:
    """Return the bytes per second that requests move until the stopwatch's share is over."""
    now = session.line.now
    start = now()

    def requests() -> Iterator[Request]:
        yield make()
        while not watch.over():
            yield make()

    moved = sum(request.data_bytes for request, _ in session.exchange(requests()))
    return moved / (now() - start)
