"""Files of Ising and QUBO models, and tables of the best values known for them.

An Ising model gives an energy to spins of +1 and -1, a QUBO model (quadratic unconstrained binary
optimisation) a value to variables of 0 and 1; both become a `dimod.BinaryQuadraticModel`, which is
what the annealer minimises. Some formats state another objective, such as the largest cut of a
graph; `Model.value` converts energies back to it.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import lzma
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dimod
import numpy as np

from ..archives import read_at_most
from .dimod_files import PREFIX as DIMOD_PREFIX
from .dimod_files import read_dimod
from .errors import DataError
from .limits import check_variables

FORMATS = ("rudy", "sparse", "qubo", "coo", "dimod")
"""Names of the formats that `read_model` reads; its documentation describes them."""

TABLE = "best_known.csv"
"""Name of the table of best values known, beside the model files or in the folder above."""

_OPENERS: dict[str, Callable[..., Any]] = {".xz": lzma.open, ".gz": gzip.open, ".bz2": bz2.open}
"""What opens a compressed file, by the file's last suffix."""

_VARTYPE = re.compile(r"\s*#\s*vartype\s*=\s*(\w*)")
"""First line of a file that dimod.serialization.coo writes; the group is SPIN or BINARY."""

MOST_BYTES = 1 << 26
"""Most bytes that a compressed file may expand to: 64 MiB, about five million couplings.

Reading text takes up to fifty times its size in memory, here about 3 GB. A file that is not
compressed has no limit: its user sees how large it is.
"""


@dataclass(frozen=True)
class Model:
    """A model together with the objective that its file states.

    Parameters
    ----------
    name : str
        Name of the file, without folders.
    bqm : dimod.BinaryQuadraticModel
        The model to minimise.
    objective : str
        What the file asks for: "max cut" (the largest cut of a graph), "min x'Qx" (the least value
        of a quadratic form), or "energy" (the least energy of the model itself).
    weight : float
        Sum of the weights of all edges; it counts only for the objective "max cut".

    Examples
    --------
    A graph of two nodes and one edge of weight 3. The edge is cut if the spins differ.

    >>> import dimod
    >>> from tensorspin.data import Model
    >>> bqm = dimod.BinaryQuadraticModel.from_ising({}, {(1, 2): 3.0})
    >>> model = Model("edge", bqm, "max cut", weight=3.0)
    >>> float(model.value(bqm.energy({1: +1, 2: -1}))), model.maximised
    (3.0, True)
    """

    name: str
    bqm: dimod.BinaryQuadraticModel
    objective: str
    weight: float = 0.0

    @property
    def maximised(self) -> bool:
        """Whether a greater value of the objective is better."""
        return self.objective == "max cut"

    def value(self, energy):
        """Convert energies of states to the file's objective.

        Parameters
        ----------
        energy : float or ndarray of float
            Energies of the model.

        Returns
        -------
        float or ndarray of float
            Values of the objective, in the shape of `energy`.
        """
        # An edge of weight w adds -w to the energy if it is cut and +w if it is not, so the energy
        # is the weight of all edges less twice the cut.
        return (self.weight - energy) / 2 if self.maximised else energy


@dataclass(frozen=True)
class KnownValue:
    """The best value known for a model file, as its line in `TABLE` gives it.

    Parameters
    ----------
    objective : str
        What the value is a value of, in the words of `Model.objective`.
    value : float
        The best value known.
    status : str
        How certain the value is, for example "proven optimum" or "best known".

    Examples
    --------
    >>> from tensorspin.data import KnownValue
    >>> KnownValue("max cut", 11624.0, "best known").value
    11624.0
    """

    objective: str
    value: float
    status: str


def read_model(path: str | Path, file_format: str | None = None) -> Model:
    r"""Read a file that holds an Ising or QUBO model.

    ======= ======================================================================================
    format  content
    ======= ======================================================================================
    rudy    G-set, BiqMac's max-cut: a line ``n m`` (nodes, edges), then ``i j w`` for each edge,
            nodes counted from 1. To maximise: the sum of w over the edges that are cut. The model
            is ``sum w s_i s_j``.
    sparse  BiqMac's .sparse: a line ``n m``, then ``i j q``, counted from 1, the upper triangle of
            a symmetric matrix Q. To minimise: x'Qx, in which each q off the diagonal counts twice.
    qubo    qbsolv's .qubo: ``p qubo 0 nodes diagonals elements``, then ``i j q``, counted from 0;
            lines with comments begin with ``c``. To minimise: the sum of ``q x_i x_j``, in which
            each q counts once.
    coo     What dimod.serialization.coo writes, with its first line ``# vartype=...``.
    dimod   What dimod.BinaryQuadraticModel.to_file writes.
    ======= ======================================================================================

    Parameters
    ----------
    path : str or Path
        The file, which may be compressed (suffix .xz, .gz or .bz2) and then expand to at most
        `MOST_BYTES`.
    file_format : str, optional
        One of `FORMATS`. By default coo and dimod are recognised by their first bytes, qubo and
        sparse by the file's suffix; any other file is read as rudy.

    Returns
    -------
    Model
        The model and the objective of the file.

    Raises
    ------
    DataError
        If the file cannot be read, or does not have the format.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tensorspin.data import read_model
    >>> path = Path("triangle.txt")
    >>> _ = path.write_text("3 3\n1 2 1\n2 3 1\n1 3 1\n")
    >>> model = read_model(path)
    >>> model.objective, model.bqm.num_variables
    ('max cut', 3)
    """
    path = Path(path)
    if file_format is not None and file_format not in FORMATS:
        raise DataError(f"format must be one of {', '.join(FORMATS)}, not {file_format!r}")
    suffixes = [suffix.lower() for suffix in path.suffixes]
    opener = _OPENERS.get(suffixes[-1] if suffixes else "")
    try:
        if opener is None:
            content = path.read_bytes()
        else:
            with opener(path, "rb") as file:
                content = read_at_most(file, MOST_BYTES)
    except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    chosen = file_format or _recognised(content, suffixes)
    if chosen == "dimod":
        return Model(path.name, read_dimod(path, content), "energy")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text: {error}") from error
    if chosen == "coo":
        return Model(path.name, _read_coo(path, text), "energy")
    return _read_triplets(path, text, chosen)


def find_known_value(path: str | Path, folder: str | Path | None = None) -> KnownValue | None:
    r"""Look up the best value known for a model file.

    Parameters
    ----------
    path : str or Path
        The model file. Its line in the table is found by the file's name, without folders.
    folder : str or Path, optional
        Folder that holds the table (`TABLE`). By default the file's own folder is tried, then the
        folder above.

    Returns
    -------
    KnownValue or None
        The value, or None if there is no table or the file is not in it.

    Raises
    ------
    DataError
        If there is no table in `folder`, or a table cannot be read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tensorspin.data import find_known_value
    >>> line = "triangle.txt,3,3,max cut,2,proven optimum"
    >>> _ = Path("best_known.csv").write_text(f"file,n,m,objective,value,status\n{line}\n")
    >>> find_known_value("triangle.txt")
    KnownValue(objective='max cut', value=2.0, status='proven optimum')
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
        try:
            # Spreadsheets begin a file with a byte order mark, which utf-8-sig skips.
            with open(table, newline="", encoding="utf-8-sig") as file:
                for row in csv.DictReader(file):
                    if Path(row["file"]).name == path.name:
                        return KnownValue(row["objective"], float(row["value"]), row["status"])
        except OSError as error:
            raise DataError(f"cannot read {table}: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise DataError(f"{table} is not UTF-8: {error}; save it as UTF-8") from error
        except (KeyError, TypeError, ValueError, csv.Error) as error:
            raise DataError(
                f"{table} must have the columns file, objective, value and status: {error}"
            ) from error
    return None


def _recognised(content: bytes, suffixes: list[str]) -> str:
    """Guess the format of a file from its first bytes, then from its suffix."""
    if content.startswith(DIMOD_PREFIX):
        return "dimod"
    if _VARTYPE.match(content[:100].decode(errors="replace")):
        return "coo"
    # The suffix of the format stands before that of the compression: model.qubo.gz.
    own = [suffix for suffix in suffixes if suffix not in _OPENERS]
    return {".qubo": "qubo", ".sparse": "sparse"}.get(own[-1] if own else "", "rudy")


def _read_coo(path: Path, text: str) -> dimod.BinaryQuadraticModel:
    """Read what dimod.serialization.coo writes, and refuse every line that is not understood.

    dimod's own reader skips such lines silently, so that a damaged file would become another model.
    """
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
    """Read rudy, sparse or qubo: a line of counts, then one line of three numbers per entry."""
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
    if len(lines) - 1 != entries:
        raise DataError(f"{path} announces {entries} entries and has {len(lines) - 1}")
    check_variables(path, variables, entries)
    table = _numbers(path, lines[1:], 3, 1)
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
    # A diagonal element may stand more than once; add.at sums the weights, as dimod does those of a
    # pair, whereas `linear[...] += weights` would keep only the last.
    np.add.at(linear, pairs[diagonal, 0] - first, weights[diagonal])
    pairs, weights = pairs[~diagonal] - first, weights[~diagonal]
    # A sparse file holds only the upper triangle of a symmetric matrix, so that each entry off the
    # diagonal stands for two.
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
    # isdigit() alone is true for superscripts, too, which int() does not take.
    if not (field.isascii() and field.isdigit()):
        raise DataError(f"{path}: {field!r} in the first line is no count")
    return int(field)


def _numbers(path: Path, lines: list[str], columns: int, first: int) -> np.ndarray:
    """Return the numbers of lines, checked to be finite, as float64 of shape (n, columns).

    `first` is the number of lines before them in the file: messages count lines from 1.
    """
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
