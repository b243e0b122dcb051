"""What several commands need."""

from __future__ import annotations

import os
from pathlib import Path

DEFAULT_BOARD = "icebreaker"
DEFAULT_URL = f"sim://{DEFAULT_BOARD}"

URL_HELP = (
    "sim://NAME (the gateware, simulated), golden://NAME (its NumPy model), or a serial port such "
    "as /dev/ttyUSB1"
)
DATA_HELP = "digits, iris, wine, breast_cancer, or a .npz or .csv file (class last)"


def check_writable(path: Path) -> None:
    """Refuse a file that can't be written before the work, not after it."""
    if path.is_dir():
        raise OSError(f"cannot write {path}: it is a folder; name a file")
    if not path.parent.is_dir():
        raise OSError(f"cannot write {path}: there is no folder {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise OSError(f"cannot write {path}: permission denied")


def print_table(*rows: tuple[str, object]) -> None:
    """Names and values, in two columns."""
    width = max(len(name) for name, _ in rows) + 2
    for name, value in rows:
        print(f"{name:<{width}}{value}")


def narrow_nodes(program) -> str:
    """How many nodes of a program have 4-bit weights."""
    return f"{sum(node.narrow for node in program.nodes)} of {len(program.nodes)}"
