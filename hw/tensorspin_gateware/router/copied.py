"""The bytes that replies copy: from memories, the device's description, and its counters."""

import dataclasses
import struct

from amaranth.hdl import Cat, Const, Module, Signal, Value, ValueLike
from amaranth.lib import enum, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from tensorspin.contract.wire import packets
from tensorspin.contract.wire.packets import DeviceStatus, Status

from ..contractor.interface import READ_LATENCY

COPY_LATENCY = READ_LATENCY + 1
"""Clock cycles from `CopySource.address` to `CopySource.data`."""


class Copied(enum.Enum):
    """Source of the bytes that a reply copies."""

    MEMORY = 0
    DESCRIPTION = 1
    STATUS = 2


class CopySource(wiring.Component):
    """Selects one byte of what a reply copies.

    Address 0 of the description and of the status is the reply's status byte, so that both can be
    sent from address 1 on, after a status byte that the reply's writer sends itself.

    Latency: `COPY_LATENCY` cycles from `address` to `data`.

    Resources: one block RAM, which holds the description.

    Parameters
    ----------
    description : bytes
        The device's description, as it is sent in reply to HELLO.

    Ports
    -----
    select : In(Copied)
        Where the byte comes from.
    address : In(address_bits)
        Address of the byte. An odd address must follow on the even one before it.
    begin : In(1)
        High if the address is new, in the first of `COPY_LATENCY` cycles.
    memory_data : In(8)
        Byte of an engine's memory at `address`, `READ_LATENCY` cycles late.
    status : In(bytes of `DeviceStatus`)
        Counters and states, see `pack_status`. A field of 16 bits may change while it is copied:
        both of its bytes are taken in the same cycle.
    data : Out(8)
        The byte.
    """

    def __init__(self, description: bytes):
        self._description = description
        self.address_bits = ceil_log2(len(description) + 1)
        super().__init__(
            {
                "select": In(Copied),
                "address": In(self.address_bits),
                "begin": In(1),
                "memory_data": In(8),
                "status": In(8 * (1 + packets.STATUS.size)),
                "data": Out(8),
            }
        )

    def elaborate(self, platform):
        m = Module()

        m.submodules.description = rom = memory.Memory(
            shape=8,
            depth=len(self._description) + 1,
            init=bytes([Status.OK]) + self._description,
            attrs={"rom_block": True},
        )
        read = rom.read_port()
        m.d.comb += read.addr.eq(self.address)
        # Both bytes of a word are taken in the same cycle, so that they belong together even if
        # the counter that they come from goes on.
        word = Signal(16)
        with m.If(self.begin & ~self.address[0]):
            place = self.address[1 : ceil_log2(len(self.status) // 8)]
            m.d.sync += word.eq(self.status.word_select(place, 16))
        with m.Switch(self.select):
            with m.Case(Copied.MEMORY):
                m.d.sync += self.data.eq(self.memory_data)
            with m.Case(Copied.DESCRIPTION):
                m.d.sync += self.data.eq(read.data)
            with m.Default():
                m.d.sync += self.data.eq(word.word_select(self.address[0], 8))

        return m


def pack_status(half: ValueLike | None, **fields: ValueLike) -> Value:
    """Make one value of the reply to STATUS: the status byte, then `DeviceStatus`.

    Parameters
    ----------
    half : ValueLike or None
        The last field of `DeviceStatus`; None if it is always 0.
    **fields : ValueLike
        All others, in their order; they may be narrower than in the packet.

    Returns
    -------
    Value
        The reply's bytes, the first one in the lowest bits.
    """
    names = [field.name for field in dataclasses.fields(DeviceStatus)]
    assert names == [*fields, "half"]
    # Two fields stand above others, in the same bytes.
    fields["cleared"] = Cat(fields["cleared"], fields["corrupted"])
    if half is not None:
        fields["active"] = Cat(fields["active"], half)
    sizes = field_bytes(packets.STATUS)
    padded = [
        Cat(fields[name], Const(0, 8 * size - len(fields[name])))
        for name, size in zip(names[:-2], sizes, strict=True)
    ]
    return Cat(Const(Status.OK, 8), *padded)


def field_bytes(layout: struct.Struct) -> list[int]:
    """Give the size of each field of a layout in bytes."""
    return [struct.calcsize(layout.format[0] + code) for code in layout.format[1:]]
