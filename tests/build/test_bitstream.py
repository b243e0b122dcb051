"""What is in a placed bitstream is what the netlist asked for, as Project IceStorm unpacks it.

Takes minutes, unless the bitstream is built: `make test-all`.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tensorspin_gateware.build import bitstream as build
from tensorspin_gateware.build import toolchain

pytestmark = pytest.mark.long

BOARD = "icebreaker"

RAM_ROWS = 16
"""Parameters INIT_0 .. INIT_F of a block RAM."""

RAM_ROW_DIGITS = 64
"""Hexadecimal digits of each of them."""

CONFIGURATION = (
    ("C_REG", 1),
    ("A_REG", 1),
    ("B_REG", 1),
    ("D_REG", 1),
    ("TOP_8x8_MULT_REG", 1),
    ("BOT_8x8_MULT_REG", 1),
    ("PIPELINE_16x16_MULT_REG1", 1),
    ("PIPELINE_16x16_MULT_REG2", 1),
    ("TOPOUTPUT_SELECT", 2),
    ("TOPADDSUB_LOWERINPUT", 2),
    ("TOPADDSUB_UPPERINPUT", 1),
    ("TOPADDSUB_CARRYSELECT", 2),
    ("BOTOUTPUT_SELECT", 2),
    ("BOTADDSUB_LOWERINPUT", 2),
    ("BOTADDSUB_UPPERINPUT", 1),
    ("BOTADDSUB_CARRYSELECT", 2),
    ("MODE_8x8", 1),
    ("A_SIGNED", 1),
    ("B_SIGNED", 1),
)
"""Configuration bits of a DSP in order, with their widths; from Project IceStorm's "UltraPlus
Features Documentation"."""

TILE_BITS = 8
"""Configuration bits in each of the four tiles that belong to a DSP."""

CONFIGURATION_COLUMN = 7
"""Column of a tile in which they stand."""

MOVED = {(0, 16): {bit: (("ipcon_tile", 0, 19), bit + 2) for bit in range(1, 5)}}
"""Exceptions: bits of the DSP at (0, 15) that are in another tile, since their places belong to an
oscillator."""

Tiles = dict[tuple[str, int, int], list[str]]
"""Rows of text by a tile's kind and position: bits, or hexadecimal digits of RAM data."""


@pytest.fixture(scope="module")
def folder() -> Path:
    bitstream, _ = build.build(BOARD)
    return bitstream.parent


def read_tiles(text: str) -> Tiles:
    """Read the tiles of an unpacked bitstream."""
    tiles = {}
    for block in re.split(r"\n(?=\.)", text):
        title, *rows = block.strip().split("\n")
        place = re.fullmatch(r"\.(\w+_tile|ram_data) (\d+) (\d+)", title)
        if place:
            tiles[place[1], int(place[2]), int(place[3])] = rows
    return tiles


@pytest.fixture(scope="module")
def unpacked(folder) -> Tiles:
    packer = Path(toolchain.environment()["ICEPACK"])
    unpacker = packer.with_name(packer.name.replace("icepack", "iceunpack"))
    answer = subprocess.run(
        [unpacker, f"{BOARD}.bin"], cwd=folder, stdout=subprocess.PIPE, text=True, check=True
    )
    return read_tiles(answer.stdout)


@pytest.fixture(scope="module")
def cells(folder) -> list[dict]:
    """Cells of the netlist that was placed."""
    modules = json.loads((folder / "work" / "top.json").read_text())["modules"]
    return list(modules["top"]["cells"].values())


def test_packing_changes_no_bit(folder, unpacked):
    routed = read_tiles((folder / "work" / "top.asc").read_text())
    assert len(routed) > 500
    for place, rows in routed.items():
        assert unpacked[place] == rows, place
    # What nextpnr does not mention is not used.
    for place in unpacked.keys() - routed.keys():
        assert set("".join(unpacked[place])) == {"0"}, place


def dsp_bits(tiles: Tiles, x: int, y: int) -> str:
    """Configuration bits of the DSP whose lowest tile is at (x, y)."""
    bits = ""
    for number in range(4):
        for bit in range(TILE_BITS):
            usual = (f"dsp{number}_tile", x, y + number), bit
            tile, place = MOVED.get((x, y + number), {}).get(bit, usual)
            # The two bits of a pair of rows stand the other way round.
            bits += tiles[tile][place ^ 1][CONFIGURATION_COLUMN]
    return bits[: sum(width for _, width in CONFIGURATION)]


def wanted_bits(cell: dict) -> str:
    """Configuration bits that a DSP of the netlist wants; a parameter's lowest bit comes first."""
    parameters = cell["parameters"]
    return "".join(parameters.get(name, "0").zfill(width)[::-1] for name, width in CONFIGURATION)


def test_dsps_are_set_as_asked(unpacked, cells):
    wanted = [wanted_bits(cell) for cell in cells if cell["type"] == "SB_MAC16"]
    lowest = [(x, y) for kind, x, y in unpacked if kind == "dsp0_tile"]
    found = [dsp_bits(unpacked, x, y) for x, y in lowest]
    assert wanted and "1" in wanted[0]
    assert Counter(bits for bits in found if "1" in bits) == Counter(wanted)


def test_block_ram_holds_what_was_asked(unpacked, cells):
    def rows(cell):
        contents = [cell["parameters"].get(f"INIT_{row:X}", "0") for row in range(RAM_ROWS)]
        return tuple(f"{int(bits.replace('x', '0'), 2):0{RAM_ROW_DIGITS}x}" for bits in contents)

    wanted = Counter(rows(cell) for cell in cells if cell["type"].startswith("SB_RAM40_4K"))
    found = Counter(tuple(rows) for (kind, *_), rows in unpacked.items() if kind == "ram_data")
    empty = ("0" * RAM_ROW_DIGITS,) * RAM_ROWS
    wanted.pop(empty, None)
    found.pop(empty, None)
    # The device's description of itself, at least.
    assert wanted
    assert found == wanted
