"""The command ``tensorspin link-test``: measure round trip and throughput to a board."""

from __future__ import annotations

from .common import URL_HELP


def add(commands) -> None:
    """Add the command's parser to what `argparse` calls subparsers."""
    link_test = commands.add_parser(
        "link-test", help="measure round trip time and throughput of the connection to a board"
    )
    link_test.add_argument("url", help=URL_HELP)
    link_test.add_argument(
        "--seconds",
        type=float,
        default=2.0,
        help="how long to measure, in seconds, an hour at most; by default %(default)g",
    )
    link_test.set_defaults(command=_link_test)


def _link_test(options) -> int:
    from ..driver.board import Board
    from ..driver.link.measure import check_seconds

    check_seconds(options.seconds)  # before the board is opened, which may take a while
    with Board.open(options.url) as board:
        print(board.link_test(options.seconds))
    return 0
