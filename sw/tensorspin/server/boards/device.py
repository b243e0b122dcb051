"""A board's transport, on a thread of its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...contract.device.description import DeviceDescription
from ...driver.board import Board
from ...driver.transports import Transport, is_remote, is_virtual
from ...driver.transports.remote.protocol import Greeting
from ...errors import TransportError
from ..worker import Worker

_PART = 0.05
"""Seconds of the line's clock that are waited at a time, between two looks whether somebody still
waits: a virtual board may take a second for them."""


@dataclass(frozen=True)
class Answer:
    """What a board has answered.

    Parameters
    ----------
    clock : float
        Time on the clock of its line, in seconds.
    data : bytes
        What has come; perhaps nothing.
    """

    clock: float
    data: bytes


class Device:
    """A board that is opened on a thread of its own, and again after it was lost.

    Parameters
    ----------
    url : str
        Where the board is, as `tensorspin.Board.open` takes it.

    Raises
    ------
    ValueError
        If the board is behind another server.

    Attributes
    ----------
    description : DeviceDescription
        What the device has said of itself when it was opened.
    """

    description: DeviceDescription

    def __init__(self, url: str) -> None:
        if is_remote(url):
            raise ValueError(f"a board must be one of this computer, not {url!r} of a server")
        self.url = url
        self._worker = Worker()
        self._transport: Transport | None = None

    @property
    def is_open(self) -> bool:
        """Whether the board is there, as far as is known."""
        return self._transport is not None

    async def open(self) -> None:
        """Open the board.

        Raises
        ------
        TensorspinError
            If it can't be opened, or does not answer.
        """
        self.description, self._transport = await self._worker.run(self._open)

    def _open(self) -> tuple[DeviceDescription, Transport]:
        board = Board.open(self.url)
        return board.info, board.detach()

    def greeting(self, name: str) -> Greeting:
        """Describe the board's line to a client.

        Parameters
        ----------
        name : str
            Name of the board on the server.

        Returns
        -------
        Greeting
            What it needs to know.
        """
        transport = self._opened()
        return Greeting(
            board=name,
            latency=transport.latency,
            rate=None if math.isinf(transport.rate) else transport.rate,
            line=transport.describe_line(self.description.baud),
            advice=transport.advice,
            virtual=is_virtual(self.url),
            clock=transport.now(),
        )

    async def ask(self, seconds: float, data: bytes, wanted: Callable[[], bool]) -> Answer:
        """Send bytes, and wait for an answer.

        Parameters
        ----------
        seconds : float
            How long to wait, by the clock of the line.
        data : bytes
            What to send; perhaps nothing.
        wanted : callable
            Tells whether somebody still waits; another thread calls it.

        Returns
        -------
        Answer
            Whatever has come by then.

        Raises
        ------
        TransportError
            If the board is lost. It must be opened again.
        """
        transport = self._opened()
        try:
            return await self._worker.run(lambda: _ask(transport, seconds, data, wanted))
        except TransportError:
            self._transport = None
            await self._worker.run(transport.close)
            raise

    def _opened(self) -> Transport:
        if self._transport is None:
            raise TransportError(f"the board at {self.url} is lost")
        return self._transport

    async def close(self) -> None:
        """Release the board."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await self._worker.run(transport.close)

    async def run(self, function: Callable[[], Any]) -> Any:
        """Run a function on the board's thread; see `Worker.run`."""
        return await self._worker.run(function)


def _ask(transport: Transport, seconds: float, data: bytes, wanted: Callable[[], bool]) -> Answer:
    if data:
        transport.write(data)
    until = transport.now() + seconds
    while True:
        left = until - transport.now()
        received = transport.read(min(max(left, 0.0), _PART))
        if received or left <= _PART or not wanted():
            return Answer(transport.now(), received)
