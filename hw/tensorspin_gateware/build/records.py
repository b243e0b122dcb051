"""The record of a bitstream, and how it is compared with an older one.

`record_files` keeps the records of all boards.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tensorspin.contract.device.boards import BoardSpec

from ..boards import HARDWARE
from .bitstream import BuildRecord
from .parts import PartBudget
from .report import MARGIN, BuildReport

MOST_LUTS = 0.9
"""Greatest share of the look-up tables (LUTs) that a design may use. Whether a fuller device can be
placed depends on the seed."""

FULLER = {"icebreaker_annealer": 0.92, "icebreaker_annealer_spi": 0.92}
"""Boards that may use more than `MOST_LUTS`, and their share. The iCEBreaker's annealer is sized by
its memory, which holds 256 spins, and all seeds on record place it."""

MORE_LUTS = 0.03
"""Growth in LUTs, as a share, that is not reported: small changes of the sources alter what Yosys
chooses elsewhere by so much."""

LESS_SPEED = 0.08
"""Loss of frequency, as a share, that is not reported: seeds differ by so much."""

COLUMNS = {
    "LUTs": ("logic cells (LUTs)", "LUTs"),
    "DSPs": ("DSPs",),
    "block RAM": ("block RAMs (4 Kbit)", "block RAMs (18 Kbit)"),
    "SPRAM": ("SPRAMs (256 Kbit)",),
}
"""Columns of the table that show resources, and the names that `BuildReport.used` has for them on
the FPGA families."""


@dataclass(frozen=True)
class BitstreamRow:
    """The record of a board's bitstream: one row of the table.

    Parameters
    ----------
    used : dict of str to (int, int)
        How many of a resource are used and available, by the names of `COLUMNS`.
    clock_mhz : float
        Frequency of the engines' clock in MHz.
    seeds_mhz : dict of str to float
        Greatest frequency in MHz that nextpnr reports for each placement seed; the seed of the
        bitstream itself comes first.
    seconds : float
        Processor time of the tools in seconds.
    finished : str
        Date and time at which the build ended (UTC).
    tools : dict of str to str
        Versions of the tools, by their names.
    build : str
        Digest of the design in hexadecimal, as in `BuildRecord.build`.
    cells : dict of str to int
        Logic cells of each part of the design, as in `PartBudget.cells`; empty if the build is
        older than these counts.
    """

    used: dict[str, tuple[int, int]]
    clock_mhz: float
    seeds_mhz: dict[str, float]
    seconds: float
    finished: str
    tools: dict[str, str]
    build: str
    cells: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        board: BoardSpec,
        report: BuildReport,
        record: BuildRecord,
        seeds_mhz: dict[str, float],
        budget: PartBudget | None,
    ) -> BitstreamRow:
        """Make the row of a build.

        Parameters
        ----------
        board : BoardSpec
            Row of the board table.
        report : BuildReport
            Resources and timing of the bitstream.
        record : BuildRecord
            What is known of the build.
        seeds_mhz : dict of str to float
            Greatest frequency in MHz by seed; the bitstream's own seed comes first.
        budget : PartBudget or None
            What the parts of the design take, if it is known.

        Returns
        -------
        BitstreamRow
            The row.
        """
        # A family has one of the names of a column at most.
        used = {
            column: report.used[title]
            for column, titles in COLUMNS.items()
            for title in titles
            if title in report.used
        }
        return cls(
            used,
            board.clock_hz / 1e6,
            seeds_mhz,
            record.seconds,
            record.finished,
            record.tools,
            record.build,
            {} if budget is None else budget.cells,
        )

    @property
    def margin(self) -> float:
        """Excess of the bitstream's greatest frequency over its clock, as a share of the clock."""
        return next(iter(self.seeds_mhz.values())) / self.clock_mhz - 1

    @property
    def slow_seeds(self) -> dict[str, float]:
        """Seeds with which the design is too slow for its clock, and their frequencies in MHz."""
        return {seed: mhz for seed, mhz in self.seeds_mhz.items() if mhz < self.clock_mhz}

    @property
    def luts(self) -> float:
        """Share of the LUTs that is used."""
        used, available = self.used["LUTs"]
        return used / available

    def faults(self, board_name: str) -> list[str]:
        """List what rules the bitstream out, whatever it is compared with.

        Parameters
        ----------
        board_name : str
            Name of the board.

        Returns
        -------
        list of str
            Complaints: the seed of the board's row is too slow, another seed is too slow, the
            margin is too small, or too many LUTs are used. Empty if there are none.
        """
        found = []
        # If the row's own seed is too slow with these tools, the row should name another one: the
        # next build would have to try seeds again.
        taken, configured = next(iter(self.seeds_mhz)), str(HARDWARE[board_name].seed)
        if taken != configured:
            found.append(
                f"too slow with seed {configured}, {taken} was taken: change place_options"
            )
        if self.margin < MARGIN:
            found.append(f"margin {self.margin:.1%}, must be {MARGIN:.0%} or more")
        found += [
            f"clock of {self.clock_mhz:g} MHz missed with seed {seed}: {mhz:.1f} MHz"
            for seed, mhz in self.slow_seeds.items()
        ]
        most_luts = FULLER.get(board_name, MOST_LUTS)
        if self.luts > most_luts:
            found.append(f"{self.luts:.1%} of the LUTs, must be {most_luts:.0%} or less")
        return found

    def worse_than(self, older: BitstreamRow) -> list[str]:
        """List what has become worse by more than the tolerances.

        Parameters
        ----------
        older : BitstreamRow
            Row to compare with, such as the board's baseline.

        Returns
        -------
        list of str
            Complaints: resources that have grown, and a frequency that has fallen. Empty if there
            are none.
        """
        found = []
        for column, (amount, _) in self.used.items():
            amount_before = older.used.get(column, (0, 0))[0]
            if _is_more(column, amount, amount_before):
                tolerance = (
                    f" (up to {MORE_LUTS:.0%} more is not reported)" if column == "LUTs" else ""
                )
                found.append(f"{column}: {amount}, were {amount_before}{tolerance}")
        if self._is_slower_than(older):
            now, before = self._speeds(older)
            found.append(
                f"{now:.1f} MHz for a clock of {self.clock_mhz:g} MHz, were {before:.1f} for "
                f"{older.clock_mhz:g} MHz (up to {LESS_SPEED:.0%} less is not reported)"
            )
        return found

    def improved_by(self, newer: BitstreamRow) -> BitstreamRow:
        """Return this baseline with what a newer build has clearly improved.

        Each resource and the frequency improve by themselves, beyond their tolerances. So a design
        that saves LUTs and loses speed keeps the baseline's speed, and cannot lose more the next
        time.

        Parameters
        ----------
        newer : BitstreamRow
            Row of a newer build of the same board.

        Returns
        -------
        BitstreamRow
            The baseline from now on.
        """
        fewer = {
            column: numbers
            for column, numbers in newer.used.items()
            if column not in self.used or _is_more(column, self.used[column][0], numbers[0])
        }
        fastest = newer if self._is_slower_than(newer) else self
        return replace(
            self,
            used={**self.used, **fewer},
            clock_mhz=fastest.clock_mhz,
            seeds_mhz=fastest.seeds_mhz,
        )

    def _is_slower_than(self, other: BitstreamRow) -> bool:
        """Whether nextpnr's frequency has fallen beyond the tolerance, or the clock at all."""
        now, before = self._speeds(other)
        return now < before * (1 - LESS_SPEED) or self.clock_mhz < other.clock_mhz

    def _speeds(self, other: BitstreamRow) -> tuple[float, float]:
        """Return the frequencies in MHz of this row and another with their slowest seeds.

        Only seeds that both rows have are compared, if there are any: the slowest of three seeds is
        slower than one seed, although the design is the same.
        """
        seeds = self.seeds_mhz.keys() & other.seeds_mhz.keys()
        now, before = (
            min(mhz for seed, mhz in row.seeds_mhz.items() if seed in seeds or not seeds)
            for row in (self, other)
        )
        return now, before


def _is_more(column: str, now: int, before: int) -> bool:
    """Whether the use of a resource has grown beyond the tolerance, which only LUTs have."""
    return now > before * (1 + MORE_LUTS * (column == "LUTs"))
