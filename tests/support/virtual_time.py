"""A clock that tests move, and calls that take time on it instead of in threads."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any


class VirtualClock:
    """Returns the seconds that it is set to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class VirtualCall:
    """A call whose function has run already, and ends at a time of the virtual clock."""

    def __init__(self, calls: VirtualCalls, function: Callable[[Any], Any]) -> None:
        self._calls, clock = calls, calls.clock
        self._answer, self.error = None, None
        self.cancelled = self.abandoned = False
        self._cancel: Callable[[], object] | None = None
        start = clock.now
        try:
            self._answer = function(self)
        except (Exception, SystemExit) as error:
            self.error = error
        self.ends_at = clock.now
        self.seconds = clock.now - start
        clock.now = start  # the caller does not wait for it

    def wait(self, seconds: float) -> bool:
        clock = self._calls.clock
        if self.ends_at <= clock.now + seconds:
            clock.now = max(clock.now, self.ends_at)
            return True
        clock.now += seconds
        return False

    def answer(self):
        assert self.ends_at <= self._calls.clock.now
        if self.error is not None:
            raise self.error
        return self._answer

    def cancel_with(self, cancel: Callable[[], object]) -> None:
        self._cancel = cancel

    def abandon(self) -> None:
        self.abandoned = True
        if self._cancel is not None and self.ends_at > self._calls.clock.now:
            self.cancelled = True
            self._cancel()


class VirtualCalls:
    """Stands for `Calls` on a virtual clock; ``math.inf`` seconds is a function that hangs."""

    def __init__(self, most: int, clock: VirtualClock) -> None:
        self.most = most
        self.clock = clock
        self.made: list[VirtualCall] = []

    @property
    def late(self) -> int:
        return sum(call.abandoned and call.ends_at <= self.clock.now for call in self.made)

    def start(self, function: Callable[[Any], Any], wait: float = 0.0) -> VirtualCall | None:
        running = sorted(call.ends_at for call in self.made if call.ends_at > self.clock.now)
        if len(running) >= self.most:
            free_at = running[-self.most]
            if free_at > self.clock.now + wait:
                self.clock.now += wait
                return None
            self.clock.now = free_at
        self.made.append(VirtualCall(self, function))
        return self.made[-1]


HANGS = math.inf
"""Seconds that a function sleeps if it hangs for ever."""
