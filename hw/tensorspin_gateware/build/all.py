"""All bitstreams: ``python -m tensorspin_gateware.build.all [BOARD ...] [OPTION ...]``.

Each build is recorded in ``docs/bitstreams.json`` and shown in the table of ``docs/boards.md``.
One that is worse than its board's in ``docs/baselines.json``, beyond the tolerances, or too slow,
is told and not recorded, unless with ``--accept``, which makes it the new baseline; what is better
beyond them goes into the baseline by itself. With ``--check`` nothing is recorded. What is
interrupted goes on where it was: builds that exist are not repeated.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tensorspin.contract.device.boards import BOARDS, find_board

from . import toolchain
from .bitstream import build, build_record, place
from .records import BASELINES, PAGE, Row, read_records, write_baselines, write_records
from .stages import BuildError


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
        Record all builds, even if they are worse than their baselines, lack margin or fill too
        much, and make them the new baselines.
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
        faults = row.faults(name)
        if baseline is not None:
            faults += row.worse_than(baseline)
        elif check:
            faults.append("no baseline to compare with")
        if faults and not accept:
            wrong.append(f"{name}: {'; '.join(faults)}{'' if check else '; not recorded'}")
            continue
        if check:
            continue
        if older is None or older.finished != row.finished or len(older.seeds_mhz) < tries:
            write_records(folder, {**read_records(folder), name: row})
        improved = row if baseline is None or accept else baseline.improved_by(row)
        if improved != baseline:
            write_baselines(folder, {**baselines, name: improved})
    return wrong


def main(arguments: list[str] | None = None) -> int:
    """Command line; 0 if all boards were built, with margin, and none has become worse."""
    parser = argparse.ArgumentParser(
        prog="tensorspin_gateware.build.all", description="All bitstreams, and their table."
    )
    parser.add_argument("boards", nargs="*", help="names of rows; by default all")
    parser.add_argument(
        "--seeds",
        type=int,
        metavar="COUNT",
        help="placement seeds; by default as many as are on record, or 1",
    )
    recording = parser.add_mutually_exclusive_group()
    recording.add_argument(
        "--accept", action="store_true", help="record even what is worse, and as baselines"
    )
    recording.add_argument("--check", action="store_true", help="compare, and record nothing")
    recording.add_argument(
        "--table", action="store_true", help="renew the table, and build nothing"
    )
    options = parser.parse_args(arguments)
    if options.seeds is not None and options.seeds < 1:
        parser.error(f"--seeds must be at least 1, not {options.seeds}")
    folder = Path(__file__).parents[3] / "docs"
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
