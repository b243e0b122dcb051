"""The command ``tensorspin bridge``: a virtual board for programs that want a serial port."""

from __future__ import annotations

from .report import Line, flush


def add_options(parser) -> None:
    """Add the command's options and arguments to its parser."""
    parser.add_argument("url", help="the board: golden://NAME or sim://NAME")
    parser.add_argument(
        "--tcp",
        metavar="HOST:PORT",
        help="listen at this port of the loopback interface, such as 127.0.0.1:7000, or port 0 for "
        "any that is free; by default a pseudo-terminal is made",
    )
    parser.set_defaults(command=_bridge)


def _bridge(options) -> int:
    from ..driver.bridge import Bridge, parse_address

    tcp = None if options.tcp is None else parse_address(options.tcp)
    with Bridge(options.url, tcp=tcp) as bridge:
        # Whoever starts the bridge waits for this line, so that it must not stay in a buffer.
        if options.report.as_json:
            options.report.stream({"command": "bridge", "url": bridge.url, "board": options.url})
        else:
            options.report.table(Line("url", bridge.url), Line("board", options.url))
        flush()
        try:
            bridge.serve()
        except KeyboardInterrupt:
            pass  # the way in which a bridge ends
    return 0
