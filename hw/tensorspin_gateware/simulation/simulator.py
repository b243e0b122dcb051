"""A virtual board: the whole accelerator, its own RTL, compiled by Verilator.

Compiling takes from seconds to minutes, so compiled simulators are kept, and found in two steps. A
digest of the sources (`cache.build_digest`) and the versions of the tools name a small file, the
*pointer*; it holds the name of a library, which is a digest of the Verilog text. So a start without
any change takes no time, and a change that leaves the hardware alone, as in a comment, costs an
elaboration but no compilation.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tensorspin.contract.device.boards import BoardSpec, find_board

from ..build import cache, toolchain
from .compilation import WRAPPER, Progress, compile_simulator, print_progress, tool_identity

if TYPE_CHECKING:  # A simulator that is kept starts without Amaranth.
    from ..accelerator import Accelerator

_OUTPUT_BYTES = 1 << 16
"""Size in bytes of the buffer for what a device sends, and clock cycles of one call of the library:
a device sends one byte a cycle at most, so the buffer never overflows."""


class VirtualBoard:
    """One simulated device, fresh from its reset, at the byte stream of its link.

    Bytes are exchanged without a serial line, one a cycle at most. Boards are independent of each
    other. Use a board as a context manager, or call `close` when it is no longer needed.

    Parameters
    ----------
    library : Path
        A simulator, as `compile_simulator` returned it.
    clock_hz : int
        Frequency in Hz of the clock that the real board has.

    Attributes
    ----------
    clock_hz : int
        As given.
    cycles : int
        Clock cycles run so far.
    """

    def __init__(self, library: Path, clock_hz: int) -> None:
        self.clock_hz = clock_hz
        self.cycles = 0
        self._library = _open(library)
        self._handle: int | None = self._create()
        self._output = (ctypes.c_uint8 * _OUTPUT_BYTES)()

    def _create(self) -> int:
        """Make the simulation, and return the library's handle of it."""
        return self._library.simulation_create()

    def run(
        self, cycles: int, data: bytes = b"", *, stop_on_delimiter: bool = False
    ) -> tuple[int, bytes]:
        """Let the clock run while `data` is offered and every byte sent is taken.

        Parameters
        ----------
        cycles : int
            Number of clock cycles; fewer are run if a delimiter ends the call.
        data : bytes
            Bytes for the device, offered one after the other.
        stop_on_delimiter : bool
            Return as soon as the device has sent the end of a frame.

        Returns
        -------
        accepted : int
            How many bytes of `data` the device took; offer the rest again.
        received : bytes
            What the device sent.

        Raises
        ------
        ValueError
            If the board is closed.
        """
        if self._handle is None:
            raise ValueError("the virtual board is closed")
        accepted = 0
        received = bytearray()
        taken, sent = ctypes.c_size_t(), ctypes.c_size_t()
        end = self.cycles + cycles
        while self.cycles < end:
            self.cycles += self._library.simulation_run(
                self._handle,
                # With room for a byte in every cycle, the device is never made to wait.
                min(end - self.cycles, _OUTPUT_BYTES),
                data[accepted:],
                len(data) - accepted,
                ctypes.byref(taken),
                self._output,
                _OUTPUT_BYTES,
                ctypes.byref(sent),
                stop_on_delimiter,
            )
            accepted += taken.value
            received += memoryview(self._output)[: sent.value]
            if stop_on_delimiter and received.endswith(b"\0"):
                break
        return accepted, bytes(received)

    def close(self) -> None:
        """Free the simulation; closing twice is allowed."""
        if self._handle is not None:
            self._library.simulation_destroy(self._handle)
            self._handle = None

    def __enter__(self) -> VirtualBoard:
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def __del__(self) -> None:
        # There is no handle if the library could not be opened.
        if getattr(self, "_handle", None) is not None:
            self.close()


def load(board_name: str, progress: Progress | None = None) -> VirtualBoard:
    """Make a virtual board; build its simulator first if the sources have changed.

    Parameters
    ----------
    board_name : str
        Name of a row of `tensorspin.contract.device.boards`.
    progress : callable, optional
        Takes one line of text per step of a build; without it they go to standard error.

    Returns
    -------
    VirtualBoard
        The board, fresh from its reset.

    Raises
    ------
    ValueError
        If no board has that name.
    SimulatorError
        If the simulator cannot be compiled.
    toolchain.ToolMissing
        If a tool is missing; the message says what to install. On Windows all of them are.
    """
    board = find_board(board_name)
    library = board_library(board, device_of(board), WRAPPER, progress)
    return VirtualBoard(library, board.clock_hz)


def device_of(board: BoardSpec) -> Callable[[bytes], Accelerator]:
    """Give what makes a board's device without its pins.

    Parameters
    ----------
    board : BoardSpec
        Row of the board table.

    Returns
    -------
    callable
        Takes the digest of the build, of `BUILD_BYTES` bytes, and returns the component.
    """

    def component(build: bytes) -> Accelerator:
        # Imported when something must be built.
        from ..accelerator import Accelerator

        return Accelerator(board, build)

    return component


def board_library(
    board: BoardSpec,
    component,
    wrapper: Path,
    progress: Progress | None = None,
    options: Sequence[str] = (),
) -> Path:
    """Find a board's simulator; build it first if the sources have changed.

    Parameters
    ----------
    board : BoardSpec
        Row of the contract's table.
    component : callable
        Takes the 8 bytes that tell the build from others, and makes the component that is
        simulated. It is called only if its simulator is not kept.
    wrapper : Path
        As for `compile_simulator`.
    progress : callable, optional
        As for `load`.
    options : sequence of str
        As for `compile_verilog`.

    Returns
    -------
    Path
        The library.

    Raises
    ------
    SimulatorError, toolchain.ToolMissing
        As for `load`.
    """
    toolchain.require_posix()
    progress = progress or print_progress
    folder = cache.directory("simulator")
    build = cache.build_digest(board)
    state = cache.text_digest(build.hex(), *tool_identity(wrapper))
    pointer = folder / f"{board.file_name}-{state}"
    if not (pointer.exists() and (folder / pointer.read_text()).exists()):
        library = compile_simulator(component(build), folder, progress, wrapper, options)
        cache.write_atomically(pointer, library.name.encode())
    return folder / pointer.read_text()


def _open(path: Path) -> ctypes.CDLL:
    """Open a library, and declare its functions; ctypes would take pointers for 32-bit integers."""
    library = ctypes.CDLL(str(path))
    size_out = ctypes.POINTER(ctypes.c_size_t)
    library.simulation_create.restype = ctypes.c_void_p
    library.simulation_destroy.argtypes = [ctypes.c_void_p]
    library.simulation_destroy.restype = None
    library.simulation_run.argtypes = [
        ctypes.c_void_p,
        ctypes.c_uint64,
        ctypes.c_char_p,
        ctypes.c_size_t,
        size_out,
        ctypes.POINTER(ctypes.c_uint8),
        ctypes.c_size_t,
        size_out,
        ctypes.c_int,
    ]
    library.simulation_run.restype = ctypes.c_uint64
    return library
