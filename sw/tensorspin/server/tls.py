"""Where a server listens, and with which certificate: never in the clear to other computers."""

from __future__ import annotations

import logging
import os
import socket
import ssl
import stat
from pathlib import Path

from ..https import is_loopback

_logger = logging.getLogger(__name__)

MOST_PENDING = 512
"""Connections that the operating system keeps until they are accepted."""


def server_context(certificate: str | Path, key: str | Path) -> ssl.SSLContext:
    """Make the settings of TLS of a server.

    Parameters
    ----------
    certificate : str or Path
        File in PEM: the server's certificate, and those between it and who has signed it.
    key : str or Path
        File in PEM with the private key, without a passphrase.

    Returns
    -------
    ssl.SSLContext
        The settings: TLS 1.2 or later.

    Raises
    ------
    ValueError
        If a file holds something else, or the key is not that of the certificate.
    OSError
        If a file cannot be read.
    """
    for path in (certificate, key):
        with open(path, "rb"):  # ssl does not say which of the two is missing
            pass
    if os.name == "posix" and stat.S_IMODE(os.stat(key).st_mode) & 0o007:
        _logger.warning("everybody on this computer may read the key %s; chmod 600 it", key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Tickets to resume a session come after the handshake, while a client with a thread for each
    # direction writes its request; OpenSSL may then lose that request, and both sides wait for the
    # other. Connections here are long: there is nothing to gain from resuming one.
    context.num_tickets = 0

    def no_passphrase() -> str:
        raise ValueError(f"the key {key} must have no passphrase; `openssl pkey` removes it")

    try:
        context.load_cert_chain(certificate, key, password=no_passphrase)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ValueError(
                f"the key {key} does not match the certificate {certificate}; give the two files "
                f"that were made together"
            ) from error
        raise ValueError(
            f"{certificate} and {key} must be a certificate and a private key in PEM, not "
            f"something else ({error.reason or error})"
        ) from error
    return context


def listen(host: str, port: int, protected: bool) -> socket.socket:
    """Take a port, unless others could come in without a token or in the clear.

    Parameters
    ----------
    host : str
        Name or address of this computer; ``0.0.0.0`` or ``::`` for all of its addresses.
    port : int
        Port, or 0 for any that is free.
    protected : bool
        Whether the server has a certificate and tokens.

    Returns
    -------
    socket.socket
        The listening socket.

    Raises
    ------
    ValueError
        If the address is not loopback and the server is not protected.
    OSError
        If the address is not this computer's, or the port is taken.

    Examples
    --------
    >>> listen("0.0.0.0", 0, protected=False)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: host must be loopback such as 127.0.0.1 where there is no certificate ...
    """
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        raise OSError(f"host {host!r} is unknown; give an address of this computer") from error
    family, _, _, _, address = sorted(found, key=lambda each: each[0] != socket.AF_INET)[0]
    if not protected and not is_loopback(str(address[0])):
        raise ValueError(
            f"host must be loopback such as 127.0.0.1 where there is no certificate and no token "
            f"file, not {host!r}: others on the network could read and use everything; give "
            f"--cert, --key and --token-file"
        )
    # With the protocol named: asyncio turns Nagle's algorithm off, which costs 40 ms a request, on
    # sockets alone that say that they are TCP.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # a port of a server that has just ended is taken again
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address[:2])
        listening.listen(MOST_PENDING)
    except OSError as error:
        listening.close()
        raise OSError(f"cannot listen at {host}:{port}: {error.strerror or error}") from error
    return listening
