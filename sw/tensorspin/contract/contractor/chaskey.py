"""Chaskey-12, the message authentication code of locked contractors.

A tag of 16 bytes tells who holds the key that a message comes from somebody else who does, and that
nothing in it has changed. Chaskey is by Mouha, Mennink, Van Herrewege, Watanabe, Preneel and
Verbauwhede, "Chaskey: An Efficient MAC Algorithm for 32-bit Microcontrollers", Selected Areas in
Cryptography 2014 (https://eprint.iacr.org/2014/386). With 12 rounds (Mouha, "Chaskey: a MAC
Algorithm for Microcontrollers - Status Update and Proposal of Chaskey-12",
https://eprint.iacr.org/2015/1182) it is in ISO/IEC 29192-6:2019. It needs nothing but additions,
rotations and exclusive or of words of 32 bits, which is why it fits beside an engine.

`tests/contract/test_chaskey.py` holds it to the vectors of the author's own implementation.
"""

from __future__ import annotations

import struct

BLOCK_BYTES = 16
"""Bytes of a block, of a key, and of a tag."""

ROUNDS = 12
"""Rounds of the permutation."""

_MASK = 0xFFFFFFFF
_WORDS = struct.Struct("<4I")


def permute(block: bytes) -> bytes:
    """Apply the permutation of 12 rounds.

    Parameters
    ----------
    block : bytes
        `BLOCK_BYTES` bytes.

    Returns
    -------
    bytes
        As many bytes.
    """
    a, b, c, d = _WORDS.unpack(block)
    for _ in range(ROUNDS):
        a = (a + b) & _MASK
        b = (b << 5 & _MASK | b >> 27) ^ a
        a = a << 16 & _MASK | a >> 16
        c = (c + d) & _MASK
        d = (d << 8 & _MASK | d >> 24) ^ c
        a = (a + d) & _MASK
        d = (d << 13 & _MASK | d >> 19) ^ a
        c = (c + b) & _MASK
        b = (b << 7 & _MASK | b >> 25) ^ c
        c = c << 16 & _MASK | c >> 16
    return _WORDS.pack(a, b, c, d)


def times_two(key: bytes) -> bytes:
    r"""Double a key in the field of 2**128 elements, which makes the keys of the last block.

    Parameters
    ----------
    key : bytes
        `BLOCK_BYTES` bytes, the lowest first.

    Returns
    -------
    bytes
        As many bytes.

    Examples
    --------
    >>> times_two(bytes(15) + b"\x80").hex()
    '87000000000000000000000000000000'
    """
    number = int.from_bytes(key, "little")
    doubled = number << 1 ^ (0x87 if number >> 127 else 0)
    return (doubled & (1 << 128) - 1).to_bytes(BLOCK_BYTES, "little")


def chaskey12(key: bytes, message: bytes) -> bytes:
    """Compute the tag of a message.

    Parameters
    ----------
    key : bytes
        `BLOCK_BYTES` bytes.
    message : bytes
        Any number of bytes. 128 KiB take about half a second.

    Returns
    -------
    bytes
        The tag, `BLOCK_BYTES` bytes.

    Raises
    ------
    ValueError
        If the key has another length.

    Examples
    --------
    >>> chaskey12(bytes(16), b"").hex()[:16]
    '7bc92e6ff6a16508'
    """
    if len(key) != BLOCK_BYTES:
        raise ValueError(f"key must have {BLOCK_BYTES} bytes, not {len(key)}")
    last_key = times_two(key)
    end = max(0, len(message) - 1) // BLOCK_BYTES * BLOCK_BYTES
    last = message[end:]
    if len(last) < BLOCK_BYTES:
        last_key = times_two(last_key)
        last = (last + b"\x01").ljust(BLOCK_BYTES, b"\0")
    state = key
    for first in range(0, end, BLOCK_BYTES):
        state = permute(_xor(state, message[first : first + BLOCK_BYTES]))
    return _xor(permute(_xor(_xor(state, last), last_key)), last_key)


def _xor(left: bytes, right: bytes) -> bytes:
    mixed = int.from_bytes(left, "little") ^ int.from_bytes(right, "little")
    return mixed.to_bytes(BLOCK_BYTES, "little")
