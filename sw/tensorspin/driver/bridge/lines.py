"""Lines of a bridge: where one client after the other sends and receives bytes."""

from __future__ import annotations

import ipaddress
import os
import select
import selectors
import socket
from abc import ABC, abstractmethod

from ...errors import TransportError

_CHUNK = 4096
"""Bytes that are read from a client at a time."""


class Line(ABC):
    """Where one client after the other sends and receives bytes."""

    url: str

    @abstractmethod
    def sources(self) -> list:
        """List what can be read, for a selector."""

    @abstractmethod
    def read(self, selector: selectors.BaseSelector, ready: list) -> bytes:
        """Read what the client has sent, if one of the sources is ready."""

    @abstractmethod
    def write(self, data: bytes) -> int:
        """Send what the line takes at once; return how many bytes are sent, or of no use."""

    @abstractmethod
    def close(self) -> None:
        """Release the line."""


class Terminal(Line):
    """A pseudo-terminal. Its other end stays open here, so that clients may come and go."""

    def __init__(self) -> None:
        if not hasattr(os, "openpty"):
            raise TransportError("this system has no pseudo-terminals; listen at a TCP port")
        import tty

        self._primary, self._secondary = os.openpty()
        tty.setraw(self._secondary)  # by default a terminal echoes, and edits what is typed
        os.set_blocking(self._primary, False)
        self.url = os.ttyname(self._secondary)

    def sources(self) -> list:
        """List the descriptor or socket to watch; see `Line.sources`."""
        return [self._primary]

    def read(self, selector: selectors.BaseSelector, ready: list) -> bytes:
        """Read what the client has sent; see `Line.read`."""
        try:
            return os.read(self._primary, _CHUNK) if self._primary in ready else b""
        except BlockingIOError:
            return b""

    def write(self, data: bytes) -> int:
        """Send what the line takes at once; see `Line.write`."""
        try:
            return os.write(self._primary, data)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """Release the line; see `Line.close`."""
        os.close(self._primary)
        os.close(self._secondary)


class Port(Line):
    """A TCP port of the loopback interface."""

    def __init__(self, host: str, port: int) -> None:
        if not host:
            raise ValueError("the address must be one of the loopback interface, such as 127.0.0.1")
        try:
            family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        except OSError as error:
            raise TransportError(f"there is no address {host}: {error}") from error
        if not ipaddress.ip_address(address[0]).is_loopback:
            raise ValueError(
                f"the address must be one of the loopback interface, such as 127.0.0.1, not "
                f"{host!r}: the board asks nobody for a password"
            )
        self._server = socket.socket(family, socket.SOCK_STREAM)
        try:
            # A port that a bridge has just left may be taken at once.
            self._server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._server.bind(address)
            self._server.listen()
        except OSError as error:
            self._server.close()
            raise TransportError(f"cannot listen at {host}:{port}: {error.strerror}") from error
        self._server.setblocking(False)
        self._client: socket.socket | None = None
        # The address, not the name: a client may find another address for it.
        name = f"[{address[0]}]" if ":" in str(address[0]) else address[0]
        self.url = f"socket://{name}:{self._server.getsockname()[1]}"

    def sources(self) -> list:
        """List the descriptor or socket to watch; see `Line.sources`."""
        return [self._server]

    def read(self, selector: selectors.BaseSelector, ready: list) -> bytes:
        """Read what the client has sent; see `Line.read`."""
        data = b""
        if self._client is not None and self._client in ready:
            try:
                data = self._client.recv(_CHUNK)
            except BlockingIOError:
                return b""
            except OSError:
                pass  # such as a reset: the client is gone
            if not data:
                self._drop(selector, self._client)
        if self._server in ready:
            self._accept(selector)
        return data

    def _drop(self, selector: selectors.BaseSelector, client: socket.socket) -> None:
        selector.unregister(client)
        client.close()
        self._client = None

    @staticmethod
    def _left(client: socket.socket) -> bool:
        """Tell whether a client has hung up, though not all that it sent is read yet."""
        if not hasattr(select, "POLLRDHUP"):
            return False  # only Linux knows before all is read
        watch = select.poll()
        watch.register(client, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        return bool(watch.poll(0))

    def _accept(self, selector: selectors.BaseSelector) -> None:
        try:
            client, _ = self._server.accept()
        except OSError:
            return  # whoever knocked has left
        if self._client is not None:
            if not self._left(self._client):
                client.close()
                return
            self._drop(selector, self._client)
        client.setblocking(False)
        # Packets are short and answered at once; TCP would collect them otherwise.
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = client
        selector.register(client, selectors.EVENT_READ)

    def write(self, data: bytes) -> int:
        """Send what the line takes at once; see `Line.write`."""
        if self._client is None:
            return len(data)
        try:
            return self._client.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)  # `read` will notice that the client is gone

    def close(self) -> None:
        """Release the line; see `Line.close`."""
        if self._client is not None:
            self._client.close()
        self._server.close()
