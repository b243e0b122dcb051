"""Loads a bitstream into a board, with the board's own tool."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tensorspin.contract.device.boards import find_board

from ..boards import HARDWARE
from . import toolchain


class ProgramError(RuntimeError):
    """The programmer failed; the message has its command, and names what to check."""


def program(board_name: str, bitstream: Path, progress: Callable[[str], None] = print) -> None:
    """Load a bitstream into a board that is connected.

    Parameters
    ----------
    board_name : str
        Name of a row of the board table; its hardware row names the programmer and its arguments.
    bitstream : Path
        As `tensorspin_gateware.build.bitstream.build` returned it.
    progress : callable, optional
        Takes lines of text: notes on the board, the command, and what to do next.

    Raises
    ------
    ProgramError
        If the tool fails.
    toolchain.ToolMissing
        If the tool is not installed.
    """
    board = find_board(board_name)
    hardware = HARDWARE[board.name]
    command = [
        part.format(bitstream=bitstream, work=bitstream.parent / "work")
        for part in hardware.programmer
    ]
    command[0] = toolchain.require(command[0])
    shown = shlex.join(command)
    if hardware.notes:
        progress(f"{board.title}: {hardware.notes}")
    progress(f"{board.name}: {shown}")
    # The tool writes to the terminal itself, since it shows there how far it is.
    try:
        status = subprocess.run(command, check=False).returncode
    except OSError as error:
        raise ProgramError(f"{board.name}: {command[0]} can't be run: {error}") from error
    if status != 0:
        raise ProgramError(
            f"{board.name}: loading failed, status {status}. The command was:\n"
            f"    {shown}\n"
            f"Is the board connected and powered? If the tool had no permission to use it: "
            f"`{_command()} udev`\nprints rules for udev, and says where they belong; then plug "
            f"the board in again."
        )
    if hardware.uart is not None:
        progress(f"{board.title}: the UART is on {hardware.uart.where}")
    driver = _command()
    progress(f"`{driver} ports` lists serial ports; `{driver} info PORT` talks to the board")


def _command() -> str:
    """Return how the user can call the driver's command line from the current folder."""
    command = Path(sys.executable).with_name("tensorspin")
    return os.path.relpath(command) if command.exists() else command.name
