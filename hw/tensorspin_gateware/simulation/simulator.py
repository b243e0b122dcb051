"""A virtual board: the whole accelerator, its own RTL, compiled by Verilator.

Compiling takes from seconds to minutes, so compiled simulators are kept, and found in two steps. A
digest of the sources (`cache.build_digest`) and the versions of the tools name a small file, the
*pointer*; it holds the name of a library, which is a digest of the Verilog text. So a start without
any change takes no time, and a change that leaves the hardware alone, as in a comment, costs an
elaboration but no compilation.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tensorspin.contract.device.boards import BoardSpec, find_board

from ..build import cache, plain, toolchain

TOP = "simulated"
"""Name of the Verilog module that is simulated."""

WRAPPER = Path(__file__).with_suffix(".cpp")
"""C++ source of the loop that runs the clock; it is compiled with Verilator's output. There is
another for pins, `tensorspin_gateware.simulation.pins`."""

_OUTPUT_BYTES = 1 << 16
"""Size in bytes of the buffer for what a device sends, and clock cycles of one call of the library:
a device sends one byte a cycle at most, so the buffer never overflows."""

_VERILATOR_OPTIONS = (
    "--cc", "--exe", "--build", "-j", "2",
    "--prefix", "Vsimulated", "--top-module", TOP,
    "-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-assert", "--no-timing",
    "-Wno-fatal",
    "-CFLAGS", "-fPIC", "-LDFLAGS", "-shared",
    "-MAKEFLAGS", "OPT_FAST=-O3", "-MAKEFLAGS", "OPT_SLOW=-O1", "-MAKEFLAGS", "OPT_GLOBAL=-O1",
)  # fmt: skip

"""Verilator's options: fast code rather than fast compilation for what runs in every cycle
(OPT_FAST), the other way round for what runs once; no checks; and position-independent code, for a
library."""

Progress = Callable[[str], None]
"""A function that takes one line of text about the progress of a build."""


class SimulatorError(RuntimeError):
    """The simulator could not be built; the message ends with what the tool said."""


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
        Clock cycles run so far, without those of the reset.
    """

    def __init__(self, library: Path, clock_hz: int) -> None:
        self.clock_hz = clock_hz
        self.cycles = 0
        self._library = _open(library)
        self._handle: int | None = self._library.simulation_create()
        self._output = (ctypes.c_uint8 * _OUTPUT_BYTES)()

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

    def component(build: bytes):
        # Imported late: a simulator that is kept starts without Amaranth.
        from ..accelerator import Accelerator

        return Accelerator(board, build)

    return VirtualBoard(board_library(board, component, WRAPPER, progress), board.clock_hz)


def board_library(
    board: BoardSpec, component, wrapper: Path, progress: Progress | None = None
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
    progress = progress or _print_progress
    folder = cache.directory("simulator")
    build = cache.build_digest(board)
    state = cache.text_digest(build.hex(), *_tool_identity(wrapper))
    pointer = folder / f"{board.name}-{state}"
    if not (pointer.exists() and (folder / pointer.read_text()).exists()):
        library = compile_simulator(component(build), folder, progress, wrapper)
        cache.write_atomically(pointer, library.name.encode())
    return folder / pointer.read_text()


def require_tools() -> None:
    """Check that all tools are there that compile a simulator.

    Raises
    ------
    toolchain.ToolMissing
        If one is missing; the message says what to install. On Windows all of them are.
    """
    toolchain.require_posix()
    for tool in ("perl", "make", "c++", "verilator"):
        toolchain.require(tool)


def compile_simulator(
    component, folder: Path, progress: Progress | None = None, wrapper: Path = WRAPPER
) -> Path:
    """Compile a shared library that simulates a component.

    Parameters
    ----------
    component : amaranth.lib.wiring.Component
        A component with the ports that the wrapper knows, and no others.
    folder : Path
        Folder in which libraries are kept; one that fits is used again.
    progress : callable, optional
        As for `load`.
    wrapper : Path
        C++ source that drives the component's ports; by default that of `VirtualBoard`, which knows
        byte streams `rx` (in) and `tx` (out).

    Returns
    -------
    Path
        The library.

    Raises
    ------
    SimulatorError
        If Verilator or the compiler fails; the message ends with what they say.
    """
    progress = progress or _print_progress
    progress(
        "simulator: converting the gateware to Verilog (the first run of a tool that pip "
        "installed takes a minute more)"
    )
    text = toolchain.to_verilog(component, TOP)
    return compile_verilog(text, folder, progress, wrapper=wrapper)


def compile_verilog(
    text: str,
    folder: Path,
    progress: Progress | None = None,
    options: Sequence[str] = (),
    wrapper: Path = WRAPPER,
) -> Path:
    """Compile a shared library that simulates Verilog text.

    Parameters
    ----------
    text : str
        Verilog with a module `TOP`, whose ports are those that the wrapper knows.
    folder, progress, wrapper
        As for `compile_simulator`.
    options : sequence of str
        More options for Verilator, such as the file of a vendor's cells.

    Returns
    -------
    Path
        The library.

    Raises
    ------
    SimulatorError
        As for `compile_simulator`.
    """
    progress = progress or _print_progress
    require_tools()
    started = time.monotonic()
    library = folder / f"{cache.text_digest(text, *options, *_tool_identity(wrapper))}.so"
    with cache.locked(folder, progress):
        if not library.exists():
            progress("simulator: compiling (10 to 30 s; minutes with a thousand spins)")
            # A compilation that is interrupted leaves no half of a library in `folder`.
            with plain.workshop(folder) as workshop:
                cache.write_atomically(
                    library, _verilate(text, workshop, options, wrapper).read_bytes()
                )
    progress(f"simulator: ready after {time.monotonic() - started:.1f} s")
    return library


def _verilate(text: str, workshop: plain.Workshop, options: Sequence[str], wrapper: Path) -> Path:
    """Compile Verilog text in a temporary folder, and return the library."""
    source = workshop.folder / "simulated.v"
    source.write_text(text, encoding="utf-8")
    env = toolchain.environment()
    env |= workshop.verilator(env)
    answer = subprocess.run(
        [
            toolchain.require("verilator"),
            *_VERILATOR_OPTIONS,
            *options,
            *("-Mdir", str(workshop.folder / "objects"), "-o", "simulator.so"),
            *(str(source), str(workshop.plain(wrapper))),
        ],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",  # Verilator may cut a letter of several bytes in two
        check=False,
    )
    if answer.returncode != 0:
        end = "\n".join(answer.stdout.splitlines()[-20:])
        raise SimulatorError(f"the simulator could not be compiled:\n{end}")
    return workshop.folder / "objects" / "simulator.so"


def _tool_identity(wrapper: Path) -> tuple[str, ...]:
    """List what a compiled simulator depends on besides the design."""
    return (
        str(sorted(toolchain.versions().items())),
        " ".join(_VERILATOR_OPTIONS),
        wrapper.read_text(),
    )


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


def _print_progress(line: str) -> None:
    """Print a line to standard error, where it does not mix with a program's results."""
    print(line, file=sys.stderr, flush=True)
