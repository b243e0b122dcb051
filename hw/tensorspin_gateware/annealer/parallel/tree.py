"""Trees with registers between their levels."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth import Module, Signal, Value

OR_INPUTS = 16
"""Of a level: two look-up tables in a row."""


def or_levels(count: int) -> int:
    """Levels of registers of `or_tree`."""
    levels = 0
    while count > 1:
        count = -(-count // OR_INPUTS)
        levels += 1
    return levels


def or_tree(m: Module, values: Sequence[Value]) -> Value:
    """Bitwise or, `or_levels` cycles later."""
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
