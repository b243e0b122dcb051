"""Codes with which a contractor corrects bits of a program that have changed in its memory.

Both codes are extended Hamming codes, in the form that Hsiao describes in "A class of optimal
minimum odd-weight-column SEC-DED codes", IBM Journal of Research and Development 14 (1970). Each
bit of a code word has a *column*, a number of as many bits as there are checks; all columns differ,
and each has an odd number of ones. The sum modulo 2 of the columns of all bits that are set is the
*syndrome*, 0 for each code word. One changed bit makes it that bit's column, which tells the bit.
Two make it a number with an even number of ones, which is no column: the word is *uncorrectable*.
With `checks` bits a code word has up to ``2**(checks - 1)`` bits. Both codes here have just as
many, so that any three changed bits look like one other bit, and are corrected wrongly.

========= ======= ====== ==============================================================
code word bits    checks layout
========= ======= ====== ==============================================================
weight    8       4      checks in bits 0 to 3, the weight of 4 bits in bits 4 to 7, where
                         it is the upper half of an 8-bit weight
header    64      7      fields from bit 0 on, `PROTECTED_BIT` behind them, checks in bits
                         57 to 63
========= ======= ====== ==============================================================

An uncorrectable weight counts as 0, which harms a network less than a wrong one. A run that finds
an uncorrectable header gives no scores.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..fixed import NARROW_STEP, NARROW_WEIGHT

WEIGHT_CHECKS = 4
"""Check bits of a protected weight."""

HEADER_CHECKS = 7
"""Check bits of a header."""

PROTECTED_BIT = 56
"""Bit of a header that tells whether the weights of its node are protected. It counts only in a
program that was activated with `tensorspin.contract.wire.packets.PROTECTED`."""

HEADER_DATA_BITS = PROTECTED_BIT + 1
"""Bits of a header before its checks."""


def _data_columns(checks: int) -> tuple[int, ...]:
    """Return the columns that are left for data: those with more than a single one."""
    return tuple(each for each in range(1 << checks) if each.bit_count() % 2 and each & (each - 1))


def _check_columns(checks: int) -> tuple[int, ...]:
    return tuple(1 << bit for bit in range(checks))


WEIGHT_COLUMNS = (*_check_columns(WEIGHT_CHECKS), *_data_columns(WEIGHT_CHECKS))
"""Column of each bit of a protected weight, from bit 0 on."""

HEADER_COLUMNS = (*_data_columns(HEADER_CHECKS), *_check_columns(HEADER_CHECKS))
"""Column of each bit of a header, from bit 0 on."""


def syndrome(word: int, columns: Sequence[int]) -> int:
    """Add the columns of the bits that are set.

    Parameters
    ----------
    word : int
        The word.
    columns : sequence of int
        Column of each bit.

    Returns
    -------
    int
        The syndrome; 0 for a code word.

    Examples
    --------
    >>> syndrome(0b0001_0111, WEIGHT_COLUMNS), syndrome(0b0001_0110, WEIGHT_COLUMNS)
    (0, 1)
    """
    found = 0
    for bit, column in enumerate(columns):
        found ^= column if word >> bit & 1 else 0
    return found


def correct(word: int, columns: Sequence[int]) -> tuple[int, bool]:
    """Undo the change of one bit.

    Parameters
    ----------
    word : int
        A word that was a code word once.
    columns : sequence of int
        Column of each bit.

    Returns
    -------
    word : int
        The code word that differs in at most one bit; the same word if there is none.
    known : bool
        Whether there is one. With two changed bits there is none.

    Examples
    --------
    >>> [(bin(word), known) for word, known in
    ...  (correct(0b1001_0111, WEIGHT_COLUMNS), correct(0b1001_0110, WEIGHT_COLUMNS))]
    [('0b10111', True), ('0b10010110', False)]
    """
    found = syndrome(word, columns)
    if found in columns:
        return word ^ 1 << columns.index(found), True
    return word, found == 0


def _coded_weights() -> np.ndarray:
    """Return the code word of each weight of 4 bits."""
    return np.array(
        [
            high << WEIGHT_CHECKS | syndrome(high << WEIGHT_CHECKS, WEIGHT_COLUMNS)
            for high in range(1 << NARROW_WEIGHT.width)
        ],
        dtype=np.uint8,
    )


def _decoded_weights() -> np.ndarray:
    """Return the 8-bit weight that each byte stands for."""
    words = (correct(byte, WEIGHT_COLUMNS) for byte in range(256))
    return np.array(
        [word // NARROW_STEP * NARROW_STEP if known else 0 for word, known in words],
        dtype=np.uint8,
    ).view(np.int8)


CODED_WEIGHTS = _coded_weights()
"""The byte in which each weight of 4 bits is stored; ndarray of uint8 of shape (16,)."""

DECODED_WEIGHTS = _decoded_weights()
"""The 8-bit weight that each byte stands for, a multiple of `NARROW_STEP`; ndarray of int8 of shape
(256,). It is 0 for the 112 bytes that are uncorrectable."""

for _table in (CODED_WEIGHTS, DECODED_WEIGHTS):
    _table.flags.writeable = False


def protect_header(header: int) -> int:
    """Add the checks to a header.

    Parameters
    ----------
    header : int
        The header's `HEADER_DATA_BITS` bits.

    Returns
    -------
    int
        The code word.

    Examples
    --------
    >>> hex(protect_header(1)), hex(protect_header(0))
    ('0xe00000000000001', '0x0')
    """
    return header | syndrome(header, HEADER_COLUMNS) << HEADER_DATA_BITS


def correct_header(header: int) -> tuple[int, bool]:
    """Undo the change of one bit of a header, and take its checks off.

    Parameters
    ----------
    header : int
        The 64 bits that were read.

    Returns
    -------
    header : int
        `HEADER_DATA_BITS` bits. As they were read, if they are uncorrectable.
    known : bool
        Whether they are right, if at most two bits have changed.

    Examples
    --------
    >>> correct_header(protect_header(5) ^ 1 << 60)
    (5, True)
    """
    word, known = correct(header, HEADER_COLUMNS)
    return word & (1 << HEADER_DATA_BITS) - 1, known


def protect_number(number: int, size: int) -> bytes:
    """Store a number in protected form, 4 bits in each byte.

    Parameters
    ----------
    number : int
        The number.
    size : int
        Its bytes; twice as many are returned.

    Returns
    -------
    bytes
        Code words of its parts of 4 bits, the lowest first.

    Examples
    --------
    >>> protect_number(0x21, 1).hex()
    '172b'
    """
    return bytes(CODED_WEIGHTS[number >> 4 * part & 15] for part in range(2 * size))


def read_number(stored: bytes) -> int:
    """Read a number that `protect_number` has stored; uncorrectable parts count as 0.

    Parameters
    ----------
    stored : bytes
        The bytes.

    Returns
    -------
    int
        The number.

    Examples
    --------
    >>> hex(read_number(bytes.fromhex("162b")))
    '0x21'
    """
    halves = DECODED_WEIGHTS[np.frombuffer(stored, dtype=np.uint8)].view(np.uint8) >> 4
    return sum(int(half) << 4 * part for part, half in enumerate(halves))
