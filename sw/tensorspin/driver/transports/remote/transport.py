"""The transport to a board behind a server."""

from __future__ import annotations

import math
import time
from typing import Protocol

from ....errors import BoardBusyError, ServerLostError
from ..base import Transport
from .protocol import MOST_DATA, MOST_WAIT, Greeting

_LEAST_PAUSE = 0.05
"""Seconds until a board is asked for again, for which too many wait."""


class TurnConnection(Protocol):
    """A way to a board that others use, too, such as `Connection` over the network."""

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, as far as is known."""

    def open(self) -> Greeting:
        """Connect, and learn of the board's line."""

    def take(self, seconds: float) -> bool:
        """Wait for a turn, and tell whether nobody else has used the board since the last one."""

    def give(self) -> None:
        """Give the board back."""

    def ask(self, seconds: float, data: bytes) -> tuple[float, bytes]:
        """Send bytes and wait for an answer: the time on the line's clock, and bytes."""

    def close(self) -> None:
        """Hang up; closing again does nothing."""


class RemoteTransport(Transport):
    """A board that a server shares: every read is a question to the server, with what was written.

    The clock is that of the board's line on the server, so that the network's delays are no silence
    of the device. Between two turns a connection that broke is made again.

    Parameters
    ----------
    url : str
        Address of the board, for messages.
    connection : TurnConnection
        The way to it, which is opened here.
    queue_timeout : float
        Seconds to wait for a turn.

    Raises
    ------
    TransportError
        If the server can't be reached, or refuses.
    """

    def __init__(self, url: str, connection: TurnConnection, queue_timeout: float) -> None:
        self.url = url
        self._connection = connection
        self._queue_timeout = queue_timeout
        self._sent = bytearray()
        self._virtual = True
        self._clock = self._ahead = self._read_at = 0.0
        self._in_turn = False
        self._connect()

    def _connect(self) -> None:
        self._clock = self.now()
        greeting = self._connection.open()
        self._virtual, self._line = greeting.virtual, greeting.line
        self.latency, self.advice = greeting.latency, greeting.advice
        self.rate = math.inf if greeting.rate is None else greeting.rate
        # A server that was started again may have another clock, and the driver's must not go back.
        self._ahead = self._clock - greeting.clock
        self._read_at = time.monotonic()

    def describe_line(self, baud: int) -> str:
        """Describe what a measurement of this transport measures."""
        return f"{self._line}, behind a server"

    def begin_turn(self) -> bool:
        """Wait for this client's turn; see `Transport.begin_turn`."""
        self._sent.clear()
        ends = time.monotonic() + self._queue_timeout
        while True:
            same = self._connection.is_open
            if not same:
                self._connect()
            try:
                kept = self._connection.take(max(0.0, ends - time.monotonic()))
                self._in_turn = True
                return kept and same
            except ServerLostError:
                if not same:
                    raise
                # It may have been started again since the last turn, and nothing is under way.
            except BoardBusyError as error:
                pause = max(_LEAST_PAUSE, error.retry_after or 0.0)
                if error.retry_after is None or time.monotonic() + pause > ends:
                    raise
                time.sleep(pause)

    def end_turn(self) -> None:
        """Give the board to the next; see `Transport.end_turn`."""
        if self._in_turn:
            self._in_turn = False
            self._connection.give()

    def write(self, data: bytes) -> None:
        """Send all of `data`, with the next read; see `Transport.write`."""
        self._sent += data

    def read(self, timeout: float) -> bytes:
        """Return whatever has arrived; see `Transport.read`."""
        if not self._in_turn:
            self.begin_turn()  # of somebody who uses the transport alone; it ends when it is closed
        sent = bytes(self._sent)
        self._sent.clear()
        received = b""
        while len(sent) > MOST_DATA:
            received += self._ask(0.0, sent[:MOST_DATA])
            sent = sent[MOST_DATA:]
        if received:
            return received + self._ask(0.0, sent)
        until = self.now() + timeout
        received = self._ask(min(timeout, MOST_WAIT), sent)
        while not received and (left := until - self.now()) > 0:
            received = self._ask(min(left, MOST_WAIT), b"")
        return received

    def _ask(self, timeout: float, data: bytes) -> bytes:
        before = self.now()  # what follows takes as long as it takes by the clock of the line
        clock, answer = self._connection.ask(timeout, data)
        # The time is over if nothing came. The sums of two clocks may differ in the last digit, and
        # a virtual clock would stand still if it were asked to go on by less than that.
        least = before if answer else before + timeout
        self._clock, self._read_at = max(least, clock + self._ahead), time.monotonic()
        return answer

    def now(self) -> float:
        """Read the transport's clock in seconds; see `Transport.now`."""
        if self._virtual:
            return self._clock
        return self._clock + time.monotonic() - self._read_at

    def close(self) -> None:
        """Hang up, and give the board back; see `Transport.close`."""
        self.end_turn()
        self._connection.close()
