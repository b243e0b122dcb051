"""The contractor with a program that no compiler makes: one in which bits have changed.

The gateware does something with whatever its memory holds, and ends. So does this model, with three
things that it does not know, and takes for zeros or leaves out: what a vector slot that no node has
written holds of samples before; levels beyond the sample's features; and what a node reads that
should wait for its operand and does not. Its answers are otherwise those of the gateware.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...contract.contractor.program import Node, Operand, OperandKind
from ...contract.contractor.size import ContractorSize
from .contraction import GoldenContractor, State


def is_sound(nodes: Sequence[Node], size: ContractorSize, features: int) -> bool:
    """Tell whether each operand of a program is there, and has the entries that are read.

    Parameters
    ----------
    nodes : sequence of Node
        The program.
    size : ContractorSize
        Size of the contractor.
    features : int
        Number of features of a sample.

    Returns
    -------
    bool
        False if `FaultyContractor` is needed.
    """
    written: dict[int, int] = {}

    def found(operand: Operand) -> bool:
        if operand.kind is OperandKind.FEATURE:
            return operand.index < features and operand.size <= size.components
        return written.get(operand.index) == operand.size

    for node in nodes:
        if not (found(node.left) and found(node.right)):
            return False
        if not node.last and (node.destination >= size.slots or node.outputs > size.slot_entries):
            return False
        written[node.destination] = node.outputs
    return True


class FaultyContractor(GoldenContractor):
    """A contractor that reads its memories by whatever addresses a program has.

    Addresses beyond the end of a memory lack their upper bits there, as in the gateware.

    Parameters
    ----------
    nodes : sequence of Node
        The program.
    weights : sequence of ndarray of int8 of shape (outputs, left.size, right.size)
        Weight tensor of each node.
    table : ndarray of int16 of shape (components, 256)
        Feature table.
    size : ContractorSize
        Size of the contractor: how far addresses reach.
    protected : bool, default=False
        Whether it runs as a protected program.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        weights: Sequence[np.ndarray],
        table: np.ndarray,
        size: ContractorSize,
        protected: bool = False,
    ) -> None:
        super().__init__(nodes, weights, table, size.lanes, size.latencies, protected)
        self._size = size

    def _fetch(
        self, operand: Operand, levels: np.ndarray, state: State
    ) -> tuple[np.ndarray, np.ndarray]:
        entries = np.arange(operand.size)
        none = np.zeros(len(levels), dtype=np.int64)
        if operand.kind is OperandKind.FEATURE:
            index = operand.index % self._size.features
            level = levels[:, index] if index < levels.shape[1] else none
            rows = self._table[entries % self._size.components][:, level]
            return rows.T.astype(np.int64), none
        slot = operand.index % self._size.slots
        if slot not in state:
            return np.zeros((len(levels), operand.size), dtype=np.int64), none
        vector, exponent = state[slot]
        return vector[:, entries % self._size.slot_entries], exponent

    def _store(self, node: Node, mantissas: np.ndarray, exponent: np.ndarray, state: State) -> None:
        slot = node.destination % self._size.slots
        # Entries that are not written keep what an earlier node has written there.
        before = state[slot][0] if slot in state else None
        vector = np.zeros((len(mantissas), self._size.slot_entries), dtype=np.int64)
        if before is not None:
            vector[:] = before
        for entry in range(node.outputs):
            vector[:, entry % self._size.slot_entries] = mantissas[:, entry]
        state[slot] = vector, exponent
