"""How the spatial engine narrows its numbers, and how wide its sums become.

There is one conversion only, `narrow`: shift right, saturate, and set the lowest bit, which is
known as *von Neumann rounding* or *jamming*. It takes no adder. Its error is as often positive as
negative, and twice as large as that of rounding to the nearest number of the same width. The
lowest bit is always 1, so that no number can be the least of its format: a product of two never
leaves the range of its upper half.

Each node has a shift of its own, ``least_shift + the loaded one``, which the host chooses so that
nothing that samples can bring is saturated.
"""

from __future__ import annotations

import numpy as np

from .size import SpatialSize, TreeNode

SCORE_BITS = 16
"""Width of a score."""

SHIFT_BITS = 3
"""Width of a loaded shift."""

SHIFTS = 1 << SHIFT_BITS
"""Number of shifts that a node can have."""


def narrow(raw: np.ndarray, shift: int, bits: int) -> np.ndarray:
    """Shift integers right, saturate them, and set their lowest bit.

    Parameters
    ----------
    raw : ndarray of int64
        Integers of any shape.
    shift : int
        Number of bits to remove, 0 or more.
    bits : int
        Width of the result.

    Returns
    -------
    ndarray of int64
        Odd integers of -2**(bits - 1) + 1 to 2**(bits - 1) - 1, of the shape of `raw`.

    Examples
    --------
    >>> narrow(np.array([0, 40, -40, 9999, -9999]), 3, 8).tolist()
    [1, 5, -5, 127, -127]
    """
    limit = 1 << (bits - 1)
    return np.clip(raw >> shift, -limit, limit - 1) | 1


def n_terms(size: SpatialSize, node: TreeNode) -> int:
    """Count the products that are added up to one entry of a node's vector."""
    left = size.child_size(node.left)
    return left if size.is_feature(node.right) else left * size.child_size(node.right)


def has_weights(size: SpatialSize, node: TreeNode) -> bool:
    """Tell whether a node multiplies by weights; one that reads a feature has them in a table."""
    return not size.is_feature(node.right)


def sum_bits(size: SpatialSize, node: TreeNode) -> int:
    """Give the width of the sum that becomes an entry of a node's vector."""
    # Entries of tables may be the least of their format, and so may both factors of a product.
    factor = size.weight_bits if has_weights(size, node) else size.value_bits + 1
    return size.value_bits + factor - 1 + (n_terms(size, node) - 1).bit_length()


def output_bits(size: SpatialSize, node: TreeNode) -> int:
    """Give the width of the entries of a node's vector: that of scores for the root."""
    return SCORE_BITS if node == size.tree[-1] else size.value_bits


def least_shift(size: SpatialSize, node: TreeNode) -> int:
    """Give the shift of a node whose loaded shift is 0.

    With the greatest loaded shift nothing is saturated, whatever the weights.
    """
    return max(0, sum_bits(size, node) - output_bits(size, node) - (SHIFTS - 1))
