"""Consistent overhead byte stuffing (Cheshire and Baker, IEEE/ACM Trans. Networking 7, 1999).

A frame is the stuffed body followed by one zero byte; zero occurs nowhere else, so that a receiver
finds the next frame after any fault. Bodies are limited to `MAX_BODY` bytes: then the overhead is
one byte always, and the block code 0xFF never occurs.
"""

from __future__ import annotations

DELIMITER = 0
MAX_BODY = 253
OVERHEAD = 2
"""Bytes that a frame is longer than its body: one code byte and the delimiter."""


def encode(body: bytes) -> bytes:
    """Frame of a body, with its delimiter.

    Raises
    ------
    ValueError
        If the body is empty or longer than `MAX_BODY`.
    """
    if not 1 <= len(body) <= MAX_BODY:
        raise ValueError(f"a frame's body has 1 to {MAX_BODY} bytes, not {len(body)}")
    blocks = bytes(body).split(b"\0")
    return b"".join(bytes([len(block) + 1]) + block for block in blocks) + bytes([DELIMITER])


def decode(frame: bytes) -> bytes | None:
    """Body of a frame given without its delimiter, or None if it is damaged."""
    body = bytearray()
    position = 0
    while position < len(frame):
        code = frame[position]
        block = frame[position + 1 : position + code]
        if code == 0xFF or len(block) != code - 1 or 0 in block:
            return None
        position += code
        body += block
        if position < len(frame):
            body.append(0)
    return bytes(body) if 1 <= len(body) <= MAX_BODY else None
