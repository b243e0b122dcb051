"""Matrices in the MatrixMarket format, which says nothing of a problem to solve."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..limits import check_variables
from .model import Model
from .text import Line, all_lines, count
from .triplets import graph, quadratic_form

FORMATS = ("mtx", "mtx-qubo", "mtx-cut")
"""Names of the format: with the reading chosen by the content, or given."""

_LAYOUTS = ("coordinate", "array")
_FIELDS = ("real", "double", "integer", "unsigned-integer", "pattern")
_SYMMETRIES = ("general", "symmetric")


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
    from scipy.io import mmread

    lines = all_lines(text)
    pattern = _check_header(path, lines)
    try:
        matrix = mmread(io.BytesIO(text.encode()))
    except (ValueError, OverflowError, TypeError, IndexError) as error:
        raise DataError(f"{path} is no MatrixMarket file: {error}") from error
    if isinstance(matrix, np.ndarray):
        rows, columns = np.nonzero(matrix)
        values = matrix[rows, columns].astype(np.float64)
    else:
        matrix = matrix.tocoo()
        rows, columns, values = matrix.row, matrix.col, matrix.data.astype(np.float64)
    n = matrix.shape[0]
    if not np.all(np.isfinite(values)):
        raise DataError(f"{path} holds numbers that are not finite")
    pairs = np.stack([rows, columns], axis=1).astype(np.int64)
    if file_format == "mtx-qubo" or (file_format == "mtx" and not pattern):
        bqm = quadratic_form(pairs, values, n, 1, 1, 0.0)
        reading = "min x'Qx; the file states no problem, --format mtx-cut reads a graph"
        return Model(path.name, bqm, "min x'Qx", file_format=file_format, reading=reading)
    return _graph(path, pairs, values, n, file_format)


def _graph(path: Path, pairs: np.ndarray, values: np.ndarray, n: int, file_format: str) -> Model:
    """Read a symmetric matrix, or one half of it, as the weights of edges."""
    above, below = pairs[:, 0] < pairs[:, 1], pairs[:, 0] > pairs[:, 1]
    if above.any() and below.any():
        upper, lower = (
            sorted(zip(map(tuple, np.sort(pairs[half], axis=1).tolist()), values[half].tolist()))
            for half in (above, below)
        )
        if upper != lower:
            raise DataError(f"{path} is no graph: its matrix is not symmetric")
        keep = ~below
        pairs, values = pairs[keep], values[keep]
    reading = "largest cut of a graph; the file states no problem, --format mtx-qubo reads min x'Qx"
    # Line numbers are lost in scipy's reader; a loop is shown by its row instead.
    loops = pairs[pairs[:, 0] == pairs[:, 1]]
    if len(loops):
        raise DataError(
            f"{path} is no graph: its matrix has an entry ({loops[0, 0] + 1}, {loops[0, 0] + 1}); "
            f"choose the format mtx-qubo"
        )
    return graph(path, [], pairs, values, n, reading, file_format)


def _check_header(path: Path, lines: list[Line]) -> bool:
    """Check what the file announces before memory is allocated for it.

    Returns whether the matrix is a pattern, of which only the places of entries are given.
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
    return banner[3] == "pattern"
