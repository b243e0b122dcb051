"""The device's memories as the host addresses them, by byte.

======== ============================================================================
space    content
======== ============================================================================
PROGRAM  the node program: headers and weights in the order in which they are read,
         a word of `lanes` bytes at every ``2**word_stride_bits(lanes)``th address
TABLE    the feature table, one component after the other: a 16-bit mantissa for each
         level, low byte first
======== ============================================================================
"""

from __future__ import annotations

import enum

from ..fixed import LEVEL, MANTISSA

LEVELS = 1 << LEVEL.width
"""Rows of the feature table."""

MANTISSA_BYTES = MANTISSA.width // 8


class MemorySpace(enum.IntEnum):
    """Selects a memory in WRITE and READ."""

    PROGRAM = 0
    TABLE = 1


def word_stride_bits(lanes: int) -> int:
    """Base-2 logarithm of the bytes between two words of the program memory."""
    return (lanes - 1).bit_length()
