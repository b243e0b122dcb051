"""A client's connection to one board of a server."""

from __future__ import annotations

import contextlib
import json
import os
import ssl
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ....errors import BoardBusyError, ServerLostError, TransportError
from ....https import check_url, trust, why_unreachable
from . import protocol
from .protocol import Greeting

TOKEN_VARIABLE = "TENSORSPIN_TOKEN"
"""Variable of the environment with the token where none is given."""

DEFAULT_QUEUE_TIMEOUT = 60.0
"""Seconds that a client waits for its turn unless it says otherwise."""

_EXAMPLE = "https://box:8443/icebreaker"

_OPENING = 30.0
"""Seconds within which a connection is made: a server to which a whole class connects at once needs
some."""

_PING = 10.0
"""Seconds between two questions whether the server is still there."""

_PONG = 30.0
"""Seconds within which it must answer: a computer with much to do takes some."""

_GRACE = 10.0
"""Seconds beyond a client's own time in which the server tells that the time is over."""


@dataclass(frozen=True)
class Access:
    """How a client reaches a server of boards.

    Parameters
    ----------
    token : str or None
        The client's token; by default that of the environment (`TOKEN_VARIABLE`), if there is one.
    certificate : str, Path or None
        File in PEM with the server's own certificate, or of who signed it; by default those that
        this computer trusts.
    queue_timeout : float
        Seconds to wait for a turn.

    Raises
    ------
    ValueError
        If the time is not more than 0 and at most a day.
    """

    token: str | None = field(default=None, repr=False)
    certificate: str | Path | None = None
    queue_timeout: float = DEFAULT_QUEUE_TIMEOUT

    def __post_init__(self) -> None:
        if not 0 < self.queue_timeout <= 86_400:
            raise ValueError(
                f"queue_timeout must be more than 0 and at most 86400 seconds, not "
                f"{self.queue_timeout}"
            )

    def found_token(self) -> str | None:
        """Give the token, or that of the environment; None if there is none."""
        return self.token or os.environ.get(TOKEN_VARIABLE) or None


class Connection:
    """A WebSocket to a board; it is opened when it is needed, and again after it broke.

    Parameters
    ----------
    url : str
        Address of the board, such as ``https://box:8443/icebreaker``.
    access : Access
        Token, certificate, and how long to wait.

    Raises
    ------
    ValueError
        If the address cannot be that of a board, or the token would go in the clear.
    TransportError
        If the library for WebSockets is not installed.
    """

    def __init__(self, url: str, access: Access) -> None:
        token = access.found_token()
        self.url = check_url(url, token, _EXAMPLE)
        server, _, board = self.url.rpartition("/")
        if not urllib.parse.urlsplit(server).hostname or not board:
            raise ValueError(
                f"url must be such as {_EXAMPLE}, with the name of a board, not {url!r}"
            )
        self._server = server
        self._address = f"ws{server[4:]}{protocol.BOARDS}/{board}/{protocol.LINK}"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._trust: ssl.SSLContext | None = None
        if server.startswith("https:"):
            self._trust = trust(access.certificate)
        elif access.certificate is not None:
            raise ValueError(f"url must begin with https:// where there is a certificate: {url!r}")
        self._socket: Any = None
        self._owed = 0  # answers to binary messages that nobody has waited for until the end
        try:
            import websockets.sync.client  # noqa: F401 - whether it is there
        except ImportError as error:
            raise TransportError(
                f"{url} needs a library for WebSockets ({error}); pip install 'tensorspin[remote]'"
            ) from error

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._socket is not None

    def open(self) -> Greeting:
        """Connect.

        Returns
        -------
        Greeting
            What the server tells of the board's line.

        Raises
        ------
        TransportError
            If the server can't be reached, or refuses.
        """
        from websockets.exceptions import InvalidStatus, WebSocketException
        from websockets.sync.client import connect

        self._owed = 0
        try:
            made = connect(
                self._address,
                ssl=self._trust,
                additional_headers=self._headers,
                compression=None,  # frames are short
                proxy=None,  # no proxy of the environment learns the token
                open_timeout=_OPENING,
                ping_interval=_PING,
                ping_timeout=_PONG,
                close_timeout=1.0,
            )
            self._socket = made.__enter__()
            return Greeting.read(self._told(self._receive(_OPENING)))
        except InvalidStatus as error:
            raise self._refused(error) from error
        except (WebSocketException, OSError, EOFError) as error:
            self.close()
            reason = why_unreachable(error, self._server, "server")
            raise TransportError(f"cannot open {self.url}: {reason}") from error
        except ValueError as error:
            self.close()
            raise TransportError(
                f"{self._server} is no server of boards that this version understands ({error}); "
                f"check host, port and version"
            ) from error

    def take(self, seconds: float) -> bool:
        """Ask for a turn, and wait for it.

        Parameters
        ----------
        seconds : float
            How long to wait.

        Returns
        -------
        bool
            Whether nobody else has used the board since the last turn of this connection.

        Raises
        ------
        TransportError
            If it is not this client's turn in time, or the server is lost.
        """
        self._forget_owed()
        self._send(json.dumps({"take": seconds}))
        try:
            message = self._receive(seconds + _GRACE)
        except BaseException:
            # Nobody will wait for the turn that may yet come.
            self.close()
            raise
        return bool(self._told(message).get("kept"))

    def give(self) -> None:
        """Give the board back; a connection that is lost has given it back."""
        if self.is_open:
            with contextlib.suppress(TransportError):
                self._send('{"give": true}')

    def ask(self, seconds: float, data: bytes) -> tuple[float, bytes]:
        """Send bytes to the board, and wait for an answer.

        Parameters
        ----------
        seconds : float
            How long the server waits, by the clock of the board's line.
        data : bytes
            Bytes for the board; perhaps none.

        Returns
        -------
        clock : float
            Time on that clock.
        data : bytes
            Bytes from the board; perhaps none.

        Raises
        ------
        TransportError
            If the turn was ended, or the server is lost.
        """
        self._forget_owed()
        self._owed += 1
        self._send(protocol.pack_data(seconds, data))
        message = self._receive(None)
        self._owed -= 1
        if isinstance(message, bytes):
            return protocol.unpack_data(message)
        self._told(message)
        raise TransportError(f"{self._server} has answered a request by a text: {message[:100]}")

    def _forget_owed(self) -> None:
        """Drop the answer that was under way when the user has pressed Ctrl-C."""
        while self._owed:
            self._receive(None)
            self._owed -= 1

    def _send(self, message: str | bytes) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            self._connected().send(message)
        except (ConnectionClosed, OSError) as error:
            raise self._lost(error) from error

    def _receive(self, timeout: float | None) -> str | bytes:
        from websockets.exceptions import ConnectionClosed

        try:
            return self._connected().recv(timeout=timeout)
        except TimeoutError as error:
            raise self._lost(error) from error
        except (ConnectionClosed, OSError) as error:
            raise self._lost(error) from error

    def _connected(self) -> Any:
        if self._socket is None:
            raise TransportError(
                f"the connection to {self.url} is lost; what was asked for is not done: ask again, "
                f"in a new turn"
            )
        return self._socket

    def _told(self, message: str | bytes) -> dict[str, Any]:
        """Read a text, and raise the error that it may be."""
        told = protocol.read_text(message if isinstance(message, str) else "")
        if "error" in told:
            raise explained(self.url, told["error"])
        return told

    def _lost(self, error: Exception) -> ServerLostError:
        self.close()
        return ServerLostError(
            f"lost the server of {self.url} ({type(error).__name__}: {error}); what was asked for "
            f"is not done: ask again when the server is back"
        )

    def _refused(self, error: Any) -> TransportError:
        """Make the error of a server that answers, but does not let this client in."""
        status, body = error.response.status_code, error.response.body or b""
        try:
            return explained(self.url, json.loads(body)["error"])
        except (ValueError, KeyError, TypeError):
            return TransportError(
                f"{self._server} refuses with status {status}: it is no server of boards; check "
                f"host and port"
            )

    def close(self) -> None:
        """Hang up; closing again does nothing."""
        socket, self._socket = self._socket, None
        if socket is not None:
            with contextlib.suppress(Exception):  # it is given up in any case
                socket.close()


def explained(url: str, error: dict[str, Any]) -> TransportError:
    """Make the exception for an error that a server has told.

    Parameters
    ----------
    url : str
        Address of the board.
    error : dict
        ``code``, ``message``, perhaps ``retry_after``.

    Returns
    -------
    TransportError
        The exception; a `BoardBusyError` if it is worth trying again.

    Examples
    --------
    >>> explained("https://box:8443/icebreaker", {"code": "unauthorised", "message": "no token"})
    TransportError('https://box:8443/icebreaker: no token')
    """
    text = f"{url}: {error['message']}"
    if error["code"] in (protocol.BUSY, protocol.NOT_IN_TIME):
        return BoardBusyError(text, error.get("retry_after"))
    return TransportError(text)
