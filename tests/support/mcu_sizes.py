"""What the parts of the C driver take on a Cortex-M0+: ``python -m tests.support.mcu_sizes``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tensorspin.export.model import ClientModel

from . import firmware
from .cross import PARTS, SOURCES, NoCompiler, command, compile_object
from .elf import Elf

MEMORY = """
#include "tensorspin.h"
tensorspin_device device;
tensorspin_result result;
tensorspin_workspace workspace;
"""


def code_sizes(folder: Path) -> dict[str, int]:
    """Compile each part; return its bytes of code and constants.

    Levels are made by one function for each type of readings, of which a program links the one that
    it calls: ``levels`` is the larger, and ``levels_int16`` the other.
    """
    sizes = {}
    for part in PARTS:
        source = SOURCES / f"tensorspin_{part}.c"
        elf = Elf.read(compile_object(source, folder / f"{part}.o"))
        sizes[part] = elf.bytes_of(".text", ".rodata", ".data")
        assert elf.bytes_of(".bss", ".data") == 0, "the driver has memory of its own"
        if part == "levels":
            sizes["levels_int16"] = elf.bytes_of(".text.tensorspin_levels_int16")
            sizes[part] -= sizes["levels_int16"]
            assert sizes[part] >= sizes["levels_int16"]
    return sizes


def memory_sizes(folder: Path) -> dict[str, int]:
    """Return the bytes of memory that a program gives to the driver."""
    source = folder / "memory.c"
    source.write_text(MEMORY)
    symbols = Elf.read(compile_object(source, folder / "memory.o")).symbols
    return {name: symbols[name][1] for name in ("device", "result", "workspace")}


def program_size(folder: Path, flags=()) -> int:
    """Link the firmware of an RP2040 that classifies; return its bytes of flash without tables."""
    model = ClientModel(firmware.PROGRAM, firmware.BOARD)
    elf = Elf.read(firmware.build(folder, model, firmware.READINGS, flags=flags))
    tables = [
        size for name, (_, size) in elf.symbols.items() if name.startswith(("model", "samples"))
    ]
    return elf.bytes_of(".text", ".data") - sum(tables)


def main() -> int:
    """Print a table."""
    try:
        print(f"compiled by {' '.join(command())}, -Os")
    except NoCompiler as error:
        print(error, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as name:
        code, memory = code_sizes(Path(name)), memory_sizes(Path(name))
        whole, together = program_size(Path(name)), program_size(Path(name), ["-flto"])
    for part, size in code.items():
        print(f"{'tensorspin_' + part:24} {size:6} B of code")
    models = sum(code[part] for part in ("link", "contractor", "levels", "outputs"))
    print(f"{'models, without int16':24} {models:6} B of code: link, contractor, levels, outputs")
    print(f"{'with tests and fallback':24} {models + code['checked']:6} B of code")
    print(f"{'with the annealer':24} {models + code['annealer']:6} B of code")
    for what, size in memory.items():
        print(f"{'tensorspin_' + what:24} {size:6} B of RAM")
    print(f"{'a whole program':24} {whole:6} B: a classifier with start-up and SPI, without tables")
    print(f"{'the same with -flto':24} {together:6} B")
    print("without the library's functions for float and 64 bits, as far as a program needs them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
