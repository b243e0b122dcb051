"""Whose turn it is at a board that several clients share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ...driver.transports.remote.protocol import BUSY, NOT_IN_TIME, STOPPING, TURN_OVER
from ..refusal import Refusal
from ..turns import Turns
from .metrics import BoardMetrics

_MEMORY = 0.9
"""Weight of the past in the mean time of a turn, from which ``retry_after`` is guessed."""

_LEAST_RETRY = 0.1
"""Seconds after which a client may come back at the earliest."""


@dataclass(frozen=True)
class Limits:
    """How long turns may be, and how many may wait for one.

    Parameters
    ----------
    queue : int
        Most clients that wait for a board.
    turn : float
        Seconds after which a turn is ended if others wait.
    idle : float
        Seconds without a request after which a turn is ended if others wait.
    """

    queue: int = 256
    turn: float = 60.0
    idle: float = 10.0


class Seat:
    """A client's place at a board.

    Parameters
    ----------
    owner : str
        Whose token the client has; owners take turns, whatever number of seats each has.
    """

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.begun = self.used = 0.0
        self.ended = ""
        """Why the server has ended the seat's last turn; empty if it has not."""


@dataclass(eq=False)
class _Waiting:
    seat: Seat
    turn: asyncio.Future[bool]


class Keeper:
    """Gives a board to one seat after the other. It belongs to one event loop.

    Parameters
    ----------
    name : str
        Name of the board, for messages.
    limits : Limits
        How long, and how many.
    metrics : BoardMetrics
        Counts turns.

    Attributes
    ----------
    holder : Seat or None
        Whose turn it is.
    working : bool
        Whether the board still works; until then nobody new has it.
    """

    def __init__(self, name: str, limits: Limits, metrics: BoardMetrics) -> None:
        self.name = name
        self.holder: Seat | None = None
        self.working = False
        self._limits = limits
        self._metrics = metrics
        self._turns: Turns[_Waiting] = Turns(limits.queue)
        self._last: Seat | None = None
        self._mean = _LEAST_RETRY
        self._closed: Refusal | None = None
        self._freed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._turns)

    async def take(self, seat: Seat, seconds: float) -> bool:
        """Wait for a turn.

        Parameters
        ----------
        seat : Seat
            Who waits.
        seconds : float
            How long.

        Returns
        -------
        bool
            Whether nobody else has had the board since the last turn of this seat.

        Raises
        ------
        Refusal
            If the queue is full, the time is over, or nobody gets the board any more.
        """
        if self.holder is seat:
            return True
        if self._closed is not None:
            raise self._closed
        begins = self._now()
        waiting = _Waiting(seat, asyncio.get_running_loop().create_future())
        self._queue(waiting)
        self._hand_over()
        got = False
        try:
            async with asyncio.timeout(seconds):
                kept = await waiting.turn
            got = True
            self._metrics.waited(self.name, self._now() - begins)
            return kept
        except TimeoutError:
            raise Refusal(
                504,
                NOT_IN_TIME,
                f"it was not your turn within {seconds:.3g} s, with {len(self)} others waiting; "
                f"wait longer (queue_timeout=)",
            ) from None
        finally:
            if not got:
                self._turns.remove(seat.owner, waiting)
                if self.holder is seat:
                    self.give(seat, "unused")

    def _queue(self, waiting: _Waiting) -> None:
        try:
            displaced = self._turns.put(waiting.seat.owner, waiting)
        except IndexError:
            self._metrics.refused(self.name)
            raise self._full() from None
        if displaced is not None:
            self._metrics.refused(self.name)
            if not displaced.turn.done():
                displaced.turn.set_exception(self._full())

    def _full(self) -> Refusal:
        """Say that the queue is full, and guess when a quarter of it has had its turn."""
        seconds = max(_LEAST_RETRY, self._mean * self._limits.queue / 4)
        return Refusal(
            429,
            BUSY,
            f"{self._limits.queue} clients wait for {self.name} already; try again later",
            seconds,
        )

    def _hand_over(self) -> None:
        while self._is_free and len(self._turns):
            waiting = self._turns.take_now()
            if waiting.turn.done():
                continue
            seat = self.holder = waiting.seat
            seat.begun = seat.used = self._now()
            seat.ended = ""
            kept, self._last = self._last is seat, seat
            waiting.turn.set_result(kept)

    def give(self, seat: Seat, how: str = "given back") -> None:
        """End a turn, if it is one.

        Parameters
        ----------
        seat : Seat
            Whose turn it is.
        how : str
            Word for the metrics: how it ends.
        """
        if self.holder is not seat:
            return
        self.holder = None
        seconds = self._now() - seat.begun
        self._mean = _MEMORY * self._mean + (1 - _MEMORY) * seconds
        self._metrics.ended(self.name, how, seconds)
        self._settle()

    def work(self, works: bool) -> None:
        """Learn that the board begins to work for its holder, or has ended it.

        Parameters
        ----------
        works : bool
            Which of them.
        """
        self.working = works
        if self.holder is not None:
            self.holder.used = self._now()
        self._settle()

    def _settle(self) -> None:
        self._hand_over()
        if self._is_free:
            self._freed.set()

    def check(self, seat: Seat) -> None:
        """Refuse a seat whose turn it is not.

        Parameters
        ----------
        seat : Seat
            Who asks.

        Raises
        ------
        Refusal
            If it is not its turn.
        """
        if self.holder is not seat:
            why = seat.ended or "a turn must be taken first"
            raise Refusal(409, TURN_OVER, f"it is not your turn at {self.name}: {why}")

    def end_long_turn(self) -> None:
        """End the turn that is too long, if others wait."""
        seat = self.holder
        if seat is None or not len(self._turns):
            return
        now, limits = self._now(), self._limits
        if now - seat.begun > limits.turn:
            seat.ended = (
                f"it was ended after {limits.turn:g} s, as others wait; ask for less in one call, "
                f"or in one block of exclusive()"
            )
            self.give(seat, "too long")
        elif not self.working and now - seat.used > limits.idle:
            seat.ended = (
                f"it was ended after {limits.idle:g} s without a request, as others wait; do other "
                f"work outside of exclusive()"
            )
            self.give(seat, "idle")

    def lose(self, refusal: Refusal) -> None:
        """End the turn and refuse those that wait: the board is lost, and may come back.

        Parameters
        ----------
        refusal : Refusal
            What they are told.
        """
        self._refuse_all(refusal)
        if self.holder is not None:
            self.holder.ended = refusal.message
            self.give(self.holder, "lost")
        self._last = None

    def close(self) -> None:
        """Refuse everybody from now on but who has the turn."""
        self._closed = Refusal(503, STOPPING, "the server is being stopped", 1.0)
        self._refuse_all(self._closed)

    def _refuse_all(self, refusal: Refusal) -> None:
        for waiting in self._turns.drain():
            if not waiting.turn.done():
                waiting.turn.set_exception(refusal)

    async def wait_until_free(self) -> None:
        """Wait until nobody has a turn, and the board does not work."""
        while not self._is_free:
            self._freed.clear()
            await self._freed.wait()

    @property
    def _is_free(self) -> bool:
        return self.holder is None and not self.working

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
