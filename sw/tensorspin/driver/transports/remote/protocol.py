"""What a server of boards and its clients agree on: paths and messages.

A client opens a WebSocket below the path of a board. The server tells in a text what the board's
line is (`Greeting`). Then the client takes turns. In a text it asks for one, and says how long it
waits; the answer is that the turn has begun, or an error. During its turn it sends binary messages:
bytes for the board, and how long to wait for an answer by the clock of the board's line. The answer
has the bytes that have come, perhaps none, and the time on that clock. So the time-outs of the
driver are kept at the board, whatever the network does. At last the client gives the board back.

All texts are JSON objects with one of these members:

=============  ===================================================================================
``greeting``   server, once: the members of `Greeting`
``take``       client: seconds that it waits for its turn
``kept``       server: the turn has begun; whether nobody else has used the board in between
``give``       client: its turn is over; there is no answer
``error``      server: ``code``, ``message`` and perhaps ``retry_after`` in seconds
=============  ===================================================================================
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass
from typing import Any

BOARDS = "/v1/boards"
"""Path of the list of boards, below which each board is."""

LINK = "link"
"""Last part of the path of a board's WebSocket."""

BUSY = "busy"
"""Code of the error of a board for which too many wait; ``retry_after`` says when to come back."""

NOT_IN_TIME = "not_in_time"
"""Code of the error of a client for which the board was not free in its time."""

TURN_OVER = "turn_over"
"""Code of the error of a client whose turn was ended, as it was too long while others waited."""

STOPPING = "stopping"
"""Code of the error of a server that is being stopped."""

AWAY = "away"
"""Code of the error of a board that the server cannot reach."""

MOST_DATA = 1 << 16
"""Most bytes of a message, far more than any board can hold of requests."""

MOST_WAIT = 30.0
"""Longest wait for an answer that a client asks for at once, in seconds."""

_TIME = struct.Struct("<d")


@dataclass(frozen=True)
class Greeting:
    """What a server tells of a board's line, as `tensorspin.driver.transports.base` describes it.

    Parameters
    ----------
    board : str
        Name of the board on the server.
    latency : float
        Seconds that a byte may be held back.
    rate : float or None
        Bits per second; None if the line sets no limit.
    line : str
        What a measurement measures.
    advice : str
        What to look at if nothing answers.
    virtual : bool
        Whether the board's clock is its own, as that of a simulation is.
    clock : float
        Seconds on the clock of the board's line.
    """

    board: str
    latency: float
    rate: float | None
    line: str
    advice: str
    virtual: bool
    clock: float

    def text(self) -> str:
        """Write the greeting as a message."""
        return json.dumps({"greeting": asdict(self)})

    @classmethod
    def read(cls, told: dict[str, Any]) -> Greeting:
        """Read a greeting from a message, as `read_text` gives it.

        Raises
        ------
        ValueError
            If it is none.
        """
        try:
            return cls(**told["greeting"])
        except (KeyError, TypeError) as error:
            raise ValueError("a greeting must have the members of Greeting") from error


def pack_data(seconds: float, data: bytes) -> bytes:
    """Write a binary message.

    Parameters
    ----------
    seconds : float
        How long to wait, from a client; the time on the board's clock, from a server.
    data : bytes
        Bytes for the board, or from it.

    Returns
    -------
    bytes
        The message.

    Examples
    --------
    >>> unpack_data(pack_data(0.5, b"frame"))
    (0.5, b'frame')
    """
    return _TIME.pack(seconds) + data


def unpack_data(message: bytes) -> tuple[float, bytes]:
    """Read a binary message, as `pack_data` writes it.

    Parameters
    ----------
    message : bytes
        The message.

    Returns
    -------
    seconds : float
        Its time.
    data : bytes
        Its bytes.

    Raises
    ------
    ValueError
        If it is too short.
    """
    if len(message) < _TIME.size:
        raise ValueError(f"a message must have {_TIME.size} bytes or more, not {len(message)}")
    return _TIME.unpack_from(message)[0], message[_TIME.size :]


def read_text(message: str) -> dict[str, Any]:
    """Read a text, as this module describes it.

    Parameters
    ----------
    message : str
        The text.

    Returns
    -------
    dict
        Its members.

    Raises
    ------
    ValueError
        If it is no JSON object.

    Examples
    --------
    >>> read_text('{"take": 5}')
    {'take': 5}
    """
    told = json.loads(message)
    if not isinstance(told, dict):
        raise ValueError(f"a message must be an object, not {type(told).__name__}")
    return told
