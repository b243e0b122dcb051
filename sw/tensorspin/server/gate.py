"""What stands before a server's routes: who asks, how long and how large a request may be.

A request is refused as early as possible: without a token before its body is read, and a large or
slow body before anything parses it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from ..https import is_loopback
from ..hybrid.appliance.protocol import HEALTH
from .logs import record
from .metrics import RequestMetrics
from .refusal import Refusal
from .tokens import Tokens

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_SECONDS = 15.0
"""Seconds within which the whole body of a request must have come."""

ANYBODY = "anybody"
"""Owner of everything where a server has no tokens."""


class Gate:
    """Lets requests in that may come in, with their whole body; it is an application of ASGI.

    Parameters
    ----------
    app : application of ASGI
        What is behind the gate. It finds the owner of the token as ``request.state.owner``.
    tokens : Tokens or None
        Who may come in; None for everybody on this computer.
    most_bytes : callable
        Gives, for the path of a request, the most bytes of its body.
    metrics : RequestMetrics
        Counts requests.
    body_seconds : float
        Seconds for a body.
    public : collection of str
        Paths that need no token, where requests must not have a body.
    """

    def __init__(
        self,
        app: App,
        tokens: Tokens | None,
        most_bytes: Callable[[str], int],
        metrics: RequestMetrics,
        body_seconds: float = BODY_SECONDS,
        public: Collection[str] = (HEALTH,),
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._most_bytes = most_bytes
        self._metrics = metrics
        self._body_seconds = body_seconds
        self._public = frozenset(public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, as ASGI prescribes."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await self._open_socket(scope, receive, send)
            return
        begins, status = time.perf_counter(), 500

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        state = scope.setdefault("state", {})
        state["began"] = asyncio.get_running_loop().time()  # before a body that may come slowly
        try:
            state["owner"] = self._owner(scope)
            body = await self._body(scope, receive)
            await self._app(scope, _replay(body, receive), watched_send)
        except Refusal as refusal:
            await _answer(refusal, watched_send)
        finally:
            seconds = time.perf_counter() - begins
            route = getattr(scope.get("route"), "path", "none")
            self._metrics.count(route, status, seconds)
            record(
                "request",
                method=scope["method"][:16],
                route=route,
                status=status,
                seconds=round(seconds, 6),
                owner=state.get("owner"),
                job=state.get("job"),
                client=(scope.get("client") or [None])[0],
            )

    async def _open_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a WebSocket in, or answer its request with what is wrong."""
        begins = time.perf_counter()
        state = scope.setdefault("state", {})
        try:
            _check_origin(scope)
            state["owner"] = self._owner(scope)
            await self._app(scope, receive, send)
        except Refusal as refusal:
            await _answer(refusal, send, "websocket.http.response")
        finally:
            record(
                "socket",
                route=getattr(scope.get("route"), "path", "none"),
                seconds=round(time.perf_counter() - begins, 6),
                owner=state.get("owner"),
                client=(scope.get("client") or [None])[0],
            )

    def _owner(self, scope: Scope) -> str:
        headers = dict(scope["headers"])
        if self._tokens is None:
            # A page in a browser may reach this computer under a name of its own.
            host = headers.get(b"host", b"").decode("latin-1")
            if not is_loopback(_without_port(host)):
                raise Refusal(421, "host", "a server without tokens answers to loopback names only")
            return ANYBODY
        if scope["path"] in self._public:
            return ANYBODY
        kind, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise Refusal(401, "unauthorised", "a token is needed, as Authorization: Bearer TOKEN")
        return self._tokens.owner(token.strip())

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        most = self._most_bytes(scope["path"])
        said = dict(scope["headers"]).get(b"content-length", b"0")
        if said.isdigit() and int(said[:20]) > most:
            raise _too_large(most)
        body = bytearray()
        try:
            async with asyncio.timeout(self._body_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Refusal(
                            400, "disconnected", "the client left before its request ended"
                        )
                    body += message.get("body", b"")
                    if len(body) > most:
                        raise _too_large(most)
                    if not message.get("more_body"):
                        return bytes(body)
        except TimeoutError:
            raise Refusal(
                408, "slow", f"a request must have come after {self._body_seconds:g} s"
            ) from None


def _check_origin(scope: Scope) -> None:
    """Refuse a page of another server: browsers let any page open a WebSocket to any server."""
    headers = dict(scope["headers"])
    origin = headers.get(b"origin")
    if origin is not None and origin.partition(b"://")[2] != headers.get(b"host"):
        raise Refusal(403, "origin", "a page of another server may not open a WebSocket here")


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _too_large(most: int) -> Refusal:
    return Refusal(413, "too_large", f"a request here must have up to {most} bytes, not more")


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give the application the body as one message, and later ones as they come."""
    given = False

    async def next_message() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return next_message


async def _answer(refusal: Refusal, send: Send, kind: str = "http.response") -> None:
    headers = {"Content-Type": "application/json", **refusal.headers}
    if refusal.status in (401, 408, 413, 400):
        headers["Connection"] = "close"  # the rest of the body is not read
    await send(
        {
            "type": f"{kind}.start",
            "status": refusal.status,
            "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
        }
    )
    await send({"type": f"{kind}.body", "body": refusal.body})
