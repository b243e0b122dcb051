"""Ways to a device, chosen by URL.

========================  ====================================================================
URL                       device
========================  ====================================================================
``sim://BOARD``           the gateware of that board, compiled by Verilator; if the board's line
                          is SPI, with its pins, and ``?sck=25e6`` sets the frequency of SCK in Hz
``golden://BOARD``        the NumPy model of that board
``?lock=FILE``            behind either, but for pins of SPI: the board is locked, and FILE holds
                          its key (``tensorspin lock --new-key``)
``spi://PATH``            a board at an SPI port of Linux: ``spi:///dev/spidev0.0``, with
                          ``?speed=20e6`` for the frequency of SCK in Hz and ``&irq=gpiochip0:25``
                          for the GPIO line at which the board's interrupt is
``https://HOST/BOARD``    a board that `tensorspin serve` shares, such as
                          ``https://box:8443/icebreaker``; ``http://`` on loopback
anything else             a serial port: a device path (``/dev/ttyUSB1``, ``COM3``) or a URL of
                          pySerial (``hwgrep://iCEBreaker``, ``socket://host:port``)
========================  ====================================================================
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from ...contract.device.boards import BOARDS, BoardSpec, find_board
from ...contract.device.line import Line
from ...contract.device.locked import lock_board
from ...errors import TransportError
from .base import Transport

if TYPE_CHECKING:  # at run time where it is used
    from .remote.connection import Access

__all__ = [
    "Transport",
    "access_for",
    "baud_rates",
    "check_virtual",
    "is_remote",
    "is_spi",
    "is_virtual",
    "open_transport",
    "parse_virtual",
]

_VIRTUAL = ("sim", "golden")
"""Schemes of URLs that stand for no hardware."""


def open_transport(url: str, *, baud: int | None = None, access: Access | None = None) -> Transport:
    """Open the way to a device.

    Parameters
    ----------
    url : str
        ``sim://BOARD``, ``golden://BOARD``, ``spi://PATH``, ``https://HOST/BOARD``, the path of a
        serial port, or a URL of pySerial.
    baud : int, optional
        Rate of a serial line in bits per second; by default the first of `baud_rates`. Virtual
        boards have no use for it, and that of an SPI port stands in its URL.
    access : Access, optional
        Token and certificate for a board behind a server, and how long to wait for it.

    Returns
    -------
    Transport
        The open transport. Whoever opens it closes it.

    Raises
    ------
    TransportError
        If there is no such device, or it can't be opened; the message says what to do.
    BaudRateError
        If the port is there, but doesn't know the rate.

    Examples
    --------
    >>> from tensorspin.driver.transports import open_transport
    >>> transport = open_transport("golden://icebreaker")
    >>> transport.url
    'golden://icebreaker'
    >>> transport.close()
    """
    if not isinstance(url, str):
        raise TypeError(f"the device's URL must be a string, not {type(url).__name__}")
    if is_remote(url):
        from .remote.connection import Access, Connection
        from .remote.transport import RemoteTransport

        access = Access() if access is None else access
        return RemoteTransport(url, Connection(url, access), access.queue_timeout)
    if is_spi(url):
        from .linux_spi import open_spi

        return open_spi(url)
    if not is_virtual(url):
        # Imported late: pySerial is only needed for real boards.
        from .serial_port import SerialTransport

        return SerialTransport(url, baud_rates(url)[0] if baud is None else baud)
    scheme, board, query = parse_virtual(url)
    if scheme == "golden":
        from .golden import open_golden

        return open_golden(url, board)
    if board.line is Line.SPI:
        from .simulated_pins import open_pins

        return open_pins(board, query)
    from .simulated import SimulatedTransport

    return SimulatedTransport(board)


def access_for(
    url: str,
    token: str | None = None,
    certificate: str | Path | None = None,
    queue_timeout: float | None = None,
) -> Access | None:
    """Collect what is for a server, and refuse it for anything else.

    Parameters
    ----------
    url : str
        URL as of `open_transport`.
    token, certificate, queue_timeout
        As for `tensorspin.Board.open`; None where nothing is given.

    Returns
    -------
    Access or None
        How to reach the server; None if the URL is not that of a board behind one.

    Raises
    ------
    ValueError
        If something is given for another board, or the time is out of range.

    Examples
    --------
    >>> from tensorspin.driver.transports import access_for
    >>> access_for("sim://icebreaker") is None
    True
    >>> access_for("https://box:8443/icebreaker").queue_timeout
    60.0
    """
    offered = {"token": token, "certificate": certificate, "queue_timeout": queue_timeout}
    given: dict[str, Any] = {name: each for name, each in offered.items() if each is not None}
    if isinstance(url, str) and is_remote(url):
        from .remote.connection import Access

        return Access(**given)
    if given:
        raise ValueError(
            f"{next(iter(given))} is for boards of a server, such as https://box:8443/icebreaker, "
            f"not for {url!r}"
        )
    return None


def parse_virtual(url: str) -> tuple[str, BoardSpec, str]:
    """Take the URL of a virtual board apart.

    Parameters
    ----------
    url : str
        ``sim://BOARD`` or ``golden://BOARD``; settings may follow.

    Returns
    -------
    scheme : str
        ``"sim"`` or ``"golden"``.
    board : BoardSpec
        Row of the board table; a `LockedBoard` if ``lock`` is among the settings.
    query : str
        The other settings, what stands behind a question mark; empty if there are none.

    Raises
    ------
    TransportError
        If no board has that name, or it has no settings.

    Examples
    --------
    >>> from tensorspin.driver.transports import parse_virtual
    >>> scheme, board, query = parse_virtual("sim://icebreaker_spi?sck=10e6")
    >>> scheme, board.name, query
    ('sim', 'icebreaker_spi', 'sck=10e6')
    """
    scheme, _, rest = url.partition("://")
    scheme = scheme.lower()
    name, _, query = rest.partition("?")
    try:
        board = find_board(name)
    except ValueError as error:
        raise TransportError(f"cannot open {url}: {error}") from None
    settings = parse_qsl(query, keep_blank_values=True)
    key_files = [value for name, value in settings if name == "lock"]
    if key_files and (scheme == "golden" or board.line is not Line.SPI):
        try:
            (key_file,) = key_files
            board = lock_board(board, key_file)
        except ValueError as error:
            raise TransportError(f"cannot open {url}: {error}") from None
        query = "&".join(each for each in query.split("&") if not each.startswith("lock="))
    if query and (scheme == "golden" or board.line is not Line.SPI):
        raise TransportError(
            f"cannot open {url}: only simulated boards with SPI have settings, and others "
            f"lock=FILE, not {query!r}"
        )
    return scheme, board, query


def check_virtual(url: str) -> BoardSpec:
    """Refuse a virtual board that cannot be opened, before anything is compiled for it.

    Parameters
    ----------
    url : str
        URL as of `parse_virtual`.

    Returns
    -------
    BoardSpec
        Row of the board table.

    Raises
    ------
    TransportError
        If no board has that name, its settings are wrong, or, for ``sim://``, if the gateware or a
        tool is not installed.

    Examples
    --------
    >>> from tensorspin.driver.transports import check_virtual
    >>> check_virtual("golden://icebreaker").clock_hz
    45000000
    """
    scheme, board, query = parse_virtual(url)
    if scheme == "sim":
        from .simulated import SimulatedTransport
        from .simulated_pins import read_settings

        read_settings(board, query)
        SimulatedTransport.check(board)
    return board


def is_virtual(url: str) -> bool:
    """Tell whether a URL stands for a simulation or a model rather than for a serial port.

    Parameters
    ----------
    url : str
        URL as of `open_transport`.

    Returns
    -------
    bool
        True for ``sim://`` and ``golden://``.

    Examples
    --------
    >>> from tensorspin.driver.transports import is_virtual
    >>> is_virtual("golden://icebreaker"), is_virtual("/dev/ttyUSB1")
    (True, False)
    """
    return _has_scheme(url, *_VIRTUAL)


def is_remote(url: str) -> bool:
    """Tell whether a URL stands for a board behind a server.

    Parameters
    ----------
    url : str
        URL as of `open_transport`.

    Returns
    -------
    bool
        True for ``https://`` and ``http://``.

    Examples
    --------
    >>> from tensorspin.driver.transports import is_remote
    >>> is_remote("https://box:8443/icebreaker"), is_remote("sim://icebreaker")
    (True, False)
    """
    return _has_scheme(url, "https", "http")


def is_spi(url: str) -> bool:
    """Tell whether a URL stands for an SPI port of this computer.

    Parameters
    ----------
    url : str
        URL as of `open_transport`.

    Returns
    -------
    bool
        True for ``spi://``.

    Examples
    --------
    >>> from tensorspin.driver.transports import is_spi
    >>> is_spi("spi:///dev/spidev0.0"), is_spi("/dev/spidev0.0")
    (True, False)
    """
    return _has_scheme(url, "spi")


def baud_rates(url: str) -> list[int]:
    """List the rates worth trying at a serial port.

    Parameters
    ----------
    url : str
        URL as of `open_transport`.

    Returns
    -------
    list of int
        Rates in bits per second, the one of most boards first. Virtual boards, SPI ports and boards
        behind a server have one entry, so that they are tried once.

    Examples
    --------
    >>> from tensorspin.driver.transports import baud_rates
    >>> len(baud_rates("golden://icebreaker"))
    1
    """
    rates = [board.baud for board in BOARDS.values() if board.line is Line.UART]
    if is_virtual(url) or is_spi(url) or is_remote(url):
        return rates[:1]
    return sorted(set(rates), key=lambda rate: (-rates.count(rate), rate))


def _has_scheme(url: str, *schemes: str) -> bool:
    """Tell whether a URL begins with one of some schemes, in letters of either case."""
    scheme, separator, _ = url.partition("://")
    return bool(separator) and scheme.lower() in schemes
