"""Boards as the gateware needs to know them; sizes and clocks stand in the contract.

The rows name platform classes instead of importing them: some modules of amaranth-boards ask for a
programmer as soon as they are imported, and no bitstream needs one.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from tensorspin.contract.boards import BOARDS, Board

from .primitives import Family, carry

COLLISIONS_DO_NOT_MATTER = (
    "setparam -set COLLISION_X_MASK 1'1 t:$memrd_v2 r:COLLISION_X_MASK=1'0 %i r:CLK_ENABLE=1 %i"
)
"""No memory of the gateware relies on what a read gives while the same address is written, which a
block RAM's two ports leave open. Amaranth cannot say so; otherwise Yosys delays all writes and puts
a bypass behind each block RAM, to give the old data."""

GROUPS_KEEP_THEIR_REGISTERS = (
    "setattr -mod -set keep_hierarchy 1 *.contractor.group_? *.contractor.group_??"
)
"""Groups hold equal registers of what all of them get. Yosys would merge these to one that drives
the whole device."""


@dataclass(frozen=True)
class BoardHardware:
    """One row of the table.

    Attributes
    ----------
    platform : str
        ``module:class`` of the Amaranth platform.
    family : Family
        Bodies that the primitives take.
    uart : int
        Number of the platform's ``uart`` resource that the host is connected to.
    programmer : str
        Tool that loads the bitstream.
    suffix : str
        Of the bitstream's file.
    before_synthesis : str
        Yosys' commands before ``synth_*``.
    after_synthesis : str
        Yosys' commands after them.
    synth_options : str
        Options of Yosys' ``synth_*`` command.
    place_options : str
        Options of nextpnr, with a fixed seed: the same sources give the same bitstream.
    """

    platform: str
    family: Family
    uart: int
    programmer: str
    suffix: str
    before_synthesis: str
    after_synthesis: str
    synth_options: str
    place_options: str


def _ulx3s(size: str, place_options: str) -> BoardHardware:
    return BoardHardware(
        platform=f"amaranth_boards.ulx3s:ULX3S_{size.upper()}_Platform",
        family=Family.ECP5,
        uart=0,
        programmer="openFPGALoader",
        suffix=".bit",
        before_synthesis="\n".join(
            (COLLISIONS_DO_NOT_MATTER, GROUPS_KEEP_THEIR_REGISTERS, carry.BEFORE_SYNTHESIS)
        ),
        after_synthesis=carry.AFTER_SYNTHESIS,
        synth_options="",
        place_options=place_options,
    )


def _ice40(platform: str, family: Family, before_synthesis: str = "") -> BoardHardware:
    return BoardHardware(
        platform=platform,
        family=family,
        uart=0,
        programmer="iceprog",
        suffix=".bin",
        before_synthesis=before_synthesis,
        after_synthesis="",
        synth_options="",
        # Not "--router router2": on a device this full it may go round in circles for ever.
        place_options="--seed 1",
    )


_ICEBREAKER = "amaranth_boards.icebreaker:ICEBreakerPlatform"
_HX8K_EVN = "amaranth_boards.ice40_hx8k_b_evn:ICE40HX8KBEVNPlatform"

HARDWARE = {
    # Not "-dsp": that pass takes the DSPs that the lanes instantiate for its own, and turns their
    # registers off.
    "icebreaker": _ice40(_ICEBREAKER, Family.ICE40UP),
    "icebreaker_annealer": _ice40(_ICEBREAKER, Family.ICE40UP, COLLISIONS_DO_NOT_MATTER),
    "hx8k_evn_annealer": _ice40(_HX8K_EVN, Family.ICE40HX, COLLISIONS_DO_NOT_MATTER),
    "ulx3s_25f": _ulx3s("25f", "--seed 1"),
    "ulx3s_25f_annealer": _ulx3s("25f", "--seed 1"),
    "ulx3s_25f_both": _ulx3s("25f", "--seed 1"),
    # The default placer's wires are longer by two fifths, and too slow.
    "ulx3s_85f": _ulx3s("85f", "--seed 1 --placer static"),
}
"""For every board of `tensorspin.contract.boards.BOARDS`."""


def create_platform(board: Board):
    """A new platform object for a board; each serves for one build."""
    module, _, name = HARDWARE[board.name].platform.partition(":")
    platform = getattr(importlib.import_module(module), name)()
    platform.add_file(carry.MAP_FILE, carry.MAP.read_text())
    return platform


def oscillator_hz(platform) -> int:
    """Frequency of the clock that a platform's board provides."""
    return round(platform.default_clk_constraint.frequency)


assert HARDWARE.keys() == BOARDS.keys(), "boards.py must have a row for every board of the contract"
