"""The command ``tensorspin link-test``: measure round trip and throughput to a board."""

from __future__ import annotations

from .common import URL_HELP

_BAR_DELAY = 2.0
"""Seconds that a measurement takes at least for its progress to be shown."""


def add_options(parser) -> None:
    """Add the command's options and arguments to its parser."""
    parser.add_argument("url", help=URL_HELP)
    parser.add_argument(
        "--seconds",
        type=float,
        default=2.0,
        help="how long to measure, in seconds, an hour at most, on the board's clock or on this "
        "computer's, whichever is over first; by default %(default)g",
    )
    parser.set_defaults(command=_link_test)


def _link_test(options) -> int:
    from ..driver.board import Board
    from ..driver.link.measure import check_seconds
    from ..progress import progress_bar

    check_seconds(options.seconds)  # before the board is opened, which may take a while
    with Board.open(options.url) as board:
        with progress_bar("measuring", "%", _BAR_DELAY) as progress:
            report = board.link_test(options.seconds, options.seconds, progress)
    options.report.say(str(report))
    options.report.record(
        url=options.url,
        round_trip_seconds=report.round_trip,
        to_device_bytes_per_second=report.to_device,
        from_device_bytes_per_second=report.from_device,
        line=report.line,
        statistics=report.statistics,
    )
    return 0
