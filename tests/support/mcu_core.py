"""A core of a microcontroller that counts what a function executes, under unicorn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import cross
from .elf import Elf

FIRMWARE = Path(__file__).parents[1] / "clients" / "firmware"
FLASH, RAM, MAIL = (0x10000000, 0x200000), (0x20000000, 0x42000), 0x60000000
FLAGS = ("-O2",)
"""Speed matters here, not size; the last option counts."""

TIME_OUT = 120_000_000
"""Microseconds after which a program is given up."""


@dataclass(frozen=True)
class Core:
    """A kind of core.

    Attributes
    ----------
    title : str
        Name for people, with the frequency.
    name : str
        Name for the compiler.
    hz : float
        Frequency in Hz for which times are estimated.
    branch : int
        Cycles that a taken branch takes beyond the instruction's own.
    """

    title: str
    name: str
    hz: float
    branch: int


M0 = Core("RP2040 (Cortex-M0+), 133 MHz", "cortex-m0plus", 133e6, 1)
M4 = Core("Cortex-M4, 168 MHz", "cortex-m4", 168e6, 2)


@dataclass
class Counts:
    """What one call of a function executed.

    Attributes
    ----------
    instructions, accesses, branches : int
        Instructions, accesses to memory (words of data, at most four bytes each), taken branches.
    """

    instructions: int = 0
    accesses: int = 0
    branches: int = 0

    def cycles(self, core: Core) -> int:
        """Estimate the clock cycles, without waits of flash."""
        return self.instructions + self.accesses + core.branch * self.branches


def build(folder: Path, core: Core, sources: list[Path], samples: np.ndarray, include=()) -> Path:
    """Compile a classifier, the functions ``prepare`` and ``classify``, with samples in flash.

    Parameters
    ----------
    folder : Path
        Folder for the files.
    core : Core
        The core.
    sources : list of Path
        Files in C that have the functions.
    samples : ndarray of int16 of shape (n_samples, n_columns)
        Readings.
    include : sequence of Path
        Folders with headers.

    Returns
    -------
    Path
        The program, an ELF file.
    """
    rows = ",\n".join("{" + ", ".join(map(str, row)) + "}" for row in samples)
    (folder / "samples.h").write_text(
        f"enum {{ SAMPLES = {len(samples)}, COLUMNS = {samples.shape[1]} }};\n"
        f"static const int16_t samples[SAMPLES][COLUMNS] = {{{rows}}};\n"
    )
    flags = [*FLAGS, "-Wno-unused-parameter", f"-I{folder}", *(f"-I{path}" for path in include)]
    parts = [FIRMWARE / "alone.c", *sources]
    script = FIRMWARE / "rp2040.ld"
    return cross.link(parts, script, folder / f"{core.name}.elf", flags, core.name)


def count(program: Path, core: Core) -> tuple[list[int], list[Counts]]:
    """Execute a program of `build`; return each sample's class and what its call executed."""
    import unicorn
    from unicorn import arm_const

    uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
    models = {M0.name: arm_const.UC_CPU_ARM_CORTEX_M0, M4.name: arm_const.UC_CPU_ARM_CORTEX_M4}
    uc.ctl_set_cpu_model(models[core.name])
    for base, size in (FLASH, RAM):
        uc.mem_map(base, size)
    elf = Elf.read(program)
    for address, content in elf.segments:
        uc.mem_write(address, content)
    entry = elf.symbols["classify"][0] & ~1
    answers: list[int] = []
    counts: list[Counts] = []
    known: dict[tuple[int, int], tuple[int, int]] = {}
    state = {"inside": False, "back": 0, "end": 0, "ended": False}

    def block(uc, address, size, _):
        if state["ended"]:  # a loop without an access does not see the first call
            uc.emu_stop()
        if not state["inside"]:
            if address != entry:
                return
            state.update(inside=True, back=uc.reg_read(arm_const.UC_ARM_REG_LR) & ~1)
            counts.append(Counts())
        else:
            counts[-1].branches += address != state["end"]
            if address == state["back"]:
                state["inside"] = False
                return
        state["end"] = address + size
        if (address, size) not in known:
            known[address, size] = decode(bytes(uc.mem_read(address, size)))
        instructions, accesses = known[address, size]
        counts[-1].instructions += instructions
        counts[-1].accesses += accesses

    def write(uc, offset, size, value, _):
        if offset == 8:
            answers.append(value)
        else:
            state["ended"] = True
            uc.emu_stop()

    uc.mmio_map(MAIL, 0x1000, None, None, write, None)
    uc.hook_add(unicorn.UC_HOOK_BLOCK, block)
    stack, reset = (int.from_bytes(uc.mem_read(FLASH[0] + at, 4), "little") for at in (0, 4))
    uc.reg_write(arm_const.UC_ARM_REG_SP, stack)
    uc.emu_start(reset | 1, 0xFFFFFFFF, timeout=TIME_OUT)
    if not state["ended"]:
        raise RuntimeError("the program does not end")
    return answers, counts


def flash_bytes(program: Path) -> int:
    """Bytes of a program in flash."""
    return Elf.read(program).bytes_of(".text", ".data")


def decode(code: bytes) -> tuple[int, int]:
    """Count the Thumb instructions of a block, and the words and bytes that they load or store.

    unicorn's hooks of memory are of no use for this: they break conditional instructions (IT).
    Conditional loads and stores count as executed.
    """
    at = instructions = accesses = 0
    while at < len(code):
        first, second = (int.from_bytes(code[k : k + 2], "little") for k in (at, at + 2))
        wide = first >> 11 >= 0b11101  # these instructions have 32 bits
        accesses += _wide(first, second) if wide else _narrow(first)
        at += 4 if wide else 2
        instructions += 1
    return instructions, accesses


def _narrow(word: int) -> int:
    """Words that an instruction of 16 bits loads or stores."""
    if word >> 12 == 0b1100:  # LDM, STM
        return (word & 0xFF).bit_count()
    if word & 0xF600 == 0xB400:  # PUSH, POP
        return (word & 0x1FF).bit_count()
    return int(word >> 11 == 0b01001 or 0b0101 <= word >> 12 <= 0b1001)


def _wide(first: int, second: int) -> int:
    """Words that an instruction of 32 bits loads or stores."""
    if first & 0xFE40 == 0xE800:  # LDM, STM
        return second.bit_count()
    if first & 0xFE40 == 0xE840:  # LDRD, STRD; single: exclusive ones, TBB, TBH
        return 2 if first & 0x0120 else 1
    if first & 0xFE00 == 0xEC00 and first & 0x01A0:  # VLDR, VSTR, and several (VPUSH)
        single = first & 0x0120 == 0x0100
        return 1 + (second >> 8 & 1) if single else second & 0xFF
    return int(first & 0xFE00 == 0xF800)
