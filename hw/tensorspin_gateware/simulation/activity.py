"""A virtual board that counts how often its signals change: activity, idle and at work.

Much of what a circuit draws it draws when a wire changes its level. So the number of changes a
cycle, idle beside busy, tells how much of the circuit rests while nothing is asked of it. It is no
measure of power: wires differ in length and load, clocks and what leaks are left out, and so is the
serial line, which a virtual board does not have.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tensorspin.contract.device.boards import find_board

from .compilation import Progress
from .simulator import VirtualBoard, board_library, device_of

WRAPPER = Path(__file__).with_suffix(".cpp")
"""C++ source that counts; it is compiled with Verilator's output."""

OPTIONS = ("--trace-vcd", "--output-split", "20000", "--inline-mult", "1000000")
"""More options for Verilator: it reports all changes; several files compile faster than one; and
instances share nothing, so that a wire through several of them is one signal."""

REST = "accelerator"
"""Part to which signals between the link, the router and the engines belong."""

_NOT_COUNTED = {"clk"}
"""Name of the signal that is left out. The clock changes whatever the circuit does."""


class CountedBoard(VirtualBoard):
    """A virtual board whose changes of signals can be counted.

    Parameters
    ----------
    library : Path
        A simulator that was compiled with `WRAPPER` and `OPTIONS`.
    clock_hz : int
        Frequency in Hz of the clock that the real board has.

    Attributes
    ----------
    clock_hz, cycles : int
        As of `VirtualBoard`.
    """

    def _create(self) -> int:
        library = self._library
        library.activity_create.restype = ctypes.c_void_p
        library.activity_count.argtypes = [ctypes.c_void_p, ctypes.c_int]
        library.activity_count.restype = None
        library.activity_report.argtypes = [ctypes.c_void_p]
        library.activity_report.restype = ctypes.c_char_p
        return library.activity_create()

    @contextlib.contextmanager
    def counting(self) -> Iterator[None]:
        """Count the changes during a ``with`` block; `toggles` gives them afterwards.

        Yields
        ------
        None
            The block runs cycles of the board.
        """
        self._library.activity_count(self._handle, True)
        try:
            yield
        finally:
            self._library.activity_count(self._handle, False)

    def toggles(self) -> dict[str, int]:
        """Give the changes of the last block of `counting`.

        A signal that several components share counts once, for the innermost of them. Each bit
        counts by itself. What a memory holds is not counted, what it reads is.

        Returns
        -------
        dict of str to int
            Changes of the levels of all bits, by the part of the device, such as ``"link"``.
        """
        return _by_part(self._library.activity_report(self._handle).decode())


def load(board_name: str, progress: Progress | None = None) -> CountedBoard:
    """Make a virtual board that counts; build its simulator first if the sources have changed.

    Parameters
    ----------
    board_name : str
        Name of a row of `tensorspin.contract.device.boards`.
    progress : callable, optional
        Takes one line of text per step of a build; without it they go to standard error.

    Returns
    -------
    CountedBoard
        The board, fresh from its reset.

    Raises
    ------
    ValueError
        If no board has that name.
    SimulatorError
        If the simulator cannot be compiled.
    toolchain.ToolMissing
        If a tool is missing; the message says what to install.
    """
    board = find_board(board_name)
    library = board_library(board, device_of(board), WRAPPER, progress, OPTIONS)
    return CountedBoard(library, board.clock_hz)


def _by_part(report: str) -> dict[str, int]:
    """Sum up what the library reports: VCD's declarations, then a line for each signal."""
    scope: list[str] = []
    signals: dict[str, tuple[list[str], str]] = {}
    found: Counter[str] = Counter()
    for line in report.splitlines():
        match line.split():
            case ["$scope", _, name, "$end"]:
                scope.append(name)
            case ["$upscope", "$end"]:
                scope.pop()
            case ["$var", _, _, code, name, *_]:
                if code not in signals or len(scope) > len(signals[code][0]):
                    signals[code] = list(scope), name
            case [code, count] if code in signals:
                path, name = signals[code]
                if name not in _NOT_COUNTED:
                    # The outermost scope is the component itself.
                    found[path[1] if len(path) > 1 else REST] += int(count)
    return dict(found.most_common())
