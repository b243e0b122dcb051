"""How much of a device a design uses and how fast it runs, from nextpnr's JSON report."""

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
"""Resources that a report shows: nextpnr's names for them, and the names shown."""

MARGIN = 0.05
"""Share by which nextpnr's greatest frequency for a bitstream must exceed its clock. nextpnr knows
nothing of the clock's jitter, and its models of the devices are estimates."""

MOST_SEEDS = 5
"""Number of placement seeds that are tried for a bitstream: the one of the board's row, and those
that follow it. The row's seed was fast enough when the board was recorded; other versions of the
tools place differently, so that any seed may then be too slow."""

_ROUNDING = 2e-3
"""Greatest relative difference between a clock and nextpnr's constraint for it. nextpnr rounds
periods to picoseconds, also that of a PLL's oscillator of about 1 GHz."""


@dataclass(frozen=True)
class BuildReport:
    """Utilisation and timing of a placed design.

    Parameters
    ----------
    used : dict of str to (int, int)
        How many of a resource are used and available, by the names of `RESOURCES`.
    achieved_mhz : float
        Greatest frequency in MHz of the slowest clock: the one with the least margin.
    required_mhz : float
        Frequency in MHz that this clock has.
    others : tuple of (float, float)
        Greatest and required frequency in MHz of each other clock that nextpnr found: that of an
        oscillator beside a PLL, or SCK, the clock of an SPI controller.
    """

    used: dict[str, tuple[int, int]]
    achieved_mhz: float
    required_mhz: float
    others: tuple[tuple[float, float], ...] = ()

    @property
    def margin(self) -> float:
        """Excess of the slowest clock's greatest frequency, as a share of its own frequency."""
        return self.achieved_mhz / self.required_mhz - 1

    @property
    def meets_timing(self) -> bool:
        """Whether the design works at the board's clock, with at least `MARGIN` to spare."""
        return self.margin >= MARGIN

    @classmethod
    def load(cls, path: Path, clock_hz: int) -> BuildReport:
        """Read a file that ``nextpnr --report`` wrote.

        Parameters
        ----------
        path : Path
            The report.
        clock_hz : int
            Frequency of the engines' clock in Hz.

        Returns
        -------
        BuildReport
            The report.

        Raises
        ------
        ValueError
            If nextpnr held no clock to that frequency: then nothing shows that the design works.
        """
        content = json.loads(path.read_text())
        clocks = list(content["fmax"].values())
        mhz = clock_hz / 1e6
        if not any(math.isclose(clock["constraint"], mhz, rel_tol=_ROUNDING) for clock in clocks):
            found = ", ".join(f"{clock['constraint']:g} MHz" for clock in clocks) or "none"
            raise ValueError(f"{path}: nextpnr held no clock to {mhz:g} MHz; clocks: {found}")
        # The oscillator may be a clock of its own, beside that of the engines.
        clocks.sort(key=lambda clock: clock["achieved"] / clock["constraint"])
        slowest, *others = clocks
        used = {
            title: (content["utilization"][name]["used"], content["utilization"][name]["available"])
            for name, title in RESOURCES.items()
            if name in content["utilization"]
        }
        return cls(
            used,
            slowest["achieved"],
            slowest["constraint"],
            tuple((clock["achieved"], clock["constraint"]) for clock in others),
        )

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
        lines += [
            f"another clock: {achieved:.1f} MHz at most, {required:.1f} MHz required"
            for achieved, required in self.others
        ]
        return "\n".join(lines)
