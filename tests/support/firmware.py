"""Firmware of an RP2040 with a model and samples in flash, and what it says of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tensorspin.contract.contractor.results import ContractorResults
from tensorspin.contract.device.boards import find_board
from tensorspin.driver.transports import open_transport
from tensorspin.errors import TransportError
from tensorspin.export.c_header import model_header
from tensorspin.export.model import ClientModel

from . import cross
from .loaded_programs import chain_program
from .rp2040 import CPU_HZ, RP2040

SOURCE = Path(__file__).parents[1] / "clients" / "firmware" / "rp2040.c"
SCK_HZ = CPU_HZ / 6
"""Frequency of SCK that the firmware sets, in Hz."""

BOARD = find_board("icebreaker_spi")
PROGRAM = chain_program(64, n_outputs=10, bond=8)
READINGS = np.random.default_rng(0).integers(-1, 3, (6, 64)).astype(np.int16)


def fresh_pins():
    """Simulated pins of the board, or a skip."""
    try:
        return open_transport(f"sim://{BOARD.name}?sck={SCK_HZ}")._controller._pins
    except TransportError as error:
        pytest.skip(str(error))


def build(folder: Path, model: ClientModel, readings: np.ndarray, old="", new="", flags=()) -> Path:
    """Compile the firmware.

    Parameters
    ----------
    folder : Path
        Folder for all files.
    model : ClientModel
        The program.
    readings : ndarray of int16 of shape (n_samples, n_columns)
        What the microcontroller's sensor reads.
    old, new : str
        A part of the source, which must occur once, and what replaces it.
    flags : sequence of str
        Further flags of the compiler.

    Returns
    -------
    Path
        The program, an ELF file.
    """
    (folder / "model.h").write_text(model_header(model))
    rows = ",\n".join("{" + ", ".join(map(str, row)) + "}" for row in readings)
    (folder / "samples.h").write_text(
        f"enum {{ SAMPLES = {len(readings)} }};\n"
        f"static const int16_t samples[SAMPLES][MODEL_COLUMNS] = {{{rows}}};\n"
    )
    text = SOURCE.read_text()
    if old and text.count(old) != 1:
        raise ValueError(f"{old!r} must occur once in {SOURCE}")
    source = folder / "firmware.c"
    source.write_text(text.replace(old, new) if old else text)
    parts = [cross.SOURCES / f"tensorspin_{part}.c" for part in cross.PARTS]
    script = SOURCE.with_suffix(".ld")
    return cross.link([source, *parts], script, folder / "firmware.elf", [f"-I{folder}", *flags])


def results(chip: RP2040, outputs: int) -> ContractorResults:
    """Read what the firmware has told of its samples."""
    words = np.array(chip.words, dtype=np.int64).reshape(-1, 2 + outputs)
    return ContractorResults(
        scores=words[:, 2:].astype(np.uint16).view(np.int16),
        exponents=(words[:, 1] & 0xFFFF).astype(np.uint16),
        classes=words[:, 1] >> 16,
        cycles=words[:, 0],
    )
