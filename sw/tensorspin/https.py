"""Addresses of servers over HTTPS, whom their clients trust, and why one cannot be reached."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

_MISMATCHES = (62, 64)
"""OpenSSL's numbers for a certificate of another host name or address."""

_UNTRUSTED = (18, 19, 20, 21)
"""OpenSSL's numbers for a certificate that nobody trusted has signed."""


def check_url(url: str, token: str | None, example: str = "https://box:8443") -> str:
    """Refuse an address that cannot be a server's, or to which a token would go in the clear.

    Parameters
    ----------
    url : str
        Address, such as ``https://box:8443``.
    token : str or None
        The token, if there is one.
    example : str
        An address of the kind, for messages.

    Returns
    -------
    str
        The address without a slash at its end.

    Raises
    ------
    ValueError
        If it is refused.

    Examples
    --------
    >>> check_url("https://box:8443/", "secret")
    'https://box:8443'
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError(f"url must be such as {example}, not {url!r}")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(
            f"url must be host, port and path alone, not {url.rpartition('@')[2]!r} with more; "
            f"give the token as token="
        )
    try:
        parts.port  # noqa: B018 - whether it is a number is only found when it is asked for
    except ValueError as error:
        raise ValueError(f"the port of url must be a number up to 65535, not {url!r}") from error
    if token and parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError(
            f"url must begin with https:// where a token is sent, not {url!r}: others on the "
            f"network could read the token"
        )
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Tell whether a host is this computer, by its name or address alone.

    Parameters
    ----------
    host : str
        Name or address.

    Returns
    -------
    bool
        Whether it is ``localhost`` or an address of the loopback interface.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0"), is_loopback("box")
    (True, True, False, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def trust(certificate: str | Path | None) -> ssl.SSLContext:
    """Make the settings of TLS that trust a certificate, or those of this computer.

    Parameters
    ----------
    certificate : str, Path or None
        File of the server's own certificate, or of who signed it, in PEM.

    Returns
    -------
    ssl.SSLContext
        The settings.

    Raises
    ------
    ValueError
        If the file holds no certificate.
    OSError
        If it cannot be read.
    """
    try:
        if certificate is not None:
            Path(certificate).open("rb").close()  # OpenSSL's error does not name the file
        return ssl.create_default_context(cafile=certificate)
    except ssl.SSLError as error:
        raise ValueError(
            f"certificate must be a file of certificates in PEM, which begin with "
            f"-----BEGIN CERTIFICATE-----, not {str(certificate)!r}"
        ) from error


def why_unreachable(error: BaseException, url: str, server: str) -> str:
    """Say what a failed connection means, and what to do.

    Parameters
    ----------
    error : exception
        What was raised while a server was asked.
    url : str
        Address of the server.
    server : str
        What the server is called, such as ``"appliance"``.

    Returns
    -------
    str
        A sentence.

    Examples
    --------
    >>> print(why_unreachable(ConnectionRefusedError(111, "no"), "https://box:8443", "server"))
    nobody listens at https://box:8443; start the server there, or check host and port
    """
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate(cause, url)
        if isinstance(cause, ssl.SSLError):
            return _tls(cause, url, server)
        if isinstance(cause, socket.gaierror):
            return f"the host of {url} is unknown; check its name, or use its address"
        if isinstance(cause, ConnectionRefusedError):
            return f"nobody listens at {url}; start the {server} there, or check host and port"
    kind = type(error).__name__
    return (
        f"the connection to {url} broke ({kind}: {error}); try again, and if it breaks again look "
        f"at the network and at the {server}'s log"
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Go from an exception to what it was raised for, and to the members of groups."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, BaseExceptionGroup):
            waiting.extend(each.exceptions)
        if isinstance(each, OSError) and len(each.args) == 1 and isinstance(each.args[0], list):
            waiting.extend(each.args[0])  # anyio: one exception for each address of a name
        waiting.extend(cause for cause in (each.__cause__, each.__context__) if cause is not None)


def _certificate(error: ssl.SSLCertVerificationError, url: str) -> str:
    if error.verify_code in _MISMATCHES:
        return (
            f"the certificate of {url} does not match: {error.verify_message}; use a name that the "
            f"certificate has, or make one with this name (subjectAltName)"
        )
    if error.verify_code in _UNTRUSTED:
        return (
            f"the certificate of {url} is not trusted: {error.verify_message}; give the file of "
            f"the certificate, or of who signed it, as certificate="
        )
    return (
        f"the certificate of {url} is refused: {error.verify_message}; check its dates and this "
        f"computer's clock, or make a new one"
    )


def _tls(error: ssl.SSLError, url: str, server: str) -> str:
    reason = str(error.reason or error)
    if reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"):
        return (
            f"{url} does not speak TLS, or something between changes bytes ({reason}); a "
            f"{server} without a certificate has an address that begins with http://"
        )
    return f"the encrypted connection to {url} broke ({reason}); try again"
