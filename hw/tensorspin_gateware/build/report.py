"""What a design takes of the device and how fast it runs, from nextpnr's JSON report."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

RESOURCES = {
    "ICESTORM_LC": "logic cells (LUTs)",
    "ICESTORM_DSP": "DSPs",
    "ICESTORM_RAM": "block RAMs (4 Kbit)",
    "ICESTORM_SPRAM": "SPRAMs (256 Kbit)",
    "TRELLIS_COMB": "LUTs",
    "TRELLIS_FF": "registers",
    "MULT18X18D": "DSPs",
    "DP16KD": "block RAMs (18 Kbit)",
}
"""What nextpnr calls the resources worth a line, and what we call them."""


MARGIN = 0.05
"""By how much nextpnr's frequency for a bitstream must be above its clock: it knows no jitter."""

_ROUNDING = 2e-3
"""nextpnr counts periods in picoseconds, also those of a PLL's oscillator of a gigahertz."""


@dataclass(frozen=True)
class BuildReport:
    """Utilisation and timing.

    Attributes
    ----------
    used : dict of str to (int, int)
        Resource, by the names of `RESOURCES`: how many are used and available.
    achieved_mhz : float
        Greatest frequency of the slowest clock.
    required_mhz : float
        Frequency which that clock has.
    """

    used: dict[str, tuple[int, int]]
    achieved_mhz: float
    required_mhz: float

    @property
    def margin(self) -> float:
        """By how much that clock could be faster, as a share of its frequency."""
        return self.achieved_mhz / self.required_mhz - 1

    @property
    def meets_timing(self) -> bool:
        """The design works at the board's clock, with `MARGIN`."""
        return self.margin >= MARGIN

    @classmethod
    def load(cls, path: Path, clock_hz: int) -> BuildReport:
        """Read a file that ``nextpnr --report`` wrote.

        Parameters
        ----------
        path : Path
        clock_hz : int
            Clock of the engine.

        Raises
        ------
        ValueError
            If no clock was held to that frequency: then nothing says that the design works.
        """
        content = json.loads(path.read_text())
        clocks = list(content["fmax"].values())
        mhz = clock_hz / 1e6
        if not any(math.isclose(clock["constraint"], mhz, rel_tol=_ROUNDING) for clock in clocks):
            found = ", ".join(f"{clock['constraint']:g} MHz" for clock in clocks) or "none"
            raise ValueError(f"{path}: nextpnr held no clock to {mhz:g} MHz; clocks: {found}")
        slowest = min(clocks, key=lambda clock: clock["achieved"] / clock["constraint"])
        used = {
            title: (content["utilization"][name]["used"], content["utilization"][name]["available"])
            for name, title in RESOURCES.items()
            if name in content["utilization"]
        }
        return cls(used, slowest["achieved"], slowest["constraint"])

    def __str__(self) -> str:
        lines = [f"{'resource':<22}{'used':>7}{'of':>7}{'':>7}"]
        for title, (used, available) in self.used.items():
            share = f"{used / available:.0%}" if available else ""
            lines.append(f"{title:<22}{used:>7}{available:>7}{share:>7}")
        verdict = "met" if self.meets_timing else "NOT MET"
        lines.append(
            f"clock: {self.achieved_mhz:.1f} MHz at most, {self.required_mhz:.1f} MHz and "
            f"{MARGIN:.0%} more required: {verdict}"
        )
        return "\n".join(lines)
