"""Where a server is reached, and what keeps others out: port, certificate, tokens."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from .tls import listen, server_context
from .tokens import Tokens


@dataclass(frozen=True)
class OpenEntrance:
    """A port that is listened at, and who may come in.

    Parameters
    ----------
    listening : socket.socket
        The listening socket, which the caller closes.
    tls : ssl.SSLContext or None
        Settings of TLS; None if the server speaks in the clear.
    tokens : Tokens or None
        Who may come in; None for everybody on this computer.
    """

    listening: socket.socket
    tls: ssl.SSLContext | None
    tokens: Tokens | None

    @property
    def url(self) -> str:
        """Address of the server."""
        host, port = self.listening.getsockname()[:2]
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


@dataclass(frozen=True)
class Entrance:
    """Where a server shall be reached.

    Parameters
    ----------
    host : str
        Where to listen.
    port : int
        Port, or 0 for any that is free.
    certificate, key : Path or None
        Files in PEM; None to serve in the clear, on loopback alone.
    token_file : Path or None
        File of tokens; None to let everybody on this computer in.
    """

    host: str
    port: int
    certificate: Path | None
    key: Path | None
    token_file: Path | None

    def open(self) -> OpenEntrance:
        """Read certificate and tokens, and listen.

        Returns
        -------
        OpenEntrance
            The open entrance.

        Raises
        ------
        ValueError, OSError
            If the files cannot be used, the port is taken, or others could come in unprotected.
        """
        if (self.certificate is None) != (self.key is None):
            raise ValueError("--cert and --key must be given together, not one of them alone")
        tls = None
        if self.certificate is not None and self.key is not None:
            tls = server_context(self.certificate, self.key)
        tokens = None if self.token_file is None else Tokens(self.token_file)
        protected = tls is not None and tokens is not None
        return OpenEntrance(listen(self.host, self.port, protected), tls, tokens)
