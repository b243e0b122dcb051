"""All bitstreams: ``python -m tensorspin_gateware.build.all [BOARD ...] [OPTION ...]``.

This command is a maintainer's tool: it writes into ``docs`` of the checkout that it runs from, and
refuses to run from an installed package.

Each build is recorded in ``docs/bitstreams.json`` and shown in the table of ``docs/boards.md``. A
build that is too slow, or worse than its board's row in ``docs/baselines.json`` by more than the
tolerances, is reported and not recorded. With ``--accept`` it is recorded, and becomes the board's
new baseline. What a build improves by more than the tolerances goes into the baseline without
asking. With ``--check`` builds are only compared, and nothing is recorded.

An interrupted call can be repeated: bitstreams that are built already are not built again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tensorspin.contract.device.boards import BOARDS, find_board

from . import toolchain
from .bitstream import budget, build, build_record, place
from .record_files import BASELINES, PAGE, read_records, write_baselines, write_records
from .records import BitstreamRow
from .stages import Progress
from .top import BuildError


def build_all(
    names: list[str],
    folder: Path,
    *,
    seeds: int | None = None,
    accept: bool = False,
    check: bool = False,
    progress: Progress = print,
) -> list[str]:
    """Build boards one after the other, and keep the records.

    A board whose build fails does not stop the others.

    Parameters
    ----------
    names : list of str
        Names of rows of the board table.
    folder : Path
        The checkout's ``docs``, with `PAGE`.
    seeds : int, optional
        Number of placement seeds whose frequencies are measured: the bitstream's own seed, and
        others from 1 on. By default as many as are on record of the board, and with `check` only
        the bitstream's own.
    accept : bool
        Record all builds, even if they are worse than their baselines, lack margin or use too many
        LUTs, and make them the new baselines.
    check : bool
        Compare builds with their baselines, and record nothing.
    progress : callable, optional
        Takes lines of text.

    Returns
    -------
    list of str
        Complaints, each with the name of its board; empty if there are none.
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
            row = BitstreamRow.of(find_board(name), report, record, mhz, budget(bitstream, report))
        except (BuildError, ValueError) as error:
            wrong.append(f"{name}: {error}")
            continue
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
        # If the bitstream is the one on record, but fewer seeds were tried now, the older row says
        # more and stays.
        told = older is not None and older.finished == row.finished and older.cells == row.cells
        if older is None or not told or len(older.seeds_mhz) < tries:
            write_records(folder, {**read_records(folder), name: row})
        improved = row if baseline is None or accept else baseline.improved_by(row)
        if improved != baseline:
            write_baselines(folder, {**baselines, name: improved})
    return wrong


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, optional
        Without the program's name; by default those of the process.

    Returns
    -------
    int
        Exit status: 0 if all boards were built, with margin, and none has become worse.
    """
    parser = argparse.ArgumentParser(
        prog="tensorspin_gateware.build.all",
        description="Build all bitstreams, and keep their table (a maintainer's tool).",
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
