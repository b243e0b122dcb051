"""Options of the commands that serve others: where, and with which certificate and tokens."""

from __future__ import annotations

import argparse
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .common import add_output_options
from .report import Line

if TYPE_CHECKING:  # at run time when a server is made
    from ..server.entrance import Entrance

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def add_network_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where a server is reached, and by whom.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of the command.
    """
    from ..hybrid.appliance.protocol import DEFAULT_PORT

    group = parser.add_argument_group("who may use it")
    group.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen at; by default this computer's loopback interface, 127.0.0.1. "
        "Others, such as 0.0.0.0, need --cert, --key and --token-file",
    )
    group.add_argument(
        "--port",
        type=int,
        default=DEFAULT_PORT,
        metavar="N",
        help=f"port to listen at, or 0 for any that is free; by default {DEFAULT_PORT}",
    )
    group.add_argument("--cert", type=Path, metavar="FILE", help="certificate in PEM")
    group.add_argument("--key", type=Path, metavar="FILE", help="its private key in PEM")
    group.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="file of tokens, which the command's `token` makes; clients need one of them",
    )


def entrance(options: argparse.Namespace) -> Entrance:
    """Collect where a server shall be reached.

    Parameters
    ----------
    options : argparse.Namespace
        Options of `add_network_options`.

    Returns
    -------
    Entrance
        Where.
    """
    from ..server.entrance import Entrance

    return Entrance(options.host, options.port, options.cert, options.key, options.token_file)


def check_ranges(options: argparse.Namespace, *ranges: tuple[str, float, float]) -> None:
    """Refuse numbers out of range.

    Parameters
    ----------
    options : argparse.Namespace
        The options.
    *ranges : tuple of (str, float, float)
        Name of an option's value, the least and the greatest; None is not checked.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """
    for name, least, most in ranges:
        value: Any = getattr(options, name)
        if value is not None and not least <= value <= most:
            raise ValueError(f"--{name.replace('_', '-')} must be {least} to {most}, not {value}")


def add_token_command(parser: argparse.ArgumentParser) -> None:
    """Add the command ``token`` of a server's command, which makes tokens.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of the server's command.
    """
    actions = parser.add_subparsers(metavar="token", dest="action", title="tokens", help="make one")
    token = actions.add_parser(
        "token",
        help="make a token for a client, and add its hash to the token file",
        description="Make a token, print it once, and add its hash to the token file. To revoke "
        "a token, delete its line; a running server notices.",
    )
    # `default` would overwrite what stands before the word "token".
    token.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="file of tokens; it is made if it is missing, readable by its owner alone",
    )
    token.add_argument(
        "--name", dest="token_name", required=True, help="who gets the token, for logs"
    )
    token.add_argument(
        "--expires",
        default="365d",
        metavar="TIME",
        help="when the token ends: such as 12h, 30d, 8w, or never; by default 365d",
    )
    token.set_defaults(command=_make_token)
    add_output_options(token)


def _make_token(options) -> int:
    from ..server.tokens import add_token

    if options.token_file is None:
        raise ValueError("--token-file must be given: where the hash of the token goes")
    token, entry = add_token(options.token_file, options.token_name, lifetime(options.expires))
    ends = "never" if entry.ends is None else entry.ends.isoformat()
    options.report.table(
        Line("token", token),
        Line("name", entry.name),
        Line("ends", ends),
        Line("file", str(options.token_file)),
    )
    options.report.say("The token is shown this once. The file has its hash alone.")
    return 0


def lifetime(text: str) -> timedelta | None:
    """Read how long a token is valid.

    Parameters
    ----------
    text : str
        A whole number and h, d or w; or ``never``.

    Returns
    -------
    timedelta or None
        The time; None for ever.

    Raises
    ------
    ValueError
        If it is none.

    Examples
    --------
    >>> lifetime("30d").days
    30
    """
    if text == "never":
        return None
    found = re.fullmatch(r"([1-9]\d{0,4})([hdw])", text)
    if not found:
        raise ValueError(f"--expires must be such as 12h, 30d, 8w or never, not {text!r}")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
