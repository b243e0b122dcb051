"""The gates of a tree of isometries: which qubits hold which bond and which feature, and when."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .gates import Gate, isometry_gates
from .isometries import Branching, Feature, Result
from .loading import loading_gates, qubits_for


@dataclass(frozen=True)
class Layout:
    """The gates of a circuit.

    Parameters
    ----------
    n_qubits : int
        Number of qubits.
    n_bits : int
        Number of results: one for each qubit of each leaf.
    gates : list of Gate
        The gates in the order of time.
    blocks : list of list of Gate
        Those of them that make the network's state, before features are loaded: the root, and each
        isometry.
    """

    n_qubits: int
    n_bits: int
    gates: list[Gate]
    blocks: list[list[Gate]]

    @property
    def preparation(self) -> list[Gate]:
        """The gates that make the network's state."""
        return [gate for block in self.blocks for gate in block]


def lay_out(tree: Sequence[Branching], site_qubits: int, reuse_qubits: bool) -> Layout:
    """Give each bond and each feature its qubits.

    The state of the root comes first; then each isometry takes the qubits of the bond above, and
    new ones in the state 0, to those of the two bonds below.

    Parameters
    ----------
    tree : sequence of Branching
        A tree of isometries. With `reuse_qubits`, each node but the first has one result below.
    site_qubits : int
        Qubits that hold the vector of a feature.
    reuse_qubits : bool
        False: each leaf keeps its qubits, numbered from left to right, and all are measured at the
        end. True: the qubits of a leaf are measured as soon as its feature is loaded, then reset
        and taken again.

    Returns
    -------
    Layout
        The gates.
    """
    below = _leaf_counts(tree)
    n_bits = below[-1] * site_qubits
    gates: list[Gate] = []
    blocks: list[list[Gate]] = []
    free: deque[int] = deque()
    used: set[int] = set()
    seats: dict[int, int] = {}  # the final number of a qubit that is not used again

    def fresh() -> int:
        if not free:
            used.add(len(used))
            return len(used) - 1
        qubit = free.popleft()
        gates.append(Gate("reset", (qubit,)))
        return qubit

    # A node, the qubits that hold its bond, its first leaf, and whether the rest is to its right.
    pending: deque[tuple[int, list[int], int, bool]] = deque([(len(tree) - 1, [], 0, False)])
    while pending:
        place, held, first_leaf, on_the_left = pending.popleft()
        node = tree[place]
        children = (node.left, node.right)
        sizes = [
            site_qubits if isinstance(child, Feature) else qubits_for(size)
            for child, size in zip(children, node.tensor.shape[1:])
        ]
        fresh_ones = [fresh() for _ in range(sum(sizes) - len(held))]
        # Lists are in the order of the leaves, and new qubits are on the outer side: on a line of
        # qubits, gates then act on neighbours.
        available = fresh_ones + held if on_the_left else held + fresh_ones
        parts = available[: sizes[0]], available[sizes[0] :]
        made = isometry_gates(_matrix(node.tensor, sizes), parts[0] + parts[1], held)
        gates += made
        blocks.append(made)
        starts = first_leaf, first_leaf + _leaves_below(node.left, below)
        for side, child in enumerate(children):
            if isinstance(child, Result):
                pending.append((child.index, parts[side], starts[side], side == 0))
                continue
            gates += loading_gates(parts[side], child.index * ((1 << site_qubits) - 1))
            for offset, qubit in enumerate(parts[side]):
                seats[qubit] = starts[side] * site_qubits + offset
                if reuse_qubits:
                    gates.append(Gate("measure", (qubit,), bit=seats[qubit]))
                    free.append(qubit)
    if not reuse_qubits:
        gates = [_renumbered(gate, seats) for gate in gates]
        blocks = [[_renumbered(gate, seats) for gate in block] for block in blocks]
        gates += [Gate("measure", (qubit,), bit=qubit) for qubit in range(n_bits)]
    return Layout(len(used), n_bits, gates, blocks)


def _leaf_counts(tree: Sequence[Branching]) -> list[int]:
    counts: list[int] = []
    for node in tree:
        counts.append(sum(_leaves_below(child, counts) for child in (node.left, node.right)))
    return counts


def _leaves_below(child: Feature | Result, counts: Sequence[int]) -> int:
    return 1 if isinstance(child, Feature) else counts[child.index]


def _matrix(tensor: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """Return an isometry as a matrix whose rows are states of the qubits of both lower bonds."""
    above, left, right = tensor.shape
    padded = np.zeros((1 << sizes[1], 1 << sizes[0], above))
    padded[:right, :left] = tensor.transpose(2, 1, 0)
    return padded.reshape(-1, above)


def _renumbered(gate: Gate, seats: dict[int, int]) -> Gate:
    qubits, inputs = (tuple(seats[q] for q in group) for group in (gate.qubits, gate.inputs))
    return Gate(gate.name, qubits, gate.angles, gate.parameter, gate.matrix, inputs, gate.bit)
