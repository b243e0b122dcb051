"""Hands over a bitstream: copies it, and loads it into a board with the board's own tool."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from tensorspin.contract.device import boards
from tensorspin.contract.device.boards import find_board

from ..boards import hardware_of
from . import cache, toolchain
from .report import MARGIN, MOST_SEEDS, BuildReport
from .stages import Progress
from .top import BuildError

_STANDARD_ERROR = 2
"""The file descriptor of standard error."""


class ProgramError(RuntimeError):
    """The programmer failed; the message has its command, and names what to check."""


def check_request(board_name: str, load: bool = False, output: Path | None = None) -> None:
    """Refuse what cannot be done with a bitstream, before the minutes that it takes to build it.

    Parameters
    ----------
    board_name, load, output
        As for `deliver`.

    Raises
    ------
    OSError
        If `output` is no folder that can be written to.
    ValueError
        If no board has that name.
    toolchain.ToolMissing
        If the programmer is missing.
    """
    board = find_board(board_name)
    if output is not None and not (output.is_dir() and os.access(output, os.W_OK | os.X_OK)):
        raise OSError(f"--output must be a folder that can be written to, not {output}")
    if load:
        toolchain.require(hardware_of(board).programmer[0])


def deliver(
    board_name: str,
    bitstream: Path,
    report: BuildReport,
    load: bool = False,
    output: Path | None = None,
    progress: Progress = print,
) -> Path:
    """Hand over a bitstream that is fast enough: name it, copy it, load it into the board.

    Parameters
    ----------
    board_name : str
        Name of a row of the board table.
    bitstream, report
        As `tensorspin_gateware.build.bitstream.build` returned them.
    load : bool
        Whether to load the bitstream into the board.
    output : Path, optional
        Existing folder to copy the bitstream to.
    progress : callable, optional
        Takes lines of text.

    Returns
    -------
    Path
        The copy, or the bitstream itself if it is not copied.

    Raises
    ------
    BuildError
        If the bitstream is too slow for the board's clock.
    ProgramError
        If it cannot be loaded.
    """
    if not report.meets_timing:
        raise BuildError(
            f"{board_name}: too slow, {report.achieved_mhz:.1f} MHz for a clock of "
            f"{report.required_mhz:.1f} MHz and {MARGIN:.0%} more, with the last of "
            f"{MOST_SEEDS} seeds; not usable. Lower clock_hz in its row of {boards.__file__}, "
            f"or take the tools that docs/boards.md names"
        )
    delivered = bitstream
    if output is not None:
        delivered = output / bitstream.name
        cache.write_atomically(delivered, bitstream.read_bytes())
    progress(f"bitstream: {_short(delivered)}")
    if load:
        # Not the copy: some programmers read other files of the build's own folder.
        program(board_name, bitstream, progress)
    return delivered


def program(board_name: str, bitstream: Path, progress: Progress = print) -> None:
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
    hardware = hardware_of(board)
    command = [
        part.format(bitstream=bitstream, work=bitstream.parent / "work")
        for part in hardware.programmer
    ]
    command[0] = toolchain.require(command[0])
    shown = shlex.join(command)
    if hardware.notes:
        progress(f"{board.title}: {hardware.notes}")
    progress(f"{board.name}: {shown}")
    # The tool writes to the terminal itself, since it shows there how far it is: to standard error,
    # as standard output may be a document for programs.
    try:
        status = subprocess.run(command, stdout=_STANDARD_ERROR, check=False).returncode
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
    if hardware.spi is not None:
        progress(f"{board.title}: SPI is on {hardware.spi.where}")
        return  # no serial port leads to it
    driver = _command()
    progress(f"`{driver} ports` lists serial ports; `{driver} info PORT` talks to the board")


def _short(path: Path) -> str:
    """Show a path from the current folder if it is below that, and whole otherwise."""
    relative = os.path.relpath(path)
    return str(path.absolute()) if relative.startswith(os.pardir) else relative


def _command() -> str:
    """Return how the user can call the driver's command line from the current folder."""
    command = Path(sys.executable).with_name("tensorspin")
    if shutil.which(command.name) == str(command):
        return command.name
    return os.path.relpath(command) if command.exists() else command.name
