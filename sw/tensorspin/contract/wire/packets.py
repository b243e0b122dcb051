"""Packets between host and device.

A packet is ``type, sequence, length, payload, CRC`` in one COBS frame
(`tensorspin.contract.wire.cobs`). All numbers are little-endian. The host sends requests; the
device answers each by one reply, or rejects the frame. The rules:

- The device executes a request only if its CRC is right and its sequence number is the one that the
  device expects. So a packet that was damaged, lost, repeated or cut short is never applied, not
  even in part. HELLO is accepted at any sequence number and sets the next one that is expected.
- Requests are executed in the order of their numbers. Each gets one reply, which carries the
  request's number and starts with a `Status`. Replies are sent in the same order, with three
  exceptions that overtake results which are not ready yet: the reply to FEATURES, the refusal of a
  RUN, and a REJECT.
- The device answers a frame that it does not execute by a REJECT, which carries the sequence number
  that the device expects. The host resends from that number on, without waiting for a time-out.
- After configuration or reset a device accepts nothing but a HELLO. It rejects all other intact
  frames, whatever their number, with `RejectReason.NO_SESSION`, and its REJECTs carry number 0. So
  a host whose requests are executed without a new HELLO knows that the device was not restarted.
- A lost reply is not sent again. Instead, the host may repeat any request under a new number, with
  the same effect, and the device keeps no memory of what it has answered.
- An ANNEAL is answered as soon as the run has started. While the run goes on, the device refuses
  READs and WRITEs of the annealer's memories with `Status.BUSY` and executes everything else;
  STATUS tells when the run has ended. A HELLO or another ANNEAL stops the run. A HELLO does not
  change what has been written to the annealer's memories.
- The host keeps at most `DeviceDescription.receive_bytes` bytes of request bodies without a reply,
  which is the size of the device's receive buffer.
- A host and a device of different versions of the protocol do not talk to each other: the reply to
  HELLO begins with the version in all versions, and the host refuses any but its own
  (`tensorspin.contract.device.description.OtherProtocolError`).
"""

from __future__ import annotations

import enum
import struct
import zlib
from dataclasses import dataclass

from . import cobs

# The names on both sides of `as` say that other modules may import them from here.
from .status import STATUS as STATUS
from .status import DeviceStatus as DeviceStatus

PROTOCOL_VERSION = 3
"""Version of everything in this module and in the memory layouts of the engines. It must change
whenever an older device or host would misunderstand the other."""

HEADER = struct.Struct("<BBB")
"""Type, sequence number, length of the payload in bytes."""

CRC = struct.Struct("<I")
"""CRC-32/ISO-HDLC (`amaranth.lib.crc.catalog.CRC32_ISO_HDLC`, `zlib.crc32`) of header and payload.
A CRC of 16 bits would let one damaged packet in 65,000 pass."""

FRAME_OVERHEAD = HEADER.size + CRC.size + cobs.OVERHEAD
"""How many bytes longer a frame is than the payload in it."""

BITS_PER_BYTE = 10
"""Bits that one byte takes on the serial line: start bit, eight data bits, stop bit."""

MAX_PAYLOAD = cobs.MAX_BODY - HEADER.size - CRC.size
"""Greatest length of a payload in bytes, so that the body fits into a COBS frame."""

SEQUENCE_MODULUS = 256
"""Sequence numbers are bytes: 0 follows on 255."""

REPLY = 0x80
"""Bit that is set in the type of a reply and clear in that of a request."""


class PacketType(enum.IntEnum):
    """Type of a request; its reply has the same type with `REPLY` set."""

    HELLO = 0x01
    """Begins a session: the device forgets a sample begun and stops an annealer's run. No payload.
    Reply: `Status`, then a `tensorspin.contract.device.description.DeviceDescription`."""
    STATUS = 0x02
    """Asks for the device's counters. No payload. Reply: `Status`, then a `DeviceStatus`."""
    WRITE = 0x03
    """Writes bytes to a memory. Payload: `MEMORY`, then at least one byte of data. If the memory is
    the contractor's, the model on the device is no longer active. Reply: `Status`."""
    READ = 0x04
    """Reads bytes of a memory. Payload: `MEMORY`, `READ_COUNT`. Reply: `Status`, then the data."""
    ACTIVATE = 0x05
    """Declares that the contractor's memories hold a whole model, which RUN may use. Payload:
    `ACTIVATE`. Reply: `Status`."""
    FEATURES = 0x06
    """Brings a part of a sample, not its last: the levels (one byte for each feature) of features
    that follow on each other. Payload: `OFFSET`, then the levels. Reply: `Status`."""
    RUN = 0x07
    """Brings the last part of a sample, or all of it, and contracts the sample. Payload: `OFFSET`,
    then levels. Reply: `Status`, the scores (int16 each), `RESULT`."""
    ANNEAL = 0x08
    """Starts a run of the annealer. Payload: all bytes of `AnnealerSpace.RUN`. Reply: `Status`,
    when the run has started."""


REJECT = 0xFF
"""Type of the device's answer to a frame that it did not execute. Its sequence number is the one
that the device expects, its payload one `RejectReason`."""

MEMORY = struct.Struct("<HBB")
"""Where a WRITE or READ begins: byte address (bits 0 to 23), then number of the memory space."""

READ_COUNT = struct.Struct("<B")
"""Number of bytes that a READ asks for, 1 to ``MAX_PAYLOAD - 1``: the reply also has a status."""

ACTIVATE = struct.Struct("<HI")
"""Number of features of the model, and the digest of the model, which `STATUS` gives back."""

OFFSET = struct.Struct("<H")
"""Index of the first feature of a part of a sample. 0 starts a sample; any other index must
continue the sample begun."""

RESULT = struct.Struct("<HHI")
"""What follows the scores: their exponent, the index of the greatest score (the first if several
are equal), and the clock cycles from the first read of the program to the last score."""


class Status(enum.IntEnum):
    """First byte of every reply: the request was executed, or why it was refused."""

    OK = 0
    """The request was executed."""
    UNKNOWN_TYPE = 1
    """The device has no such request; the engine may be missing."""
    BAD_LENGTH = 2
    """The payload is too short or too long for the request, or a READ asks for too many bytes."""
    BAD_ADDRESS = 3
    """The memory space does not exist, cannot be read or written, or ends before the last byte."""
    NO_MODEL = 4
    """RUN needs an active model, and there is none."""
    BAD_OFFSET = 5
    """The part does not continue the sample begun, or goes beyond the last possible feature."""
    BAD_FEATURE_COUNT = 6
    """The sample has another number of features than the model, or the model has an impossible
    one."""
    PROGRAM_OVERRUN = 7
    """The program runs past the end of its memory, so that there are no scores."""
    BUSY = 8
    """The annealer is running and its memories cannot be touched."""


class RejectReason(enum.IntEnum):
    """Why a frame was not executed; the payload of a `REJECT`."""

    DAMAGED = 1
    """COBS, length or CRC does not fit."""
    SEQUENCE = 2
    """The sequence number is not the one expected."""
    OVERFLOW = 3
    """The receive buffer had no room for the frame."""
    NO_SESSION = 4
    """There was no HELLO since the device was configured or reset."""


def pack_memory(space: int, address: int) -> bytes:
    """Make the `MEMORY` field, which says where a WRITE or READ begins.

    Parameters
    ----------
    space : int
        Number of the memory space.
    address : int
        Byte address, less than 2**24.

    Returns
    -------
    bytes
        The field.
    """
    return MEMORY.pack(address & 0xFFFF, address >> 16, space)


def unpack_memory(payload: bytes) -> tuple[int, int]:
    """Read the `MEMORY` field at the start of a payload.

    Parameters
    ----------
    payload : bytes
        Payload of a WRITE or READ.

    Returns
    -------
    (int, int)
        Number of the memory space, and byte address.
    """
    low, high, space = MEMORY.unpack_from(payload)
    return space, high << 16 | low


@dataclass(frozen=True)
class Packet:
    """One packet.

    Parameters
    ----------
    type : int
        A `PacketType`, with `REPLY` set in replies, or `REJECT`.
    sequence : int
        Sequence number, 0 to 255.
    payload : bytes
        At most `MAX_PAYLOAD` bytes.

    Examples
    --------
    >>> Packet(PacketType.HELLO, sequence=0).frame().hex(" ")
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
        return cobs.encode(self.body())

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
    >>> frame = Packet(PacketType.STATUS, sequence=7).frame()
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
        *frames, rest = data.split(bytes([cobs.DELIMITER]))
        for frame in frames:
            self._pending += frame
            # Two delimiters in a row are no frame: either side may send one to end what was cut.
            if self._pending or self._discarding:
                body = None if self._discarding else cobs.decode(bytes(self._pending))
                packet = None if body is None else Packet.from_body(body)
                if packet is None:
                    self.damaged += 1
                else:
                    packets.append(packet)
            self._pending.clear()
            self._discarding = False
        self._pending += rest
        if len(self._pending) > cobs.MAX_BODY + 1:
            # Garbage without a delimiter must not fill the memory.
            self._pending.clear()
            self._discarding = True
        return packets
