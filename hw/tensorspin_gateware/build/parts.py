"""Where a device's logic cells go: to which part of the design each cell of a netlist belongs.

Synthesis dissolves the hierarchy of a design, but leaves a mark for each component that there was,
and names each cell after a signal near it. So the part of most cells is certain; a look-up table
between two parts counts for the one whose signal it is named after.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from .report import RESOURCES, BuildReport
from .top import NAME

CORE = "core"
"""Name of the accelerator among the components of the top level. The others are pins, line and
clock."""

ENGINES_AT = 1
"""Depth, below `CORE`, of the components that a budget shows: link, router and the engines."""

_LUTS = {"SB_LUT4": 1, "LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 4}
"""Cells that take look-up tables, and how many. On ECP5, a carry cell has two in it, and a memory
of 16 words of 4 bits is made of four."""

_REGISTERS = ("SB_DFF", "TRELLIS_FF")
"""How the types of cells begin that are registers."""

_SHARED_CELLS = "ICESTORM_LC"
"""Resource of the family whose logic cell is a look-up table and a register together."""


@dataclass(frozen=True)
class PartBudget:
    """What each part of a design takes of a device's logic cells.

    Parameters
    ----------
    cells : dict of str to int
        Logic cells of each part, in falling order: on iCE40 its look-up tables, and those registers
        that cannot share the cell of one; on ECP5 its look-up tables.
    rest : int
        Cells that placement adds, or that it saves if the number is negative: ends of carry chains
        and constants, which belong to no part.
    available : int
        Cells of the device.
    """

    cells: dict[str, int]
    rest: int
    available: int

    @classmethod
    def load(cls, folder: Path, report: BuildReport) -> PartBudget:
        """Count the cells of a finished build.

        Parameters
        ----------
        folder : Path
            Folder in which the tools ran; it holds the netlist that Yosys wrote.
        report : BuildReport
            Report of the same build.

        Returns
        -------
        PartBudget
            The budget.

        Raises
        ------
        OSError
            If the netlist is not there.
        """
        modules = json.loads((folder / f"{NAME}.json").read_text())["modules"]
        shared = RESOURCES[_SHARED_CELLS] in report.used
        used, available = report.used[RESOURCES[_SHARED_CELLS if shared else "TRELLIS_COMB"]]
        cells = count_cells(modules, shared)
        return cls(cells, used - sum(cells.values()), available)

    @property
    def free(self) -> int:
        """Cells of the device that nothing takes."""
        return self.available - self.rest - sum(self.cells.values())

    def __str__(self) -> str:
        rows = [*self.cells.items(), ("carry chains, constants", self.rest), ("free", self.free)]
        lines = [f"{'logic cells by part':<29}{'cells':>7}{'':>7}"]
        lines += [f"{part:<29}{cells:>7}{cells / self.available:>7.1%}" for part, cells in rows]
        return "\n".join(lines)


def count_cells(modules: dict[str, dict], shared: bool) -> dict[str, int]:
    """Count the logic cells of each part.

    Parameters
    ----------
    modules : dict of str to dict
        The modules of a netlist that ``write_json`` of Yosys wrote. The design is the module
        `NAME`; what it has several of may be modules of their own.
    shared : bool
        Whether a look-up table and the register that it alone drives share a logic cell.

    Returns
    -------
    dict of str to int
        Logic cells by the name of the part, in falling order.

    Examples
    --------
    A register that shares the cell of a look-up table, and one that does not:

    >>> from tensorspin_gateware.build.parts import count_cells
    >>> cells = {
    ...     "core": {"type": "$scopeinfo", "connections": {}},
    ...     "core.link": {"type": "$scopeinfo", "connections": {}},
    ...     "core.link.a": {"type": "SB_LUT4", "connections": {"O": [2], "I0": [3]}},
    ...     "core.link.b": {"type": "SB_DFF", "connections": {"D": [2], "Q": [4]}},
    ...     "core.link.c": {"type": "SB_DFF", "connections": {"D": [4], "Q": [3]}},
    ... }
    >>> count_cells({"top": {"cells": cells}}, shared=True)
    {'link': 2}
    """
    cells = modules[NAME]["cells"]
    scopes = {name for name, cell in cells.items() if cell["type"] == "$scopeinfo"}
    # Instances of a module count as scopes, too: their own names are those of components.
    scopes |= {name for name, cell in cells.items() if _is_of_the_design(cell["type"], modules)}
    found: Counter[str] = Counter()
    for name, count in _logic_cells(modules, NAME, shared).items():
        found[_part(name, scopes)] += count
    return dict(found.most_common())


def _logic_cells(modules: dict[str, dict], module: str, shared: bool) -> dict[str, int]:
    """Return how many logic cells each cell of a module takes, by its name."""
    cells = modules[module]["cells"]
    # How many ports read each net, and which nets look-up tables drive.
    readers = Counter(
        bit
        for cell in cells.values()
        for port, bits in cell["connections"].items()
        if port not in ("O", "Q")
        for bit in bits
    )
    tables = {cell["connections"]["O"][0] for cell in cells.values() if cell["type"] == "SB_LUT4"}
    found = {}
    for name, cell in cells.items():
        kind = cell["type"]
        if kind in _LUTS:
            found[name] = _LUTS[kind]
        elif _is_of_the_design(kind, modules):
            found[name] = sum(_logic_cells(modules, kind, shared).values())
        elif shared and kind.startswith(_REGISTERS):
            data = cell["connections"]["D"][0]
            if data not in tables or readers[data] > 1:
                found[name] = 1
    return found


def _is_of_the_design(kind: str, modules: dict[str, dict]) -> bool:
    """Tell whether a type of cells is a module of the design, not a cell of the device."""
    described = modules.get(kind, {}).get("attributes", {"blackbox": 1})
    return not {"blackbox", "whitebox"} & described.keys()


def _part(name: str, scopes: set[str]) -> str:
    """Return the part that a cell's name belongs to."""
    words = name.split(".")
    scope = next(
        (words[:end] for end in range(len(words), 0, -1) if ".".join(words[:end]) in scopes), []
    )
    if not scope:
        return "top level"
    if scope[0] != CORE:
        return "clock" if scope[0] == "clock" else "line"
    return ".".join(scope[1 : 1 + ENGINES_AT]) or "accelerator"
