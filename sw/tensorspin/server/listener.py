"""Runs an application on a socket until a signal stops it, and bounds how slow a client may be."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from .gate import BODY_SECONDS
from .logs import Forward, record

REQUEST_SECONDS = BODY_SECONDS + 5.0
"""Seconds from a request's first byte, or a connection's begin, to the request's last byte. The
connection is closed then; a body that is too slow is answered before."""

KEEP_ALIVE_SECONDS = 90
"""Seconds for which an idle connection stays open, longer than clients keep it."""

GOODBYE_SECONDS = 0.5
"""Seconds that a client has to end its connection when the server stops and has answered it."""

MOST_CONNECTIONS = 1000
"""Connections at once; requests of further ones are answered by 503."""


def timed_protocol() -> type:
    """Make a protocol for uvicorn: HTTP/1.1 with a limit on the time that a request takes to come.

    uvicorn itself waits for ever for the rest of a request that has begun.

    Returns
    -------
    type
        A class of `asyncio.Protocol`.
    """
    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class TimedProtocol(H11Protocol):
        _timer: asyncio.TimerHandle | None = None
        _upgraded = False

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._timer = self.loop.call_later(REQUEST_SECONDS, self._too_slow)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            whole = self._upgraded or (
                self.conn.their_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED)
            )
            if whole and self._timer is not None:
                self._timer.cancel()
                self._timer = None
            elif not whole and self._timer is None:
                self._timer = self.loop.call_later(REQUEST_SECONDS, self._too_slow)

        def handle_websocket_upgrade(self, event: Any) -> None:
            # The request is whole, and another protocol has the connection from now on.
            self._upgraded = True
            super().handle_websocket_upgrade(event)

        def connection_lost(self, exc: Exception | None) -> None:
            if self._timer is not None:
                self._timer.cancel()
            super().connection_lost(exc)

        def _too_slow(self) -> None:
            record("slow", client=(self.client or [None])[0])
            self.transport.abort()

    return TimedProtocol


class Stop:
    """Stops a server gracefully when it is asked for the first time, and at once at the second.

    Parameters
    ----------
    drain : callable
        Called in the event loop when the server shall stop: refuse what has not begun. If it gives
        something to wait for, connections stay open meanwhile, for `grace` seconds at most.
    grace : float
        Seconds.
    """

    def __init__(
        self, drain: Callable[[], Coroutine[Any, Any, None] | None], grace: float = 0.0
    ) -> None:
        self._drain = drain
        self._grace = grace
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: Any = None
        self._ending: asyncio.Task[None] | None = None
        self._asked = False

    def follow(self, server: Any) -> None:
        """Learn what to stop; the event loop runs.

        Parameters
        ----------
        server : uvicorn.Server
            The server.
        """
        self._loop, self._server = asyncio.get_running_loop(), server

    def ask(self) -> None:
        """Ask for the end; any thread, and any signal, may do it."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        if self._asked:
            self._server.should_exit = self._server.force_exit = True
            return
        self._asked = True
        record("stop")
        work = self._drain()
        if work is None:
            self._server.should_exit = True
        else:
            self._ending = asyncio.create_task(self._exit_after(work))

    async def _exit_after(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            async with asyncio.timeout(self._grace):
                await work
        except TimeoutError:
            pass
        self._server.should_exit = True

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Let Ctrl-C and SIGTERM ask; a server ends well by them."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            number: signal.signal(number, lambda *_: self.ask())
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def serve_on(
    listening: socket.socket,
    app: Any,
    tls: ssl.SSLContext | None,
    stop: Stop,
    started: Callable[[], None],
    grace: float,
    most_message_bytes: int = 0,
) -> None:
    """Serve an application until a signal comes, or `stop` is asked.

    Parameters
    ----------
    listening : socket.socket
        Where to serve.
    app : application of ASGI
        What to serve.
    tls : ssl.SSLContext or None
        Settings of TLS.
    stop : Stop
        What ends the server.
    started : callable
        Called in the event loop when requests are taken.
    grace : float
        Seconds that running requests have to end.
    most_message_bytes : int
        Most bytes of a message of a WebSocket; 0 if the application has none.
    """
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            stop.follow(self)
            started()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            hanging_up = asyncio.create_task(_hang_up(self.server_state))
            await super().shutdown(sockets=sockets)
            hanging_up.cancel()

        def capture_signals(self) -> Any:
            return stop.on_signals()

    config = uvicorn.Config(
        app,
        http=timed_protocol(),
        ws="websockets-sansio" if most_message_bytes else "none",
        ws_max_size=most_message_bytes or 1,
        ws_per_message_deflate=False,
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, round(grace)),
        limit_concurrency=MOST_CONNECTIONS,
    )
    config.load()
    config.ssl = tls
    with forwarded_messages():
        asyncio.run(Server(config).serve(sockets=[listening]))


async def _hang_up(state: Any) -> None:
    """Cut connections whose answers are sent: an idle client does not say goodbye for TLS."""
    while state.tasks:
        await asyncio.sleep(0.05)
    await asyncio.sleep(GOODBYE_SECONDS)
    while state.connections:
        for connection in list(state.connections):
            if not connection.transport.get_write_buffer_size():
                connection.transport.abort()
        await asyncio.sleep(0.05)


@contextmanager
def forwarded_messages() -> Iterator[None]:
    """Let uvicorn's warnings and errors be structured as all others are."""
    messages, forward = logging.getLogger("uvicorn.error"), Forward(logging.WARNING)
    propagates, messages.propagate = messages.propagate, False
    messages.addHandler(forward)
    try:
        yield
    finally:
        messages.removeHandler(forward)
        messages.propagate = propagates
