"""Graphs in the format of the DIMACS challenges."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import DataError
from ..limits import check_variables
from .model import Model
from .text import all_lines, check_pairs, count, numbers
from .triplets import graph

READING = "largest cut of the graph; the file states no problem"
"""What a graph is read as: it may also be meant for colouring or for cliques."""


def read_dimacs(path: Path, text: str) -> Model:
    """Read a line ``p edge nodes edges`` and lines ``e i j`` or ``e i j w``, counted from 1.

    Parameters
    ----------
    path : Path
        The file, for messages and the model's name.
    text : str
        Its content.

    Returns
    -------
    Model
        The model of the largest cut. An edge that is listed in both directions is one edge.

    Raises
    ------
    DataError
        If the file does not have the format.
    """
    # Comments begin with c, which may stand directly before the text.
    lines = [(number, line) for number, line in all_lines(text) if line[0] not in "cC#"]
    line, first = lines[0] if lines else (1, "")
    fields = first.split()
    if len(fields) != 4 or fields[0] != "p":
        raise DataError(f"{path}: line {line} must be: p edge nodes edges, not {first[:40]!r}")
    variables = count(path, line, fields[2], "variables")
    announced = count(path, line, fields[3], "edges")
    edges = []
    for number, words in lines[1:]:
        kind, _, rest = words.partition(" ")
        if kind != "e":
            raise DataError(
                f"{path}: line {number} begins with {kind!r}; this reader knows edges only, "
                f"lines such as: e 1 2"
            )
        edges.append((number, rest if len(rest.split()) != 2 else f"{rest} 1"))
    check_variables(path, variables, len(edges))
    table = numbers(path, edges, 3)
    check_pairs(path, edges, table[:, :2], 1, variables)
    pairs = np.sort(table[:, :2].astype(np.int64) - 1, axis=1)
    distinct, places, which = np.unique(pairs, axis=0, return_index=True, return_inverse=True)
    weights = table[places, 2]
    wrong = np.flatnonzero(weights[which.reshape(-1)] != table[:, 2])
    if len(wrong):
        raise DataError(f"{path}: line {edges[wrong[0]][0]} lists an edge again, with other weight")
    if announced not in (len(table), len(distinct)):
        raise DataError(f"{path} announces {announced} edges and has {len(table)}")
    reading = READING
    if len(distinct) < len(table):
        reading += f"; {len(table) - len(distinct)} edges stand twice, and count once"
    chosen = [edges[place] for place in places]
    return graph(path, chosen, distinct, weights, variables, reading, "dimacs")
