"""Where the boards of a pool are: what can be refused before any is opened."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ..transports import is_remote, is_virtual, parse_virtual


def checked_urls(urls: Iterable[str]) -> tuple[str, ...]:
    """Refuse addresses that are none, and a board that is named twice.

    Parameters
    ----------
    urls : iterable of str
        URLs as `tensorspin.Board.open` takes them. A virtual board may be named several times, and
        is as many boards then.

    Returns
    -------
    tuple of str
        The URLs.

    Raises
    ------
    TypeError
        If they are one string, or one of them is none.
    ValueError
        If there are none, or two stand for the same port or the same board of a server.
    TransportError
        If a virtual board has an unknown name.

    Examples
    --------
    >>> checked_urls(["golden://icebreaker", "golden://icebreaker"])
    ('golden://icebreaker', 'golden://icebreaker')
    """
    if isinstance(urls, (str, bytes)):
        raise TypeError(f"urls must be a list of URLs, not one: [{urls!r}]")
    urls = tuple(urls)
    if not urls:
        raise ValueError("urls must name at least one board, not none")
    seen: dict[str, str] = {}
    for url in urls:
        if not isinstance(url, str):
            raise TypeError(f"urls must be strings, as Board.open takes them, not {url!r}")
        if is_virtual(url):
            parse_virtual(url)
            continue
        place = _place(url)
        if place in seen:
            raise ValueError(
                f"urls must name each board once, but {seen[place]!r} and {url!r} are the same"
            )
        seen[place] = url
    return urls


def _place(url: str) -> str:
    """Give what two URLs of one board have in common."""
    if is_remote(url):
        scheme, _, rest = url.partition("://")
        host, slash, path = rest.rstrip("/").partition("/")
        return f"{scheme}://{host}{slash}{path}".lower()
    scheme, separator, rest = url.partition("://")
    path = rest.partition("?")[0] if separator else url
    # Ports have several names: /dev/serial/by-id has links to them.
    return os.path.realpath(path) if path.startswith("/") else url
