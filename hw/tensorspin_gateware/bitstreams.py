"""All bitstreams: ``python -m tensorspin_gateware.bitstreams [BOARD ...] [OPTION ...]``.

Each build is recorded in ``docs/bitstreams.json`` and shown in the table of ``docs/boards.md``.
One that is worse than its board's in ``docs/baselines.json``, beyond the tolerances, or too slow,
is told and not recorded, unless with ``--accept``, which makes it the new baseline; so does one
that is better beyond them. With ``--check`` nothing is recorded. What is interrupted goes on where
it was: builds that exist are not repeated.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from tensorspin.contract.boards import BOARDS, Board, find_board

from . import cache, toolchain
from .build import BuildRecord, build, build_record, place
from .report import MARGIN, BuildReport
from .stages import BuildError

RECORDS = "bitstreams.json"
BASELINES = "baselines.json"
"""Rows that were the first of their boards, clearly better, or accepted: against these many small
losses add up, as against the last build they do not."""
PAGE = "boards.md"
BEGIN, END = "<!-- bitstreams: begin -->", "<!-- bitstreams: end -->"
"""Marks in `PAGE` between which the table stands."""

MOST_LUTS = 0.9
"""Share of the look-up tables: fuller devices are placed with luck."""
FULLER = {"icebreaker_annealer": 0.92}
"""Boards that may use more: 256 spins are a power of two, which fewer would not be."""
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
        cls, board: Board, report: BuildReport, record: BuildRecord, seeds_mhz: dict[str, float]
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

    def faults(self, most_luts: float = MOST_LUTS) -> list[str]:
        """What no bitstream may be, in words: too slow, or fuller than `most_luts`."""
        found = []
        if self.margin < MARGIN:
            found.append(f"margin {self.margin:.1%}, must be {MARGIN:.0%} or more")
        found += [
            f"clock of {self.clock_mhz:g} MHz missed with seed {seed}: {mhz:.1f} MHz"
            for seed, mhz in self.slow_seeds.items()
        ]
        if self.luts > most_luts:
            found.append(f"{self.luts:.1%} of the LUTs, must be {most_luts:.0%} or less")
        return found

    def worse_than(self, older: Row) -> list[str]:
        """What has become worse beyond the tolerances, in words."""
        found = []
        for column, (now, _) in self.used.items():
            before = older.used.get(column, (0, 0))[0]
            if now > before * (1 + MORE_LUTS * (column == "LUTs")):
                tolerance = f" ({MORE_LUTS:.0%} more are not told)" if column == "LUTs" else ""
                found.append(f"{column}: {now}, were {before}{tolerance}")
        # The same seeds, if there are any: the slowest of three is slower than one.
        seeds = self.seeds_mhz.keys() & older.seeds_mhz.keys()
        now, before = (
            min(mhz for seed, mhz in row.seeds_mhz.items() if seed in seeds or not seeds)
            for row in (self, older)
        )
        if now < before * (1 - LESS_SPEED) or self.clock_mhz < older.clock_mhz:
            found.append(
                f"{now:.1f} MHz for a clock of {self.clock_mhz:g} MHz, were {before:.1f} for "
                f"{older.clock_mhz:g} MHz ({LESS_SPEED:.0%} less are not told)"
            )
        return found


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


def build_all(
    names: list[str],
    folder: Path,
    *,
    seeds: int | None = None,
    accept: bool = False,
    check: bool = False,
    progress=print,
) -> list[str]:
    """Build boards one after the other, and keep the records.

    Parameters
    ----------
    names : list of str
    folder : Path
        With `PAGE`.
    seeds : int, optional
        Placement seeds to try: the bitstream's own, and others from 1 on. By default as many as are
        on record of the board.
    accept : bool
        Record builds that are worse than their baselines, lack margin or fill too much, and make
        them the new baselines.
    check : bool
        Compare only, with the bitstream's own seed if `seeds` is not given.
    progress : callable, optional
        Takes lines of text.

    Returns
    -------
    list of str
        What went wrong; empty if nothing did.
    """
    wrong = []
    for name in names:
        older = read_records(folder).get(name)
        try:
            bitstream, report = build(name, progress)
            record = build_record(bitstream)
            tries = seeds or (len(older.seeds_mhz) if older is not None and not check else 1)
            mhz = {str(record.seed): report.achieved_mhz}
            for seed in [seed for seed in range(1, tries + 1) if seed != record.seed][: tries - 1]:
                mhz[str(seed)] = place(name, seed, progress).achieved_mhz
        except (BuildError, ValueError) as error:
            wrong.append(f"{name}: {error}")
            continue
        row = Row.of(find_board(name), report, record, mhz)
        baselines = read_records(folder, BASELINES)
        baseline = baselines.get(name)
        faults = row.faults(FULLER.get(name, MOST_LUTS))
        if baseline is not None:
            faults += row.worse_than(baseline)
        if faults and not accept:
            wrong.append(f"{name}: {'; '.join(faults)}{'' if check else '; not recorded'}")
            continue
        if check:
            continue
        if older is None or older.finished != row.finished or len(older.seeds_mhz) < tries:
            write_records(folder, {**read_records(folder), name: row})
        if baseline is None or accept or baseline.worse_than(row):
            _write(folder / BASELINES, {**baselines, name: row})
    return wrong


def main(arguments: list[str] | None = None) -> int:
    """Command line; 0 if all boards were built, with margin, and none has become worse."""
    parser = argparse.ArgumentParser(
        prog="tensorspin_gateware.bitstreams", description="All bitstreams, and their table."
    )
    parser.add_argument("boards", nargs="*", help="names of rows; by default all")
    parser.add_argument(
        "--seeds",
        type=int,
        metavar="COUNT",
        help="placement seeds; by default as many as are on record, or 1",
    )
    recording = parser.add_mutually_exclusive_group()
    recording.add_argument("--accept", action="store_true", help="record even what is worse")
    recording.add_argument("--check", action="store_true", help="compare, and record nothing")
    parser.add_argument("--table", action="store_true", help="renew the table, and build nothing")
    options = parser.parse_args(arguments)
    if options.seeds is not None and options.seeds < 1:
        parser.error(f"--seeds must be at least 1, not {options.seeds}")
    folder = Path(__file__).parents[2] / "docs"
    if not (folder / PAGE).exists():
        print(f"{PAGE} is missing: this command wants a checkout", file=sys.stderr)
        return 1
    if options.table:
        write_records(folder, read_records(folder))
        return 0
    try:
        names = [find_board(name).name for name in options.boards] or list(BOARDS)
        wrong = build_all(
            names, folder, seeds=options.seeds, accept=options.accept, check=options.check
        )
    except (toolchain.ToolMissing, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the next call goes on here", file=sys.stderr)
        return 130
    for line in wrong:
        print(line, file=sys.stderr)
    table_in = "" if options.check else f"; table in {folder / PAGE}"
    print(f"{len(names)} boards: {len(wrong) or 'no'} complaints{table_in}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
