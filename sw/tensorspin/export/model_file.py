r"""A program for one board as a file that MicroPython reads in pieces.

All numbers are little-endian. The file begins with `HEADER`; a directory follows, an `ENTRY` for
each section: its name of four characters, where it begins in the file, and its length in bytes. A
section begins at a multiple of `ALIGNMENT`, and a reader skips sections that it does not know.

======== ===========================================================================
section  content
======== ===========================================================================
PROG     what `MemorySpace.PROGRAM` must hold, from address 0 on
TABL     what `MemorySpace.TABLE` must hold, from address 0 on
NAME     names of the classes in the order of the scores: for each the length in bytes
         (1 byte), then at most 254 bytes of UTF-8; of a longer name the first characters.
         Classifiers alone have it
CATS     for each column of categories: `CATEGORIES`, then the names in the order of their
         places, as in NAME; the length 255 stands for any other value. Programs with such columns
         alone have it
REGR     `REGRESSION`: offset, factor and power of two; regressors alone have it. The target is
         ``offset + mantissa * factor * 2**(power - exponent)``
OUTL     `OUTLIERS`, then as many least magnitudes (uint16) as it says; outlier detectors
         alone have it (`tensorspin.export.model.OutlierNumbers`)
CYCL     cycles of a sample in `Mode.THROUGHPUT` on a board with each of the pipelines (uint32
         each); the number of a board's pipeline is in its contractor's record, and is 0 if the
         record ends before it
SING     groups and drain (`ContractorSize.single_drain`) of the board that the program was exported
         for (uint16 each), and cycles of a sample on such boards in `Mode.SINGLE` (uint32);
         programs for boards with that mode alone have it
SIGN     nothing; programs alone have it in whose PROG the signature stands, for boards with
         `ContractorSize.signature`
TEST     samples with known answers, one after the other: the levels (one byte each), the mantissas
         of the scores (int16 each), their exponent and the index of the greatest (uint16 each)
F32      how readings of float32 become levels: a scale, see below
I16      how readings of int16 become levels: a scale, whose keys are the readings
======== ===========================================================================

A scale is `SCALE`: numbers of features, columns and rows. Then come, one after the other, for each
feature the column that it reads (uint16) and its row of thresholds (uint16); for each column the
least and the greatest key that is accepted (int32 each); for each column one byte, 1 if a reading
may be missing: NaN in F32, -32768 in I16; after zeros up to a multiple of `ALIGNMENT`, counted from
the section's beginning, the rows of 255 thresholds (int32); and for each feature the level of a
missing reading (int16), -1 if that is refused. The level of another reading is the number of
thresholds in its row that are not above its key. In a column of categories the reading is the place
of its category. The key of a float32 is the integer i that its 32 bits are if i is not
negative, and ``-2**31 - i`` if it is.

`VERSION` changes whenever an older reader would misunderstand the file. The header ends with a
CRC-32 of all other bytes of the file, in their order, which finds damage.
"""

from __future__ import annotations

import enum
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ..compiler.outputs import Classification, OutlierDetection, Regression
from ..contract.contractor.latency import PIPELINES
from ..contract.wire.frames import CRC
from ..contract.wire.packets import PROTOCOL_VERSION
from .model import ClientModel
from .thresholds import Thresholds

MAGIC = b"TSPN"
"""First bytes of each file."""

VERSION = 1
"""Version of the layout."""

HEADER = struct.Struct("<4sHHIIIHHBBHI")
"""`MAGIC`; `VERSION`; version of the protocol; length of the file; digest of the program; cycles of
a sample on the board that the program was exported for; levels of a sample; lanes; scores; task
(`TaskKind`); number of sections; CRC-32."""

ENTRY = struct.Struct("<4sII")
"""Entry of the directory: name of the section, first byte in the file, length in bytes."""

ALIGNMENT = 4
"""Sections and thresholds begin at multiples of so many bytes."""


class TaskKind(enum.IntEnum):
    """What a program is for, as a number of the header."""

    CLASSIFIER = 1
    REGRESSOR = 2
    OUTLIERS = 3


TASKS = {
    Classification: TaskKind.CLASSIFIER,
    Regression: TaskKind.REGRESSOR,
    OutlierDetection: TaskKind.OUTLIERS,
}
"""Number of each kind of task."""

REGRESSION = struct.Struct("<ffi")
"""Offset, factor, power of two (`tensorspin.export.model.RegressionNumbers`)."""

OUTLIERS = struct.Struct("<fiIIH")
"""Offset in nats, whole part and fraction of the logarithm of the scale, first exponent, number of
least magnitudes (`tensorspin.export.model.OutlierNumbers`)."""

CATEGORIES = struct.Struct("<HHB")
"""Number of the column; number of its names; 1 if any other name counts as missing."""

SINGLE = struct.Struct("<HHI")
"""Groups, drain, cycles in single mode."""

ANY_OTHER = 255
"""Length that stands for any other value in a list of categories; names are shorter."""

SCALE = struct.Struct("<HHH")
"""Numbers of features, columns and rows of thresholds."""


@dataclass(frozen=True)
class FileHeader:
    """The first fields of a file.

    Parameters
    ----------
    digest : int
        The number by which a device tells the program from others.
    cycles : int
        Clock cycles of a sample on the board that the program was exported for.
    features, outputs, lanes : int
        Levels of a sample, scores of a sample, lanes of the board.
    task : int
        Kind of the task, one of `TaskKind`.

    Examples
    --------
    >>> FileHeader(digest=1, cycles=4355, features=64, outputs=10, lanes=8, task=1).features
    64
    """

    digest: int
    cycles: int
    features: int
    outputs: int
    lanes: int
    task: int


def model_bytes(model: ClientModel) -> bytes:
    r"""Make the content of a file.

    Parameters
    ----------
    model : ClientModel
        The program for a board.

    Returns
    -------
    bytes
        All bytes of the file.

    Examples
    --------
    >>> from tensorspin import MPSClassifier
    >>> from tensorspin.contract.device.boards import find_board
    >>> classifier = MPSClassifier(bond_dim=2, epochs=1, random_state=0)
    >>> program = classifier.fit([[0.0, 1.0], [1.0, 0.0]], ["low", "high"]).quantize()
    >>> data = model_bytes(ClientModel(program, find_board("icebreaker_spi")))
    >>> read_sections(data)[1]["NAME"]
    b'\x04high\x03low'
    """
    sections = _sections(model)
    position = HEADER.size + ENTRY.size * len(sections)
    directory, content = b"", b""
    for name, section in sections.items():
        padding = -(position + len(content)) % ALIGNMENT
        content += bytes(padding)
        directory += ENTRY.pack(
            name.ljust(4).encode("ascii"), position + len(content), len(section)
        )
        content += section
    rest = directory + content
    header = HEADER.pack(
        MAGIC,
        VERSION,
        PROTOCOL_VERSION,
        HEADER.size + len(rest),
        model.digest,
        model.cycles,
        model.features,
        model.lanes,
        model.outputs,
        TASKS[type(model.program.task)],
        len(sections),
        0,
    )
    before = header[: -CRC.size]
    return before + CRC.pack(zlib.crc32(before + rest)) + rest


def read_sections(data: bytes) -> tuple[FileHeader, dict[str, bytes]]:
    """Read a file: the inverse of `model_bytes`, which shows what a reader must check.

    Parameters
    ----------
    data : bytes
        All bytes of the file.

    Returns
    -------
    header : FileHeader
        The first fields.
    sections : dict of str to bytes
        Content of each section, by name.

    Raises
    ------
    ValueError
        If it is no such file, is cut short or damaged, or is of another version.
    """
    if len(data) < HEADER.size or data[:4] != MAGIC:
        raise ValueError("this is no exported model: it does not begin with TSPN")
    _, version, protocol, length, digest, cycles, features, lanes, outputs, task, count, crc = (
        HEADER.unpack_from(data)
    )
    if (version, protocol) != (VERSION, PROTOCOL_VERSION):
        raise ValueError(
            f"the model has version {version} for protocol version {protocol}, this reader has "
            f"{VERSION} and {PROTOCOL_VERSION}; export it again"
        )
    rest = data[: HEADER.size - CRC.size] + data[HEADER.size :]
    if length != len(data) or crc != zlib.crc32(rest):
        raise ValueError("the model is damaged or cut short; export it again")
    sections = {}
    for index in range(count):
        name, first, size = ENTRY.unpack_from(data, HEADER.size + index * ENTRY.size)
        sections[name.decode("ascii").rstrip()] = data[first : first + size]
    return FileHeader(digest, cycles, features, outputs, lanes, task), sections


def read_scale(section: bytes, missing_key: int | None = None) -> Thresholds:
    """Read a scale, the section ``F32`` or ``I16``.

    Parameters
    ----------
    section : bytes
        Content of the section.
    missing_key : int, optional
        Key of a missing reading: `tensorspin.export.thresholds.MISSING_SHORT` for ``I16``.

    Returns
    -------
    Thresholds
        The thresholds.
    """
    features, columns, rows = SCALE.unpack_from(section)
    position = SCALE.size

    def take(kind: str, *shape: int) -> np.ndarray:
        nonlocal position
        count = int(np.prod(shape))
        found = np.frombuffer(section, kind, count, position).reshape(shape)
        position += found.nbytes
        return found

    reads, row = take("<u2", features), take("<u2", features)
    limits, accepts = take("<i4", columns, 2), take("u1", columns)
    position += -position % ALIGNMENT
    thresholds = take("<i4", rows, 255)
    missing = take("<i2", features)
    return Thresholds(reads, limits, accepts.astype(bool), thresholds, row, missing, missing_key)


def _sections(model: ClientModel) -> Mapping[str, bytes]:
    sections = {"PROG": model.image, "TABL": model.table}
    if model.labels:
        sections["NAME"] = _names(model.labels)
    if model.categories:
        sections["CATS"] = b"".join(
            CATEGORIES.pack(column, len(names), column in model.gaps_for_others) + _names(names)
            for column, names in model.categories.items()
        )
    if (numbers := model.regression) is not None:
        sections["REGR"] = REGRESSION.pack(numbers.offset, numbers.factor, numbers.power)
    if (found := model.outliers) is not None:
        sections["OUTL"] = OUTLIERS.pack(
            found.offset,
            found.scale_whole,
            found.scale_fraction,
            found.first_exponent,
            len(found.least),
        ) + struct.pack(f"<{len(found.least)}H", *found.least)
    sections["CYCL"] = struct.pack(f"<{len(PIPELINES)}I", *model.cycles_of_pipelines)
    size = model.board.require_contractor()
    if size.single_drain:
        sections["SING"] = SINGLE.pack(size.groups, size.single_drain, model.single_cycles)
    if model.signed:
        sections["SIGN"] = b""
    sections["TEST"] = b"".join(
        test.levels + struct.pack(f"<{model.outputs}hHH", *test.scores, test.exponent, test.best)
        for test in model.self_tests
    )
    sections["F32"] = _scale(model.float_scale)
    sections["I16"] = _scale(model.short_scale)
    return sections


def _names(names: Iterable[str | None]) -> bytes:
    """Pack names; of a longer one whole characters are kept, so that it remains UTF-8."""
    packed = b""
    for name in names:
        if name is None:
            packed += bytes([ANY_OTHER])
        else:
            text = name.encode("utf-8")[: ANY_OTHER - 1].decode("utf-8", "ignore").encode("utf-8")
            packed += bytes([len(text)]) + text
    return packed


def _scale(scale: Thresholds) -> bytes:
    packed = SCALE.pack(len(scale.columns), scale.n_columns, len(scale.rows))
    for array, kind in (
        (scale.columns, "<u2"),
        (scale.row, "<u2"),
        (scale.limits, "<i4"),
        (scale.accepts_missing, "u1"),
    ):
        packed += array.astype(kind).tobytes()
    rows, missing = scale.rows.astype("<i4"), scale.missing.astype("<i2")
    return packed + bytes(-len(packed) % ALIGNMENT) + rows.tobytes() + missing.tobytes()
