"""A deadline for all parts of a call together, and threads that nobody waits for beyond it.

A remote processor may answer late, never, or hang in its client's library, and none of these can be
stopped from outside. So what is asked of it runs in a thread of its own. Whoever asked waits until
the deadline and then goes on without the answer, which is logged and counted if it still arrives.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

Clock = Callable[[], float]
"""Returns seconds that never go backwards; their zero means nothing."""

RESERVE_SECONDS = 0.01
"""Seconds before the deadline at which waiting ends, as threads wake up some milliseconds late."""

RESERVE_SHARE = 0.1
"""Largest share of a short deadline that is kept in reserve."""

_logger = logging.getLogger(__name__)


class Deadline:
    """The moment by which a call must have answered, on a monotonic clock.

    Parameters
    ----------
    seconds : float
        Seconds from now, for all parts of the call together.
    clock : callable, default=time.monotonic
        Returns the time in seconds.

    Attributes
    ----------
    seconds : float
        The same number of seconds.

    Examples
    --------
    >>> deadline = Deadline(0.5, clock=iter([10.0, 10.2, 11.0]).__next__)
    >>> round(deadline.left(), 2), deadline.left()  # after 0.2 s, of which 0.01 s are a reserve
    (0.29, 0.0)
    """

    def __init__(self, seconds: float, clock: Clock = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._start = clock()
        self._reserve = min(RESERVE_SECONDS, RESERVE_SHARE * seconds)

    def left(self) -> float:
        """Return the seconds for which there is still time to wait, at least 0."""
        return max(0.0, self.seconds - self._reserve - self.used())

    def skip(self, seconds: float) -> None:
        """Leave out time that passed on the computer's clock only, not on a virtual board's.

        Parameters
        ----------
        seconds : float
            How long.
        """
        self._start += seconds

    def used(self) -> float:
        """Return the seconds since the call began."""
        return self._clock() - self._start


class Call:
    """A function that runs in a thread of its own.

    Parameters
    ----------
    calls : Calls
        What counts the threads, and the answers that came too late.
    function : callable
        Called with this object; what it returns is the answer.

    Attributes
    ----------
    seconds : float
        Seconds from the start to the end of the function; 0 until then.
    abandoned : bool
        Whether nobody wants the answer any more.
    error : BaseException or None
        What the function has raised.
    """

    def __init__(self, calls: Calls, function: Callable[[Call], Any]) -> None:
        self._calls = calls
        self._function = function
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self.abandoned = False
        self._cancel: Callable[[], object] | None = None
        self._running = 1  # threads that belong to this call: the function, and its cancellation
        self._answer: Any = None
        self.error: BaseException | None = None
        self.seconds = 0.0

    def start(self) -> None:
        """Start the thread."""
        self._thread(self._run)

    def wait(self, seconds: float) -> bool:
        """Wait for the end of the function.

        Parameters
        ----------
        seconds : float
            Longest time to wait.

        Returns
        -------
        bool
            Whether the function has ended, well or badly.
        """
        return self._ended.wait(seconds)

    def answer(self) -> Any:
        """Return what the function has returned, or raise what it has raised."""
        if self.error is not None:
            raise self.error
        return self._answer

    def cancel_with(self, cancel: Callable[[], object]) -> None:
        """Tell how the work can be cancelled; the function calls this once it knows.

        Parameters
        ----------
        cancel : callable
            Called in a thread of its own once nobody wants the answer any more; it may hang or
            fail.
        """
        with self._lock:
            self._cancel = cancel
            if self.abandoned:
                self._start_cancelling()

    def abandon(self) -> None:
        """Tell that nobody wants the answer any more. This never waits for anything."""
        with self._lock:
            if self.abandoned:
                return
            self.abandoned = True
            if self._ended.is_set():
                self._calls.count_late(self)
            elif self._cancel is not None:
                self._start_cancelling()

    def _start_cancelling(self) -> None:
        self._running += 1
        try:
            self._thread(self._run_cancel)
        except RuntimeError:  # the system has no more threads: the work just goes on
            self._running -= 1

    def _thread(self, target: Callable[[], None]) -> None:
        # Daemons do not keep the interpreter from its end, which may come before the answer.
        threading.Thread(target=target, name=self._calls.name, daemon=True).start()

    def _run(self) -> None:
        start = time.monotonic()
        try:
            self._answer = self._function(self)
        except BaseException as error:  # of a user's sampler; SystemExit, too, ends in this thread
            self.error = error
        self.seconds = time.monotonic() - start
        with self._lock:
            self._ended.set()
            if self.abandoned:
                self._calls.count_late(self)
        self._end()

    def _run_cancel(self) -> None:
        assert self._cancel is not None
        try:
            self._cancel()
        except BaseException as error:
            _logger.debug("%s: cancelling failed: %s", self._calls.name, error)
        self._end()

    def _end(self) -> None:
        with self._lock:
            self._running -= 1
            last = self._running == 0
        if last:
            self._calls.release()


class Calls:
    """Runs functions in daemon threads, only so many at a time.

    A function that hangs keeps its place, so that a remote that hangs can not fill the memory with
    threads.

    Parameters
    ----------
    most : int
        Greatest number of functions that run at a time.
    name : str
        Name of the threads, for logs and debuggers.

    Attributes
    ----------
    late : int
        Number of functions that ended after nobody wanted their answer any more.

    Examples
    --------
    >>> calls = Calls(1, "adder")
    >>> call = calls.start(lambda call: 1 + 1)
    >>> call.wait(10), call.answer()
    (True, 2)
    """

    def __init__(self, most: int, name: str) -> None:
        self.name = name
        self.late = 0
        self._places = threading.Semaphore(most)
        self._counting = threading.Lock()

    def start(self, function: Callable[[Call], Any], wait: float = 0.0) -> Call | None:
        """Run a function in a thread of its own.

        Parameters
        ----------
        function : callable
            Called with its `Call`; may hang, and may raise anything.
        wait : float, default=0
            Longest time in seconds to wait for a place.

        Returns
        -------
        Call or None
            None if all places are taken by functions that have not ended.
        """
        if not self._places.acquire(timeout=wait) if wait else not self._places.acquire(False):
            return None
        call = Call(self, function)
        try:
            call.start()
        except RuntimeError as error:  # the system has no more threads
            _logger.warning("%s: %s", self.name, error)
            self.release()
            return None
        return call

    def release(self) -> None:
        """Free a place; `Call` does so at its end."""
        self._places.release()

    def count_late(self, call: Call) -> None:
        """Count and log an answer that came too late; `Call` does so.

        Parameters
        ----------
        call : Call
            The call, which has ended.
        """
        with self._counting:
            self.late += 1
        _logger.info(
            "%s: an answer came after %.3f s, too late, and is not used", self.name, call.seconds
        )
