"""Latencies of the spatial engine's pipeline in clock cycles.

The gateware builds its delays from these numbers, and golden model and driver know from them how
long a sample takes. The time of a vector is the cycle in which its entries are there; the levels of
a sample are there in cycle 0.

=========================== ==============================================================
step                        cycles
=========================== ==============================================================
level to its row of a table `TABLE`
two numbers to their product `MULTIPLY`
products to their sum       `sum_cycles`: two levels of a tree of adders in each cycle
product to its copies       `SPREAD`: each output of a node with weights has its own
copies to the weighted sum  `weighted_sum_cycles`
sum to the vector's entries `NARROW`
scores to the greatest one  `best_cycles`: two levels of a tree of comparisons in each cycle
=========================== ==============================================================
"""

from __future__ import annotations

from .arithmetic import has_weights, n_terms
from .size import SpatialSize, TreeNode

TABLE = 1
"""Cycles from a level to its row of a table."""

MULTIPLY = 2
"""Cycles from two numbers to their product: the multiplier registers its factors, and the
product."""

SPREAD = 1
"""Cycles from a product of two vectors' entries to the copies that the outputs have of it. Without
them one wire would lead to all outputs, across the whole device."""

NARROW = 1
"""Cycles from a node's sums to its vector; that of the root are the scores."""

LEVELS_A_CYCLE = 2
"""Levels of a tree of adders, or of comparisons, between two registers."""


def tree_cycles(leaves: int) -> int:
    """Count the registers of a tree that joins numbers in pairs.

    Parameters
    ----------
    leaves : int
        Numbers that are joined, at least 1.

    Returns
    -------
    int
        Cycles from the numbers to the result; 0 for a single number.

    Examples
    --------
    >>> [tree_cycles(leaves) for leaves in (1, 2, 4, 5, 16)]
    [0, 1, 1, 2, 2]
    """
    return -(-(leaves - 1).bit_length() // LEVELS_A_CYCLE)


def sum_cycles(terms: int) -> int:
    """Count the cycles from products to their sum, which is registered even if there is one."""
    return max(1, tree_cycles(terms))


def weighted_sum_cycles(terms: int, weight_bits: int) -> int:
    """Count the cycles from `terms` numbers to their weighted sum.

    It is the time of the slower of two forms, both of which are used side by side: with hardware
    multipliers, and with look-up tables, which first multiply by two bits of a weight at a time.
    """
    pairs = terms * -(-weight_bits // 2)
    return max(MULTIPLY + sum_cycles(terms), 1 + sum_cycles(pairs))


def node_time(size: SpatialSize, times: list[int], node: TreeNode) -> int:
    """Give the cycle in which a node's operands meet: features can come at any time.

    Parameters
    ----------
    size : SpatialSize
        Parameters of the engine.
    times : list of int
        The time of the vector of each node before this one.
    node : TreeNode
        The node.

    Returns
    -------
    int
        The cycle in which both operands are at the node's multipliers.
    """
    children = (node.left, node.right)
    return max(TABLE, *(times[c - size.inputs] for c in children if not size.is_feature(c)), 0)


def vector_times(size: SpatialSize) -> list[int]:
    """List the time of each node's vector.

    Parameters
    ----------
    size : SpatialSize
        Parameters of the engine.

    Returns
    -------
    list of int
        Cycles, one for each node.

    Examples
    --------
    >>> size = SpatialSize.of_tree(4, [(0, 1, 4), (2, 3, 4), (4, 5, 3)], components=2)
    >>> vector_times(size), latency(size)
    ([5, 5, 13], 14)
    """
    times: list[int] = []
    for node in size.tree:
        terms = n_terms(size, node)
        after = (
            SPREAD + weighted_sum_cycles(terms, size.weight_bits)
            if has_weights(size, node)
            else sum_cycles(terms)
        )
        times.append(node_time(size, times, node) + MULTIPLY + after + NARROW)
    return times


def best_cycles(size: SpatialSize) -> int:
    """Count the cycles from the scores to the index of the greatest."""
    return tree_cycles(size.outputs)


def latency(size: SpatialSize) -> int:
    """Count the cycles of a sample.

    Parameters
    ----------
    size : SpatialSize
        Parameters of the engine.

    Returns
    -------
    int
        Cycles from the levels to the scores and the index of the greatest; another sample can
        begin in each of them.
    """
    return vector_times(size)[-1] + best_cycles(size)


def settling_cycles(size: SpatialSize) -> int:
    """Count the cycles from the last byte of an image until the network is in use.

    Parameters
    ----------
    size : SpatialSize
        Parameters of the engine.

    Returns
    -------
    int
        Cycles; the chain of the weights has a register for each output of each node.
    """
    return sum(node.outputs for node in size.tree) + 4
