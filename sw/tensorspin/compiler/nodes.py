"""Bilinear nodes before quantisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..contract.contractor.program import Node, OperandKind


@dataclass(frozen=True)
class FloatNode:
    """A node before quantisation.

    Attributes
    ----------
    node : Node
    weights : ndarray of float64, shape (outputs, left.size, right.size)
    name : str
        Which site, for messages.
    """

    node: Node
    weights: np.ndarray
    name: str


def with_waits(nodes: Sequence[Node]) -> list[Node]:
    """Mark the nodes that read the result of the node just before.

    Parameters
    ----------
    nodes : sequence of Node
        In the order of their execution; their `wait` does not matter.

    Returns
    -------
    list of Node
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
