"""A board that several clients share."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from ...driver.transports.remote.protocol import AWAY, MOST_WAIT, Greeting
from ...errors import TensorspinError, TransportError
from ...feasibility.describe import engine_values
from ..logs import record
from ..refusal import Refusal
from .device import Answer, Device
from .keeper import Keeper, Limits, Seat
from .metrics import BoardMetrics

_LOOK_SECONDS = 0.25
"""Seconds between two looks whether a turn is too long, or a board that was lost is back."""

_LOST_SECONDS = 2.0
"""Seconds between two tries to open a board that was lost."""


class SharedBoard:
    """A board, its queue, and what becomes of both.

    Parameters
    ----------
    name : str
        Name of the board on the server.
    device : Device
        The board, which is open.
    limits : Limits
        How long turns may be, and how many may wait.
    metrics : BoardMetrics
        Counts turns and bytes.
    """

    def __init__(self, name: str, device: Device, limits: Limits, metrics: BoardMetrics) -> None:
        self.name = name
        self.device = device
        self._keeper = Keeper(name, limits, metrics)
        self._metrics = metrics
        self._seats = 0
        self._away: Refusal | None = None
        metrics.watch(name, lambda: len(self._keeper), lambda: self._seats, lambda: self.is_up)

    @property
    def is_up(self) -> bool:
        """Whether the board answers, as far as is known."""
        return self._away is None

    def told(self) -> dict[str, Any]:
        """Describe the board for people and programs, as JSON."""
        info = self.device.description
        return {
            "name": self.name,
            "board": info.board,
            "url": self.device.url,
            "up": self.is_up,
            "problem": None if self._away is None else self._away.message,
            "in_use": self._keeper.holder is not None,
            "waiting": len(self._keeper),
            "clients": self._seats,
            "clock_hz": info.clock_hz,
            "build": info.build.hex(),
            "engines": engine_values(info),
        }

    @contextlib.contextmanager
    def seat(self, owner: str) -> Any:
        """Give a client a place, for as long as the context lasts.

        Parameters
        ----------
        owner : str
            Whose token the client has.

        Yields
        ------
        Seat
            The place. What it holds when the context ends goes to the next.
        """
        seat = Seat(owner)
        self._seats += 1
        try:
            yield seat
        finally:
            self._seats -= 1
            self._keeper.give(seat, "left")

    def greeting(self) -> Greeting:
        """Describe the board's line.

        Raises
        ------
        Refusal
            If the board is lost.
        """
        if self._away is not None:
            raise self._away
        return self.device.greeting(self.name)

    async def take(self, seat: Seat, seconds: float) -> bool:
        """Wait for a turn; see `Keeper.take`."""
        if self._away is not None:
            raise self._away
        return await self._keeper.take(seat, seconds)

    def give(self, seat: Seat) -> None:
        """End a turn; see `Keeper.give`."""
        self._keeper.give(seat)

    async def ask(self, seat: Seat, seconds: float, data: bytes) -> Answer:
        """Send bytes to the board during a turn, and wait for an answer.

        Parameters
        ----------
        seat : Seat
            Whose turn it is.
        seconds : float
            How long to wait, by the clock of the board's line.
        data : bytes
            What to send.

        Returns
        -------
        Answer
            Whatever has come.

        Raises
        ------
        Refusal
            If it is not, or not any more, the seat's turn, or the board is lost.
        """
        self._keeper.check(seat)
        self._keeper.work(True)
        # The board ends its work even if whoever has asked is gone, and nobody else has it before.
        work = asyncio.ensure_future(self._ask(seat, min(seconds, MOST_WAIT), data))
        work.add_done_callback(lambda done: done.cancelled() or done.exception())
        answer = await asyncio.shield(work)
        self._keeper.check(seat)
        return answer

    async def _ask(self, seat: Seat, seconds: float, data: bytes) -> Answer:
        keeper = self._keeper
        try:
            answer = await self.device.ask(seconds, data, lambda: keeper.holder is seat)
        except TransportError as error:
            self._lose(error)
            raise Refusal(503, AWAY, str(error)) from error
        finally:
            keeper.work(False)
        self._metrics.moved(self.name, len(data), len(answer.data))
        return answer

    def _lose(self, error: Exception) -> None:
        record("lost", board=self.name, reason=str(error))
        self._away = Refusal(
            503, AWAY, f"the server has lost the board {self.name}: {error}", _LOST_SECONDS
        )
        self._keeper.lose(self._away)

    async def look_after(self) -> None:
        """End turns that are too long, and open the board again after it was lost, for ever."""
        loop = asyncio.get_running_loop()
        next_try = loop.time()
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self._keeper.end_long_turn()
            if self._away is not None and loop.time() >= next_try:
                with contextlib.suppress(TensorspinError, OSError, ValueError):
                    await self.device.open()
                    self._away = None
                    record("back", board=self.name)
                next_try = loop.time() + _LOST_SECONDS

    def close(self) -> None:
        """Refuse all turns but the one under way."""
        self._keeper.close()

    async def wait_until_free(self) -> None:
        """Wait until nobody has a turn."""
        await self._keeper.wait_until_free()
