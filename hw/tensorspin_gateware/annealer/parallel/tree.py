"""Trees of ors with registers between their levels."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth import Module, Signal, Value

OR_INPUTS = 16
"""Inputs of each node of a tree: as many as two levels of look-up tables with four inputs can join,
which still leaves most of a cycle for the wires."""


def or_levels(count: int) -> int:
    """Count the levels of registers of `or_tree`.

    Parameters
    ----------
    count : int
        Number of values that are joined, 1 or more.

    Returns
    -------
    int
        The tree's latency in cycles; 0 for a single value.
    """
    levels = 0
    while count > 1:
        count = -(-count // OR_INPUTS)
        levels += 1
    return levels


def or_tree(m: Module, values: Sequence[Value]) -> Value:
    """Join values by a bitwise or.

    Where all values but one are zero, this is a multiplexer without a select signal that would have
    to reach all of them: whoever has the value gives it, and all others give zero.

    Parameters
    ----------
    m : Module
        The registers are added to this module. They have no reset, see `SpinGroup`.
    values : sequence of Value
        One or more, of the same width.

    Returns
    -------
    Value
        The or of all, `or_levels` cycles later.
    """
    while len(values) > 1:
        nodes = []
        for first in range(0, len(values), OR_INPUTS):
            node = Signal(len(values[0]), name=f"any_{first}", reset_less=True)
            total = values[first]
            for value in values[first + 1 : first + OR_INPUTS]:
                total = total | value
            m.d.sync += node.eq(total)
            nodes.append(node)
        values = nodes
    return values[0]
