"""Bilinear nodes before quantisation: the form in which networks come to the compiler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..contract.contractor.program import Node, OperandKind


@dataclass(frozen=True)
class FloatNode:
    """A node of a program before its weights are rounded.

    Parameters
    ----------
    node : Node
        What the node reads and writes.
    weights : ndarray of float64 of shape (outputs, left.size, right.size)
        Its weights.
    name : str
        Which part of the network the node stands for, for messages.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.compiler import FloatNode
    >>> from tensorspin.contract.contractor import Node, Operand, OperandKind
    >>> first, second = (Operand(OperandKind.FEATURE, index, size=2) for index in (0, 1))
    >>> node = Node(first, second, outputs=1, destination=0, wait=False, last=True)
    >>> FloatNode(node, np.eye(2)[np.newaxis], "sites 0 and 1").weights.shape
    (1, 2, 2)
    """

    node: Node
    weights: np.ndarray
    name: str


def with_waits(nodes: Sequence[Node]) -> list[Node]:
    """Mark the nodes that read the result of the node just before.

    Parameters
    ----------
    nodes : sequence of Node
        Nodes in the order of their execution, whatever their `wait`.

    Returns
    -------
    list of Node
        The same nodes with the right `wait`.
    """
    result = []
    before = None
    for node in nodes:
        wait = before is not None and any(
            operand.kind is OperandKind.VECTOR and operand.index == before.destination
            for operand in (node.left, node.right)
        )
        result.append(replace(node, wait=wait))
        before = node
    return result
