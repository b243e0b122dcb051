"""A circuit breaker that opens at a rate of failures: a remote that fails is left alone for a time.

A breaker that counts failures in a row opens by chance where requests fail at random: it let 32 %
of the answers come from a remote of which 70 % of the requests were good. This one opens if the
failures among the last calls are more than chance explains for a remote that is good enough.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass

from scipy.special import bdtrc

from .deadline import Clock

WINDOW = 20
"""Number of calls that the rate of failures is taken over."""

FAILURE_RATE = 0.5
"""Share of failures up to which a remote is worth asking."""

SIGNIFICANCE = 0.05
"""Probability of as many failures as were seen, from a remote that fails at `FAILURE_RATE`, below
which the breaker opens: after 5 failures in a row at once, or 15 of 20."""

IN_A_ROW = 8
"""Number of failures in a row that open the breaker, however good the calls before were. A remote
that fails in 30 % of the calls has so many by chance once in 15,000 calls."""

RESET_SECONDS = 1.0
"""Seconds for which an open breaker lets nothing through; then one call probes the remote."""

LONGEST_PAUSE = 3600.0
"""Longest time in seconds that a remote may ask to be left alone for."""


@dataclass(frozen=True)
class Permit:
    """Leave to make one call.

    Parameters
    ----------
    probe : bool
        Whether the call decides if an open breaker closes.
    """

    probe: bool


class Breaker:
    """Decides whether a remote is asked at all.

    It is *closed* as long as the remote is good enough, and lets every call through. It *opens*
    when too many of the last calls have failed. After `reset_seconds` it is *half-open*: one call
    is let through as a probe. If that succeeds, the breaker closes, otherwise it is open again for
    the same time. Threads may share a breaker.

    Parameters
    ----------
    window : int, default=20
        Number of calls that the rate of failures is taken over.
    failure_rate : float, default=0.5
        Share of failures up to which a remote is worth asking.
    reset_seconds : float, default=1.0
        Seconds between the opening and the first probe, and between two probes.
    clock : callable, default=time.monotonic
        Returns the time in seconds.

    Examples
    --------
    >>> breaker = Breaker(reset_seconds=1.0, clock=lambda: now)
    >>> now = 0.0
    >>> for _ in range(5):
    ...     breaker.failed(breaker.permit())
    >>> breaker.state, breaker.permit()
    ('open', None)
    >>> now = 1.0
    >>> breaker.state
    'half-open'
    >>> probe = breaker.permit()
    >>> breaker.permit() is None  # one probe at a time
    True
    >>> breaker.succeeded(probe)
    >>> breaker.state
    'closed'
    """

    def __init__(
        self,
        window: int = WINDOW,
        failure_rate: float = FAILURE_RATE,
        reset_seconds: float = RESET_SECONDS,
        clock: Clock = time.monotonic,
    ) -> None:
        self._failures: deque[bool] = deque(maxlen=window)
        self._failure_rate = failure_rate
        self._reset_seconds = reset_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._probe_at: float | None = None
        """When the next probe may be sent; None while the breaker is closed."""
        self._probing = False

    @property
    def state(self) -> str:
        """``"closed"``, ``"open"`` or ``"half-open"``."""
        with self._lock:
            if self._probe_at is None:
                return "closed"
            return "open" if self._waits() else "half-open"

    @property
    def words(self) -> str:
        """What the breaker has seen, for a user."""
        with self._lock:
            failed, calls = sum(self._failures), len(self._failures)
        return f"{failed} of the last {calls} requests failed"

    def permit(self) -> Permit | None:
        """Give leave to make one call, which must end in one of the other methods.

        Returns
        -------
        Permit or None
            None if no call may be made now.
        """
        with self._lock:
            if self._probe_at is None:
                return Permit(probe=False)
            if self._waits():
                return None
            self._probing = True
            return Permit(probe=True)

    def succeeded(self, permit: Permit) -> None:
        """Note that a call was answered well and in time.

        Parameters
        ----------
        permit : Permit
            The leave for that call.
        """
        with self._lock:
            if permit.probe:
                self._failures.clear()
                self._probing, self._probe_at = False, None
            self._failures.append(False)

    def failed(self, permit: Permit, pause: float | None = None) -> None:
        """Note that a call failed, was answered late, or with what can't be true.

        Parameters
        ----------
        permit : Permit
            The leave for that call.
        pause : float, optional
            Seconds for which the remote asks to be left alone (HTTP's Retry-After).
        """
        with self._lock:
            self._failures.append(True)
            if permit.probe:
                self._probing = False
            failed, calls = sum(self._failures), len(self._failures)
            chance = float(bdtrc(failed - 1, calls, self._failure_rate))
            bad = chance < SIGNIFICANCE or (calls >= IN_A_ROW and all(self._last(IN_A_ROW)))
            if permit.probe or (self._probe_at is None and bad):
                self._open(self._reset_seconds)
            if pause is not None and pause > 0:
                self._open(min(pause, LONGEST_PAUSE))

    def unused(self, permit: Permit) -> None:
        """Note that a call was not made after all.

        Parameters
        ----------
        permit : Permit
            The leave for that call.
        """
        with self._lock:
            if permit.probe:
                self._probing = False

    def _last(self, count: int) -> list[bool]:
        return list(self._failures)[-count:]

    def _waits(self) -> bool:
        assert self._probe_at is not None
        return self._probing or self._clock() < self._probe_at

    def _open(self, seconds: float) -> None:
        probe_at = self._clock() + seconds
        self._probe_at = probe_at if self._probe_at is None else max(probe_at, self._probe_at)
