"""Engine sizes, and the device's description of itself."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .memory import LEVELS, MANTISSA_BYTES, MemorySpace, word_stride_bits
from .packets import PROTOCOL_VERSION


class OtherProtocolError(ValueError):
    """A description comes from a device that speaks another version of the protocol.

    Attributes
    ----------
    device, driver : int
        The two versions.
    """

    def __init__(self, device: int) -> None:
        super().__init__(device)
        self.device = device
        self.driver = PROTOCOL_VERSION

    def __str__(self) -> str:
        return (
            f"the device speaks protocol version {self.device}, this driver version "
            f"{self.driver}; load the bitstream that belongs to this driver, or install the "
            f"driver that belongs to the bitstream"
        )


@dataclass(frozen=True)
class ContractorSize:
    """Parameters of the contractor.

    Attributes
    ----------
    lanes : int
        Multiply-accumulators of a group, each with its own byte of the program memory's words.
    program_words : int
        Words of the program memory; a power of two.
    features : int
        Features of a sample at most; a power of two.
    components : int
        Components of the feature table (local dimension at most); a power of two.
    slots : int
        Vector slots; a power of two.
    slot_entries : int
        Entries of a vector slot: the greatest bond dimension; a power of two.
    groups : int
        Samples contracted in step, each by lanes of its own, which all read the same weights. So a
        device keeps more multipliers busy than a bond has outputs.
    """

    lanes: int
    program_words: int
    features: int
    components: int
    slots: int
    slot_entries: int
    groups: int = 1

    @property
    def multipliers(self) -> int:
        """Multiply-accumulators in all."""
        return self.lanes * self.groups

    @property
    def program_bytes(self) -> int:
        """Weights and headers that fit, in bytes."""
        return self.program_words * self.lanes

    def space_bytes(self, space: MemorySpace) -> int:
        """Size of a memory space in byte addresses."""
        if space is MemorySpace.PROGRAM:
            return self.program_words << word_stride_bits(self.lanes)
        return self.components * LEVELS * MANTISSA_BYTES


@dataclass(frozen=True)
class DeviceDescription:
    """What a device says of itself in reply to HELLO.

    Attributes
    ----------
    protocol : int
        `tensorspin.contract.packets.PROTOCOL_VERSION` of the device.
    board : str
        Name in the board table, at most 16 ASCII characters.
    clock_hz : int
        Clock of the engine.
    baud : int
        Rate of the serial line in bits per second.
    receive_bytes : int
        Bodies of requests, in bytes, that the device can hold unexecuted.
    contractor : ContractorSize
    build : bytes
        8 bytes that tell one build from another.
    """

    protocol: int
    board: str
    clock_hz: int
    baud: int
    receive_bytes: int
    contractor: ContractorSize
    build: bytes

    def pack(self) -> bytes:
        """`SIZE` bytes; the protocol version stands first in every version."""
        size = self.contractor
        return _LAYOUT.pack(
            self.protocol,
            self.board.encode("ascii"),
            self.clock_hz,
            self.baud,
            self.receive_bytes,
            size.lanes,
            size.program_words,
            size.features,
            size.components,
            size.slots,
            size.slot_entries,
            size.groups,
            self.build,
        )

    @classmethod
    def unpack(cls, data: bytes) -> DeviceDescription:
        """Inverse of `pack`.

        Raises
        ------
        OtherProtocolError
            If the device speaks another version of the protocol.
        ValueError
            If the length is not `SIZE`.
        """
        if len(data) < 2:
            raise ValueError(f"a device description has {SIZE} bytes, not {len(data)}")
        (protocol,) = struct.unpack_from("<H", data)
        if protocol != PROTOCOL_VERSION:
            raise OtherProtocolError(protocol)
        if len(data) != SIZE:
            raise ValueError(f"a device description has {SIZE} bytes, not {len(data)}")
        _, board, clock, baud, receive, *sizes, build = _LAYOUT.unpack(data)
        return cls(
            protocol,
            board.rstrip(b"\0").decode("ascii"),
            clock,
            baud,
            receive,
            ContractorSize(*sizes),
            build,
        )


_LAYOUT = struct.Struct("<H16sIIHHIHBBBB8s")
SIZE = _LAYOUT.size
"""Bytes of a packed description."""
