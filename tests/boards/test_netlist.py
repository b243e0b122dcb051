"""Synthesis, with the options of each board, keeps the cells that the gateware instantiates."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from tensorspin_gateware import toolchain
from tensorspin_gateware.boards import HARDWARE
from tensorspin_gateware.primitives import Family
from tensorspin_gateware.primitives.multiply_accumulate import MultiplyAccumulate

ICE40UP = [name for name, hardware in HARDWARE.items() if hardware.family is Family.ICE40UP]


@pytest.mark.parametrize("board", ICE40UP)
def test_dsp_registers_survive_synthesis(board, tmp_path):
    verilog = toolchain.to_verilog(MultiplyAccumulate(Family.ICE40UP))
    (tmp_path / "top.v").write_text(verilog)
    script = (
        f"read_verilog top.v; synth_ice40 {HARDWARE[board].synth_options} -top top; "
        f"write_json top.json"
    )
    yosys = toolchain.environment()["YOSYS"]
    subprocess.run([yosys, "-q", "-p", script], cwd=tmp_path, check=True)
    cells = json.loads((tmp_path / "top.json").read_text())["modules"]["top"]["cells"]
    (dsp,) = [cell for cell in cells.values() if cell["type"] == "SB_MAC16"]
    asked = re.findall(r"\.(\w+)\(\d+'[hd](\d+)\)", verilog.partition("SB_MAC16 #")[2])
    parameters = {name: int(value) for name, value in asked if name in dsp["parameters"]}
    assert parameters["A_REG"] == parameters["B_REG"] == 1
    assert {name: int(dsp["parameters"][name], 2) for name in parameters} == parameters
