"""Exact cycle count of the contractor.

The program alone decides it: no data, and no other sample, changes it.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...contract.contractor import latency
from ...contract.contractor.program import Node


def cycle_count(nodes: Sequence[Node], lanes: int) -> int:
    """Clock cycles of one sample, from the first read of the program to the last score.

    Parameters
    ----------
    nodes : sequence of Node
    lanes : int

    Returns
    -------
    int
    """
    header_taken = last_issue = before_last_issue = None
    normaliser_free = 0
    released = [-1, -1]  # the two nodes before

    for index, node in enumerate(nodes):
        # Header: the first two are taken at the start, the others behind the weights of the node
        # before the one before.
        if index == 0:
            header_taken = latency.START_TO_HEADER
            load = header_taken + 1
        else:
            if index == 1:
                header_taken = load
            else:
                header_taken = before_last_issue + latency.ISSUE_TO_WEIGHT + 1
            load = max(last_issue + 1, header_taken + 1)

        # Issue: a block ends no sooner than `lanes` cycles after the block before.
        begin = max(load + 1, released[-2] + 1)
        if node.wait:
            begin = max(begin, released[-1] + 1)
        blocks = node.blocks(lanes)
        block_end = begin + node.elements - 1
        if last_issue is not None:
            block_end = max(block_end, last_issue + lanes)
        block_end += (len(blocks) - 1) * max(node.elements, lanes)
        before_last_issue, last_issue = last_issue, block_end

        # Drain and normalisation.
        drained = last_issue + latency.ISSUE_TO_DRAIN + blocks[-1] - 1
        start = max(drained + 1, normaliser_free)
        last_read = start + latency.NORMALISE_READ + node.outputs - 1
        normaliser_free = last_read + 1
        released = [released[-1], last_read + latency.NORMALISE_RELEASE]
        last_write = last_read + latency.NORMALISE_WRITE
    return last_write + 1


def multiply_accumulates(nodes: Sequence[Node]) -> int:
    """Multiplications of a weight that one sample needs."""
    return sum(node.multiply_accumulates for node in nodes)


def utilisation(nodes: Sequence[Node], lanes: int, cycles: float) -> float:
    """Part of the multiply-accumulators' cycles that did needed work, 0..1."""
    return multiply_accumulates(nodes) / (lanes * cycles)
