"""Frames: packets as they travel over the line.

A packet is ``type, sequence, length, payload, CRC``; `tensorspin.contract.wire.packets` says what
the first three of these mean. The *body* of its frame is stuffed, so that it holds no zero, and one
zero byte follows. Then a zero only occurs at the end of a frame, and a receiver finds the next
frame after any fault.

The stuffing is consistent overhead byte stuffing, COBS (Cheshire and Baker, IEEE/ACM Trans.
Networking 7, 1999). Bodies have at most `MAX_BODY` bytes. At that length stuffing always adds
exactly one byte, and the algorithm's special case, the block code 0xFF for 254 bytes without a
zero, never occurs; neither the gateware nor this module needs to handle it.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

DELIMITER = 0
"""The byte that ends a frame."""

MAX_BODY = 253
"""Greatest length of a body in bytes; 254 bytes could need the block code 0xFF."""

COBS_OVERHEAD = 2
"""How many bytes longer a frame is than its body: one code byte and the delimiter."""

HEADER = struct.Struct("<BBB")
"""Type, sequence number, length of the payload in bytes."""

CRC = struct.Struct("<I")
"""CRC-32/ISO-HDLC (`amaranth.lib.crc.catalog.CRC32_ISO_HDLC`, `zlib.crc32`) of header and payload.
A CRC of 16 bits would let one damaged packet in 65,000 pass."""

FRAME_OVERHEAD = HEADER.size + CRC.size + COBS_OVERHEAD
"""How many bytes longer a frame is than the payload in it."""

BITS_PER_BYTE = 10
"""Bits that one byte takes on the serial line: start bit, eight data bits, stop bit."""

MAX_PAYLOAD = MAX_BODY - HEADER.size - CRC.size
"""Greatest length of a payload in bytes, so that the body fits into a COBS frame."""

SEQUENCE_MODULUS = 256
"""Sequence numbers are bytes: 0 follows on 255."""


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


@dataclass(frozen=True)
class Packet:
    """One packet.

    Parameters
    ----------
    type : int
        A `packets.PacketType`, with `packets.REPLY` set in replies, or `packets.REJECT`.
    sequence : int
        Sequence number, 0 to 255.
    payload : bytes
        At most `MAX_PAYLOAD` bytes.

    Examples
    --------
    >>> Packet(type=1, sequence=0).frame().hex(" ")
    '02 01 01 05 25 b3 83 fe 00'
    """

    type: int
    sequence: int
    payload: bytes = b""

    def body(self) -> bytes:
        """Make the body of the packet's frame.

        Returns
        -------
        bytes
            Header, payload and CRC.

        Raises
        ------
        ValueError
            If the payload is longer than `MAX_PAYLOAD`.
        """
        if len(self.payload) > MAX_PAYLOAD:
            raise ValueError(
                f"a packet's payload has at most {MAX_PAYLOAD} bytes, not {len(self.payload)}"
            )
        covered = HEADER.pack(self.type, self.sequence, len(self.payload)) + self.payload
        return covered + CRC.pack(zlib.crc32(covered))

    def frame(self) -> bytes:
        """Make the bytes that travel on the line.

        Returns
        -------
        bytes
            The COBS frame of the body, with the delimiter that closes it.
        """
        return encode(self.body())

    @classmethod
    def from_body(cls, body: bytes) -> Packet | None:
        """Read the body of a frame: the inverse of `body`.

        Parameters
        ----------
        body : bytes
            What COBS has decoded.

        Returns
        -------
        Packet or None
            The packet; None if length or CRC does not fit.
        """
        if len(body) < HEADER.size + CRC.size:
            return None
        covered, crc = body[: -CRC.size], body[-CRC.size :]
        kind, sequence, length = HEADER.unpack_from(covered)
        payload = covered[HEADER.size :]
        if length != len(payload) or CRC.unpack(crc)[0] != zlib.crc32(covered):
            return None
        return cls(kind, sequence, bytes(payload))


class FrameSplitter:
    """Splits a byte stream into packets, wherever the reads of the stream cut it.

    Attributes
    ----------
    damaged : int
        Number of frames dropped so far because COBS, length or CRC did not fit.

    Examples
    --------
    >>> splitter = FrameSplitter()
    >>> frame = Packet(type=2, sequence=7).frame()
    >>> splitter.feed(frame[:4])
    []
    >>> [packet.sequence for packet in splitter.feed(frame[4:])]
    [7]
    """

    def __init__(self) -> None:
        self._pending = bytearray()
        self._discarding = False
        self.damaged = 0

    def feed(self, data: bytes) -> list[Packet]:
        """Take bytes of the stream.

        Damaged frames are counted and dropped.

        Parameters
        ----------
        data : bytes
            The next bytes, any number of them.

        Returns
        -------
        list of Packet
            The packets that these bytes complete.
        """
        packets = []
        *frames, rest = data.split(bytes([DELIMITER]))
        for frame in frames:
            self._pending += frame
            # Two delimiters in a row are no frame: either side may send one to end what was cut.
            if self._pending or self._discarding:
                body = None if self._discarding else decode(bytes(self._pending))
                packet = None if body is None else Packet.from_body(body)
                if packet is None:
                    self.damaged += 1
                else:
                    packets.append(packet)
            self._pending.clear()
            self._discarding = False
        self._pending += rest
        if len(self._pending) > MAX_BODY + 1:
            # Garbage without a delimiter must not fill the memory.
            self._pending.clear()
            self._discarding = True
        return packets
