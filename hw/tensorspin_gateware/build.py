"""Bitstreams: ``python -m tensorspin_gateware.build BOARD [--program]``.

The result is ``build/BOARD/BOARD.bin`` or ``.bit``, with nextpnr's ``report.json`` beside it. It is
built anew only if sources, options or tools have changed. No programmer is needed to build.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from amaranth.build.run import LocalBuildProducts
from amaranth.hdl import ClockDomain, Elaboratable, Module
from amaranth.lib import io, wiring

from tensorspin.contract.boards import BOARDS, Board, find_board

from . import cache, toolchain
from .accelerator import Accelerator
from .boards import HARDWARE, create_platform, oscillator_hz
from .link.uart import UARTReceiver, UARTTransmitter
from .primitives.pll import ClockGenerator
from .report import BuildReport

_NAME = "top"
_ALIVE_SECONDS = 5
"""Time between two signs of life of a tool that takes minutes."""

Progress = Callable[[str], None]


class BuildError(RuntimeError):
    """A tool failed; the message ends with what it said."""


class BoardTop(Elaboratable):
    """A byte stream in, a byte stream out, and the serial line of a board between them.

    Parameters
    ----------
    board : Board
    core : amaranth.lib.wiring.Component
        With byte streams `rx` (in) and `tx` (out), such as `Accelerator`.

    Raises
    ------
    ValueError
        When elaborated, if the board's clock cannot be made from its oscillator, or the baud rate
        from its clock.
    """

    def __init__(self, board: Board, core: wiring.Component) -> None:
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


def build(board_name: str, progress: Progress = print) -> tuple[Path, BuildReport]:
    """Bitstream and report of a board, built if need be.

    Parameters
    ----------
    board_name : str
        As in `tensorspin.contract.boards`.
    progress : callable, optional
        Takes one line per stage.

    Raises
    ------
    BuildError
        If a tool fails, for one because the design does not fit.
    ValueError
        If the board's row asks for clocks that cannot be made.
    toolchain.ToolMissing
        If a tool is missing.
    """
    board = find_board(board_name)
    hardware = HARDWARE[board.name]
    folder = cache.directory(board.name)
    bitstream, report = folder / f"{board.name}{hardware.suffix}", folder / "report.json"
    key_file = folder / "key"
    digest = cache.build_digest(board)
    key = cache.text_digest(digest.hex(), hardware, sorted(toolchain.versions().items()))
    with cache.locked(folder):
        if key_file.exists() and key_file.read_text() == key:
            progress(f"{board.name}: unchanged since the last build, {digest.hex()}")
        else:
            key_file.unlink(missing_ok=True)
            top = BoardTop(board, Accelerator(board, digest, family=hardware.family))
            _run_tools(board, top, folder / "work", progress)
            shutil.copy(folder / "work" / f"{_NAME}{hardware.suffix}", bitstream)
            shutil.copy(folder / "work" / "report.json", report)
            cache.write_atomically(key_file, key.encode())
    return bitstream, BuildReport.load(report, board.clock_hz)


def program(board_name: str, bitstream: Path, progress: Progress = print) -> None:
    """Load a bitstream that `build` gave."""
    board = find_board(board_name)
    tool = HARDWARE[board.name].programmer
    toolchain.require(tool)
    progress(f"{board.name}: loading with {tool}")
    # The platform wants a folder with a file of the name that it was built under.
    products = LocalBuildProducts(str(bitstream.parent / "work"))
    create_platform(board).toolchain_program(products, _NAME)


def _run_tools(board: Board, top: Elaboratable, folder: Path, progress: Progress) -> None:
    """Elaborate, synthesise, place and route, pack."""
    hardware = HARDWARE[board.name]
    platform = create_platform(board)
    env = toolchain.environment()
    started = time.monotonic()
    plan = platform.prepare(
        top,
        _NAME,
        emit_src=False,
        script_after_read=hardware.before_synthesis,
        script_after_synth=hardware.after_synthesis,
        synth_opts=hardware.synth_options,
        # A design that is too slow is still reported, not refused half-way.
        nextpnr_opts=f"{hardware.place_options} --freq {board.clock_hz / 1e6} "
        f"--timing-allow-fail --report report.json",
    )
    plan.extract(str(folder))
    progress(f"{board.name}: elaborated ({time.monotonic() - started:.1f} s)")
    # Stage by stage instead of by the plan's script, to tell how far it is.
    commands = [
        command
        for command in json.loads(plan.files[f"build_{_NAME}.json"])["commands"]
        if command[0] in toolchain.BUILDS  # some platforms go on to prepare for their programmer
    ]
    for tool, *_ in commands:
        toolchain.require(tool)
    for tool, *arguments in commands:
        stage = f"{board.name}: {tool}"
        progress(f"{stage} ...")
        stage_started = time.monotonic()
        command = [env[tool.upper().replace("-", "_")], *arguments]
        returncode, output = _run_tool(command, folder, env, stage, progress)
        if returncode != 0:
            end = "\n".join(output.splitlines()[-20:])
            raise BuildError(f"{stage} failed (logs in {folder}):\n{end}")
        progress(f"{stage} done ({time.monotonic() - stage_started:.1f} s)")


def _run_tool(
    command: list[str], folder: Path, env: dict[str, str], stage: str, progress: Progress
) -> tuple[int, str]:
    """Return code and output; while the tool runs, `progress` is told so."""
    # A file, since a pipe that nobody empties would block the tool.
    with tempfile.TemporaryFile(mode="w+") as output:
        with subprocess.Popen(
            command, cwd=folder, env=env, stdout=output, stderr=subprocess.STDOUT
        ) as process:
            started = time.monotonic()
            while True:
                try:
                    process.wait(_ALIVE_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    progress(f"{stage} ... {time.monotonic() - started:.0f} s")
        output.seek(0)
        return process.returncode, output.read()


def main(arguments: list[str] | None = None) -> int:
    """Command line; 0 if the design meets its timing."""
    parser = argparse.ArgumentParser(prog="tensorspin_gateware.build", description="Bitstreams.")
    parser.add_argument("board", choices=sorted(BOARDS))
    parser.add_argument("--program", action="store_true", help="load the bitstream afterwards")
    options = parser.parse_args(arguments)
    try:
        bitstream, report = build(options.board)
        print(report)
        if not report.meets_timing:
            print(f"{options.board}: too slow for the board's clock; not usable", file=sys.stderr)
            return 1
        print(f"bitstream: {os.path.relpath(bitstream)}")
        if options.program:
            program(options.board, bitstream)
    except (BuildError, toolchain.ToolMissing, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"{options.board}: loading failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
