"""Engine sizes, and the device's description of itself.

A packed description begins with the fields of all devices, the protocol's version first. Behind
them stands a record for each engine: `EngineKind`, length of the rest, then the fields of the
engine's size in their order, `SIZE_BYTES` each. A field that is a tuple begins with its length.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import astuple, dataclass, fields
from typing import TypeVar

from ..annealer.size import AnnealerSize
from ..contractor.size import ContractorSize
from ..wire.packets import PROTOCOL_VERSION


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


class EngineKind(enum.IntEnum):
    """First byte of an engine's record in a description."""

    CONTRACTOR = 1
    ANNEALER = 2


@dataclass(frozen=True)
class DeviceDescription:
    """What a device says of itself in reply to HELLO.

    Attributes
    ----------
    protocol : int
        `tensorspin.contract.wire.packets.PROTOCOL_VERSION` of the device.
    board : str
        Name in the board table, at most `NAME_BYTES` ASCII characters.
    clock_hz : int
        Clock of the engines.
    baud : int
        Rate of the serial line in bits per second.
    receive_bytes : int
        Bodies of requests, in bytes, that the device can hold unexecuted.
    build : bytes
        8 bytes that tell one build from another.
    contractor : ContractorSize or None
        None if the device has none.
    annealer : AnnealerSize or None
        None if the device has none.
    """

    protocol: int
    board: str
    clock_hz: int
    baud: int
    receive_bytes: int
    build: bytes
    contractor: ContractorSize | None = None
    annealer: AnnealerSize | None = None

    def pack(self) -> bytes:
        """The bytes of the reply to HELLO; the protocol version stands first in every version."""
        packed = _LAYOUT.pack(
            self.protocol,
            self.board.encode("ascii"),
            self.clock_hz,
            self.baud,
            self.receive_bytes,
            self.build,
        )
        for kind, size in (
            (EngineKind.CONTRACTOR, self.contractor),
            (EngineKind.ANNEALER, self.annealer),
        ):
            if size is not None:
                record = _pack_size(size)
                packed += _RECORD.pack(kind, len(record)) + record
        return packed

    @classmethod
    def unpack(cls, data: bytes) -> DeviceDescription:
        """Inverse of `pack`.

        Raises
        ------
        OtherProtocolError
            If the device speaks another version of the protocol.
        ValueError
            If lengths do not fit, or a size is out of its range.
        """
        if len(data) < 2:
            raise ValueError(f"a device description has more than {len(data)} bytes")
        (protocol,) = struct.unpack_from("<H", data)
        if protocol != PROTOCOL_VERSION:
            raise OtherProtocolError(protocol)
        engines: dict[EngineKind, bytes] = {}
        position = _LAYOUT.size
        while position + _RECORD.size <= len(data):
            kind, length = _RECORD.unpack_from(data, position)
            position += _RECORD.size + length
            engines[EngineKind(kind)] = data[position - length : position]
        if position != len(data):
            raise ValueError(f"a device description of {len(data)} bytes is cut short or too long")
        _, board, clock, baud, receive, build = _LAYOUT.unpack_from(data)
        contractor = engines.get(EngineKind.CONTRACTOR)
        annealer = engines.get(EngineKind.ANNEALER)
        return cls(
            protocol,
            board.rstrip(b"\0").decode("ascii"),
            clock,
            baud,
            receive,
            build,
            None if contractor is None else _unpack_size(ContractorSize, contractor),
            None if annealer is None else _unpack_size(AnnealerSize, annealer),
        )


NAME_BYTES = 24
"""Characters of a board's name at most."""

SIZE_BYTES = 4
"""Bytes of a number in an engine's record."""

_LAYOUT = struct.Struct(f"<H{NAME_BYTES}sIIH8s")
_RECORD = struct.Struct("<BB")

_Size = TypeVar("_Size", ContractorSize, AnnealerSize)


def _pack_size(size: ContractorSize | AnnealerSize) -> bytes:
    numbers: list[int] = []
    for value in astuple(size):
        numbers += [len(value), *value] if isinstance(value, tuple) else [value]
    return b"".join(number.to_bytes(SIZE_BYTES, "little") for number in numbers)


def _unpack_size(kind: type[_Size], record: bytes) -> _Size:
    if len(record) % SIZE_BYTES:
        raise ValueError(f"an engine's record of {len(record)} bytes is cut short")
    numbers = [
        int.from_bytes(record[first : first + SIZE_BYTES], "little")
        for first in range(0, len(record), SIZE_BYTES)
    ]
    values: list[int | tuple[int, ...]] = []
    try:
        for field in fields(kind):
            value = numbers.pop(0)
            if field.type.startswith("tuple"):
                value, numbers = tuple(numbers[:value]), numbers[value:]
            values.append(value)
    except IndexError:
        raise ValueError(f"the record of {kind.__name__} is cut short") from None
    if numbers:
        raise ValueError(f"the record of {kind.__name__} is {len(numbers)} numbers too long")
    return kind(*values)
