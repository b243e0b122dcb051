"""Bitstreams: ``python -m tensorspin_gateware.build.bitstream BOARD [--program]``.

The result is ``build/BOARD/BOARD.bin`` or ``.bit``, with nextpnr's ``report.json`` beside it. It is
built anew only if the netlist, the tools' options or their versions have changed. No programmer is
needed to build.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import re
import resource
import shutil
import sys
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path

from amaranth.build.run import BuildPlan
from amaranth.hdl import ClockDomain, Elaboratable, Module
from amaranth.lib import io, wiring

from tensorspin.contract.device import boards
from tensorspin.contract.device.boards import BoardSpec, find_board

from ..accelerator import Accelerator
from ..boards import HARDWARE, create_platform, oscillator_hz
from ..link.uart import UARTReceiver, UARTTransmitter
from ..primitives.pll import ClockGenerator
from . import cache, toolchain
from .programmer import ProgramError, program
from .report import MARGIN, BuildReport
from .stages import NAME, BuildError, PlacementError, Progress, from_placing, run_plan, run_stage

MOST_SEEDS = 5
"""So many are tried for a bitstream: the row's own, and those behind it. The row's was enough when
the board was recorded; with other versions of the tools each seed is a new throw of the dice."""

_RECORD = "build.json"
_PLACED = ("asc", "config", "tim")
"""Suffixes of what nextpnr writes besides its report."""


class BoardTop(Elaboratable):
    """A byte stream in, a byte stream out, and the serial line of a board between them.

    Parameters
    ----------
    board : BoardSpec
    core : amaranth.lib.wiring.Component
        With byte streams `rx` (in) and `tx` (out), such as `Accelerator`.

    Raises
    ------
    ValueError
        When elaborated, if the board's clock cannot be made from its oscillator, or the baud rate
        from its clock.
    """

    def __init__(self, board: BoardSpec, core: wiring.Component) -> None:
        self._board = board
        self._core = core

    def elaborate(self, platform) -> Module:
        board = self._board
        hardware = HARDWARE[board.name]
        m = Module()
        provided = oscillator_hz(platform)
        if provided != board.clock_hz:
            m.domains.sync = ClockDomain()
            m.submodules.clock = ClockGenerator(
                hardware.family,
                platform.request(platform.default_clk, dir="-"),
                provided,
                board.clock_hz,
                hardware.pll_pad,
            )
        pins = platform.request("uart", 0, dir="-")
        m.submodules.rx_pin = rx_pin = io.Buffer("i", pins.rx)
        m.submodules.tx_pin = tx_pin = io.Buffer("o", pins.tx)
        m.submodules.receiver = receiver = UARTReceiver(board.clock_hz, board.baud)
        m.submodules.transmitter = transmitter = UARTTransmitter(board.clock_hz, board.baud)
        m.submodules.core = core = self._core
        wiring.connect(m, receiver.data, core.rx)
        wiring.connect(m, core.tx, transmitter.data)
        m.d.comb += [receiver.line.eq(rx_pin.i), tx_pin.o.eq(transmitter.line)]
        return m


@dataclass(frozen=True)
class BuildRecord:
    """What is known of a bitstream that was built; kept beside it.

    Attributes
    ----------
    sources : str
        Digest of all that the netlist is made from.
    key : str
        Digest of netlist, tools and their options.
    build : str
        What the device will tell as `DeviceDescription.build`, in hexadecimal.
    seed : int
        The one it was placed with: the first of `MOST_SEEDS` that was fast enough.
    sha256 : dict of str to str
        Of the files that are used later, by their paths in the build's folder: bitstream, report,
        and what the programmer takes.
    seconds : float
        Processor time of the tools: what else the computer does hardly matters.
    finished : str
        Date and time (UTC).
    tools : dict of str to str
        Their versions.
    """

    sources: str
    key: str
    build: str
    seed: int
    sha256: dict[str, str]
    seconds: float
    finished: str
    tools: dict[str, str]


def build(board_name: str, progress: Progress = print) -> tuple[Path, BuildReport]:
    """Bitstream and report of a board, built if need be; `build_record` tells more.

    If it is too slow, it is placed with other seeds.

    Parameters
    ----------
    board_name : str
        As in `tensorspin.contract.device.boards`.
    progress : callable, optional
        Takes one line per stage.

    Raises
    ------
    BuildError
        If a tool fails, for one because the design does not fit.
    ValueError
        If no board has that name, or the board's row asks for clocks that cannot be made.
    toolchain.ToolMissing
        If a tool is missing.
    """
    board = find_board(board_name)
    hardware = HARDWARE[board.name]
    folder = cache.directory(board.name)
    bitstream, report = folder / f"{board.name}{hardware.suffix}", folder / "report.json"
    record_file = folder / _RECORD
    required = [t for t in create_platform(board).required_tools if t in toolchain.BUILDS]
    tools = toolchain.versions([tool for tool in required if tool in toolchain.MINIMUM_VERSION])
    programs = toolchain.identities([tool for tool in required if tool not in tools])
    pins = metadata.version("amaranth-boards")
    sources = cache.text_digest(cache.build_digest(board).hex(), hardware, tools, programs, pins)
    with cache.locked(folder, progress):
        record = _intact_record(bitstream, progress)
        if record is None or record.sources != sources:
            progress(f"{board.name}: elaborating ...")
            digest = design_digest(prepare(board, Accelerator(board, bytes(8), hardware.family)))
            key = cache.text_digest(digest.hex(), tools, programs)
            if record is None or record.key != key:
                record_file.unlink(missing_ok=True)
                plan = prepare(board, Accelerator(board, digest, hardware.family))
                started = _tools_seconds()
                seed = _run_tools(plan, board, folder / "work", progress)
                seconds = round(_tools_seconds() - started, 1)
                shutil.copy(folder / "work" / f"{NAME}{hardware.suffix}", bitstream)
                shutil.copy(folder / "work" / "report.json", report)
                now = datetime.datetime.now(datetime.UTC).isoformat(" ", "minutes")
                record = BuildRecord(sources, key, digest.hex(), seed, {}, seconds, now, tools)
            else:
                progress(f"{board.name}: other sources, the same netlist: build {record.build}")
            work = re.findall(r"\{work\}/([\w.-]+)", " ".join(hardware.programmer))
            used = [bitstream.name, report.name, *(f"work/{name}" for name in work)]
            checksums = {name: _file_digest(folder / name) for name in used}
            record = replace(record, sources=sources, sha256=checksums)
            cache.write_atomically(record_file, json.dumps(asdict(record), indent=1).encode())
        else:
            progress(f"{board.name}: unchanged since the last build, {record.build}")
    return bitstream, BuildReport.load(report, board.clock_hz)


def _run_tools(plan: BuildPlan, board: BoardSpec, work: Path, progress: Progress) -> int:
    """Make the bitstream; returns the seed that it is placed with."""
    seed = HARDWARE[board.name].seed
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
            progress(str(error))
            continue
        for command in packers:
            run_stage(command, board.name, work, progress)
        seed = other
    return seed


def build_record(bitstream: Path) -> BuildRecord:
    """What is known of a bitstream that `build` gave."""
    return BuildRecord(**json.loads((bitstream.parent / _RECORD).read_text()))


def last_build(board_name: str) -> str | None:
    """What a device tells of itself with the bitstream that was last built here.

    None if none was, or if it is not usable.
    """
    if board_name not in HARDWARE:
        return None
    folder = cache.path(board_name)
    record = _intact_record(
        folder / f"{board_name}{HARDWARE[board_name].suffix}", lambda line: None
    )
    if record is None:
        return None
    try:
        report = BuildReport.load(folder / "report.json", find_board(board_name).clock_hz)
    except ValueError:
        return None  # the board's clock has been changed since
    return record.build if report.meets_timing else None


def place(board_name: str, seed: int, progress: Progress = print) -> BuildReport:
    """Place and route a netlist that `build` has made with another seed; the bitstream stays.

    Parameters
    ----------
    board_name : str
    seed : int
    progress : callable, optional
        As of `build`.

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
            changes = {
                argument: f"seed-{argument}"
                for argument in ("report.json", *(f"{NAME}.{what}" for what in _PLACED))
            }
            placer, *_ = from_placing(work, seed)
            command = [changes.get(argument, argument) for argument in placer]
            run_stage(command, board.name, work, progress)
            shutil.copy(work / "seed-report.json", report)
    return BuildReport.load(report, board.clock_hz)


def prepare(board: BoardSpec, core: wiring.Component) -> BuildPlan:
    """Elaborate a board's design: files and commands of its build.

    Parameters
    ----------
    board : BoardSpec
    core : amaranth.lib.wiring.Component
        As of `BoardTop`.

    Raises
    ------
    BuildError
        If the environment overrides options, as Amaranth lets it.
    """
    hardware = HARDWARE[board.name]
    overrides = [name for name in os.environ if re.match("AMARANTH_[a-z]", name)]
    if overrides:
        raise BuildError(
            f"{', '.join(overrides)} would change the build behind its back: unset in the "
            f"environment, and change boards.py instead"
        )
    return create_platform(board).prepare(
        BoardTop(board, core),
        NAME,
        emit_src=False,
        script_after_read=hardware.before_synthesis,
        script_after_synth=hardware.after_synthesis,
        synth_opts=hardware.synth_options,
        # A design that is too slow is still reported, not refused half-way.
        nextpnr_opts=f"{hardware.place_options} --freq {board.clock_hz / 1e6} "
        f"--timing-allow-fail --report report.json",
    )


def design_digest(plan: BuildPlan) -> bytes:
    """`cache.BUILD_BYTES` bytes that tell a design from others: netlist, pins and tools' options.

    They do not cover the versions of the tools: the same netlist behaves the same, whoever places
    it.
    """
    digest = hashlib.sha256()
    for name, content in sorted(plan.files.items()):
        data = content.encode() if isinstance(content, str) else content
        digest.update(f"{name} {len(data)}\n".encode() + data)
    return digest.digest()[: cache.BUILD_BYTES]


def _intact_record(bitstream: Path, progress: Progress) -> BuildRecord | None:
    """The record of the bitstream that is there; None if there is none, or a file was changed."""
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
    """Processor time of all tools that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """Command line; 0 if the design meets its timing."""
    parser = argparse.ArgumentParser(
        prog="tensorspin_gateware.build.bitstream", description="Bitstreams."
    )
    parser.add_argument("board", help="name of a row of the board table")
    parser.add_argument("--program", action="store_true", help="load the bitstream afterwards")
    options = parser.parse_args(arguments)
    try:
        if options.program:
            toolchain.require(HARDWARE[find_board(options.board).name].programmer[0])
        bitstream, report = build(options.board)
        print(report)
        if not report.meets_timing:
            print(
                f"{options.board}: too slow, {report.achieved_mhz:.1f} MHz for a clock of "
                f"{report.required_mhz:.1f} MHz and {MARGIN:.0%} more, with the last of "
                f"{MOST_SEEDS} seeds; not usable. Lower clock_hz in its row of {boards.__file__}, "
                f"or take the tools that docs/boards.md names",
                file=sys.stderr,
            )
            return 1
        print(f"bitstream: {os.path.relpath(bitstream)}")
        if options.program:
            program(options.board, bitstream)
    except (BuildError, ProgramError, toolchain.ToolMissing, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
