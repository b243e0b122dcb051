"""Components that exist once for each FPGA family, and once for simulation.

Each takes a `Family`; ports, latency and results are the same for all of them.
"""

from __future__ import annotations

import enum


class Family(enum.Enum):
    """What a primitive is built from."""

    BEHAVIOURAL = "behavioural"
    """Amaranth only: for simulation, and for inference where that is good enough."""
    ICE40UP = "ice40up"
    """Lattice iCE40 UltraPlus: SPRAM for the program, DSPs reserved for the lanes."""
    ICE40HX = "ice40hx"
    """Lattice iCE40 HX and LP: block RAM, no DSP."""
    ECP5 = "ecp5"
    """Lattice ECP5: 18 x 18 bit multipliers, sums in the fabric, program in block RAM."""
