"""Components that exist once for each FPGA family, and once for simulation.

Everything above this package is written once for all families. Where a family has a cell that
synthesis does not find by itself, or does not use well, a component of this package instantiates
it. Each such component takes a `Family`; its ports, latency and results are the same for all of
them, and tests hold the cells of a family to the behavioural form.
"""

from __future__ import annotations

import enum


class Family(enum.Enum):
    """What a primitive is built from: the cells of an FPGA family, or plain Amaranth."""

    BEHAVIOURAL = "behavioural"
    """Plain Amaranth, without cells of any family: for simulation, and where synthesis finds the
    right cells by itself."""
    ICE40UP = "ice40up"
    """Lattice iCE40 UltraPlus (UP5K): the program in SPRAM; all eight DSPs are for the lanes."""
    ICE40HX = "ice40hx"
    """Lattice iCE40 HX and LP: block RAM, no SPRAM and no DSP."""
    ECP5 = "ecp5"
    """Lattice ECP5: multipliers of 18 x 18 bits, sums in LUTs, the program in block RAM."""

    @property
    def standby(self) -> bool:
        """Whether a `ProgramMemory` can stand by, to leak less while nobody uses it."""
        return self is Family.ICE40UP
