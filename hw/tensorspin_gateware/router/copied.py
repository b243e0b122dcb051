"""What replies copy: memories, the description, the counters."""

import dataclasses
import struct

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import enum, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from tensorspin.contract.wire import packets
from tensorspin.contract.wire.packets import DeviceStatus, Status

from ..contractor.interface import READ_LATENCY

COPY_LATENCY = READ_LATENCY + 1
"""Cycles from `CopySource.address` to `CopySource.data`."""


class Copied(enum.Enum):
    """Where bytes are copied from."""

    MEMORY = 0
    DESCRIPTION = 1
    STATUS = 2


class CopySource(wiring.Component):
    """One byte of what a reply copies.

    In description and status, address 0 is the reply's status byte.

    Latency: `COPY_LATENCY` cycles from `address` to `data`.

    Parameters
    ----------
    description : bytes

    Ports
    -----
    select : In(Copied)
    address : In(address_bits)
        An odd address follows the even one before it.
    begin : In(1)
        The address is new, in the first of `COPY_LATENCY` cycles.
    memory_data : In(8)
        Byte at `address`, `READ_LATENCY` cycles late.
    status : In(struct of `DeviceStatus`)
        Values that change while they are copied are still read whole if they have 16 bits.
    data : Out(8)
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
        # Both bytes of a word are from the same cycle.
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


def pack_status(**fields: Signal) -> Value:
    """A reply to STATUS as one value: the status byte, then `DeviceStatus`."""
    names = [field.name for field in dataclasses.fields(DeviceStatus)]
    assert names == list(fields)
    sizes = field_bytes(packets.STATUS)
    padded = [
        Cat(fields[name], Const(0, 8 * size - len(fields[name])))
        for name, size in zip(names, sizes, strict=True)
    ]
    return Cat(Const(Status.OK, 8), *padded)


def field_bytes(layout: struct.Struct) -> list[int]:
    """Size of each field of a layout."""
    return [struct.calcsize(layout.format[0] + code) for code in layout.format[1:]]
