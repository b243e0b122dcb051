"""The constants that clients in other languages share: a C header, a MicroPython module.

Both are generated, so that they cannot disagree with the contract, or with the files of models. The
checkout keeps them, so that a client is built without Python. They are written anew by ``python -m
tensorspin.export.constants``.
"""

from __future__ import annotations

import enum
import re
import struct
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from ..contract.annealer import size as annealer_size
from ..contract.annealer import windows
from ..contract.annealer.engine import ANNEALER
from ..contract.annealer.image import (
    POINTER_BYTES,
    RESULT_HEADER,
    RUN_FIELD_BYTES,
    RUN_FIELDS,
    STEP_FIELD_BYTES,
    STEP_FIELDS,
    AnnealerSpace,
)
from ..contract.annealer.thresholds import SEED_BYTES, WORDS
from ..contract.contractor import program
from ..contract.contractor.engine import CONTRACTOR
from ..contract.contractor.latency import PIPELINES
from ..contract.contractor.memory import LEVELS, MANTISSA_BYTES, MemorySpace
from ..contract.device import description
from ..contract.engine import Engine, EngineKind
from ..contract.fixed import ACCUMULATOR, MANTISSA, NARROW_STEP
from ..contract.wire import frames, packets
from .model import FRACTION_BITS
from .model_file import VERSION, TaskKind

Constant = tuple[str, int]
"""Name, without a prefix, and value."""

C_HEADER = Path("c") / "tensorspin_protocol.h"
"""Where the C header lies, in the folder of the clients."""

MICROPYTHON_MODULE = Path("micropython") / "tensorspin_protocol.py"
"""Where the MicroPython module lies, in the folder of the clients."""

_ORIGIN = (
    "Constants of Tensorspin's protocol, for clients.",
    "",
    "They are generated from tensorspin.contract by python -m tensorspin.export.constants, which",
    "overwrites this file.",
)


def sections() -> Iterator[tuple[str, list[Constant]]]:
    """List the constants by subject.

    Yields
    ------
    title : str
        What the constants are, a sentence.
    constants : list of (str, int)
        Names without a prefix, and values.

    Examples
    --------
    >>> title, constants = next(sections())
    >>> title, dict(constants)["MAX_PAYLOAD"]
    ('Version of the protocol, and sizes of packets and frames in bytes.', 246)
    """
    yield (
        "Version of the protocol, and sizes of packets and frames in bytes.",
        [
            ("PROTOCOL_VERSION", packets.PROTOCOL_VERSION),
            ("DELIMITER", frames.DELIMITER),
            ("MAX_BODY", frames.MAX_BODY),
            ("MAX_PAYLOAD", frames.MAX_PAYLOAD),
            ("COBS_OVERHEAD", frames.COBS_OVERHEAD),
            ("HEADER_BYTES", frames.HEADER.size),
            ("CRC_BYTES", frames.CRC.size),
            ("MEMORY_BYTES", packets.MEMORY.size),
            ("READ_COUNT_BYTES", packets.READ_COUNT.size),
            ("ACTIVATE_BYTES", packets.ACTIVATE.size),
            ("OFFSET_BYTES", packets.OFFSET.size),
            ("OFFSET_SINGLE", packets.SINGLE),
            ("ACTIVATE_SIGNED", packets.SIGNED),
            ("RESULT_BYTES", packets.RESULT.size),
            ("STATUS_BYTES", packets.STATUS.size),
        ],
    )
    yield (
        "Types of packets.",
        [
            *_members(packets.PacketType),
            ("REPLY", packets.REPLY),
            ("REJECT", packets.REJECT),
        ],
    )
    yield (
        "First byte of a reply: whether the request was executed.",
        _members(packets.Status, "STATUS_"),
    )
    yield (
        "Payload of a REJECT: why a frame was not executed.",
        _members(packets.RejectReason, "REJECT_"),
    )
    yield (
        "Places of the fields in the reply to STATUS, counted from behind the first byte.",
        [
            (f"AT_STATUS_{name}", place)
            for name, place in zip(
                (
                    "ACTIVE DIGEST DAMAGED OUT_OF_SEQUENCE OVERFLOWS SAMPLES BUSY_CYCLES STEP "
                    "ANNEALING CLEARED"
                ).split(),
                _places(packets.STATUS.format),
                strict=True,
            )
        ],
    )
    yield (
        "Places in the reply to HELLO, likewise; engines' records follow, SIZE_BYTES a number.",
        [
            *(
                (f"AT_HELLO_{name}", place)
                for name, place in zip(
                    "PROTOCOL BOARD CLOCK_HZ BAUD RECEIVE_BYTES BUILD".split(),
                    _places(description.LAYOUT.format),
                    strict=True,
                )
            ),
            ("AT_HELLO_ENGINES", description.LAYOUT.size),
            ("NAME_BYTES", description.NAME_BYTES),
            ("RECORD_BYTES", description.RECORD.size),
            ("SIZE_BYTES", description.SIZE_BYTES),
            ("LEAST_CLOCK_HZ", description.CLOCKS_HZ[0]),
            ("GREATEST_CLOCK_HZ", description.CLOCKS_HZ[1]),
        ],
    )
    yield "Engines: numbers of their records.", _members(EngineKind, "ENGINE_")
    yield "Memory spaces of the contractor.", _members(MemorySpace, "SPACE_")
    yield "Memory spaces of the annealer.", _members(AnnealerSpace, "SPACE_")
    yield "Places of the numbers in the contractor's record.", [*_size_fields(CONTRACTOR)]
    yield (
        "Places of the numbers in the annealer's, those behind the strides as if there were none.",
        [*_size_fields(ANNEALER)],
    )
    yield (
        "The contractor: limits, and its numbers.",
        [
            ("LEVELS", LEVELS),
            ("MANTISSA_BYTES", MANTISSA_BYTES),
            ("MANTISSA_FRACTION_BITS", MANTISSA.f_bits),
            ("ACCUMULATOR_BITS", ACCUMULATOR.width),
            ("NARROW_STEP", NARROW_STEP),
            ("NODE_BYTES", program.HEADER_BYTES),
            ("MAX_OPERAND", program.MAX_OPERAND),
            ("MAX_OUTPUTS", program.MAX_OUTPUTS),
            ("MAX_FEATURES", program.MAX_FEATURES),
            ("MAX_SLOTS", program.MAX_SLOTS),
            ("PIPELINES", len(PIPELINES)),
        ],
    )
    yield "A node's header: first bit and number of bits of each field.", [*_node_fields()]
    yield (
        "The annealer: sizes in bytes, and constants of a run.",
        [
            ("POINTER_BYTES", POINTER_BYTES),
            ("STEP_FIELDS", len(STEP_FIELDS)),
            ("STEP_FIELD_BYTES", STEP_FIELD_BYTES),
            ("RUN_FIELDS", len(RUN_FIELDS)),
            ("RUN_FIELD_BYTES", RUN_FIELD_BYTES),
            ("SEED_BYTES", SEED_BYTES),
            ("SAMPLES_PER_GENERATOR", WORDS),
            ("RESULT_HEADER_BYTES", RESULT_HEADER.size),
            ("PROBABILITY_FRACTION_BITS", annealer_size.PROBABILITY.f_bits),
            ("RUN_START_CYCLES", annealer_size.START),
            ("STEP_ROUNDS", annealer_size.STEP_ROUNDS),
            ("MIN_TURN", windows.MIN_TURN),
            ("MAX_COUPLING_BITS", annealer_size.COUPLING_BITS[1]),
        ],
    )
    yield (
        "Places of the numbers in a run's parameters, and behind the probabilities of a step.",
        [
            *((f"RUN_{name.upper()}", place) for place, name in enumerate(RUN_FIELDS)),
            *((f"STEP_{name.upper()}", place) for place, name in enumerate(STEP_FIELDS)),
        ],
    )
    yield (
        "Exported models: logarithms to base 2, version of the file, and what a model is for.",
        [
            ("LOG2_FRACTION_BITS", FRACTION_BITS),
            ("MODEL_VERSION", VERSION),
            *_members(TaskKind, "TASK_"),
        ],
    )


def _members(kind: type[enum.IntEnum], prefix: str = "") -> list[Constant]:
    return [(prefix + member.name, int(member)) for member in kind]


def _places(layout: str) -> list[int]:
    """Count the bytes in front of each field of a `struct` format."""
    codes = re.findall(r"\d*[a-zA-Z]", layout)
    return [struct.calcsize(layout[0] + "".join(codes[:index])) for index in range(len(codes))]


def _size_fields(engine: Engine) -> Iterator[Constant]:
    for place, field in enumerate(fields(engine.size)):
        yield f"{engine.name.upper()}_{field.name.upper()}", place


def _node_fields() -> Iterator[Constant]:
    position = 0
    for name, width in program.HEADER_FIELDS:
        yield f"NODE_{name.upper()}_BIT", position
        yield f"NODE_{name.upper()}_BITS", width
        position += width


def c_header() -> str:
    """Write the constants as a C header.

    Returns
    -------
    str
        C99: one macro for each constant, its name with the prefix ``TENSORSPIN_``.

    Examples
    --------
    >>> "#define TENSORSPIN_MAX_PAYLOAD 246" in c_header()
    True
    """
    lines = [f"/* {_ORIGIN[0]}", *(f" * {line}".rstrip() for line in _ORIGIN[1:]), " */"]
    lines += ["#ifndef TENSORSPIN_PROTOCOL_H", "#define TENSORSPIN_PROTOCOL_H"]
    for title, constants in sections():
        lines += ["", f"/* {title} */"]
        lines += [f"#define TENSORSPIN_{name} {value}" for name, value in constants]
    return "\n".join([*lines, "", "#endif", ""])


def micropython_module() -> str:
    """Write the constants as a module for MicroPython.

    Returns
    -------
    str
        Python without an import: one global name for each constant.

    Examples
    --------
    >>> found = {}
    >>> exec(micropython_module(), found)
    >>> found["MAX_PAYLOAD"]
    246
    """
    lines = [f'"""{_ORIGIN[0]}', *_ORIGIN[1:], '"""']
    for title, constants in sections():
        lines += ["", f"# {title}", *(f"{name} = {value}" for name, value in constants)]
    return "\n".join([*lines, ""])


def write(folder: Path) -> list[Path]:
    """Write both files.

    Parameters
    ----------
    folder : Path
        The folder of the clients, ``sw/clients`` of the checkout.

    Returns
    -------
    list of Path
        The files that were written.
    """
    contents = {C_HEADER: c_header(), MICROPYTHON_MODULE: micropython_module()}
    paths = []
    for name, text in contents.items():
        paths.append(folder / name)
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        paths[-1].write_text(text, encoding="utf-8")
    return paths


if __name__ == "__main__":
    chosen = sys.argv[1] if sys.argv[1:] else Path(__file__).parents[2] / "clients"
    for path in write(Path(chosen)):
        print(f"written to {path}")
