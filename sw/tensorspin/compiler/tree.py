"""Turn tree tensor networks into bilinear nodes.

Each node of the tree multiplies the vectors of its two children; a leaf's vector is that of a
feature. The results wait in vector slots until the parent is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

import numpy as np

from ..contract.contractor.program import Node, Operand, OperandKind
from ..contract.device.boards import BOARDS
from ..golden.contractor.cycles import cycle_count
from .nodes import FloatNode, with_waits

_SIZES = [board.contractor for board in BOARDS.values() if board.contractor is not None]

SLOTS = min(size.slots for size in _SIZES)
"""Vector slots that every board with a contractor has, so that any of them can take the program."""

LANES = min(size.lanes for size in _SIZES)
"""Lanes for which the order of nodes is chosen: the fewest of any board. A program serves boards of
any number of lanes, which hardly matters for the question which order is the faster."""

LOOK_AHEAD = 64
"""How many of the next nodes are searched for one that can be drawn forward. In a balanced tree the
next subtree begins sooner; in others a longer search would take time and find nothing."""


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

    A leaf of the tree is an operand, not a node. The order is depth first, and of two subtrees the
    one that needs more vector slots comes first: no order needs fewer slots (Sethi and Ullman 1970,
    doi:10.1145/321607.321620). Where a node would wait for the result of the node just before, an
    independent node is drawn forward to fill the time, as long as the slots suffice. The result is
    used if it makes the program faster by the exact cycle count.

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
    depth_first = _depth_first(operands_of)
    candidates = [
        (_placed(order, children, tensors, leaf_features), order)
        for order in (depth_first, _filled(depth_first, operands_of, slots))
    ]
    nodes, order = min(candidates, key=lambda candidate: cycle_count(candidate[0], lanes))
    return [
        FloatNode(node, tensors[index], f"tree node {index}") for node, index in zip(nodes, order)
    ]


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


def _depth_first(operands_of: list[list[int]]) -> list[int]:
    """Find the order with the fewest slots; a node may overwrite its own operand.

    Parameters
    ----------
    operands_of : list of list of int
        For each node, those of its children that are nodes and not leaves.
    """
    needs: list[int] = []
    for operands in operands_of:
        below = sorted((needs[node] for node in operands), reverse=True)
        # While the second operand is computed, the first stays in a slot.
        needs.append(max([1, *(need + held for held, need in enumerate(below))]))
    # Backwards: the root, then the subtree that is computed later, then the earlier one.
    backwards = []
    stack = [len(operands_of) - 1]
    while stack:
        node = stack.pop()
        backwards.append(node)
        stack += sorted(operands_of[node], key=lambda operand: -needs[operand])
    return backwards[::-1]


def _filled(order: list[int], operands_of: list[list[int]], slots: int) -> list[int]:
    """Draw independent nodes forward to where a node would wait for the one just before."""
    order = list(order)
    # Number of vectors that occupy slots after each position: a node adds its own and frees those
    # of its operands.
    alive = list(np.cumsum([1 - len(operands_of[node]) for node in order]))
    done: set[int] = set()
    for position in range(1, len(order)):
        previous = order[position - 1]
        done.add(previous)
        if previous not in operands_of[order[position]]:
            continue
        most_alive = alive[position - 1]
        for later in range(position + 1, min(position + LOOK_AHEAD, len(order))):
            most_alive = max(most_alive, alive[later - 1])
            # A node frees one slot at best, so no node from here on could make room.
            if most_alive > slots + 1:
                break
            node = order[later]
            growth = 1 - len(operands_of[node])
            if most_alive + growth > slots:
                continue
            if all(operand in done and operand != previous for operand in operands_of[node]):
                # Each node that is overtaken now runs with `growth` more vectors in slots.
                order.insert(position, order.pop(later))
                overtaken = [count + growth for count in alive[position:later]]
                alive[position : later + 1] = [alive[position - 1] + growth, *overtaken]
                break
    return order


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
