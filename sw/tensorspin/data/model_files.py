"""Files of Ising and QUBO models: rudy, BiqMac, qbsolv's .qubo, and dimod's own."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import dimod
import numpy as np
from dimod.serialization import fileview

from .datasets import DataError

FORMATS = ("rudy", "sparse", "qubo", "coo", "dimod")
"""What `read_model` reads; its documentation says what they are."""

TABLE = "best_known.csv"
"""File with the best values known, beside the files or in the folder above."""

_OPENERS = {".xz": lzma.open, ".gz": gzip.open, ".bz2": bz2.open}

_DIMOD_PREFIX = b"DIMODBQM"

_VARTYPE = re.compile(r"\s*#\s*vartype\s*=\s*(\w*)")
"""Beginning of a file of dimod.serialization.coo."""

MOST_VARIABLES = 1_000_000
"""Of a file; a damaged one may announce any number."""


@dataclass(frozen=True)
class Model:
    """A model with the objective that its file states.

    Attributes
    ----------
    name : str
        The file's.
    bqm : dimod.BinaryQuadraticModel
    objective : str
        "max cut", "min x'Qx" or "energy".
    weight : float
        Sum of the weights of all edges; for the objective "max cut".
    """

    name: str
    bqm: dimod.BinaryQuadraticModel
    objective: str
    weight: float = 0.0

    @property
    def maximised(self) -> bool:
        """Greater values are better."""
        return self.objective == "max cut"

    def value(self, energy):
        """The objective of states with an energy; the cut is ``(weight - energy) / 2``."""
        return (self.weight - energy) / 2 if self.maximised else energy


@dataclass(frozen=True)
class KnownValue:
    """A line of a table of best values: ``file,n,m,objective,value,status``."""

    objective: str
    value: float
    status: str


def read_model(path: str | Path, file_format: str | None = None) -> Model:
    """Read a file.

    ======= ======================================================================================
    format
    ======= ======================================================================================
    rudy    G-set, BiqMac's max-cut: ``n m``, then ``i j w`` from 1 on. To maximise: the sum of w
            over the edges that are cut. The model is ``sum w s_i s_j``.
    sparse  BiqMac's .sparse: ``n m``, then ``i j q`` from 1 on, the upper triangle of a symmetric
            Q. To minimise: x'Qx, in which each q off the diagonal stands twice.
    qubo    qbsolv's .qubo: ``p qubo 0 nodes diagonals elements``, then ``i j q`` from 0 on, ``c``
            before comments. To minimise: the sum of ``q x_i x_j``, each once.
    coo     dimod.serialization.coo, with its line ``# vartype=...``.
    dimod   dimod.BinaryQuadraticModel.to_file.
    ======= ======================================================================================

    Parameters
    ----------
    path : str or Path
        May be compressed: .xz, .gz, .bz2.
    file_format : str, optional
        One of `FORMATS`. By default coo and dimod are known by their beginnings, qubo and sparse by
        their suffixes; all else is taken as rudy.

    Returns
    -------
    Model

    Raises
    ------
    DataError
        If the file can't be read, or is not of its format.
    """
    path = Path(path)
    if file_format is not None and file_format not in FORMATS:
        raise DataError(f"format must be one of {', '.join(FORMATS)}, not {file_format!r}")
    suffixes = [suffix.lower() for suffix in path.suffixes]
    opener = _OPENERS.get(suffixes[-1] if suffixes else "", open)
    try:
        with opener(path, "rb") as file:
            content = file.read()
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    chosen = file_format or _recognised(content, suffixes)
    if chosen == "dimod":
        try:
            bqm = fileview.load(io.BytesIO(content))
        except Exception as error:  # whatever numpy, json and zip make of bytes that are none
            raise DataError(f"{path} is no model of dimod: {error}") from error
        if not isinstance(bqm, dimod.BinaryQuadraticModel):
            raise DataError(f"{path} holds a {type(bqm).__name__}, not a binary quadratic model")
        return Model(path.name, bqm, "energy")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text: {error}") from error
    if chosen == "coo":
        return Model(path.name, _read_coo(path, text), "energy")
    return _read_triplets(path, text, chosen)


def find_known_value(path: str | Path, folder: str | Path | None = None) -> KnownValue | None:
    """The best value known of a file.

    Parameters
    ----------
    path : str or Path
        Of the file; it is found by its name without folders.
    folder : str or Path, optional
        Of the table. By default the file's own, or the one above.

    Returns
    -------
    KnownValue or None
        None if there is no table, or the file is not in it.

    Raises
    ------
    DataError
        If there is no table in `folder`, or a table can't be read.
    """
    path = Path(path)
    if folder is not None:
        table = Path(folder) / TABLE
        if not table.is_file():
            raise DataError(f"there is no {TABLE} in {folder}")
        tables = [table]
    else:
        own = path.resolve().parent
        tables = [place / TABLE for place in (own, own.parent) if (place / TABLE).is_file()]
    for table in tables:
        with open(table, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                try:
                    if Path(row["file"]).name == path.name:
                        return KnownValue(row["objective"], float(row["value"]), row["status"])
                except (KeyError, TypeError, ValueError) as error:
                    raise DataError(
                        f"{table} must have the columns file, objective, value and status: {error}"
                    ) from error
    return None


def _recognised(content: bytes, suffixes: list[str]) -> str:
    if content.startswith(_DIMOD_PREFIX):
        return "dimod"
    if _VARTYPE.match(content[:100].decode(errors="replace")):
        return "coo"
    own = [suffix for suffix in suffixes if suffix not in _OPENERS]
    return {".qubo": "qubo", ".sparse": "sparse"}.get(own[-1] if own else "", "rudy")


def _read_coo(path: Path, text: str) -> dimod.BinaryQuadraticModel:
    """As `dimod.serialization.coo.load`, which passes over lines that it can't read."""
    found = _VARTYPE.match(text)
    vartype = found[1].upper() if found else ""
    if vartype not in dimod.Vartype.__members__:
        raise DataError(f"{path} must begin with # vartype=SPIN or # vartype=BINARY")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    table = _numbers(path, lines, 3, 0)
    wrong = np.flatnonzero(np.any((table[:, :2] % 1 != 0) | (table[:, :2] < 0), axis=1))
    if len(wrong):
        raise DataError(
            f"{path}: entry {wrong[0] + 1} names {table[wrong[0], :2].tolist()}; variables are "
            f"integers from 0 on"
        )
    bqm = dimod.BinaryQuadraticModel(vartype)
    for row, column, value in zip(*table[:, :2].T.astype(np.int64).tolist(), table[:, 2].tolist()):
        if row == column:
            bqm.add_linear(row, value)
        else:
            bqm.add_quadratic(row, column, value)
    return bqm


def _read_triplets(path: Path, text: str, chosen: str) -> Model:
    lines = [line for line in text.splitlines() if line.strip()]
    if chosen == "qubo":
        lines = [line for line in lines if line.split()[0] not in ("c", "#")]
        if not lines or lines[0].split()[:2] != ["p", "qubo"] or len(lines[0].split()) != 6:
            raise DataError(f"{path} must begin with: p qubo 0 nodes diagonals elements")
        variables, *counts = (_count(path, field) for field in lines[0].split()[3:])
        first, entries = 0, sum(counts)
    else:
        if not lines or len(lines[0].split()) != 2:
            raise DataError(f"{path} must begin with the numbers of variables and of entries")
        variables, entries = (_count(path, field) for field in lines[0].split())
        first = 1
    if variables > MOST_VARIABLES:
        raise DataError(f"{path} announces {variables} variables; {MOST_VARIABLES} are the limit")
    table = _numbers(path, lines[1:], 3, 1)
    if len(table) != entries:
        raise DataError(f"{path} announces {entries} entries and has {len(table)}")
    pairs, weights = table[:, :2], table[:, 2]
    wrong = np.flatnonzero(
        np.any((pairs % 1 != 0) | (pairs < first) | (pairs >= first + variables), axis=1)
    )
    if len(wrong):
        raise DataError(
            f"{path}: entry {wrong[0] + 1} names {pairs[wrong[0]].tolist()}; variables are "
            f"{first} to {first + variables - 1}"
        )
    pairs = pairs.astype(np.int64)
    diagonal = pairs[:, 0] == pairs[:, 1]
    if chosen == "rudy" and diagonal.any():
        raise DataError(f"{path}: entry {np.flatnonzero(diagonal)[0] + 1} is a loop")
    linear = np.zeros(variables)
    np.add.at(linear, pairs[diagonal, 0] - first, weights[diagonal])
    pairs, weights = pairs[~diagonal] - first, weights[~diagonal]
    factor = 2 if chosen == "sparse" else 1
    bqm = dimod.BinaryQuadraticModel.from_numpy_vectors(
        linear,
        (pairs[:, 0], pairs[:, 1], factor * weights),
        0.0,
        dimod.SPIN if chosen == "rudy" else dimod.BINARY,
        variable_order=range(first, first + variables),
    )
    if chosen == "rudy":
        return Model(path.name, bqm, "max cut", float(weights.sum()))
    return Model(path.name, bqm, "min x'Qx")


def _count(path: Path, field: str) -> int:
    if not (field.isascii() and field.isdigit()):
        raise DataError(f"{path}: {field!r} in the first line is no count")
    return int(field)


def _numbers(path: Path, lines: list[str], columns: int, first: int) -> np.ndarray:
    """Rows of finite numbers, float64 (n, columns)."""
    fields = [line.split() for line in lines]
    for number, row in enumerate(fields, start=first + 1):
        if len(row) != columns:
            raise DataError(f"{path}: line {number} has {len(row)} columns, not {columns}")
    try:
        table = np.array(fields, dtype=np.float64).reshape(-1, columns)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error
    if not np.all(np.isfinite(table)):
        raise DataError(f"{path} holds numbers that are not finite")
    return table
