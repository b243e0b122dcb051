"""Bitstreams: ``python -m tensorspin_gateware.build BOARD [--program]``.

The result is ``build/BOARD/BOARD.bin``, with nextpnr's ``report.json`` beside it. It is built anew
only if sources, options or tools have changed. No programmer is needed to build.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from amaranth.build.run import LocalBuildProducts
from amaranth.hdl import Elaboratable, Module
from amaranth.lib import io, wiring

from tensorspin.contract.boards import BOARDS, Board, find_board

from . import cache, toolchain
from .accelerator import Accelerator
from .boards import HARDWARE, create_platform
from .link.uart import UARTReceiver, UARTTransmitter
from .report import BuildReport

_NAME = "top"

Progress = Callable[[str], None]


class BuildError(RuntimeError):
    """A tool failed; the message ends with what it said."""


class BoardTop(Elaboratable):
    """The accelerator with its serial line on a board's pins."""

    def __init__(self, board: Board, build: bytes) -> None:
        self._board = board
        self._build = build

    def elaborate(self, platform) -> Module:
        board = self._board
        hardware = HARDWARE[board.name]
        m = Module()
        pins = platform.request("uart", hardware.uart, dir="-")
        m.submodules.rx_pin = rx_pin = io.Buffer("i", pins.rx)
        m.submodules.tx_pin = tx_pin = io.Buffer("o", pins.tx)
        m.submodules.receiver = receiver = UARTReceiver(board.clock_hz, board.baud)
        m.submodules.transmitter = transmitter = UARTTransmitter(board.clock_hz, board.baud)
        m.submodules.accelerator = accelerator = Accelerator(
            board, self._build, family=hardware.family
        )
        wiring.connect(m, receiver.data, accelerator.rx)
        wiring.connect(m, accelerator.tx, transmitter.data)
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
    toolchain.ToolMissing
        If a tool is missing.
    """
    board = find_board(board_name)
    hardware = HARDWARE[board.name]
    folder = cache.directory(board.name)
    bitstream, report = folder / f"{board.name}.bin", folder / "report.json"
    key_file = folder / "key"
    digest = cache.build_digest(board)
    key = cache.text_digest(digest.hex(), hardware, sorted(toolchain.versions().items()))
    with cache.locked(folder):
        if key_file.exists() and key_file.read_text() == key:
            progress(f"{board.name}: unchanged since the last build, {digest.hex()}")
        else:
            key_file.unlink(missing_ok=True)
            _run_tools(board, BoardTop(board, digest), folder / "work", progress)
            shutil.copy(folder / "work" / f"{_NAME}.bin", bitstream)
            shutil.copy(folder / "work" / "report.json", report)
            cache.write_atomically(key_file, key.encode())
    return bitstream, BuildReport.load(report)


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
    for tool in platform.required_tools:
        toolchain.require(tool)
    started = time.monotonic()
    plan = platform.prepare(
        top,
        _NAME,
        emit_src=False,
        synth_opts=hardware.synth_options,
        # A design that is too slow is still reported, not refused half-way.
        nextpnr_opts=f"{hardware.place_options} --freq {board.clock_hz / 1e6} "
        f"--timing-allow-fail --report report.json",
    )
    plan.extract(str(folder))
    progress(f"{board.name}: elaborated ({time.monotonic() - started:.1f} s)")
    # Stage by stage instead of by the plan's script, to tell how far it is.
    for tool, *arguments in json.loads(plan.files[f"build_{_NAME}.json"])["commands"]:
        progress(f"{board.name}: {tool} ...")
        stage_started = time.monotonic()
        answer = subprocess.run(
            [env[tool.upper().replace("-", "_")], *arguments],
            cwd=folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if answer.returncode != 0:
            end = "\n".join(answer.stdout.splitlines()[-20:])
            raise BuildError(f"{board.name}: {tool} failed (logs in {folder}):\n{end}")
        progress(f"{board.name}: {tool} done ({time.monotonic() - stage_started:.1f} s)")


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
