"""Compiling a simulator: from a component or Verilog text to a shared library, by Verilator."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ..build import cache, plain, toolchain
from .shared_modules import share_modules

TOP = "simulated"
"""Name of the Verilog module that is simulated."""

WRAPPER = Path(__file__).with_name("simulator.cpp")
"""C++ source of the loop that runs the clock; it is compiled with Verilator's output. There is
another for pins, `tensorspin_gateware.simulation.pins`."""

_VERILATOR_OPTIONS = (
    "--cc", "--exe", "--build",
    "--prefix", "Vsimulated", "--top-module", TOP,
    "-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-assert", "--no-timing",
    "--inline-mult", "200",
    "-Wno-fatal",
    "-CFLAGS", "-fPIC -fno-semantic-interposition -fno-plt", "-LDFLAGS", "-shared",
    *(("-LDFLAGS", "-Wl,-Bsymbolic") if sys.platform == "linux" else ()),
    "-MAKEFLAGS", "OPT_FAST=-O3", "-MAKEFLAGS", "OPT_SLOW=-O1", "-MAKEFLAGS", "OPT_GLOBAL=-O1",
)  # fmt: skip
"""Verilator's options: fast code rather than fast compilation for what runs in every cycle
(OPT_FAST), the other way round for what runs once; functions that several instances of a module
share, but for the smallest ones; no checks; and position-independent code, for a library, whose
functions call each other directly: nobody will put others in their place."""

_CONVERSION = ("power_up", "shared_modules")
"""Modules that have a part in the Verilog that is compiled."""

_MOST_JOBS = 8
"""Greatest number of compilers at the same time; each takes up to half a gigabyte of memory."""

Progress = Callable[[str], None]
"""A function that takes one line of text about the progress of a build."""


class SimulatorError(RuntimeError):
    """The simulator could not be built; the message ends with what the tool said."""


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
    component,
    folder: Path,
    progress: Progress | None = None,
    wrapper: Path = WRAPPER,
    options: Sequence[str] = (),
) -> Path:
    """Compile a shared library that simulates a component.

    Parameters
    ----------
    component : amaranth.lib.wiring.Component
        A component with the ports that the wrapper knows, and no others. It starts as its reset
        leaves it (`tensorspin_gateware.simulation.power_up`).
    folder : Path
        Folder in which libraries are kept; one that fits is used again.
    progress : callable, optional
        As for `load`.
    wrapper : Path
        C++ source that drives the component's ports; by default that of `VirtualBoard`, which knows
        byte streams `rx` (in) and `tx` (out).
    options : sequence of str
        As for `compile_verilog`.

    Returns
    -------
    Path
        The library.

    Raises
    ------
    SimulatorError
        If Verilator or the compiler fails; the message ends with what they say.
    """
    progress = progress or print_progress
    # Imported when something must be built: a simulator that is kept starts without Amaranth.
    from .power_up import PoweredUp

    progress("simulator: converting the gateware to Verilog")
    text = share_modules(toolchain.to_verilog(PoweredUp(component), TOP))
    return compile_verilog(text, folder, progress, options, wrapper)


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
    progress = progress or print_progress
    require_tools()
    started = time.monotonic()
    library = folder / f"{cache.text_digest(text, *options, *tool_identity(wrapper))}.so"
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
            *("-j", str(min(os.cpu_count() or 1, _MOST_JOBS))),
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


def tool_identity(wrapper: Path) -> tuple[str, ...]:
    """List what a compiled simulator depends on besides the design."""
    return (
        str(sorted(toolchain.versions().items())),
        " ".join(_VERILATOR_OPTIONS),
        wrapper.name,
        # One wrapper may include another.
        *(source.read_text() for source in sorted(wrapper.parent.glob("*.cpp"))),
        *(Path(__file__).with_name(f"{name}.py").read_text() for name in _CONVERSION),
    )


def print_progress(line: str) -> None:
    """Print a line to standard error, where it does not mix with a program's results."""
    print(line, file=sys.stderr, flush=True)
