"""What is on record of the bitstreams, in ``docs``: rows, baselines, and the page's table."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tensorspin.contract.device.boards import BOARDS, BoardSpec

from ..boards import HARDWARE
from . import cache
from .bitstream import BuildRecord
from .report import MARGIN, BuildReport

RECORDS = "bitstreams.json"
BASELINES = "baselines.json"
"""Rows that were the first of their boards, or accepted, with what has clearly improved since:
against these many small losses add up, as against the last build they do not."""
PAGE = "boards.md"
BEGIN, END = "<!-- bitstreams: begin -->", "<!-- bitstreams: end -->"
"""Marks in `PAGE` between which the table stands."""

MOST_LUTS = 0.9
"""Share of the look-up tables: fuller devices are placed with luck."""
FULLER = {"icebreaker_annealer": 0.92}
"""Boards that may use more: its memory is for 256 spins, and all seeds on record place it."""
MORE_LUTS = 0.03
"""Growth of the look-up tables that is not told: Yosys' choices depend on small things."""
LESS_SPEED = 0.08
"""Loss of frequency that is not told: so much differs between seeds."""

COLUMNS = {
    "LUTs": ("logic cells (LUTs)", "LUTs"),
    "DSPs": ("DSPs",),
    "block RAM": ("block RAMs (4 Kbit)", "block RAMs (18 Kbit)"),
    "SPRAM": ("SPRAMs (256 Kbit)",),
}
"""Resources of the table, by what `BuildReport.used` calls them."""


@dataclass(frozen=True)
class Row:
    """What is on record of a board's bitstream.

    Attributes
    ----------
    used : dict of str to (int, int)
        By the names of `COLUMNS`: how many are used and available.
    clock_mhz : float
        The engines' clock.
    seeds_mhz : dict of str to float
        Greatest frequency for each of nextpnr's seeds; the bitstream's own comes first.
    seconds : float
        Processor time of the tools.
    finished : str
        Date and time (UTC).
    tools : dict of str to str
        Their versions.
    build : str
        Digest of the design.
    """

    used: dict[str, tuple[int, int]]
    clock_mhz: float
    seeds_mhz: dict[str, float]
    seconds: float
    finished: str
    tools: dict[str, str]
    build: str

    @classmethod
    def of(
        cls, board: BoardSpec, report: BuildReport, record: BuildRecord, seeds_mhz: dict[str, float]
    ) -> Row:
        """The row of a build."""
        used = {
            column: report.used[title]
            for column, titles in COLUMNS.items()
            for title in titles
            if title in report.used
        }
        return cls(
            {column: tuple(numbers) for column, numbers in used.items()},
            board.clock_hz / 1e6,
            seeds_mhz,
            record.seconds,
            record.finished,
            record.tools,
            record.build,
        )

    @property
    def margin(self) -> float:
        """Of the bitstream's own seed, as a share of the clock."""
        return next(iter(self.seeds_mhz.values())) / self.clock_mhz - 1

    @property
    def slow_seeds(self) -> dict[str, float]:
        """Seeds that miss the clock, and their frequencies."""
        return {seed: mhz for seed, mhz in self.seeds_mhz.items() if mhz < self.clock_mhz}

    @property
    def luts(self) -> float:
        """Share of the look-up tables that is used."""
        used, available = self.used["LUTs"]
        return used / available

    def faults(self, board_name: str) -> list[str]:
        """What no bitstream may be, in words: too slow, even with the board's own seed, or full."""
        found = []
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

    def worse_than(self, older: Row) -> list[str]:
        """What has become worse beyond the tolerances, in words."""
        found = []
        for column, (now, _) in self.used.items():
            before = older.used.get(column, (0, 0))[0]
            if _is_more(column, now, before):
                tolerance = f" ({MORE_LUTS:.0%} more are not told)" if column == "LUTs" else ""
                found.append(f"{column}: {now}, were {before}{tolerance}")
        if self._is_slower_than(older):
            now, before = self._speeds(older)
            found.append(
                f"{now:.1f} MHz for a clock of {self.clock_mhz:g} MHz, were {before:.1f} for "
                f"{older.clock_mhz:g} MHz ({LESS_SPEED:.0%} less are not told)"
            )
        return found

    def improved_by(self, newer: Row) -> Row:
        """This baseline, with that alone which is better beyond the tolerances in a newer row."""
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

    def _is_slower_than(self, other: Row) -> bool:
        now, before = self._speeds(other)
        return now < before * (1 - LESS_SPEED) or self.clock_mhz < other.clock_mhz

    def _speeds(self, other: Row) -> tuple[float, float]:
        """Frequencies of both with the slowest seed.

        Of the same seeds, if there are any: the slowest of three is slower than one.
        """
        seeds = self.seeds_mhz.keys() & other.seeds_mhz.keys()
        return tuple(
            min(mhz for seed, mhz in row.seeds_mhz.items() if seed in seeds or not seeds)
            for row in (self, other)
        )


def _is_more(column: str, now: int, before: int) -> bool:
    """Whether the use of a resource has grown beyond the tolerance."""
    return now > before * (1 + MORE_LUTS * (column == "LUTs"))


def read_records(folder: Path, name: str = RECORDS) -> dict[str, Row]:
    """Rows on record, or of `BASELINES`, by the board's name."""
    path = folder / name
    if not path.exists():
        return {}
    rows = json.loads(path.read_text())
    for row in rows.values():
        row["used"] = {column: tuple(numbers) for column, numbers in row["used"].items()}
    return {name: Row(**row) for name, row in rows.items()}


def write_records(folder: Path, rows: dict[str, Row]) -> None:
    """Store rows and renew the table of the page."""
    page = folder / PAGE
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no lines {BEGIN!r} and {END!r}")
    _write(folder / RECORDS, rows)
    text = f"{before}{BEGIN}\n\n{table(rows)}\n\n{END}{after}"
    cache.write_atomically(page, text.encode())


def write_baselines(folder: Path, rows: dict[str, Row]) -> None:
    """Store baselines."""
    _write(folder / BASELINES, rows)


def _write(path: Path, rows: dict[str, Row]) -> None:
    known = {name: asdict(rows[name]) for name in BOARDS if name in rows}
    cache.write_atomically(path, (json.dumps(known, indent=1) + "\n").encode())


def table(rows: dict[str, Row]) -> str:
    """All boards as a table in Markdown."""
    titles = ["`BOARD`", "clock", *COLUMNS, "nextpnr", "margin", "time", "built (UTC)", "with"]
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for name, board in BOARDS.items():
        clock = f"{board.clock_hz / 1e6:g} MHz"
        row = rows.get(name)
        if row is None or row.clock_mhz != board.clock_hz / 1e6:
            cells = [clock, *[""] * len(COLUMNS), "not built yet", *[""] * 4]
        else:
            cells = [
                f"{row.clock_mhz:g} MHz",
                *(_use(*row.used[column]) if column in row.used else "" for column in COLUMNS),
                " / ".join(f"{mhz:.1f}" for mhz in row.seeds_mhz.values()) + " MHz",
                f"{row.margin:.0%}",
                f"{row.seconds / 60:.0f} min" if row.seconds >= 90 else f"{row.seconds:.0f} s",
                row.finished.partition("+")[0],
                ", ".join(_tool(tool, version) for tool, version in row.tools.items()),
            ]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _use(used: int, available: int) -> str:
    return f"{used:,} ({used / available:.0%})" if available else ""


def _tool(tool: str, version: str) -> str:
    """Name and number; builds of the day have long versions."""
    number = next((part for part in version.split() if part[0].isdigit()), version)
    return f"{tool} {'.'.join(number.split('.')[:3])}"
