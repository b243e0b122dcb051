"""Draw a detector's chain and the circuit that it is: the picture of docs/hybrid.md.

The circuit is laid out as any other, so that the picture can't show another one. The checkout keeps
the picture; ``python -m tensorspin.hybrid.circuits.picture`` draws it anew.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from ...compiler.chain import chain_nodes
from .gates import Gate
from .isometries import Branching, isometric, leaves, mirrored, tree_of
from .layout import Layout, lay_out
from .loading import qubits_for

FEATURES = 6
"""Features of the chain in the picture; its bonds have two components."""

FILE = "born_circuit.svg"

_STEP, _ROW, _LEFT, _TOP = 118, 54, 96, 222
_WIRE, _STATE, _LOAD, _TEXT = "#8a929c", "#6b4fa0", "#2b8a57", "#22272e"


def example() -> list[Branching]:
    """Make the tree of isometries of a chain of `FEATURES` sites.

    Returns
    -------
    list of Branching
        The tree; its root is in the middle of the chain.
    """
    rng = np.random.default_rng(0)
    bonds = [1, *[2] * (FEATURES - 1), 1]
    cores = [rng.normal(size=(left, 2, right)) for left, right in zip(bonds, bonds[1:])]
    nodes = chain_nodes(cores, rng.normal(size=(1, 2, 2)), FEATURES // 2, range(FEATURES))
    return isometric(mirrored(tree_of(nodes)))[0]


def draw() -> str:
    """Draw the picture.

    Returns
    -------
    str
        A picture in SVG.

    Examples
    --------
    >>> from tensorspin.hybrid.circuits.picture import draw
    >>> "RY(x0)" in draw()
    True
    """
    tree = example()
    layout = lay_out(tree, qubits_for(2), reuse_qubits=False)
    columns, last = _columns(layout)
    width = _LEFT + (last + 2) * _STEP + 30
    height = _TOP + layout.n_qubits * _ROW - 10
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        *_chain(leaves(tree), width),
        *_circuit(layout, columns, last),
        "</svg>",
        "",
    ]
    return "\n".join(lines)


def _columns(layout: Layout) -> tuple[list[int], int]:
    """Return the column of each block, and that of the features' rotations behind all of them."""
    free = [0] * layout.n_qubits
    columns = []
    for block in layout.blocks:
        qubits = _qubits(block)
        columns.append(max(free[qubit] for qubit in qubits))
        for qubit in qubits:
            free[qubit] = columns[-1] + 1
    return columns, max(free)


def _qubits(gates: list[Gate]) -> list[int]:
    return sorted({qubit for gate in gates for qubit in gate.qubits})


def _chain(features: list[int], width: float) -> list[str]:
    """Draw the network: a circle for each site, the amplitude's tensor in the middle."""
    middle, y = width / 2, 74
    places = [middle + (site - (len(features) - 1) / 2) * 96 for site in range(len(features))]
    lines = [
        _text(middle, 26, "the detector's chain: one tensor for each feature, bonds of two", 15),
        f'<line x1="{places[0]}" y1="{y}" x2="{places[-1]}" y2="{y}" stroke="{_STATE}" '
        f'stroke-width="3"/>',
        f'<rect x="{middle - 13}" y="{y - 13}" width="26" height="26" rx="4" fill="{_STATE}"/>',
        _text(middle, y - 22, "root"),
    ]
    for feature, x in zip(features, places):
        lines += [
            f'<line x1="{x}" y1="{y}" x2="{x}" y2="{y + 36}" stroke="{_LOAD}" stroke-width="2"/>',
            f'<circle cx="{x}" cy="{y}" r="15" fill="#ffffff" stroke="{_STATE}" stroke-width="3"/>',
            _text(x, y + 54, f"vector of x{feature}"),
        ]
    return lines


def _circuit(layout: Layout, columns: list[int], last: int) -> list[str]:
    """Draw the circuit: a wire for each qubit, a box for each isometry, rotation and result."""
    end = _LEFT + (last + 2) * _STEP
    lines = [_text((_LEFT + end) / 2, _TOP - 42, "the circuit that it is", 15)]
    for qubit in range(layout.n_qubits):
        y = _TOP + qubit * _ROW
        lines += [
            f'<line x1="{_LEFT - 26}" y1="{y}" x2="{end}" y2="{y}" stroke="{_WIRE}"/>',
            _text(_LEFT - 56, y + 5, f"q{qubit} = 0"),
        ]
    for place, (block, column) in enumerate(zip(layout.blocks, columns)):
        cnots = sum(gate.name == "cx" for gate in block)
        words = ("root" if place == 0 else "isometry", f"{cnots} CNOT{'s' * (cnots > 1)}")
        lines += _box(column, _qubits(block), words, _STATE)
    for gate in layout.gates:
        if gate.parameter is not None:
            lines += _box(last, list(gate.qubits), (f"RY(x{gate.parameter})",), _LOAD)
        if gate.name == "measure":
            lines += _box(last + 1, list(gate.qubits), ("0 ?",), _TEXT)
    return lines


def _box(column: int, qubits: list[int], words: tuple[str, ...], colour: str) -> list[str]:
    """Draw a box over neighbouring wires."""
    x, y = _LEFT + column * _STEP, _TOP + qubits[0] * _ROW - 20
    height = (len(qubits) - 1) * _ROW + 40
    middle = y + height / 2 + 5 - 9 * (len(words) - 1)
    return [
        f'<rect x="{x}" y="{y}" width="{_STEP - 26}" height="{height}" rx="5" fill="#ffffff" '
        f'stroke="{colour}" stroke-width="2"/>',
        *(_text(x + (_STEP - 26) / 2, middle + 18 * line, word) for line, word in enumerate(words)),
    ]


def _text(x: float, y: float, words: str, size: int = 13) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="middle" font-size="{size}" '
        f'fill="{_TEXT}">{words}</text>'
    )


def main(folder: str = "docs") -> None:
    """Write the picture.

    Parameters
    ----------
    folder : str
        Where to.
    """
    Path(folder, FILE).write_text(draw())


if __name__ == "__main__":
    main(*sys.argv[1:])
