"""What several commands share: default board, help texts and tables."""

from __future__ import annotations

import io
import sys

DEFAULT_BOARD = "icebreaker"
"""Board that commands assume if none is named."""

DEFAULT_URL = f"sim://{DEFAULT_BOARD}"
"""Where commands look for that board: its simulation, so that no hardware is needed."""

URL_HELP = (
    "where the board is: sim://NAME (its gateware, simulated cycle by cycle), golden://NAME (its "
    "NumPy model, quicker), or a serial port such as /dev/ttyUSB1"
)
URL_DEFAULT_HELP = f"{URL_HELP}; by default {DEFAULT_URL}"
DATA_HELP = (
    "data set: digits, iris, wine, breast_cancer, or a .npz file (arrays X_train, y_train) or a "
    ".csv file (class in the last column)"
)


def add_header_option(parser) -> None:
    """Add ``--header``, which commands that read ``.csv`` files have, to a command's parser."""
    parser.add_argument(
        "--header",
        choices=("auto", "yes", "no"),
        default="auto",
        help="whether the first line of a .csv file holds names of columns; auto, the default, "
        "recognises words, and running integers such as 0,1,2",
    )


def print_any_character() -> None:
    """Let standard output show characters that its encoding lacks as escapes.

    Files are UTF-8, but a terminal has the encoding of the locale. A name that it cannot show must
    not end a command whose work is done.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def print_table(*rows: tuple[str, object]) -> None:
    """Print names and values in two columns.

    Parameters
    ----------
    *rows : tuple of (str, object)
        A name and its value for each line.
    """
    width = max(len(name) for name, _ in rows) + 2
    for name, value in rows:
        print(f"{name:<{width}}{value}")


def narrow_nodes(program) -> str:
    """Count the nodes of a program (tensors of the network) whose weights are stored in 4 bits."""
    return f"{sum(node.narrow for node in program.nodes)} of {len(program.nodes)}"
