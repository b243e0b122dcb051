"""Boards as the gateware needs to know them; sizes and clocks stand in the contract.

The rows name platform classes instead of importing them: some modules of amaranth-boards ask for a
programmer as soon as they are imported, and no bitstream needs one.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from tensorspin.contract.boards import BOARDS, Board

from .primitives import Family


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
    synth_options : str
        Options of Yosys' ``synth_*`` command.
    place_options : str
        Options of nextpnr, with a fixed seed: the same sources give the same bitstream.
    """

    platform: str
    family: Family
    uart: int
    programmer: str
    synth_options: str
    place_options: str


HARDWARE = {
    "icebreaker": BoardHardware(
        platform="amaranth_boards.icebreaker:ICEBreakerPlatform",
        family=Family.ICE40UP,
        uart=0,
        programmer="iceprog",
        # Not "-dsp": that pass takes the DSPs that the lanes instantiate for its own, and turns
        # their registers off.
        synth_options="",
        # On a device that is nearly full the default router takes six times as long.
        place_options="--seed 1 --router router2",
    ),
}
"""For every board of `tensorspin.contract.boards.BOARDS`."""


def create_platform(board: Board):
    """A new platform object for a board; each serves for one build.

    Raises
    ------
    ValueError
        If the engine's clock is not the one that the platform provides.
    """
    module, _, name = HARDWARE[board.name].platform.partition(":")
    platform = getattr(importlib.import_module(module), name)()
    provided = round(platform.default_clk_constraint.frequency)
    if provided != board.clock_hz:
        raise ValueError(
            f"{board.name}: the board's row asks for {board.clock_hz} Hz, but its oscillator gives "
            f"{provided} Hz; correct `clock_hz` in tensorspin.contract.boards"
        )
    return platform


assert HARDWARE.keys() == BOARDS.keys(), "boards.py must have a row for every board of the contract"
