"""Turn tree tensor networks into bilinear nodes.

Each node of the tree multiplies the vectors of its two children; a leaf's vector is that of a
feature. The results wait in vector slots until the parent is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from heapq import heapify, heappop, heappush

import numpy as np

from ..contract.contractor.program import Node, Operand, OperandKind
from ..contract.device.boards import BOARDS
from ..golden.contractor.cycles import cycle_count
from ..golden.contractor.single import single_cycle_count
from .nodes import FloatNode, with_waits
from .tree_order import by_start, depth_first

_SIZES = [board.contractor for board in BOARDS.values() if board.contractor is not None]

SLOTS = min(size.slots for size in _SIZES)
"""Vector slots that every board with a contractor has, so that any of them can take the program."""

LANES = min(size.lanes for size in _SIZES)
"""Lanes for which the order of nodes is chosen: the fewest of any board. A program serves boards of
any number of lanes, which hardly matters for the question which order is the faster."""

_SHARED = replace(max(_SIZES, key=lambda size: size.groups), single_drain=4)
"""A contractor in single mode, for whose cycles the order of nodes is chosen, too: the one with the
most groups, where the order matters most."""


def check_children(children: np.ndarray) -> None:
    """Refuse what is not a binary tree.

    Parameters
    ----------
    children : ndarray of int of shape (n_leaves - 1, 2)
        Left and right child of each node, by the convention of `sklearn.cluster` and of
        `scipy.cluster.hierarchy`: values below ``n_leaves`` are leaves, ``n_leaves + i`` is node i.
        A node stands behind its children, so that the last one is the root.

    Raises
    ------
    ValueError
        If a child is out of range, has two parents or none, or stands behind its parent, as at
        least one child in a loop does. The message names the node.
    """
    if children.ndim != 2 or children.shape[1] != 2 or len(children) < 1:
        raise ValueError(
            f"the children of a tree need shape (n_leaves - 1, 2) with at least 2 leaves, not "
            f"{children.shape}"
        )
    if children.dtype.kind not in "iu":
        raise ValueError(f"the children of a tree must be integers, not {children.dtype}")
    n_leaves = len(children) + 1
    reader: dict[int, int] = {}
    for node, pair in enumerate(children.tolist()):
        for child in pair:
            if not 0 <= child < 2 * n_leaves - 1:
                raise ValueError(
                    f"tree node {node}: child {child} is outside 0..{2 * n_leaves - 2}"
                )
            if child >= n_leaves + node:
                raise ValueError(
                    f"tree node {node}: child {child} is node {child - n_leaves}, which does not "
                    f"stand before it; nodes must follow their children, without a loop"
                )
            if child in reader:
                what = f"leaf {child}" if child < n_leaves else f"node {child - n_leaves}"
                raise ValueError(
                    f"tree node {node}: {what} is a child of node {reader[child]} already"
                )
            reader[child] = node
    # No child can be missing now: 2 (n_leaves - 1) different ones are all leaves and all nodes but
    # the root.


def tree_nodes(
    children: np.ndarray,
    tensors: Sequence[np.ndarray],
    leaf_features: Sequence[int],
    slots: int = SLOTS,
    lanes: int = LANES,
) -> list[FloatNode]:
    """Turn a tree tensor network into nodes in the order of their execution.

    A leaf of the tree is an operand, not a node. `tensorspin.compiler.tree_order` finds orders for
    different devices: a depth-first one, and some in which few nodes wait for results. A program
    serves all devices and both modes, so that the order is used whose exact cycle counts are
    smallest in product: that of throughput mode, and that of single mode with the most groups.

    Parameters
    ----------
    children : ndarray of int of shape (n_leaves - 1, 2)
        Left and right child of each node; see `check_children`.
    tensors : sequence of ndarray of shape (outputs, left, right)
        Tensor of each node.
    leaf_features : sequence of int
        The feature that each of the n_leaves leaves reads.
    slots : int
        Vector slots to make do with. A tree that needs more still gets an order with as few as
        possible; `NetworkProgram.check` then refuses a device that has fewer.
    lanes : int
        Lanes for which cycles are counted.

    Returns
    -------
    list of FloatNode
        The nodes; the last one is the root of the tree.

    Raises
    ------
    ValueError
        If `children` is not a tree, or the shapes of neighbours differ. The message names the node.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.compiler import tree_nodes
    >>> children = np.array([[0, 1], [2, 3], [4, 5]])  # two nodes with two leaves each, the root
    >>> tensors = [np.ones((3, 2, 2)), np.ones((3, 2, 2)), np.ones((10, 3, 3))]
    >>> [node.name for node in tree_nodes(children, tensors, leaf_features=[0, 1, 2, 3])]
    ['tree node 0', 'tree node 1', 'tree node 2']
    """
    children = np.asarray(children)
    check_children(children)
    n_leaves = len(children) + 1
    tensors = [np.asarray(tensor, dtype=np.float64) for tensor in tensors]
    _check_shapes(children, tensors, leaf_features)
    operands_of = [
        [child - n_leaves for child in pair if child >= n_leaves] for pair in children.tolist()
    ]
    # Elements of each node: what a group issues by itself, and what is divided among all groups.
    sizes = [t.shape[1] * t.shape[2] * -(-len(t) // lanes) for t in tensors]
    orders = [depth_first(operands_of)]
    for groups in sorted({size.groups for size in _SIZES}):
        cycles = [-(-elements // groups) for elements in sizes]
        listed = by_start(orders[0], operands_of, slots, cycles)
        if listed is not None and listed not in orders:
            orders.append(listed)
    candidates = [(_placed(order, children, tensors, leaf_features), order) for order in orders]
    nodes, order = min(candidates, key=lambda candidate: _cost(candidate[0], lanes))
    return [
        FloatNode(node, tensors[index], f"tree node {index}") for node, index in zip(nodes, order)
    ]


def _cost(nodes: Sequence[Node], lanes: int) -> int:
    """Multiply the cycles of both modes, so that a hundredth of either counts alike."""
    return cycle_count(nodes, lanes) * single_cycle_count(nodes, _SHARED)


def _check_shapes(
    children: np.ndarray, tensors: Sequence[np.ndarray], leaf_features: Sequence[int]
) -> None:
    n_leaves = len(children) + 1
    if len(tensors) != len(children) or len(leaf_features) != n_leaves:
        raise ValueError(
            f"a tree of {n_leaves} leaves needs {n_leaves - 1} tensors and {n_leaves} features of "
            f"leaves, not {len(tensors)} and {len(leaf_features)}"
        )
    for node, (pair, tensor) in enumerate(zip(children.tolist(), tensors)):
        if tensor.ndim != 3:
            raise ValueError(
                f"tree node {node}: a tensor of shape (outputs, left, right) is needed, not "
                f"{tensor.shape}"
            )
        for child, size in zip(pair, tensor.shape[1:]):
            if child >= n_leaves and len(tensors[child - n_leaves]) != size:
                raise ValueError(
                    f"tree node {node}: reads {size} entries of node {child - n_leaves}, which has "
                    f"{len(tensors[child - n_leaves])} outputs"
                )


def _placed(
    order: Sequence[int],
    children: np.ndarray,
    tensors: Sequence[np.ndarray],
    leaf_features: Sequence[int],
) -> list[Node]:
    """Give each node's result the lowest free vector slot."""
    n_leaves = len(children) + 1
    slot_of: dict[int, int] = {}
    free = list(range(len(order)))
    heapify(free)
    nodes = []
    for index in order:
        operands = []
        for child, size in zip(children[index].tolist(), tensors[index].shape[1:]):
            if child < n_leaves:
                operands.append(Operand(OperandKind.FEATURE, int(leaf_features[child]), size))
            else:
                slot = slot_of.pop(child - n_leaves)
                operands.append(Operand(OperandKind.VECTOR, slot, size))
                heappush(free, slot)
        slot_of[index] = heappop(free)
        last = index == len(order) - 1
        outputs = len(tensors[index])
        left, right = operands
        nodes.append(Node(left, right, outputs, slot_of[index], wait=False, last=last))
    return with_waits(nodes)
