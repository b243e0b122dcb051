"""Synthesis keeps the cells that the gateware instantiates, and infers those that it relies on.

Each component is synthesised with the options of a board's build.
"""

from __future__ import annotations

import collections
import dataclasses
import json

import pytest

from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.annealer.windows import spins_for
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.boards import CONTRACTORS, SMALLEST_CELLS, find_board
from tensorspin_gateware.accelerator import Accelerator
from tensorspin_gateware.boards import HARDWARE
from tensorspin_gateware.link import Link
from tensorspin_gateware.primitives import Family
from tensorspin_gateware.primitives.multiply_accumulate import MultiplyAccumulate
from tensorspin_gateware.primitives.program_memory import ProgramMemory
from tests.support.selection import slow_but

from ..support.synthesis import TOP, synthesise

DSP = {Family.ICE40UP: "SB_MAC16", Family.ECP5: "MULT18X18D"}
REGISTERS = {
    Family.ICE40UP: {"A_REG": "1", "B_REG": "1", "TOPOUTPUT_SELECT": "1"},
    Family.ECP5: {
        "REG_INPUTA_CLK": "CLK0",
        "REG_INPUTB_CLK": "CLK0",
        "REG_PIPELINE_CLK": "NONE",
        "REG_OUTPUT_CLK": "CLK0",
    },
}
"""Parameters of a DSP that turn its registers on, by family; numbers are binary,
without leading zeros."""

BLOCK_RAM_BITS = 1 << 14
"""Bits of one DP16KD of an ECP5, without its parity bits."""

ECP5 = [name for name in CONTRACTORS if HARDWARE[name].family is Family.ECP5]


def cells_of(component, board: str, folder) -> list[dict]:
    """Cells of a component's netlist."""
    netlist = synthesise(component, board, folder, "write_json")
    return list(json.loads(netlist)["modules"][TOP]["cells"].values())


@pytest.mark.parametrize("board", CONTRACTORS)
def test_dsp_registers_survive_synthesis(board, tmp_path):
    family = HARDWARE[board].family
    cells = cells_of(MultiplyAccumulate(family), board, tmp_path)
    (dsp,) = [cell for cell in cells if cell["type"] == DSP[family]]
    kept = {name: dsp["parameters"][name].lstrip("0") for name in REGISTERS[family]}
    assert kept == REGISTERS[family]


@pytest.mark.parametrize("board", slow_but(["ulx3s_25f"], ECP5))
def test_program_memory_needs_no_multiplexer(board, tmp_path):
    """Every block RAM spans all words, and the logic only tells writes from reads."""
    size = CONTRACTORS[board].contractor
    memory = ProgramMemory(size.program_words, size.lanes, Family.ECP5)
    cells = cells_of(memory, board, tmp_path)
    types = collections.Counter(cell["type"] for cell in cells)
    assert types["DP16KD"] == 8 * size.program_bytes // BLOCK_RAM_BITS
    assert set(types) == {"DP16KD", "LUT4"}
    assert types["LUT4"] <= 2 * size.lanes


SMALLEST = {
    "annealer of 64 spins": {
        "annealer": AnnealerSize(
            spins=spins_for(8, 1),
            coupling_bits=2,
            field_bits=8,
            replicas=8,
            strides=(1,) * 4,
            offset_rows=8,
            steps=8,
            ring=0,
            window=8,
        )
    },
    "contractor of 8 lanes": {
        "contractor": ContractorSize(
            lanes=8, program_words=256, features=16, components=2, slots=4, slot_entries=4
        )
    },
}


@pytest.mark.long
@pytest.mark.parametrize("what", SMALLEST_CELLS)
def test_what_small_devices_lack(what, tmp_path):
    """The logic cells that `SMALLEST_CELLS` states are those that synthesis takes."""
    if what == "link":
        component = Link(receive_bytes=512)
    else:
        engines = {"contractor": None, "annealer": None, **SMALLEST[what]}
        row = dataclasses.replace(find_board("icebreaker"), receive_bytes=512, **engines)
        component = Accelerator(row, bytes(8), Family.BEHAVIOURAL)
    types = collections.Counter(
        cell["type"] for cell in cells_of(component, "icebreaker", tmp_path)
    )
    assert types["SB_LUT4"] == pytest.approx(SMALLEST_CELLS[what], rel=0.1)
