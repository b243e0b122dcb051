"""The command ``tensorspin serve``: share boards with others over HTTPS."""

from __future__ import annotations

import os
import sys
import webbrowser

from .common import DEFAULT_URL
from .report import Line, flush
from .server_options import add_network_options, add_token_command, check_ranges, entrance


def add_options(parser) -> None:
    """Add the command's options and arguments to its parser."""
    parser.description = (
        "Share boards with others over HTTPS, until Ctrl-C or SIGTERM. Clients use "
        "tensorspin.Board.open('https://HOST:PORT/BOARD', token=...), and take turns. "
        "docs/serve.md has the way from a certificate to the first prediction."
    )
    parser.add_argument(
        "--board",
        action="append",
        metavar="URL",
        help="a board: a serial port such as /dev/ttyUSB1, sim://NAME, golden://NAME, or "
        "spi://PATH; NAME=URL gives it a name. Several may be given; by default " + DEFAULT_URL,
    )
    parser.add_argument(
        "--open",
        action="store_true",
        help="open the live page in this computer's browser, if there is a screen",
    )
    parser.add_argument(
        "--no-page",
        action="store_true",
        help="serve clients alone, without the live page for browsers at /",
    )
    add_network_options(parser)
    _add_limits(parser)
    parser.set_defaults(command=_serve)
    add_token_command(parser)


def _add_limits(serve) -> None:
    group = serve.add_argument_group("limits")
    for option, default, what in (
        ("--queue", 256, "clients that may wait for a board; others are told to come back"),
        ("--turn", 60, "seconds after which a client's turn is ended if others wait"),
        ("--idle", 10, "seconds without a request after which a turn is ended if others wait"),
        ("--grace", 30, "seconds that turns have to end after Ctrl-C or SIGTERM"),
    ):
        group.add_argument(
            option, type=int, default=default, metavar="N", help=f"{what}; by default {default}"
        )


def _serve(options) -> int:
    check_ranges(
        options,
        ("port", 0, 65535),
        ("queue", 1, 100_000),
        ("turn", 1, 86_400),
        ("idle", 1, 86_400),
        ("grace", 1, 3600),
    )
    try:
        from ..server.boards.keeper import Limits
        from ..server.boards.serving import Settings, serve

        settings = Settings(
            boards=options.board or [DEFAULT_URL],
            entrance=entrance(options),
            limits=Limits(options.queue, options.turn, options.idle),
            grace=options.grace,
            page=not options.no_page,
        )

        def started(url: str, names: list[str]) -> None:
            # Whoever starts the server waits for this line.
            boards = [f"{url}/{name}" for name in names]
            if options.report.as_json:
                options.report.stream({"command": "serve", "url": url, "boards": boards})
            else:
                page = [] if options.no_page else [Line("live page", f"{url}/")]
                options.report.table(*page, *(Line("board", board) for board in boards))
            flush()
            if options.open:
                _open_browser(url)

        serve(settings, started)
    except ImportError as error:
        raise ValueError(f"{error}; pip install 'tensorspin[serve]'") from error
    return 0


def _open_browser(url: str) -> None:
    """Open a browser on a screen; one in this terminal would be in the way."""
    screens = (os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    if any(screens) or sys.platform in ("darwin", "win32"):
        webbrowser.open(url)
