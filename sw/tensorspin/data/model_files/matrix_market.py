"""Matrices in the MatrixMarket format, which says nothing of a problem to solve."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import DataError
from ..limits import check_variables
from .model import Model
from .text import Line, all_lines, check_pairs, count, numbers
from .triplets import graph, quadratic_form

FORMATS = ("mtx", "mtx-qubo", "mtx-cut")
"""Names of the format: with the reading chosen by the content, or given."""

_LAYOUTS = ("coordinate", "array")
_FIELDS = ("real", "double", "integer", "unsigned-integer", "pattern")
_SYMMETRIES = ("general", "symmetric")


class _Kind(NamedTuple):
    """What the first line says of a matrix."""

    array: bool
    pattern: bool
    symmetric: bool


def read_matrix_market(path: Path, text: str, file_format: str) -> Model:
    """Read a square matrix as a quadratic form or as a graph.

    Parameters
    ----------
    path : Path
        The file, for messages and the model's name.
    text : str
        Its content.
    file_format : str
        One of `FORMATS`. "mtx" reads a pattern as a graph, whose largest cut is searched, and any
        other matrix Q as x'Qx, which is minimised.

    Returns
    -------
    Model
        The model.

    Raises
    ------
    DataError
        If the file does not have the format, or the matrix does not suit the reading.
    """
    kind, n, data = _header(path, all_lines(text))
    # scipy.io.mmread is not used: damaged files can end the process in it, and it tells no lines.
    pairs, values, data = (_array if kind.array else _coordinates)(path, kind, n, data)
    if kind.symmetric:
        other = pairs[:, 0] != pairs[:, 1]
        pairs = np.concatenate([pairs, pairs[other][:, ::-1]])
        values = np.concatenate([values, values[other]])
        data = [*data, *(data[place] for place in np.flatnonzero(other).tolist())]
    if file_format == "mtx-qubo" or (file_format == "mtx" and not kind.pattern):
        bqm = quadratic_form(pairs, values, n, 1, 1, 0.0)
        reading = "min x'Qx; the file states no problem, --format mtx-cut reads a graph"
        return Model(path.name, bqm, "min x'Qx", file_format=file_format, reading=reading)
    return _graph(path, data, pairs, values, n, file_format)


def _coordinates(
    path: Path, kind: _Kind, n: int, data: list[Line]
) -> tuple[np.ndarray, np.ndarray, list[Line]]:
    """Read the entries of a sparse matrix: their places, values and lines."""
    table = numbers(path, data, 2 if kind.pattern else 3)
    check_pairs(path, data, table[:, :2], 1, n)
    pairs = table[:, :2].astype(np.int64) - 1
    if kind.symmetric:
        _, first = np.unique(np.sort(pairs, axis=1), axis=0, return_index=True)
        again = np.setdiff1d(np.arange(len(pairs)), first)
        if len(again):
            raise DataError(
                f"{path}: line {data[again[0]][0]} lists an entry again; of a symmetric matrix the "
                f"format has one half"
            )
    return pairs, np.ones(len(data)) if kind.pattern else table[:, 2], data


def _array(
    path: Path, kind: _Kind, n: int, data: list[Line]
) -> tuple[np.ndarray, np.ndarray, list[Line]]:
    """Read the entries of a dense matrix, which stand column by column."""
    data = [(line, word) for line, words in data for word in words.split()]
    values = numbers(path, data, 1)[:, 0]
    columns, rows = np.triu_indices(n) if kind.symmetric else np.indices((n, n)).reshape(2, -1)
    places = np.flatnonzero(values)
    pairs = np.stack([rows, columns], axis=1).astype(np.int64)[places]
    return pairs, values[places], [data[place] for place in places.tolist()]


def _graph(
    path: Path,
    data: list[Line],
    pairs: np.ndarray,
    values: np.ndarray,
    n: int,
    file_format: str,
) -> Model:
    """Read a symmetric matrix, or one half of it, as the weights of edges."""
    above, below = pairs[:, 0] < pairs[:, 1], pairs[:, 0] > pairs[:, 1]
    if above.any() and below.any():
        upper, lower = (
            sorted(zip(map(tuple, np.sort(pairs[half], axis=1).tolist()), values[half].tolist()))
            for half in (above, below)
        )
        if upper != lower:
            raise DataError(f"{path} is no graph: its matrix is not symmetric")
        keep = np.flatnonzero(~below)
        pairs, values, data = pairs[keep], values[keep], [data[place] for place in keep.tolist()]
    reading = "largest cut of a graph; the file states no problem, --format mtx-qubo reads min x'Qx"
    return graph(path, data, pairs, values, n, reading, file_format)


def _header(path: Path, lines: list[Line]) -> tuple[_Kind, int, list[Line]]:
    """Check what the file announces before memory is allocated for it.

    Returns the kind of the matrix, its size and the lines of its entries.
    """
    banner = lines[0][1].lower().split() if lines else []
    if len(banner) != 5 or banner[:2] != ["%%matrixmarket", "matrix"]:
        raise DataError(
            f"{path}: line 1 must be: %%MatrixMarket matrix coordinate real symmetric, or alike"
        )
    for word, known in zip(banner[2:], (_LAYOUTS, _FIELDS, _SYMMETRIES)):
        if word not in known:
            raise DataError(f"{path}: line 1: {word!r} must be one of {', '.join(known)}")
    array = banner[2] == "array"
    if array and banner[3] == "pattern":
        raise DataError(f"{path}: line 1: an array has no pattern; it must be coordinate")
    data = [line for line in lines[1:] if not line[1].startswith("%")]
    line, sizes = data[0] if data else (1, "")
    fields = sizes.split()
    if len(fields) != (2 if array else 3):
        raise DataError(
            f"{path}: line {line} must hold rows, columns and, of coordinates, entries, not "
            f"{sizes[:40]!r}"
        )
    rows, columns = (count(path, line, field, "variables") for field in fields[:2])
    if rows != columns:
        raise DataError(f"{path}: a matrix of {rows} x {columns} is no model; it must be square")
    if array:
        needed = rows * columns if banner[4] == "general" else rows * (rows + 1) // 2
        there = sum(len(line.split()) for _, line in data[1:])
    else:
        needed, there = count(path, line, fields[2], "entries"), len(data) - 1
    if needed != there:
        raise DataError(f"{path} announces {needed} entries and has {there}")
    check_variables(path, rows, there)
    return _Kind(array, banner[3] == "pattern", banner[4] == "symmetric"), rows, data[1:]
