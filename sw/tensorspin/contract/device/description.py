"""The device's description of itself, which is its reply to HELLO.

A packed description begins with the fields that all devices have, the protocol's version first.
One record for each engine follows: `EngineKind` (1 byte), length of the rest (1 byte), then the
fields of the engine's size in their order, `SIZE_BYTES` each. A field that is a tuple begins with
the number of its elements. Fields with ``optional`` in their metadata stand at the end, and are
left out if they have their defaults, as in the records of devices that are older than the field.

The rule for other versions: the version stands in the same two bytes in every version of the
protocol. A device of another version, older or newer, is refused by an `OtherProtocolError`, which
says what to do; host and device never guess at each other's packets.
"""

from __future__ import annotations

import struct
from dataclasses import astuple, dataclass, fields

from ..engine import EngineSize, Size
from ..wire.frames import MAX_BODY
from ..wire.packets import ADDRESS_BITS, PROTOCOL_VERSION
from .capabilities import device_spaces
from .engines import ENGINES, Engines, HasEngines


class OtherProtocolError(ValueError):
    """A description comes from a device that speaks another version of the protocol.

    The message names both versions and the remedy: load the bitstream that belongs to the driver,
    or install the driver that belongs to the bitstream.

    Parameters
    ----------
    device : int
        The device's version.

    Attributes
    ----------
    device : int
        The device's version.
    driver : int
        This driver's version, `tensorspin.contract.wire.packets.PROTOCOL_VERSION`.
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
class DeviceDescription(HasEngines):
    """What a device says of itself in reply to HELLO.

    Parameters
    ----------
    protocol : int
        `tensorspin.contract.wire.packets.PROTOCOL_VERSION` of the device.
    board : str
        Name in the board table, at most `NAME_BYTES` ASCII characters.
    clock_hz : int
        Clock frequency of the engines in Hz.
    baud : int
        Rate of the serial line in bits per second.
    receive_bytes : int
        Size of the device's receive buffer: bytes of request bodies that it can hold before it
        executes them.
    build : bytes
        8 bytes that tell one build from another.
    engines : Engines
        Sizes of the engines that the device has. `contractor` and `annealer` give one by name, or
        None if the device lacks it.

    Examples
    --------
    >>> from tensorspin.contract.device.boards import find_board
    >>> packed = find_board("icebreaker").description(build=bytes(8)).pack()
    >>> info = DeviceDescription.unpack(packed)
    >>> info.board, info.contractor.lanes, info.annealer
    ('icebreaker', 8, None)
    """

    protocol: int
    board: str
    clock_hz: int
    baud: int
    receive_bytes: int
    build: bytes
    engines: Engines

    @property
    def owner(self) -> str:
        """The device as messages about a missing engine call it."""
        return f"board {self.board!r}"

    def pack(self) -> bytes:
        """Make the bytes that follow the status byte in the reply to HELLO.

        Returns
        -------
        bytes
            The packed description; the protocol's version stands first in every version.
        """
        packed = LAYOUT.pack(
            self.protocol,
            self.board.encode("ascii"),
            self.clock_hz,
            self.baud,
            self.receive_bytes,
            self.build,
        )
        for kind, size in self.engines.items():
            record = _pack_size(size)
            packed += RECORD.pack(kind, len(record)) + record
        return packed

    @classmethod
    def unpack(cls, data: bytes) -> DeviceDescription:
        """Read a packed description: the inverse of `pack`.

        Parameters
        ----------
        data : bytes
            What follows the status byte in the reply to HELLO.

        Returns
        -------
        DeviceDescription
            The description, with one size for each engine's record.

        Raises
        ------
        OtherProtocolError
            If the device speaks another version of the protocol.
        ValueError
            If lengths do not fit, an engine is unknown or described twice, or a number is out of
            its range or contradicts another.
        """
        if len(data) < 2:
            raise ValueError(f"a device description has more than {len(data)} bytes")
        (protocol,) = struct.unpack_from("<H", data)
        if protocol != PROTOCOL_VERSION:
            # Nothing after the version is looked at: another version may lay it out otherwise.
            raise OtherProtocolError(protocol)
        records: dict[int, bytes] = {}
        position = LAYOUT.size
        while position + RECORD.size <= len(data):
            kind, length = RECORD.unpack_from(data, position)
            position += RECORD.size + length
            if kind not in ENGINES:
                raise ValueError(f"{kind} is not a valid EngineKind")
            if kind in records:
                raise ValueError(f"there are two {ENGINES[kind].name}s")
            records[kind] = data[position - length : position]
        if position != len(data):
            raise ValueError(f"a device description of {len(data)} bytes is cut short or too long")
        _, board, clock, baud, receive, build = LAYOUT.unpack_from(data)
        name = board.rstrip(b"\0").decode("ascii")
        # The name is shown to people; a control character in it could rewrite their terminal.
        if not name.isprintable():
            raise ValueError(f"the board's name {name!r} must be printable")
        for what, value, (least, most) in (
            ("clock", clock, CLOCKS_HZ),
            ("baud rate", baud, BAUD_RATES),
            ("receive buffer", receive, (MAX_BODY, 1 << 16)),
        ):
            if not least <= value <= most:
                raise ValueError(f"the {what} must be {least} to {most}, not {value}")
        sizes = (_unpack_size(ENGINES[kind].size, record) for kind, record in records.items())
        engines = Engines(*sizes)
        _check_engines(engines)
        return cls(protocol, name, clock, baud, receive, build, engines)


NAME_BYTES = 24
"""Greatest number of characters in a board's name: the packed description keeps so many bytes."""

CLOCKS_HZ = (10_000, 2_000_000_000)
"""Least and greatest clock frequency in Hz that a device may claim. Time-outs follow from the
clock: with one that is much slower than that of any FPGA the host would wait for hours."""

BAUD_RATES = (300, 100_000_000)
"""Least and greatest rate of a serial line in bits per second that a device may claim, for the
same reason."""

SIZE_BYTES = 4
"""Bytes of one number in an engine's record."""

LAYOUT = struct.Struct(f"<H{NAME_BYTES}sIIH8s")
"""Fields that all devices have: protocol, board, clock, baud, receive buffer, build."""

RECORD = struct.Struct("<BB")
"""Head of an engine's record: `EngineKind`, length of what follows in bytes."""


def _check_engines(engines: Engines) -> None:
    """Refuse sizes of which no device can be: host and golden model allocate memory by them."""
    for kind, size in engines.items():
        check = ENGINES[kind].check
        if check is not None:
            check(size)
    for number, space in device_spaces(engines).items():
        if space.bits > ADDRESS_BITS:
            raise ValueError(
                f"memory space {number} would have 2**{space.bits} bytes, addresses have "
                f"{ADDRESS_BITS} bits"
            )


def _pack_size(size: EngineSize) -> bytes:
    """Make an engine's record, without its head."""
    numbers: list[int] = []
    told = list(fields(size))
    while told[-1].metadata.get("optional") and getattr(size, told[-1].name) == told[-1].default:
        told.pop()
    for value in astuple(size)[: len(told)]:
        numbers += [len(value), *value] if isinstance(value, tuple) else [value]
    return b"".join(number.to_bytes(SIZE_BYTES, "little") for number in numbers)


def _unpack_size(kind: type[Size], record: bytes) -> Size:
    """Read an engine's record, without its head."""
    if len(record) % SIZE_BYTES:
        raise ValueError(f"an engine's record of {len(record)} bytes is cut short")
    numbers = [
        int.from_bytes(record[first : first + SIZE_BYTES], "little")
        for first in range(0, len(record), SIZE_BYTES)
    ]
    values: list[int | tuple[int, ...]] = []
    try:
        for field in fields(kind):
            if not numbers and field.metadata.get("optional"):
                break
            number = numbers.pop(0)
            if str(field.type).startswith("tuple"):
                values.append(tuple(numbers[:number]))
                numbers = numbers[number:]
            else:
                values.append(number)
    except IndexError:
        raise ValueError(f"the record of {kind.__name__} is cut short") from None
    if numbers:
        raise ValueError(f"the record of {kind.__name__} is {len(numbers)} numbers too long")
    return kind(*values)
