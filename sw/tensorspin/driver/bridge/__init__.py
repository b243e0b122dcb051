"""A bridge: a virtual board at a pseudo-terminal or a TCP port, for programs that know neither.

Other programs then talk to a virtual board as to a board at a serial port, and time-outs are those
of the host's clock instead of the board's own. `boards` says what becomes of a board at a bridge,
`lines` how bytes come and go.
"""

from __future__ import annotations

import selectors
import socket
import time
from typing import Self

from ..transports import is_virtual
from .boards import open_board
from .lines import Line, Port, Terminal

__all__ = ["Bridge", "parse_address"]

_MOST_PENDING = 1 << 20
"""Bytes that wait for a client that does not read them; further ones are lost, as on a line without
flow control."""

_PAUSE = 1e-3
"""Seconds until a client that reads nothing is tried again."""

_IDLE_AFTER = 2.0
"""Seconds after a client's last byte until a simulated board stands still. A driver that waits for
the end of a run asks more often."""


class Bridge:
    """A virtual board that listens at a pseudo-terminal or a TCP port of this computer.

    One client at a time is served; a second one at a TCP port is turned away. The board keeps what
    it holds when a client leaves, as a board at a serial port does.

    Parameters
    ----------
    url : str
        ``golden://BOARD`` or ``sim://BOARD``.
    tcp : (str, int), optional
        Address of the loopback interface and port to listen at; port 0 stands for any that is
        free. By default a pseudo-terminal is made, which only Linux and macOS have.

    Attributes
    ----------
    url : str
        Where clients find the board, as `tensorspin.Board.open` takes it: ``socket://HOST:PORT``,
        or the path of the pseudo-terminal.

    Raises
    ------
    ValueError
        If `url` is no virtual board, or the address is not one of the loopback interface.
    TransportError
        If the board can't be opened, or it can't be listened at the address.

    Examples
    --------
    >>> import threading
    >>> from tensorspin import Board
    >>> with Bridge("golden://icebreaker", tcp=("127.0.0.1", 0)) as bridge:
    ...     thread = threading.Thread(target=bridge.serve)
    ...     thread.start()
    ...     with Board.open(bridge.url) as board:
    ...         print(board.info.board)
    ...     bridge.stop()
    ...     thread.join()
    icebreaker
    """

    def __init__(self, url: str, *, tcp: tuple[str, int] | None = None) -> None:
        if not is_virtual(url):
            raise ValueError(
                f"a bridge is for virtual boards, golden://NAME or sim://NAME, not for {url!r}"
            )
        self._line: Line = Terminal() if tcp is None else Port(*tcp)
        self._wake, self._woken = socket.socketpair()
        try:
            self._board = open_board(url)
        except BaseException:
            self._line.close()
            raise
        self.url = self._line.url

    def serve(self) -> None:
        """Serve clients, one after the other, until `stop` is called."""
        line, board = self._line, self._board
        pending = b""
        idle_at = 0.0
        with selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            for source in line.sources():
                selector.register(source, selectors.EVENT_READ)
            while True:
                # A simulated board runs on after each request, as long as something may come of it.
                busy = pending or (board.runs and time.monotonic() < idle_at)
                ready = selector.select(0 if busy else None)
                if any(key.fileobj is self._woken for key, _ in ready):
                    return
                data = line.read(selector, [key.fileobj for key, _ in ready])
                if data:
                    idle_at = time.monotonic() + _IDLE_AFTER
                pending = (pending + board.take(data))[-_MOST_PENDING:]
                if pending:
                    sent = line.write(pending)
                    pending = pending[sent:]
                    if pending and not sent:
                        # The client does not read. Look again in a while, or when it sends.
                        selector.select(_PAUSE)

    def stop(self) -> None:
        """Let `serve` return soon, from another thread."""
        self._wake.send(b"x")

    def close(self) -> None:
        """Release the board and the terminal or port."""
        self._board.close()
        self._line.close()
        self._wake.close()
        self._woken.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def parse_address(text: str) -> tuple[str, int]:
    """Read ``HOST:PORT``.

    Parameters
    ----------
    text : str
        An address, such as ``127.0.0.1``, ``localhost`` or ``[::1]``, and a port.

    Returns
    -------
    (str, int)
        Address and port.

    Raises
    ------
    ValueError
        If the text has another form.

    Examples
    --------
    >>> parse_address("127.0.0.1:0")
    ('127.0.0.1', 0)
    """
    host, separator, port = text.rpartition(":")
    if not separator or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ValueError(f"the address must be HOST:PORT, such as 127.0.0.1:0, not {text!r}")
    return host.strip("[]"), int(port)
