"""The device's memories as the host addresses them, by byte.

======== ============================================================================
space    content
======== ============================================================================
PROGRAM  the node program: headers and weights in the order in which they are read,
         one word of `lanes` bytes after the other (`program_address`)
TABLE    the feature table: 16-bit mantissas (`table_address`)
======== ============================================================================
"""

from __future__ import annotations

import enum

from .fixed import LEVEL, MANTISSA

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


def program_address(word: int, lane: int, lanes: int) -> int:
    """Byte address of one lane's byte in a word of the program."""
    return word << word_stride_bits(lanes) | lane


def table_entry(component: int, level: int) -> int:
    """Index of a feature table entry; the bytes of entry n are 2n (low) and 2n + 1 (high)."""
    return component * LEVELS + level
