"""The command ``tensorspin demo``."""

from __future__ import annotations

from pathlib import Path

from .common import DEFAULT_URL, URL_HELP


def add(commands) -> None:
    """Add the command's parser to what `argparse` calls subparsers."""
    demo = commands.add_parser("demo", help="train on handwritten digits and classify on a board")
    demo.add_argument("--board", default=DEFAULT_URL, metavar="URL", help=URL_HELP)
    demo.add_argument("--output", type=Path, default=Path("results"), help="folder for the figure")
    demo.add_argument("--quick", action="store_true", help="a smaller network, fewer images")
    demo.set_defaults(command=_demo)


def _demo(options) -> int:
    from ..demo import run_demo

    return 0 if run_demo(options.board, options.output, options.quick) else 1
