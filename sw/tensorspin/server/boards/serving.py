"""Opens boards, and shares them until a signal comes."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...driver.transports import is_virtual, parse_virtual
from ...driver.transports.remote.protocol import MOST_DATA
from ...hybrid.appliance.protocol import HEALTH
from ..entrance import Entrance
from ..gate import Gate
from ..listener import Stop, serve_on
from ..logs import record
from ..metrics import RequestMetrics, new_registry
from .device import Device
from .keeper import Limits
from .live.boards import PageBoards
from .live.routes import PAGE, Live
from .metrics import BoardMetrics
from .routes import Boards, application, most_bytes
from .shared import SharedBoard

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_NAMED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63})=(.+)", re.DOTALL)

_HEADER_BYTES = 64
"""Bytes of a message beyond the data, at most."""


@dataclass(frozen=True)
class Settings:
    """How boards are shared.

    Parameters
    ----------
    boards : sequence of str
        Where boards are, as `tensorspin.Board.open` takes them; a name may stand before, as in
        ``left=/dev/ttyUSB1``.
    entrance : Entrance
        Where to listen, with which certificate and tokens.
    limits : Limits
        How long turns may be, and how many may wait.
    grace : float
        Seconds that turns have to end when the server is stopped.
    page : bool
        Whether there is a live page at ``/``.
    """

    boards: Sequence[str]
    entrance: Entrance
    limits: Limits
    grace: float
    page: bool = True


def serve(settings: Settings, started: Callable[[str, list[str]], None]) -> None:
    """Share boards until Ctrl-C or SIGTERM.

    Parameters
    ----------
    settings : Settings
        How.
    started : callable
        Called with the server's address and the names of the boards as soon as clients are taken.

    Raises
    ------
    ValueError, OSError
        If the settings cannot be used.
    TensorspinError
        If a board cannot be opened.
    ImportError
        If a library is not installed.
    """
    import websockets  # noqa: F401 - which uvicorn imports late, and misses in silence

    entrance = settings.entrance.open()
    with entrance.listening:
        devices = open_devices(settings.boards)
        registry = new_registry()
        metrics = BoardMetrics(registry)
        boards = Boards(
            {
                name: SharedBoard(name, device, settings.limits, metrics)
                for name, device in devices.items()
            }
        )
        requests = RequestMetrics(registry)

        def ready() -> None:
            record("start", url=entrance.url, boards=list(devices), process=os.getpid())
            started(entrance.url, list(devices))

        live = Live(PageBoards(boards.boards)) if settings.page else None
        gate = Gate(
            application(boards, requests, live),
            entrance.tokens,
            most_bytes,
            requests,
            public=(HEALTH, *(PAGE if settings.page else ())),
        )
        serve_on(
            entrance.listening,
            gate,
            entrance.tls,
            Stop(boards.drain, settings.grace),
            ready,
            settings.grace,
            MOST_DATA + _HEADER_BYTES,
        )


def open_devices(given: Sequence[str]) -> dict[str, Device]:
    """Open boards, all of them at once, and name them.

    Parameters
    ----------
    given : sequence of str
        As for `Settings`.

    Returns
    -------
    dict of str to Device
        The open boards by name: the one that was given, or that of their row in the board table.

    Raises
    ------
    ValueError
        If a name or a board is given twice.
    TensorspinError
        If one cannot be opened.
    """
    pairs = [_split(each) for each in given]
    names = [name for name, _ in pairs if name is not None]
    urls = [url for _, url in pairs if not is_virtual(url)]
    for what, said in (("name", names), ("board", urls)):
        twice = sorted({each for each in said if said.count(each) > 1})
        if twice:
            raise ValueError(f"each {what} must be given once, not {twice[0]} several times")
    for url in (url for _, url in pairs if is_virtual(url)):
        parse_virtual(url)  # before a simulator is compiled for another one
    devices = [Device(url) for _, url in pairs]

    async def open_all() -> None:
        await asyncio.gather(*(device.open() for device in devices))

    asyncio.run(open_all())
    named: dict[str, Device] = {}
    for (name, _), device in zip(pairs, devices):
        named[name or _free_name(device.description.board, {*names, *named})] = device
    return named


def _split(given: str) -> tuple[str | None, str]:
    found = _NAMED.fullmatch(given)
    return (found[1], found[2]) if found else (None, given)


def _free_name(board: str, taken: set[str]) -> str:
    """Give a board the name of its kind, with a number if that is taken."""
    kind = board if _NAME.fullmatch(board) else "board"
    names = [kind, *(f"{kind}-{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)
