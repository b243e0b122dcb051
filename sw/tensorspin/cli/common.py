"""What several commands share: default board, help texts, checks and tables."""

from __future__ import annotations

import os
from pathlib import Path

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


def check_writable(path: Path) -> None:
    """Refuse an output file that cannot be written, before the work that fills it.

    Parameters
    ----------
    path : Path
        File to be written.

    Raises
    ------
    OSError
        If the path is a folder, its folder is missing, or permission is denied.
    """
    if path.is_dir():
        raise OSError(f"cannot write {path}: it is a folder; name a file")
    if not path.parent.is_dir():
        raise OSError(f"cannot write {path}: there is no folder {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise OSError(f"cannot write {path}: permission denied")


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
