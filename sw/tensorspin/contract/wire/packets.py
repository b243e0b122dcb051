"""Packets between host and device.

A packet is ``type, sequence, length, payload, CRC`` in one COBS frame
(`tensorspin.contract.wire.cobs`).
All numbers are little-endian. The rules:

- The device executes a request only if its CRC is right and its sequence number is the one that it
  expects; so a damaged, lost, repeated or cut packet is never applied, not even in part. HELLO is
  taken at any sequence number and sets the next one expected.
- Requests are executed in the order of their numbers, and each gets one reply that carries its
  number and starts with a `Status`. Replies come in that order too, except that those to FEATURES,
  refusals of RUN, and REJECTs overtake results that are not ready yet.
- A frame that is not executed is answered by a REJECT that carries the number expected, so that the
  host resends from there without waiting for a time-out.
- After configuration or reset a device takes nothing but a HELLO: it rejects all other intact
  frames, whatever their number, with `RejectReason.NO_SESSION`, and its REJECTs carry number 0. So
  a host whose requests are executed without a new HELLO knows that the device was not restarted.
- A reply that got lost is not sent again: every request may be repeated under a new number with the
  same effect.
- An ANNEAL is answered as soon as the run has started. While it runs, all goes on but READs and
  WRITEs of the annealer's memories, which are refused with `Status.BUSY`; STATUS tells when it has
  ended. A HELLO, as well as another ANNEAL, stops it. What has been written survives a HELLO.
- The host keeps at most `DeviceDescription.receive_bytes` bytes of bodies without a reply.
"""

from __future__ import annotations

import enum
import struct
import zlib
from dataclasses import dataclass

from . import cobs

PROTOCOL_VERSION = 3

HEADER = struct.Struct("<BBB")
"""Type, sequence number, length of the payload in bytes."""

CRC = struct.Struct("<I")
"""CRC-32/ISO-HDLC (`amaranth.lib.crc.catalog.CRC32_ISO_HDLC`, `zlib.crc32`) of header and payload.
With 16 bits one damaged packet in 65,000 would pass."""

FRAME_OVERHEAD = HEADER.size + CRC.size + cobs.OVERHEAD
"""Bytes that a frame is longer than its payload."""

BITS_PER_BYTE = 10
"""On the serial line: start bit, eight data bits, stop bit."""

MAX_PAYLOAD = cobs.MAX_BODY - HEADER.size - CRC.size
SEQUENCE_MODULUS = 256
REPLY = 0x80
"""Set in the type of a reply."""


class PacketType(enum.IntEnum):
    """Type of a request; its reply has the same type with `REPLY` set."""

    HELLO = 0x01
    """Start of a session; a sample begun is forgotten, an annealer's run is stopped. No payload.
    Reply: `Status`, `DeviceDescription`."""
    STATUS = 0x02
    """No payload. Reply: `Status`, `DeviceStatus`."""
    WRITE = 0x03
    """`MEMORY`, then data. If the memory is the contractor's, the model on the device is no longer
    active. Reply: `Status`."""
    READ = 0x04
    """`MEMORY`, `READ_COUNT`. Reply: `Status`, data."""
    ACTIVATE = 0x05
    """`ACTIVATE`: the memories hold a whole model. Reply: `Status`."""
    FEATURES = 0x06
    """`OFFSET`, then levels: a part of a sample, not its last. Reply: `Status`."""
    RUN = 0x07
    """`OFFSET`, then levels: the last part of a sample (or all of it); contract. Reply: `Status`,
    scores (int16 each), `RESULT`."""
    ANNEAL = 0x08
    """The bytes of `AnnealerSpace.RUN`, all of them; anneal. Reply: `Status`."""


REJECT = 0xFF
"""Type of the answer to a frame that was not executed; sequence: the number expected; payload: one
`RejectReason`."""

MEMORY = struct.Struct("<HBB")
"""Byte address (bits 0..23), then the memory space."""
READ_COUNT = struct.Struct("<B")
ACTIVATE = struct.Struct("<HI")
"""Number of features; digest of the model (`STATUS` gives it back)."""
OFFSET = struct.Struct("<H")
"""Index of the first feature of this part. 0 starts a sample; else it must continue the last."""
RESULT = struct.Struct("<HHI")
"""Exponent of the scores; index of the greatest score (the first of equals); clock cycles from the
first read of the program to the last score. Follows the scores."""
STATUS = struct.Struct("<BIHHHIIHBB")
"""The fields of `DeviceStatus`."""


class Status(enum.IntEnum):
    """First byte of every reply."""

    OK = 0
    UNKNOWN_TYPE = 1
    BAD_LENGTH = 2
    BAD_ADDRESS = 3
    NO_MODEL = 4
    BAD_OFFSET = 5
    BAD_FEATURE_COUNT = 6
    PROGRAM_OVERRUN = 7
    BUSY = 8


class RejectReason(enum.IntEnum):
    """Why a frame was not executed."""

    DAMAGED = 1
    SEQUENCE = 2
    OVERFLOW = 3
    NO_SESSION = 4


def pack_memory(space: int, address: int) -> bytes:
    """`MEMORY`: where a WRITE or READ begins."""
    return MEMORY.pack(address & 0xFFFF, address >> 16, space)


def unpack_memory(payload: bytes) -> tuple[int, int]:
    """Memory space and byte address at the start of a payload."""
    low, high, space = MEMORY.unpack_from(payload)
    return space, high << 16 | low


@dataclass(frozen=True)
class DeviceStatus:
    """What the device counts; counters wrap.

    Attributes
    ----------
    active : bool
        A whole model is loaded.
    digest : int
        The digest given with it.
    damaged, out_of_sequence, overflows : int
        Frames rejected since configuration, by `RejectReason`; modulo 2**16. Those outside of a
        session are not counted unless damaged.
    samples : int
        Samples contracted since configuration; modulo 2**32.
    busy_cycles : int
        Clock cycles spent contracting since configuration, with any number of samples at a time;
        modulo 2**32.
    step : int
        Index of the step that is annealed; 0 if none is.
    annealing : bool
        A run of the annealer is under way.
    cleared : bool
        The annealer's memories have been cleared since configuration. So a host that has seen to it
        knows, as long as this stands, that the device was not restarted and holds what followed.
    """

    active: bool = False
    digest: int = 0
    damaged: int = 0
    out_of_sequence: int = 0
    overflows: int = 0
    samples: int = 0
    busy_cycles: int = 0
    step: int = 0
    annealing: bool = False
    cleared: bool = False

    def pack(self) -> bytes:
        """Payload after the status byte."""
        return STATUS.pack(
            self.active,
            self.digest,
            self.damaged,
            self.out_of_sequence,
            self.overflows,
            self.samples,
            self.busy_cycles,
            self.step,
            self.annealing,
            self.cleared,
        )

    @classmethod
    def unpack(cls, payload: bytes) -> DeviceStatus:
        """Inverse of `pack`.

        Raises
        ------
        ValueError
            If that is not as long as a status.
        """
        if len(payload) != STATUS.size:
            raise ValueError(f"a status of {len(payload)} bytes, not {STATUS.size}")
        active, *counters, annealing, cleared = STATUS.unpack(payload)
        return cls(bool(active), *counters, bool(annealing), bool(cleared))


@dataclass(frozen=True)
class Packet:
    """One packet.

    Attributes
    ----------
    type : int
        A `PacketType`, with `REPLY` set in replies, or `REJECT`.
    sequence : int
        0..255.
    payload : bytes
        At most `MAX_PAYLOAD`.
    """

    type: int
    sequence: int
    payload: bytes = b""

    def body(self) -> bytes:
        """Header, payload and CRC.

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
        """The bytes on the wire, with the closing delimiter."""
        return cobs.encode(self.body())

    @classmethod
    def from_body(cls, body: bytes) -> Packet | None:
        """The packet, or None if length or CRC don't fit."""
        if len(body) < HEADER.size + CRC.size:
            return None
        covered, crc = body[: -CRC.size], body[-CRC.size :]
        kind, sequence, length = HEADER.unpack_from(covered)
        payload = covered[HEADER.size :]
        if length != len(payload) or CRC.unpack(crc)[0] != zlib.crc32(covered):
            return None
        return cls(kind, sequence, bytes(payload))


class FrameSplitter:
    """Splits a byte stream into packets, whatever the cut of the reads.

    Attributes
    ----------
    damaged : int
        Frames dropped so far because COBS, length or CRC did not fit.
    """

    def __init__(self) -> None:
        self._pending = bytearray()
        self._discarding = False
        self.damaged = 0

    def feed(self, data: bytes) -> list[Packet]:
        """Packets completed by `data`; damaged frames are counted and dropped."""
        packets = []
        *frames, rest = data.split(bytes([cobs.DELIMITER]))
        for frame in frames:
            self._pending += frame
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
