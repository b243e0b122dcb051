"""Bitstreams: ``tensorspin bitstream BOARD [--output DIR] [--program]``.

The result is ``BOARD.bin`` or ``.bit``, with nextpnr's ``report.json`` beside it, in the folder
that `cache.path` names: ``build/BOARD`` in a checkout. A bitstream is built again only if its
netlist, the tools' options or the tools' versions have changed. With ``--output`` the bitstream is
copied into another folder. With ``--program`` it is loaded into the board afterwards; without, no
programmer needs to be installed.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import re
import shutil
import sys
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path

from amaranth.build.run import BuildPlan

from tensorspin.contract.device.boards import BoardSpec, find_board
from tensorspin.contract.device.locked import lock_board

from ..boards import create_platform, hardware_of
from . import cache, toolchain
from .parts import PartBudget
from .programmer import ProgramError, check_request, deliver
from .report import MOST_SEEDS, BuildReport
from .stages import PlacementError, Progress, from_placing, run_plan, run_stage
from .top import NAME, BuildError, create_core, prepare

_RECORD = "build.json"
"""File with the `BuildRecord`, beside the bitstream."""

_PLACED = ("asc", "config", "tim")
"""Suffixes of the files that nextpnr writes besides its report: the placed design (iCE40, ECP5) and
the log."""


@dataclass(frozen=True)
class BuildRecord:
    """Facts about a bitstream that was built; the record is kept beside the bitstream.

    Parameters
    ----------
    sources : str
        Digest of all sources and tools that the netlist and the bitstream are made from. While it
        is unchanged, nothing needs to be elaborated.
    key : str
        Digest of the netlist, the tools and their options. While it is unchanged, nothing needs to
        be built.
    build : str
        What a device with this bitstream reports as `DeviceDescription.build`, in hexadecimal.
    seed : int
        Placement seed of the bitstream: the first of `MOST_SEEDS` that was fast enough.
    sha256 : dict of str to str
        SHA-256 of the files that are used later, by their paths in the build's folder: bitstream,
        report, and the files that the programmer reads.
    seconds : float
        Processor time of the tools in seconds. Unlike elapsed time it hardly depends on what else
        the computer does.
    finished : str
        Date and time at which the build ended (UTC).
    tools : dict of str to str
        Versions of the tools, by their names.
    """

    sources: str
    key: str
    build: str
    seed: int
    sha256: dict[str, str]
    seconds: float
    finished: str
    tools: dict[str, str]


def build(
    board_name: str, progress: Progress = print, locked: bool = False
) -> tuple[Path, BuildReport]:
    """Build the bitstream of a board, unless it is built already.

    If the bitstream is too slow for the board's clock, it is placed again with other seeds.
    `build_record` returns more about the result.

    Parameters
    ----------
    board_name : str
        Name of a row of `tensorspin.contract.device.boards`.
    progress : callable, optional
        Takes one line of text per stage.
    locked : bool, default=False
        Whether the contractor is locked. The bitstream runs nothing then, until
        `tensorspin_gateware.build.keyed.put_key` has given it a key.

    Returns
    -------
    bitstream : Path
        The file to load into the board.
    report : BuildReport
        Resources and timing. The caller checks `BuildReport.meets_timing`: a bitstream that is too
        slow with all seeds is returned nevertheless.

    Raises
    ------
    BuildError
        If a tool fails, for instance because the design does not fit.
    ValueError
        If no board has that name, or the board's row asks for clocks that cannot be made.
    toolchain.ToolMissing
        If a tool is missing.
    """
    board: BoardSpec = find_board(board_name)
    if locked:
        board = lock_board(board)
    toolchain.require_posix()
    hardware = hardware_of(board)
    folder = cache.directory(board.folder)
    bitstream, report = folder / f"{board.file_name}{hardware.suffix}", folder / "report.json"
    record_file = folder / _RECORD
    required = [t for t in create_platform(board).required_tools if t in toolchain.BUILDS]
    tools = toolchain.versions([tool for tool in required if tool in toolchain.MINIMUM_VERSION])
    programs = toolchain.identities([tool for tool in required if tool not in tools])
    pins = metadata.version("amaranth-boards")
    # Two keys: `sources` takes milliseconds and changes with every comment; `key` takes an
    # elaboration and changes only with the netlist, for which the tools run for minutes.
    sources = cache.text_digest(cache.build_digest(board).hex(), hardware, tools, programs, pins)
    with cache.locked(folder, progress):
        record = _intact_record(bitstream, progress)
        if record is None or record.sources != sources:
            progress(f"{board.name}: elaborating ...")
            # The device reports the digest of its own netlist. So the netlist is elaborated twice:
            # with zeros in place of the digest, and with the digest of that.
            plan = prepare(board, create_core(board, bytes(cache.BUILD_BYTES)))
            digest = cache.design_digest(plan)
            key = cache.text_digest(digest.hex(), tools, programs)
            if record is None or record.key != key:
                # A build that is interrupted must not be taken for the one on record.
                record_file.unlink(missing_ok=True)
                plan = prepare(board, create_core(board, digest))
                started = _tools_seconds()
                seed = _run_tools(plan, board, folder / "work", progress)
                seconds = round(_tools_seconds() - started, 1)
                shutil.copy(folder / "work" / f"{NAME}{hardware.suffix}", bitstream)
                shutil.copy(folder / "work" / "report.json", report)
                now = datetime.datetime.now(datetime.UTC).isoformat(" ", "minutes")
                record = BuildRecord(sources, key, digest.hex(), seed, {}, seconds, now, tools)
            else:
                progress(f"{board.name}: other sources, the same netlist: build {record.build}")
            # The programmer of some boards reads files of the build's own folder.
            work = re.findall(r"\{work\}/([\w.-]+)", " ".join(hardware.programmer))
            used = [bitstream.name, report.name, *(f"work/{name}" for name in work)]
            checksums = {name: _file_digest(folder / name) for name in used}
            record = replace(record, sources=sources, sha256=checksums)
            cache.write_atomically(record_file, json.dumps(asdict(record), indent=1).encode())
        else:
            progress(f"{board.name}: unchanged since the last build, {record.build}")
    return bitstream, BuildReport.load(report, board.clock_hz)


def _run_tools(plan: BuildPlan, board: BoardSpec, work: Path, progress: Progress) -> int:
    """Make the bitstream, and return the seed that it is placed with.

    The last seed's bitstream stays if none is fast enough.
    """
    seed = hardware_of(board).seed
    run_plan(plan, board.name, work, progress)
    for other in range(seed + 1, seed + MOST_SEEDS):
        report = BuildReport.load(work / "report.json", board.clock_hz)
        if report.meets_timing:
            break
        progress(
            f"{board.name}: too slow with seed {seed}, {report.achieved_mhz:.1f} MHz; trying seed "
            f"{other}"
        )
        placer, *packers = from_placing(work, other)
        try:
            run_stage(placer, board.name, work, progress)
        except PlacementError as error:
            # A full device may have no legal placement with one seed, and have one with the next.
            progress(str(error))
            continue
        for command in packers:
            run_stage(command, board.name, work, progress)
        seed = other
    return seed


def build_record(bitstream: Path) -> BuildRecord:
    """Read the record of a bitstream.

    Parameters
    ----------
    bitstream : Path
        As `build` returned it.

    Returns
    -------
    BuildRecord
        What is known of that bitstream.
    """
    return BuildRecord(**json.loads((bitstream.parent / _RECORD).read_text()))


def budget(bitstream: Path, report: BuildReport) -> PartBudget | None:
    """Count what the parts of a bitstream's design take of the device's logic cells.

    Parameters
    ----------
    bitstream, report
        As `build` returned them.

    Returns
    -------
    PartBudget or None
        The budget; None if somebody has removed the files that the tools left beside the bitstream.
    """
    try:
        return PartBudget.load(bitstream.parent / "work", report)
    except FileNotFoundError:
        return None


def last_build(board_name: str) -> str | None:
    """Look up the build that a device would report with the bitstream that was last built here.

    Parameters
    ----------
    board_name : str
        Name of a board; any other text is allowed, as a device may report it.

    Returns
    -------
    str or None
        `DeviceDescription.build` in hexadecimal; None if no bitstream was built, or if the one that
        was is damaged or too slow.
    """
    try:
        board = find_board(board_name)
    except ValueError:
        return None
    folder = cache.path(board.name)
    suffix = hardware_of(board).suffix
    record = _intact_record(folder / f"{board.file_name}{suffix}", lambda line: None)
    if record is None:
        return None
    try:
        report = BuildReport.load(folder / "report.json", board.clock_hz)
    except ValueError:
        return None  # the clock of the board's row has been changed since
    return record.build if report.meets_timing else None


def place(board_name: str, seed: int, progress: Progress = print) -> BuildReport:
    """Place and route the netlist of a bitstream with another seed, and leave the bitstream alone.

    How much the frequency differs between seeds shows how much of it is luck.

    Parameters
    ----------
    board_name : str
        Name of a board; its bitstream is built first if need be.
    seed : int
        Placement seed of nextpnr.
    progress : callable, optional
        Takes one line of text per stage.

    Returns
    -------
    BuildReport
        Resources and timing with that seed.

    Raises
    ------
    BuildError
        If nextpnr fails.
    """
    board = find_board(board_name)
    bitstream, _ = build(board_name, progress)
    folder = bitstream.parent
    report = folder / f"report-{build_record(bitstream).key}-{seed}.json"
    with cache.locked(folder, progress):
        if not report.exists():
            work = folder / "work"
            # The files get other names: the hashes of the bitstream's own files are on record.
            changes = {
                argument: f"seed-{argument}"
                for argument in ("report.json", *(f"{NAME}.{what}" for what in _PLACED))
            }
            placer, *_ = from_placing(work, seed)
            command = [changes.get(argument, argument) for argument in placer]
            run_stage(command, board.name, work, progress)
            shutil.copy(work / "seed-report.json", report)
    return BuildReport.load(report, board.clock_hz)


def _intact_record(bitstream: Path, progress: Progress) -> BuildRecord | None:
    """Read the record of a bitstream; None if there is none, or if a file was changed since."""
    try:
        record = build_record(bitstream)
        checksums = record.sha256.items()
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    for name, checksum in checksums:
        try:
            intact = _file_digest(bitstream.parent / name) == checksum
        except OSError:
            intact = False
        if not intact:
            progress(f"{name} is not what was built: it is missing, or its hash differs")
            return None
    return record


def _tools_seconds() -> float:
    """Return the processor time, in seconds, of all child processes that have ended."""
    # Imported late, as Windows lacks it, where nothing is built.
    import resource

    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, optional
        Without the program's name; by default those of the process.

    Returns
    -------
    int
        Exit status: 0 if the bitstream was built, and loaded if asked for, and meets its timing.
    """
    parser = argparse.ArgumentParser(
        prog="tensorspin_gateware.build.bitstream", description="Build the bitstream of a board."
    )
    parser.add_argument("board", help="name of a row of the board table")
    parser.add_argument("--program", action="store_true", help="load the bitstream afterwards")
    options = parser.parse_args(arguments)
    try:
        check_request(options.board, options.program)
        bitstream, report = build(options.board)
        print(report)
        parts = budget(bitstream, report)
        if parts is not None:
            print(parts)
        deliver(options.board, bitstream, report, options.program)
    except (BuildError, ProgramError, toolchain.ToolMissing, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
