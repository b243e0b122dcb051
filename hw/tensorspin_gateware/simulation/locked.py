"""A virtual board whose contractor is locked: it is given its key when it is made."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tensorspin.contract.contractor.lock import LockKey
from tensorspin.contract.device.boards import BoardSpec
from tensorspin.contract.device.locked import LockedBoard

from .compilation import Progress
from .simulator import VirtualBoard, board_library

if TYPE_CHECKING:  # A simulator that is kept starts without Amaranth.
    from ..accelerator import Accelerator

WRAPPER = Path(__file__).with_suffix(".cpp")
"""C++ source that sets the key; it is compiled with Verilator's output."""


class LockedVirtualBoard(VirtualBoard):
    """A virtual board with a key.

    Parameters
    ----------
    library : Path
        A simulator that was compiled with `WRAPPER`.
    clock_hz : int
        Frequency in Hz of the clock that the real board has.
    key : LockKey
        The key.

    Attributes
    ----------
    clock_hz, cycles : int
        As of `VirtualBoard`.
    """

    def __init__(self, library: Path, clock_hz: int, key: LockKey) -> None:
        self._record = key.record()
        super().__init__(library, clock_hz)

    def _create(self) -> int:
        create = self._library.locked_create
        create.argtypes, create.restype = [ctypes.c_char_p, ctypes.c_size_t], ctypes.c_void_p
        return create(self._record, len(self._record))


def locked_device(board: BoardSpec) -> Callable[[bytes], Accelerator]:
    """Give what makes a locked board's device without its pins.

    Parameters
    ----------
    board : BoardSpec
        Row with a locked contractor.

    Returns
    -------
    callable
        Takes the digest of the build, of `BUILD_BYTES` bytes, and returns the component.
    """

    def component(build: bytes) -> Accelerator:
        # Imported when something must be built.
        from ..accelerator import Accelerator

        return Accelerator(board, build, key_port=True)

    return component


def load(board: LockedBoard, key: LockKey, progress: Progress | None = None) -> LockedVirtualBoard:
    """Make a virtual board; build its simulator first if the sources have changed.

    Parameters
    ----------
    board : LockedBoard
        The board.
    key : LockKey
        Its key, which is kept nowhere.
    progress : callable, optional
        As for `tensorspin_gateware.simulation.simulator.load`.

    Returns
    -------
    LockedVirtualBoard
        The board, fresh from its reset.

    Raises
    ------
    SimulatorError, toolchain.ToolMissing
        As there.
    """
    board = replace(board, key_file="")  # one simulator serves all keys
    library = board_library(board, locked_device(board), WRAPPER, progress)
    return LockedVirtualBoard(library, board.clock_hz, key)
