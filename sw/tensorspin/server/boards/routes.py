"""The HTTP side of a server of boards."""

# Without `from __future__ import annotations`: FastAPI reads the annotations of the routes.
import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ...driver.transports.remote.protocol import BOARDS, LINK, STOPPING
from ...hybrid.appliance.protocol import HEALTH, METRICS
from ..answers import add_errors, json_answer
from ..metrics import RequestMetrics
from ..refusal import Refusal
from .link import serve_link
from .live.routes import LIVE, MOST_BYTES, Live, add_page
from .shared import SharedBoard

if TYPE_CHECKING:  # at run time when an application is made
    import fastapi

MOST_CLIENTS = 1000
"""Most clients that are connected at once."""


class Boards:
    """All boards of a server.

    Parameters
    ----------
    boards : dict of str to SharedBoard
        The boards by name.
    """

    def __init__(self, boards: dict[str, SharedBoard]) -> None:
        self.boards = boards
        self.stopping = False
        self.clients = 0

    def __getitem__(self, name: str) -> SharedBoard:
        if name not in self.boards:
            names = ", ".join(self.boards)
            raise Refusal(404, "board", f"there is no board {name[:40]!r} here; there are: {names}")
        return self.boards[name]

    def check_open(self) -> None:
        """Refuse everything new once the server stops.

        Raises
        ------
        Refusal
            If it stops.
        """
        if self.stopping:
            raise Refusal(503, STOPPING, "the server is being stopped", 1.0)

    @contextlib.contextmanager
    def client(self) -> Any:
        """Count a client for as long as the context lasts.

        Raises
        ------
        Refusal
            If there are too many, or the server stops.
        """
        self.check_open()
        if self.clients >= MOST_CLIENTS:
            raise Refusal(
                503,
                "clients",
                f"{MOST_CLIENTS} clients are connected already; try again later",
                5.0,
            )
        self.clients += 1
        try:
            yield
        finally:
            self.clients -= 1

    async def drain(self) -> None:
        """Refuse new turns, and wait until those under way have ended."""
        for board in self.boards.values():
            board.close()
        self.stopping = True
        for board in self.boards.values():
            await board.wait_until_free()


def application(boards: Boards, metrics: RequestMetrics, live: Live | None) -> "fastapi.FastAPI":
    """Make the application.

    Parameters
    ----------
    boards : Boards
        The boards, which are open.
    metrics : RequestMetrics
        What is shown as metrics.
    live : Live or None
        The live page, if there is one.

    Returns
    -------
    fastapi.FastAPI
        The application, for a `tensorspin.server.gate.Gate`.
    """
    import fastapi

    app = fastapi.FastAPI(
        title="Tensorspin boards",
        lifespan=_lifespan(boards, live),
        docs_url=None,  # pages that load scripts from other hosts
        redoc_url=None,
        openapi_url="/v1/openapi.json",
    )
    add_errors(app, "docs/serve.md")
    _add_boards(app, boards)
    _add_state(app, boards, metrics)
    if live is not None:
        add_page(app, live)
    return app


def most_bytes(path: str) -> int:
    """Give the most bytes that the body of a request may have.

    Parameters
    ----------
    path : str
        Path of the request.

    Returns
    -------
    int
        Bytes.

    Examples
    --------
    >>> most_bytes("/v1/boards")
    0
    """
    return MOST_BYTES if path.startswith(f"{LIVE}/") else 0


def _lifespan(boards: Boards, live: Live | None) -> Any:
    @asynccontextmanager
    async def run(_: object) -> AsyncIterator[None]:
        if live is not None:
            live.boards.follow()
        tasks = [asyncio.create_task(board.look_after()) for board in boards.boards.values()]
        yield
        for task in tasks:
            task.cancel()

    return run


def _add_boards(app: "fastapi.FastAPI", boards: Boards) -> None:
    import fastapi

    @app.get(BOARDS)
    async def list_boards() -> fastapi.Response:
        """List the boards, and what they do."""
        return json_answer({"boards": [board.told() for board in boards.boards.values()]})

    @app.get(BOARDS + "/{name}")
    async def describe(name: str) -> fastapi.Response:
        """Describe a board."""
        return json_answer(boards[name].told())

    @app.websocket(BOARDS + "/{name}/" + LINK)
    async def link(websocket: fastapi.WebSocket, name: str) -> None:
        """Let a client use a board."""
        with boards.client():
            await serve_link(websocket, boards[name], websocket.state.owner)


def _add_state(app: "fastapi.FastAPI", boards: Boards, metrics: RequestMetrics) -> None:
    import fastapi

    @app.get(HEALTH)
    async def health() -> fastapi.Response:
        """Tell whether clients are taken."""
        boards.check_open()
        return json_answer({"state": "ready"})

    @app.get(METRICS)
    async def show_metrics() -> fastapi.Response:
        """Show the metrics."""
        return fastapi.Response(metrics.text(), media_type="text/plain; version=0.0.4")
