"""What the parts of the C driver take on a Cortex-M0+: ``python -m tests.support.mcu_sizes``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from .cross import PARTS, SOURCES, NoCompiler, command, compile_object
from .elf import Elf

MEMORY = """
#include "tensorspin.h"
tensorspin_device device;
tensorspin_result result;
tensorspin_workspace workspace;
"""


def code_sizes(folder: Path) -> dict[str, int]:
    """Compile each part; return its bytes of code and constants."""
    sizes = {}
    for part in PARTS:
        source = SOURCES / f"tensorspin_{part}.c"
        elf = Elf.read(compile_object(source, folder / f"{part}.o"))
        sizes[part] = elf.bytes_of(".text", ".rodata", ".data")
        assert elf.bytes_of(".bss", ".data") == 0, "the driver has memory of its own"
    return sizes


def memory_sizes(folder: Path) -> dict[str, int]:
    """Return the bytes of memory that a program gives to the driver."""
    source = folder / "memory.c"
    source.write_text(MEMORY)
    symbols = Elf.read(compile_object(source, folder / "memory.o")).symbols
    return {name: symbols[name][1] for name in ("device", "result", "workspace")}


def main() -> int:
    """Print a table."""
    try:
        print(f"compiled by {' '.join(command())}, -Os")
    except NoCompiler as error:
        print(error, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as name:
        code, memory = code_sizes(Path(name)), memory_sizes(Path(name))
    for part, size in code.items():
        print(f"{'tensorspin_' + part:24} {size:6} B of code")
    models = sum(code[part] for part in ("link", "contractor", "levels", "outputs"))
    print(f"{'models: the first four':24} {models:6} B of code")
    driver = models + code["annealer"]
    print(f"{'with the annealer':24} {driver:6} B of code")
    for what, size in memory.items():
        print(f"{'tensorspin_' + what:24} {size:6} B of RAM")
    print("without the library's functions for float and 64 bits, as far as a program needs them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
