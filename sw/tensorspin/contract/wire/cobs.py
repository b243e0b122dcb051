"""Consistent overhead byte stuffing (Cheshire and Baker, IEEE/ACM Trans. Networking 7, 1999).

A frame is the stuffed body followed by one zero byte. Stuffing removes all zeros from the body, so
that a zero only occurs at the end of a frame, and a receiver finds the next frame after any fault.
Bodies have at most `MAX_BODY` bytes. At that length stuffing always adds exactly one byte, and the
algorithm's special case, the block code 0xFF for 254 bytes without a zero, never occurs; neither
the gateware nor this module needs to handle it.
"""

from __future__ import annotations

DELIMITER = 0
"""The byte that ends a frame."""

MAX_BODY = 253
"""Greatest length of a body in bytes; 254 bytes could need the block code 0xFF."""

OVERHEAD = 2
"""How many bytes longer a frame is than its body: one code byte and the delimiter."""


def encode(body: bytes) -> bytes:
    r"""Make the frame of a body.

    Parameters
    ----------
    body : bytes
        1 to `MAX_BODY` bytes.

    Returns
    -------
    bytes
        The frame, with its delimiter.

    Raises
    ------
    ValueError
        If the body is empty or longer than `MAX_BODY`.

    Examples
    --------
    >>> encode(b"a\0b").hex(" ")
    '02 61 02 62 00'
    """
    if not 1 <= len(body) <= MAX_BODY:
        raise ValueError(f"a frame's body has 1 to {MAX_BODY} bytes, not {len(body)}")
    # Each zero is replaced by the distance to the next one, which the code byte in front of each
    # block tells.
    blocks = bytes(body).split(b"\0")
    return b"".join(bytes([len(block) + 1]) + block for block in blocks) + bytes([DELIMITER])


def decode(frame: bytes) -> bytes | None:
    r"""Take the stuffing out of a frame.

    Parameters
    ----------
    frame : bytes
        The frame without its delimiter.

    Returns
    -------
    bytes or None
        The body; None if the frame is damaged.

    Examples
    --------
    >>> decode(bytes.fromhex("02 61 02 62"))
    b'a\x00b'
    >>> decode(bytes.fromhex("09 61"))  # None: the block is cut short
    """
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
