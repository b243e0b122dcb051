"""The contractor's memories as the host addresses them, by byte.

======== ============================================================================
space    content
======== ============================================================================
PROGRAM  the node program: headers and weights in the order in which they are read,
         a word of `lanes` bytes at every ``2**word_stride_bits(lanes)``th address
TABLE    the feature table, one component after the other: a 16-bit mantissa for each
         level, low byte first; with parity, the same once more, for tests: a byte
         written there is stored with the wrong parity
======== ============================================================================
"""

from __future__ import annotations

import enum

from ..fixed import LEVEL, MANTISSA

LEVELS = 1 << LEVEL.width
"""Rows of the feature table, one for each value that a level (a byte) can have."""

MANTISSA_BYTES = MANTISSA.width // 8
"""Bytes of a mantissa in memories and packets."""


class MemorySpace(enum.IntEnum):
    """The number by which WRITE and READ select one of the contractor's memories."""

    PROGRAM = 0
    """The node program: headers and weights."""
    TABLE = 1
    """The feature table, which all features share."""


def word_stride_bits(lanes: int) -> int:
    """Return the base-2 logarithm of the distance in bytes between two words of the program memory.

    Where the number of lanes is no power of two, the last addresses of a word are unused.
    """
    return (lanes - 1).bit_length()
