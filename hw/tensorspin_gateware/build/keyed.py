"""Gives a locked bitstream its key, after place and route: so no build, cache or digest holds one.

The design has been placed with a key that everybody knows and that activates nothing
(`tensorspin_gateware.router.lock.microcode.content`). That key lies in a block RAM together with
the microcode, by which the block RAM is found in the placed design. Its content is replaced there
(`tensorspin_gateware.build.placed_memory`), and the design is packed again, in a folder that is
removed afterwards. Project IceStorm's icebram does the like for programs of processors.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tensorspin.contract.contractor.lock import LockKey
from tensorspin.contract.device.boards import BoardSpec, find_board
from tensorspin.contract.device.locked import lock_board

from ..boards import hardware_of
from ..primitives import Family
from ..router.lock.microcode import content
from .placed_memory import PLACED, replace_words
from .records import COLUMNS, MOST_LUTS
from .report import BuildReport
from .stages import Progress, packing_commands, run_stage
from .top import NAME, BuildError

LOCKED_LUTS = {Family.ICE40UP: 0.92}
"""Greatest share of the look-up tables that a locked design may use, where that is more than
`MOST_LUTS`: its clock is slower, too."""


def check_lockable(board_name: str) -> None:
    """Refuse a board that cannot be built with a lock, before the minutes that a build takes.

    Parameters
    ----------
    board_name : str
        Name of a row of the board table.

    Raises
    ------
    ValueError
        If no board has that name, it has no contractor or one that cannot be locked, or its FPGA is
        none whose bitstreams can be given a key.
    """
    board = find_board(board_name)
    if board.contractor is None:
        raise ValueError(f"{board.owner} has no contractor, which alone can be locked")
    if hardware_of(board).family not in PLACED:
        raise ValueError(
            f"{board_name} cannot be locked: keys are put into the block RAM of iCE40 UltraPlus "
            f"and ECP5 alone"
        )
    lock_board(board)


def check_room(board_name: str, report: BuildReport) -> None:
    """Refuse a locked design that breaks the rule for bitstreams.

    Parameters
    ----------
    board_name : str
        Name of a row of the board table.
    report : BuildReport
        As `tensorspin_gateware.build.bitstream.build` returned it.

    Raises
    ------
    BuildError
        If it takes more look-up tables than a bitstream may.
    """
    most = LOCKED_LUTS.get(hardware_of(find_board(board_name)).family, MOST_LUTS)
    used, available = next(report.used[name] for name in COLUMNS["LUTs"] if name in report.used)
    if used > most * available:
        raise BuildError(
            f"{board_name} with a lock takes {used} of {available} look-up tables, "
            f"{used / available:.1%}; a locked one may take {most:.0%} (docs/security.md), so "
            f"that it can be placed with other seeds and versions of the tools, too"
        )


def put_key(
    bitstream: Path,
    board_name: str,
    key: LockKey,
    output: Path | None = None,
    progress: Progress = print,
) -> Path:
    """Make a bitstream with a key of one without.

    Parameters
    ----------
    bitstream : Path
        As `tensorspin_gateware.build.bitstream.build` returned it for a locked board.
    board_name : str
        Name of a row of the board table.
    key : LockKey
        The key.
    output : Path, optional
        Existing folder for the bitstream with the key; by default it stands beside the other one.
    progress : callable, optional
        Takes lines of text.

    Returns
    -------
    Path
        The bitstream with the key, which its owner alone may read.

    Raises
    ------
    BuildError
        If the placed design is not that of a locked board, or a tool fails.
    OSError
        If something cannot be written.
    """
    board: BoardSpec = find_board(board_name)
    work = bitstream.parent / "work"
    family = hardware_of(board).family
    placed = PLACED[family].file
    text = replace_key((work / placed).read_text(), family, key)
    target = (output or bitstream.parent) / f"{board.file_name}-keyed{bitstream.suffix}"
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / placed).touch(mode=0o600)
        (place / placed).write_text(text)
        for command in packing_commands(work):
            run_stage(command, board_name, place, progress)
        made = (place / f"{NAME}{bitstream.suffix}").read_bytes()
    target.unlink(missing_ok=True)
    # It never has other permissions, not even for a moment.
    with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(made)
    return target


def replace_key(placed: str, family: Family, key: LockKey) -> str:
    """Replace the key that everybody knows in a placed design.

    Parameters
    ----------
    placed : str
        Text of the placed design, as nextpnr writes it.
    family : Family
        Family of the FPGA, a key of `placed_memory.PLACED`.
    key : LockKey
        The key.

    Returns
    -------
    str
        The design with the key.

    Raises
    ------
    BuildError
        If there is not exactly one block RAM with the microcode of a lock and that key.
    """
    return replace_words(placed, family, content(), content(key.record()))
