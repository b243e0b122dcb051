"""Orders in which the nodes of a tree are executed."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush

RESULT_CYCLES = 40
"""Cycles from the last products of a node to the first of a node that reads its result, as
`by_start` assumes. The boards of the table take 21 to 34 for 8 outputs. A node that is planned too
late costs a slot meanwhile; one that is planned too early lets all others wait."""


def depth_first(operands_of: list[list[int]]) -> list[int]:
    """Find the order with the fewest vector slots; a node may overwrite its own operand.

    Of two subtrees the one that needs more slots comes first: no order needs fewer (Sethi and
    Ullman 1970, doi:10.1145/321607.321620).

    Parameters
    ----------
    operands_of : list of list of int
        For each node, those of its children that are nodes and not leaves. Nodes stand behind their
        children.

    Returns
    -------
    list of int
        The nodes in the order of their execution.

    Examples
    --------
    >>> depth_first([[], [], [], [1, 2], [0, 3]])
    [1, 2, 3, 0, 4]
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


def by_start(
    order: Sequence[int],
    operands_of: Sequence[Sequence[int]],
    slots: int,
    cycles: Sequence[int],
) -> list[int] | None:
    """Find an order in which few nodes wait: list scheduling.

    Of the nodes that can start soonest, the one furthest from the leaves comes first, since it
    frees a slot. A node without operands in slots is begun only if a slot is free.

    Parameters
    ----------
    order : sequence of int
        Any order, which decides between nodes that are equal otherwise.
    operands_of : sequence of sequence of int
        As `depth_first` takes it.
    slots : int
        Vector slots to make do with.
    cycles : sequence of int
        Cycles in which the products of each node are issued.

    Returns
    -------
    list of int or None
        The nodes in the order of their execution; None if the slots are full of results that are
        read together with others which then cannot be computed.

    Examples
    --------
    >>> by_start([1, 2, 3, 0, 4], [[], [], [], [1, 2], [0, 3]], slots=3, cycles=[4] * 5)
    [1, 2, 0, 3, 4]
    """
    height: list[int] = []
    for operands in operands_of:
        height.append(1 + max((height[operand] for operand in operands), default=0))
    reader = {operand: node for node, found in enumerate(operands_of) for operand in found}
    rank = {node: place for place, node in enumerate(order)}
    missing = [len(operands) for operands in operands_of]
    # Nodes whose operands are there, those that need a slot more apart; and nodes whose operands
    # are being computed, by the cycle in which they are there.
    growing: list[tuple[int, int, int]] = []
    others: list[tuple[int, int, int]] = []
    waiting: list[tuple[int, int]] = []
    for node, operands in enumerate(operands_of):
        if not operands:
            heappush(growing, (-height[node], rank[node], node))
    now = held = 0
    result: list[int] = []
    while len(result) < len(order):
        while waiting and waiting[0][0] <= now:
            node = heappop(waiting)[1]
            heappush(others, (-height[node], rank[node], node))
        choices = [heap for heap in (growing if held < slots else [], others) if heap]
        if choices:
            node = heappop(min(choices))[2]
        elif waiting:
            now = waiting[0][0]
            continue
        else:
            return None
        result.append(node)
        held += 1 - len(operands_of[node])
        now += cycles[node] + 1
        if node in reader:
            missing[reader[node]] -= 1
            if not missing[reader[node]]:
                heappush(waiting, (now + RESULT_CYCLES, reader[node]))
    return result
