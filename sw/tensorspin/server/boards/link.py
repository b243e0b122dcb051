"""A client at a board, over a WebSocket, as `tensorspin.driver.transports.remote.protocol` says."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from typing import Any

from ...driver.transports.remote import protocol
from ..refusal import Refusal
from .keeper import Seat
from .shared import SharedBoard

_MOST_WAITING = 4
"""Most messages of a client that wait: it sends none before the last one is answered, but may give
the board back and ask for it again at once."""

_LONGEST_WAIT = 86_400.0
"""Most seconds that a client may wait for its turn."""

_MISUSE = 1008
"""Code of WebSockets for a client that does not keep to the protocol."""


class _Misused(Exception):
    """A client does not keep to the protocol."""


async def serve_link(websocket: Any, board: SharedBoard, owner: str) -> None:
    """Serve a client until it hangs up.

    Parameters
    ----------
    websocket : starlette.websockets.WebSocket
        The connection, which is not accepted yet.
    board : SharedBoard
        The board.
    owner : str
        Whose token the client has.

    Raises
    ------
    Refusal
        If the board is lost; the connection is not accepted then.
    """
    greeting = board.greeting()
    await websocket.accept()
    with board.seat(owner) as seat:
        await websocket.send_text(greeting.text())
        messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue(_MOST_WAITING)
        tasks = [
            asyncio.create_task(_receive(websocket, messages)),
            asyncio.create_task(_answer(websocket, messages, board, seat)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Whoever has hung up waits for nothing any more.
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, _Misused):
            with contextlib.suppress(RuntimeError):  # it has hung up, too
                await websocket.close(_MISUSE, str(outcome)[:120])
        elif isinstance(outcome, Exception) and not _hung_up(outcome):
            raise outcome


def _hung_up(error: Exception) -> bool:
    """Tell whether an exception says that the client is gone: sending is not possible any more."""
    from starlette.websockets import WebSocketDisconnect

    return isinstance(error, (WebSocketDisconnect, OSError, RuntimeError))


async def _receive(websocket: Any, messages: asyncio.Queue[dict[str, Any]]) -> None:
    """Take messages until the client hangs up, also while an earlier one is worked on."""
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        try:
            messages.put_nowait(message)
        except asyncio.QueueFull:
            raise _Misused("wait for answers before sending more") from None


async def _answer(
    websocket: Any, messages: asyncio.Queue[dict[str, Any]], board: SharedBoard, seat: Seat
) -> None:
    """Answer one message after the other."""
    while True:
        message = await messages.get()
        try:
            data = message.get("bytes")
            if data is not None:
                answer = await board.ask(seat, *_request(data))
                await websocket.send_bytes(protocol.pack_data(answer.clock, answer.data))
            else:
                await _answer_text(websocket, message.get("text") or "", board, seat)
        except Refusal as refusal:
            await websocket.send_text(_error(refusal))


def _request(message: bytes) -> tuple[float, bytes]:
    """Read how long to wait, and the bytes for the board."""
    try:
        seconds, data = protocol.unpack_data(message)
    except ValueError as error:
        raise _Misused(str(error)) from error
    if not 0 <= seconds < math.inf:
        raise _Misused(f"a wait must be 0 s or more, not {seconds}")
    return seconds, data


async def _answer_text(websocket: Any, text: str, board: SharedBoard, seat: Seat) -> None:
    try:
        told = protocol.read_text(text)
    except ValueError as error:
        raise _Misused(f"a text must be as the protocol says: {error}") from error
    if "give" in told:
        board.give(seat)
        return
    seconds = told.get("take")
    if not isinstance(seconds, (int, float)) or not 0 <= seconds < math.inf:
        raise _Misused("a text must be take, with a number of seconds, or give")
    kept = await board.take(seat, min(seconds, _LONGEST_WAIT))
    await websocket.send_text(json.dumps({"kept": kept}))


def _error(refusal: Refusal) -> str:
    told = {"code": refusal.code, "message": refusal.message, "retry_after": refusal.retry_after}
    return json.dumps({"error": told})
