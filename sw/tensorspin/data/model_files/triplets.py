"""Lists of numbered entries: rudy, sparse, bq, qs and qubo.

A line of counts is followed by one line ``i j w`` for each entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import dimod
import numpy as np

from ..errors import DataError
from ..limits import check_variables
from .model import Model
from .recognise import OFFSET
from .text import Line, all_lines, check_pairs, count, data_lines, numbers

READINGS = {
    "rudy": "largest cut of a graph",
    "sparse": "min x'Qx, Q symmetric and given by one half: entries off the diagonal count twice",
    "bq": "min x'Qx, each entry of Q counts once; --format sparse reads half of a symmetric Q",
    "qs": "min x'Qx, Q symmetric and given by one half: entries off the diagonal count twice",
    "qubo": "min x'Qx, each entry of Q counts once",
}
"""What the entries mean, by format."""

_COMMENTS = "#cC"
"""What begins a comment. qbsolv's ``c`` may stand directly before the text."""


def read_triplets(path: Path, text: str, file_format: str) -> Model:
    """Read a model in one of these formats.

    Parameters
    ----------
    path : Path
        The file, for messages and the model's name.
    text : str
        Its content.
    file_format : str
        A key of `READINGS`.

    Returns
    -------
    Model
        The model.

    Raises
    ------
    DataError
        If the file does not have the format.
    """
    lines = data_lines(text, _COMMENTS)
    first = 0 if file_format == "qubo" else 1
    variables, entries = (_qubo_counts if file_format == "qubo" else _counts)(path, lines)
    lines = lines[1:]
    if len(lines) != entries:
        raise DataError(f"{path} announces {entries} entries and has {len(lines)}")
    check_variables(path, variables, entries)
    table = numbers(path, lines, 3)
    pairs, weights = table[:, :2], table[:, 2]
    check_pairs(path, lines, pairs, first, variables)
    pairs = pairs.astype(np.int64) - first
    reading = READINGS[file_format]
    if file_format == "rudy":
        return graph(path, lines, pairs, weights, variables, reading)
    if file_format in ("sparse", "qs"):
        _refuse_both_halves(path, lines, pairs)
    # A file that holds one half of a symmetric matrix has entries which stand for two.
    factor = 2 if file_format in ("sparse", "qs") else 1
    offset = 0.0 if file_format == "qubo" else _offset(path, text)
    bqm = quadratic_form(pairs, weights, variables, factor, first, offset)
    if offset:
        reading += f", and {offset:g}"
    return Model(path.name, bqm, "min x'Qx", file_format=file_format, reading=reading)


def graph(
    path: Path,
    lines: Sequence[Line],
    pairs: np.ndarray,
    weights: np.ndarray,
    variables: int,
    reading: str,
    file_format: str = "rudy",
) -> Model:
    """Make the model of a graph's largest cut, with nodes that are counted from 1.

    Parameters
    ----------
    path : Path
        The file, for messages and the model's name.
    lines : sequence of (int, str)
        The line of each edge.
    pairs : ndarray of int64 of shape (n_edges, 2)
        The two nodes of each edge, counted from 0.
    weights : ndarray of float64 of shape (n_edges,)
        Weights of the edges.
    variables : int
        Number of nodes.
    reading : str
        How the file was read.
    file_format : str
        The file's format.

    Returns
    -------
    Model
        The model.

    Raises
    ------
    DataError
        If an edge is a loop.
    """
    loops = np.flatnonzero(pairs[:, 0] == pairs[:, 1])
    if len(loops):
        raise DataError(
            f"{path}: line {lines[loops[0]][0]}: entry {loops[0] + 1} is a loop, which a graph "
            f"does not have. If the file holds a matrix Q to minimise x'Qx, choose a format: "
            f"sparse (one half of a symmetric Q), bq (each entry counts once) or qs"
        )
    repeated = len(pairs) - len(np.unique(np.sort(pairs, axis=1), axis=0))
    if repeated:
        reading += f"; {repeated} edges stand more than once, and their weights are added"
    bqm = dimod.BinaryQuadraticModel.from_numpy_vectors(
        np.zeros(variables),
        (pairs[:, 0], pairs[:, 1], weights),
        0.0,
        dimod.SPIN,
        variable_order=range(1, variables + 1),
    )
    return Model(path.name, bqm, "max cut", float(weights.sum()), file_format, reading)


def quadratic_form(
    pairs: np.ndarray, weights: np.ndarray, variables: int, factor: int, first: int, offset: float
) -> dimod.BinaryQuadraticModel:
    """Make the model of a quadratic form.

    Parameters
    ----------
    pairs : ndarray of int64 of shape (n_entries, 2)
        Row and column of each entry, counted from 0.
    weights : ndarray of float64 of shape (n_entries,)
        The entries.
    variables : int
        Number of variables.
    factor : int
        How often an entry off the diagonal counts.
    first : int
        Label of the first variable.
    offset : float
        Constant term.

    Returns
    -------
    dimod.BinaryQuadraticModel
        The model, of binary variables.
    """
    diagonal = pairs[:, 0] == pairs[:, 1]
    linear = np.zeros(variables)
    # A diagonal element may stand more than once; add.at sums the weights, as dimod does those of a
    # pair, whereas `linear[...] += weights` would keep only the last.
    np.add.at(linear, pairs[diagonal, 0], weights[diagonal])
    pairs, weights = pairs[~diagonal], weights[~diagonal]
    return dimod.BinaryQuadraticModel.from_numpy_vectors(
        linear,
        (pairs[:, 0], pairs[:, 1], factor * weights),
        offset,
        dimod.BINARY,
        variable_order=range(first, first + variables),
    )


def _counts(path: Path, lines: Sequence[Line]) -> tuple[int, int]:
    """Read the line ``n m``; the program Zimpl also writes ``p n m``."""
    line, first = lines[0] if lines else (1, "")
    fields = first.split()
    if fields[:1] == ["p"]:
        del fields[0]
    if len(fields) != 2:
        raise DataError(
            f"{path}: line {line} must begin with the numbers of variables and of entries, and "
            f"hold nothing else, not {_shown(first)}"
        )
    return count(path, line, fields[0], "variables"), count(path, line, fields[1], "entries")


def _qubo_counts(path: Path, lines: Sequence[Line]) -> tuple[int, int]:
    """Read the line ``p qubo 0 nodes diagonals elements``."""
    line, first = lines[0] if lines else (1, "")
    fields = first.split()
    if len(fields) != 6 or [field.lower() for field in fields[:2]] != ["p", "qubo"]:
        raise DataError(
            f"{path}: line {line} must begin with: p qubo 0 nodes diagonals elements, not "
            f"{_shown(first)}"
        )
    diagonals, elements = (count(path, line, field, "entries") for field in fields[4:])
    return count(path, line, fields[3], "variables"), diagonals + elements


def _shown(line: str) -> str:
    """Quote the beginning of a line."""
    return repr(line if len(line) <= 40 else line[:40] + "...")


def _offset(path: Path, text: str) -> float:
    """Read the constant term that QOBLIB's files have in a comment."""
    for number, line in all_lines(text):
        found = OFFSET.match(line)
        if found:
            try:
                offset = float(found[1])
            except ValueError:
                offset = np.nan
            if not np.isfinite(offset):
                raise DataError(f"{path}: line {number}: {found[1]!r} is no offset")
            return offset
        if line[0] not in _COMMENTS:
            break
    return 0.0


def _refuse_both_halves(path: Path, lines: Sequence[Line], pairs: np.ndarray) -> None:
    """Refuse a symmetric matrix of which both halves are listed: each entry would count twice."""
    above = {tuple(pair) for pair in pairs[pairs[:, 0] < pairs[:, 1]].tolist()}
    for entry in np.flatnonzero(pairs[:, 0] > pairs[:, 1]).tolist():
        row, column = pairs[entry].tolist()
        if (column, row) in above:
            raise DataError(
                f"{path}: line {lines[entry][0]}: both ({column + 1}, {row + 1}) and "
                f"({row + 1}, {column + 1}) are listed, whereas the format has one half of the "
                f"matrix; choose the format bq, in which each entry counts once"
            )
