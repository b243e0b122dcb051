"""Boards with a spatial engine, which users describe themselves, each in a small file.

A description has a name, such as ``iris``; the board is then called ``spatial/iris`` wherever the
name of a board is asked for. The file ``iris.json`` stands in the folder `folder`; a name that ends
with ``.json`` is the path of a file instead. It looks like this::

    {
     "format": "tensorspin-spatial",
     "version": 1,
     "name": "iris",
     "board": "ulx3s_85f",
     "clock_hz": 100000000,
     "features": 4,
     "components": 2,
     "value_bits": 14,
     "weight_bits": 8,
     "multipliers": 156,
     "nodes": [[0, 1, 4], [2, 3, 4], [4, 5, 3]]
    }

``board`` is a row of the table of boards, whose FPGA, line and pins the engine gets; ``nodes`` are
those of `tensorspin.contract.spatial.size.TreeNode`: left child, right child, outputs.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..spatial.resources import Part
from ..spatial.size import SpatialSize
from .board import BoardSpec, DerivedBoard, derive
from .description import CLOCKS_HZ, NAME_BYTES
from .engines import Engines

PREFIX = "spatial/"
"""What the names of such boards begin with."""

FORMAT = "tensorspin-spatial"
"""Value of ``format`` in each description."""

VERSION = 1
"""Version of the descriptions that are written, and the only one that is read."""

MAX_FILE_BYTES = 1 << 16
"""Bytes that a description may have; one of the largest shape has some thousand."""

_FIELDS = {
    "board": str,
    "clock_hz": int,
    "features": int,
    "components": int,
    "value_bits": int,
    "weight_bits": int,
    "multipliers": int,
    "nodes": list,
}
"""Fields of a description beside its format, version and name, with their types."""

_NAME = re.compile(rf"[A-Za-z0-9_-]{{1,{NAME_BYTES - len(PREFIX)}}}")

_PARTS = {
    "12f": Part(28, 24_288),
    "25f": Part(28, 24_288),
    "45f": Part(72, 43_848),
    "85f": Part(156, 83_640),
}
"""The FPGAs for which there are spatial engines. A 12F is a 25F that has not been tested whole."""

_BASES = {
    "ulx3s_12f": ("12f", 75_000_000),
    "ulx3s_25f": ("25f", 75_000_000),
    "ulx3s_45f": ("45f", 75_000_000),
    "ulx3s_85f": ("85f", 75_000_000),
    "icepi_zero": ("25f", 75_000_000),
    "icesugar_pro": ("25f", 75_000_000),
    "colorlight_5a75b_r7_0": ("25f", 75_000_000),
    "orangecrab_r0_2": ("25f", 100_000_000),
    "ecpix5_45f": ("45f", 100_000_000),
    "ecpix5_85f": ("85f", 100_000_000),
    "versa_ecp5": ("45f", 100_000_000),
    "ecp5_5g_evn": ("85f", 100_000_000),
}
"""Boards that can have a spatial engine: FPGA, and clock in Hz if none is asked for. The clock is
an expectation: what a build of a certain shape reaches, place and route tells."""


@dataclass(frozen=True)
class SpatialBoard(DerivedBoard):
    """A board with a spatial engine."""

    @property
    def size(self) -> SpatialSize:
        """Size of its engine."""
        return self.engines.require(SpatialSize, self.owner)

    @property
    def part(self) -> Part:
        """What its FPGA has."""
        return _PARTS[_BASES[self.base][0]]


def board_part(base: str) -> Part:
    """Find what the FPGA of a board has.

    Parameters
    ----------
    base : str
        Name of a row of the table of boards.

    Returns
    -------
    Part
        Multipliers and look-up tables.

    Raises
    ------
    ValueError
        If there are no spatial engines for that board.

    Examples
    --------
    >>> board_part("ulx3s_85f").multipliers
    156
    """
    if base not in _BASES:
        raise ValueError(
            f"there is no spatial engine for board {base!r}; those with one: {', '.join(_BASES)}"
        )
    return _PARTS[_BASES[base][0]]


def default_clock_hz(base: str) -> int:
    """Give the clock in Hz that a spatial engine has on a board if none is asked for."""
    board_part(base)
    return _BASES[base][1]


def make_board(name: str, base: BoardSpec, clock_hz: int, size: SpatialSize) -> SpatialBoard:
    """Make the row of a board with a spatial engine.

    Parameters
    ----------
    name : str
        Name of the description.
    base : BoardSpec
        Row of the table of boards whose FPGA, line and pins it gets.
    clock_hz : int
        Clock of the engine in Hz.
    size : SpatialSize
        Size of the engine.

    Returns
    -------
    SpatialBoard
        The row, called ``spatial/NAME``.

    Raises
    ------
    ValueError
        If the name or the clock is not allowed, or there is no spatial engine for that board.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"the name of a spatial engine must be 1 to {NAME_BYTES - len(PREFIX)} letters, "
            f"digits, - or _, not {name!r}"
        )
    board_part(base.name)
    least, most = CLOCKS_HZ
    if not least <= clock_hz <= most:
        raise ValueError(f"clock_hz must be {least} to {most}, not {clock_hz}")
    return derive(
        base,
        SpatialBoard,
        name=PREFIX + name,
        clock_hz=clock_hz,
        engines=Engines(size),
        base=base.name,
    )


def folder() -> Path:
    """Give the folder of descriptions: ``tensorspin/spatial`` in the user's own data.

    Returns
    -------
    Path
        ``$XDG_DATA_HOME/tensorspin/spatial``, or below ``~/.local/share`` if that is not set. It
        need not exist.
    """
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "tensorspin" / "spatial"


def description_path(name: str) -> Path:
    """Give the file of a description: its path itself, if the name ends with ``.json``."""
    return Path(name) if name.endswith(".json") else folder() / f"{name}.json"


def description_text(board: SpatialBoard) -> str:
    """Write a description: what `read_board` reads.

    Parameters
    ----------
    board : SpatialBoard
        The board.

    Returns
    -------
    str
        JSON.
    """
    size = board.size
    fields: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "name": board.name.removeprefix(PREFIX),
        "board": board.base,
        "clock_hz": board.clock_hz,
        "features": size.inputs,
        "components": size.components,
        "value_bits": size.value_bits,
        "weight_bits": size.weight_bits,
        "multipliers": size.multipliers,
        "nodes": [[node.left, node.right, node.outputs] for node in size.tree],
    }
    # A node in a line, not a number in a line.
    lines = ",\n ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in fields.items())
    return f"{{\n {lines}\n}}\n"


def known_names() -> list[str]:
    """List the names of the descriptions in `folder`."""
    return sorted(path.stem for path in folder().glob("*.json"))


def read_board(name: str, rows: dict[str, BoardSpec]) -> SpatialBoard:
    """Read a description.

    Parameters
    ----------
    name : str
        Name of the description, or the path of its file.
    rows : dict of str to BoardSpec
        The table of boards.

    Returns
    -------
    SpatialBoard
        The board.

    Raises
    ------
    ValueError
        If there is no such description, or it is damaged or of a later version.
    """
    path = description_path(name)
    if not name.endswith(".json") and not _NAME.fullmatch(name):
        raise ValueError(f"no spatial engine can be called {name!r}; {_advice()}")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise ValueError(f"no spatial engine is described in {path}; {_advice()}") from None
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        return _board_of(json.loads(data) if len(data) <= MAX_FILE_BYTES else None, rows)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} describes no spatial engine: {error}") from error


def _advice() -> str:
    names = known_names()
    known = f"known: {', '.join(names)}; " if names else ""
    return f"{known}tensorspin spatial MODEL describes one"


def _board_of(content: object, rows: dict[str, BoardSpec]) -> SpatialBoard:
    """Make a board of what a description holds."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f'its "format" must be "{FORMAT}"')
    if content.get("version") != VERSION:
        raise ValueError(
            f"its version must be {VERSION}, not {content.get('version')!r}; a later version of "
            f"tensorspin may read it"
        )
    for field, kind in {"name": str, **_FIELDS}.items():
        value = content.get(field)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ValueError(f'"{field}" must be of type {kind.__name__}, not {value!r}')
    unknown = content.keys() - {"format", "version", "name", *_FIELDS}
    if unknown:
        raise ValueError(f'"{min(unknown)}" is no field of a description')
    if content["board"] not in rows:
        raise ValueError(f"no board is called {content['board']!r}")
    nodes = content["nodes"]
    if not all(isinstance(node, list) for node in nodes):
        raise ValueError('"nodes" must be lists of three numbers')
    size = SpatialSize.of_tree(
        content["features"],
        [tuple(node) for node in nodes],
        components=content["components"],
        value_bits=content["value_bits"],
        weight_bits=content["weight_bits"],
        multipliers=content["multipliers"],
    )
    return make_board(content["name"], rows[content["board"]], content["clock_hz"], size)
