"""The compiler for microcontrollers: arm-none-eabi-gcc, or else ziglang's clang from PyPI."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "sw" / "clients" / "c"
PARTS = (
    *("link", "contractor", "levels", "outputs", "checked", "annealer", "software", "configure"),
)
"""Source files of the driver, without prefix and suffix."""

_FLAGS = ("-std=c99", "-Os", "-ffunction-sections", "-fdata-sections", "-Wall", "-Wextra")


class NoCompiler(RuntimeError):
    """There is no compiler for microcontrollers; the message says what to install."""


def command(core: str = "cortex-m0plus") -> list[str]:
    """The compiler's command for a core, by its name for GCC."""
    if found := shutil.which("arm-none-eabi-gcc"):
        return [found, f"-mcpu={core}", "-mthumb", "-ffreestanding"]
    if importlib.util.find_spec("ziglang") is None:
        raise NoCompiler("no compiler for microcontrollers: pip install '.[mcu]'")
    zig = [sys.executable, "-m", "ziglang", "cc"]
    return [*zig, "-target", "thumb-freestanding-eabi", f"-mcpu={core.replace('-', '_')}"]


def compile_object(source: Path, to: Path, flags: Sequence[str] = ()) -> Path:
    """Compile a source file of C to an object, with all warnings as errors."""
    words = [*command(), *_FLAGS, "-Wpedantic", "-Wconversion", "-Werror", *flags]
    subprocess.run([*words, f"-I{SOURCES}", "-c", str(source), "-o", str(to)], check=True)
    return to


def link(
    sources: Sequence[Path],
    script: Path,
    to: Path,
    flags: Sequence[str] = (),
    core: str = "cortex-m0plus",
) -> Path:
    """Compile and link a program without a C library."""
    words = [*command(core), *_FLAGS, *flags, f"-I{SOURCES}", "-nostdlib", "-g", *map(str, sources)]
    words += ["-Wl,-e,reset", f"-Wl,-T,{script}", "-Wl,--gc-sections", "-o", str(to)]
    if "gcc" in words[0]:
        words.append("-lgcc")
    subprocess.run(words, check=True)
    return to
