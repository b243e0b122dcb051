"""Exact cycle count of the contractor.

Only the program decides it: the cycles of a sample depend neither on its data nor on the samples
before and after it.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...contract.contractor.latency import CORRECT, SHORT, START_TO_HEADER, Pipeline
from ...contract.contractor.program import Node, is_protected


def cycle_count(
    nodes: Sequence[Node],
    lanes: int,
    pipeline: Pipeline = SHORT,
    protected: bool | None = None,
) -> int:
    """Count the clock cycles of one sample, from the first read of the program to the last score.

    Parameters
    ----------
    nodes : sequence of Node
        The program.
    lanes : int
        Multiply-accumulators that work on one sample.
    pipeline : Pipeline, default=SHORT
        Latencies of the contractor, `ContractorSize.latencies`.
    protected : bool, optional
        Whether it runs as a protected program; by default, whether any of its nodes is.

    Returns
    -------
    int
        Clock cycles, as the gateware takes. A protected program takes one more: its first header is
        corrected before it is used, and all others while they wait.

    Examples
    --------
    >>> from tensorspin.contract.contractor import Node, Operand, OperandKind
    >>> from tensorspin.golden.contractor import cycle_count
    >>> feature = Operand(OperandKind.FEATURE, index=0, size=2)
    >>> node = Node(feature, feature, outputs=10, destination=0, wait=False, last=True)
    >>> cycle_count([node], lanes=8), cycle_count([node], lanes=16)
    (44, 44)
    >>> from tensorspin.contract.contractor.latency import LONG
    >>> cycle_count([node], lanes=8, pipeline=LONG)
    50
    """
    if protected is None:
        protected = is_protected(nodes)
    header_taken = load = last_issue = before_last_issue = last_write = -1
    normaliser_free = 0
    released = [-1, -1]  # cycles in which nodes may start that wait for the last two nodes

    for index, node in enumerate(nodes):
        # Header: the first two are read at the start, every other one after the weights of the
        # node two before, since headers stand one node early in the program memory.
        if index == 0:
            header_taken = START_TO_HEADER + CORRECT * protected
            load = header_taken + 1
        else:
            if index == 1:
                header_taken = load
            else:
                header_taken = before_last_issue + pipeline.issue_to_weight + 1
            load = max(last_issue + 1, header_taken + 1)

        # Issue: a node starts when the node two before is released, and the node just before if it
        # reads its result. A block, one pass over the node's products, ends no sooner than `lanes`
        # cycles after the block before, whose sums drain one a cycle.
        begin = max(load + 1, released[-2] + 1)
        if node.wait:
            begin = max(begin, released[-1] + 1)
        blocks = node.blocks(lanes)
        block_end = begin + node.elements - 1
        if index:
            block_end = max(block_end, last_issue + lanes)
        block_end += (len(blocks) - 1) * max(node.elements, lanes)
        before_last_issue, last_issue = last_issue, block_end

        # Drain and normalisation: the one normaliser serves the nodes in their order.
        drained = last_issue + pipeline.issue_to_drain + blocks[-1] - 1
        start = max(drained + 1, normaliser_free)
        last_read = start + pipeline.find_shift + node.outputs - 1
        normaliser_free = last_read + 1
        released = [released[-1], last_read + pipeline.normalise_release]
        last_write = last_read + pipeline.normalise_write
    return last_write + 1


def multiply_accumulates(nodes: Sequence[Node]) -> int:
    """Count the multiplications by a weight that one sample needs.

    Parameters
    ----------
    nodes : sequence of Node
        The program.

    Returns
    -------
    int
        Multiplications, without those on lanes that have no output to compute.

    Examples
    --------
    >>> from tensorspin.contract.contractor import Node, Operand, OperandKind
    >>> from tensorspin.golden.contractor import multiply_accumulates
    >>> feature = Operand(OperandKind.FEATURE, index=0, size=2)
    >>> node = Node(feature, feature, outputs=10, destination=0, wait=False, last=True)
    >>> multiply_accumulates([node])
    40
    """
    return sum(node.multiply_accumulates for node in nodes)


def utilisation(nodes: Sequence[Node], lanes: int, cycles: float) -> float:
    """Compute how much of the multiply-accumulators' time does needed work.

    Parameters
    ----------
    nodes : sequence of Node
        The program.
    lanes : int
        Multiply-accumulators that work on one sample.
    cycles : float
        Clock cycles that one sample takes.

    Returns
    -------
    float
        0 to 1.

    Examples
    --------
    >>> from tensorspin.contract.contractor import Node, Operand, OperandKind
    >>> from tensorspin.golden.contractor import utilisation
    >>> feature = Operand(OperandKind.FEATURE, index=0, size=2)
    >>> node = Node(feature, feature, outputs=10, destination=0, wait=False, last=True)
    >>> utilisation([node], lanes=8, cycles=50)
    0.1
    """
    return multiply_accumulates(nodes) / (lanes * cycles)
