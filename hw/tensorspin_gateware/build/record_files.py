"""Records of all boards' bitstreams in the checkout's ``docs``.

``docs/bitstreams.json`` holds a row for the newest build of each board; the tables in
``docs/boards.md`` show these rows. ``docs/baselines.json`` holds the rows that new builds are
compared with, so that a design which has grown or become slower is noticed.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from tensorspin.contract.device.boards import BOARDS

from . import cache
from .records import COLUMNS, BitstreamRow

RECORDS = "bitstreams.json"
"""File with the row of each board's newest build."""

BASELINES = "baselines.json"
"""File with the rows that builds are compared with: each board's first build, or one that was
accepted although it was worse, with all that has clearly improved since. Compared with these, many
small losses add up and are noticed; compared with the last build, each would pass."""

PAGE = "boards.md"
"""Page that shows the rows as a table."""

BEGIN, END = "<!-- bitstreams: begin -->", "<!-- bitstreams: end -->"
"""Marks in `PAGE` between which the table stands."""

PARTS_BEGIN, PARTS_END = "<!-- parts: begin -->", "<!-- parts: end -->"
"""Marks in `PAGE` between which the table of logic cells by part stands."""


def read_records(folder: Path, name: str = RECORDS) -> dict[str, BitstreamRow]:
    """Read the rows on record.

    Parameters
    ----------
    folder : Path
        The checkout's ``docs``.
    name : str
        `RECORDS` or `BASELINES`.

    Returns
    -------
    dict of str to BitstreamRow
        Rows by the names of their boards; empty if there is no such file.
    """
    path = folder / name
    if not path.exists():
        return {}
    rows = json.loads(path.read_text())
    for row in rows.values():
        row["used"] = {column: tuple(numbers) for column, numbers in row["used"].items()}
    return {name: BitstreamRow(**row) for name, row in rows.items()}


def write_records(folder: Path, rows: dict[str, BitstreamRow]) -> None:
    """Store rows, and write the tables of the page again.

    Parameters
    ----------
    folder : Path
        The checkout's ``docs``, with `PAGE`.
    rows : dict of str to BitstreamRow
        Rows by the names of their boards.

    Raises
    ------
    ValueError
        If the page lacks the marks of a table; nothing has been written then.
    """
    page = folder / PAGE
    text = page.read_text()
    for begin, end, content in (
        (BEGIN, END, table(rows)),
        (PARTS_BEGIN, PARTS_END, parts_table(rows)),
    ):
        before, found, rest = text.partition(begin)
        _, found_end, after = rest.partition(end)
        if not found or not found_end:
            raise ValueError(f"{page} has no lines {begin!r} and {end!r}")
        text = f"{before}{begin}\n\n{content}\n\n{end}{after}"
    _write(folder / RECORDS, rows)
    cache.write_atomically(page, text.encode())


def write_baselines(folder: Path, rows: dict[str, BitstreamRow]) -> None:
    """Store baselines.

    Parameters
    ----------
    folder : Path
        The checkout's ``docs``.
    rows : dict of str to BitstreamRow
        Rows by the names of their boards.
    """
    _write(folder / BASELINES, rows)


def _write(path: Path, rows: dict[str, BitstreamRow]) -> None:
    """Write rows to a file, as JSON."""
    # The rows come in the order of the board table, without boards that it no longer has.
    known = {name: asdict(rows[name]) for name in BOARDS if name in rows}
    cache.write_atomically(path, (json.dumps(known, indent=1) + "\n").encode())


def table(rows: dict[str, BitstreamRow]) -> str:
    """Write all boards as a table in Markdown.

    Parameters
    ----------
    rows : dict of str to BitstreamRow
        Rows by the names of their boards.

    Returns
    -------
    str
        The table, without a newline at the end. A board without a row, or whose clock has been
        changed since its row was recorded, is shown as not built yet.
    """
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


def parts_table(rows: dict[str, BitstreamRow]) -> str:
    """Write what the parts of each board's design take of its logic cells, as a table in Markdown.

    Parameters
    ----------
    rows : dict of str to BitstreamRow
        Rows by the names of their boards.

    Returns
    -------
    str
        The table, without a newline at the end. Boards whose cells are not on record are left out.
    """
    known = {name: rows[name] for name in BOARDS if name in rows and rows[name].cells}
    # The largest parts of all boards together come first.
    totals: Counter[str] = Counter()
    for row in known.values():
        totals.update(row.cells)
    parts = [part for part, _ in totals.most_common()]
    titles = ["`BOARD`", *parts, "carry chains, constants", "free"]
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for name, row in known.items():
        used, available = row.used["LUTs"]
        numbers = [row.cells.get(part) for part in parts]
        numbers += [used - sum(row.cells.values()), available - used]
        cells = ["" if number is None else f"{number:,}" for number in numbers]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _use(used: int, available: int) -> str:
    """Show how many of a resource are used; nothing if the device has none."""
    return f"{used:,} ({used / available:.0%})" if available else ""


def _tool(tool: str, version: str) -> str:
    """Shorten a tool's version to name and number; development builds have long versions."""
    number = next((part for part in version.split() if part[0].isdigit()), version)
    return f"{tool} {'.'.join(number.split('.')[:3])}"
