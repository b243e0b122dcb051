"""Asks a remote if it is worth it, and gives it up at the deadline."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Real
from typing import Any

from ..models.parameters import is_number
from .breaker import Breaker, Permit
from .deadline import Call, Calls, Clock, Deadline
from .record import ANSWERED, BREAKER, BUSY, FAILED, IMPLAUSIBLE, LATE

_MOST_WORDS = 300
"""Longest text of a remote's error that is passed on, in characters."""

_logger = logging.getLogger(__name__)


class ImplausibleError(ValueError):
    """A remote's answer can't be true, or is none to the question."""


@contextmanager
def reading() -> Iterator[None]:
    """Take whatever is raised for a reason to refuse the answer that is being read.

    Raises
    ------
    ImplausibleError
        If anything else but that was raised.

    Examples
    --------
    >>> with reading():
    ...     len(None)
    Traceback (most recent call last):
    tensorspin.hybrid.offload.ImplausibleError: TypeError: object of type 'NoneType' has no len()
    """
    try:
        yield
    except ImplausibleError:
        raise
    except Exception as error:
        raise ImplausibleError(words_of(error)) from error


@dataclass(frozen=True)
class Outcome:
    """What became of a request.

    Parameters
    ----------
    reason : str
        ``"answered"``, or why there is no answer; see `tensorspin.hybrid.record`.
    detail : str
        The same in words, with the error's text.
    answer : object
        What the check of the answer returned; None without an answer.
    seconds : float
        Seconds from the request to its end, or until nobody waited any longer; 0 without a request.
    """

    reason: str
    detail: str = ""
    answer: Any = None
    seconds: float = 0.0


class Offload:
    """Decides whether a remote is asked, and what its answer is worth.

    It has the breaker and the threads of one remote. Threads may share it.

    Parameters
    ----------
    in_flight : int
        Greatest number of requests that are under way at a time.
    clock : callable, default=time.monotonic
        Returns the time in seconds.
    calls : Calls, optional
        What runs the requests.

    Attributes
    ----------
    breaker : Breaker
        Opens when too many requests fail.
    calls : Calls
        The threads.

    Examples
    --------
    >>> offload = Offload(in_flight=1)
    >>> request = offload.ask(lambda call: 6 * 7)
    >>> request.outcome(Deadline(10.0), check=lambda answer: answer).answer
    42
    """

    def __init__(
        self, in_flight: int, clock: Clock = time.monotonic, calls: Calls | None = None
    ) -> None:
        self.breaker = Breaker(clock=clock)
        self.calls = calls or Calls(in_flight, "tensorspin remote")

    def ask(self, work: Callable[[Call], Any]) -> Request:
        """Ask the remote in the background, unless it is left alone or busy.

        Parameters
        ----------
        work : callable
            What asks the remote and returns its answer; may raise `ImplausibleError`.

        Returns
        -------
        Request
            The request, whose `Request.outcome` must be called.
        """
        permit = self.breaker.permit()
        if permit is None:
            return Request(self, None, None, Outcome(BREAKER, self.breaker.words))
        call = self.calls.start(work)
        if call is None:
            self.breaker.unused(permit)
            words = "all requests that may be under way at a time have not ended"
            return Request(self, None, None, Outcome(BUSY, words))
        return Request(self, call, permit, None)

    def failed(self, permit: Permit, outcome: Outcome, pause: float | None = None) -> Outcome:
        """Note that a request failed, and log it.

        Parameters
        ----------
        permit : Permit
            The leave for the request.
        outcome : Outcome
            What became of it.
        pause : float, optional
            Seconds for which the remote asks to be left alone.

        Returns
        -------
        Outcome
            The same.
        """
        was_closed = self.breaker.state == "closed"
        self.breaker.failed(permit, pause)
        _logger.info("remote %s: %s", outcome.reason, outcome.detail)
        if was_closed and self.breaker.state != "closed":
            _logger.warning(
                "the remote is left alone and probed now and then: %s; the last one: %s",
                self.breaker.words,
                outcome.detail,
            )
        return outcome


class Request:
    """A request to a remote that may be under way.

    Parameters
    ----------
    offload : Offload
        What made the request.
    call : Call or None
        The thread that waits for the remote; None if none was asked.
    permit : Permit or None
        The breaker's leave.
    refused : Outcome or None
        Why none was asked.
    """

    def __init__(
        self, offload: Offload, call: Call | None, permit: Permit | None, refused: Outcome | None
    ) -> None:
        self._offload = offload
        self._call = call
        self._permit = permit
        self._refused = refused

    def outcome(self, deadline: Deadline, check: Callable[[Any], Any]) -> Outcome:
        """Wait for the answer until the deadline, and check it.

        Parameters
        ----------
        deadline : Deadline
            How long to wait.
        check : callable
            Called with the remote's answer; returns what it means, or raises anything if it can't
            be true.

        Returns
        -------
        Outcome
            What became of the request; nothing of the remote's is raised.
        """
        if self._call is None:
            assert self._refused is not None
            return self._refused
        call, permit = self._call, self._permit
        assert permit is not None
        try:
            # On a virtual board the computer may come to this line long after the deadline.
            in_time = call.wait(deadline.left()) and call.seconds <= deadline.seconds
        except BaseException:  # such as Ctrl-C
            call.abandon()
            self._offload.breaker.unused(permit)
            raise
        if not in_time:
            call.abandon()
            words = f"no answer within {deadline.seconds:g} s"
            return self._offload.failed(permit, Outcome(LATE, words, seconds=deadline.used()))
        if isinstance(call.error, ImplausibleError):
            return self._implausible(call.error, call, permit)
        if call.error is not None:
            # A sampler's own time-out says the same as ours.
            reason = LATE if isinstance(call.error, TimeoutError) else FAILED
            outcome = Outcome(reason, words_of(call.error), seconds=call.seconds)
            return self._offload.failed(permit, outcome, _pause(call.error))
        try:
            checked = check(call.answer())
        except Exception as error:
            return self._implausible(error, call, permit)
        self._offload.breaker.succeeded(permit)
        return Outcome(ANSWERED, "", checked, call.seconds)

    def _implausible(self, error: Exception, call: Call, permit: Permit) -> Outcome:
        words = str(error) if isinstance(error, ImplausibleError) else words_of(error)
        outcome = Outcome(IMPLAUSIBLE, words[:_MOST_WORDS], seconds=call.seconds)
        return self._offload.failed(permit, outcome)


def words_of(error: BaseException) -> str:
    r"""Return the kind and the text of an error on one line.

    Parameters
    ----------
    error : exception
        The error, of any library.

    Returns
    -------
    str
        At most a few hundred characters.

    Examples
    --------
    >>> words_of(OSError("the network\n is unreachable"))
    'OSError: the network is unreachable'
    """
    try:
        text = " ".join(str(error).split())
    except Exception:  # of another library's class
        text = ""
    return f"{type(error).__name__}: {text}".rstrip(": ")[:_MOST_WORDS]


def _pause(error: BaseException) -> float | None:
    """Return the seconds for which a remote asks to be left alone."""
    try:
        pause: Any = getattr(error, "retry_after", None)
    except Exception:  # of another library's class
        return None
    return float(pause) if is_number(pause, Real) and math.isfinite(pause) else None
