"""Memories whose words the host writes byte by byte, and the engine reads whole."""

from __future__ import annotations

from amaranth import Module, Value
from amaranth.lib import memory

from tensorspin.contract.annealer.image import stride_bits


def connect_byte_store(
    m: Module,
    read: memory.ReadPort,
    write: memory.WritePort,
    index: Value,
    pointer: Value,
    value: Value,
    output: Value | None = None,
) -> None:
    """Connect the ports of a memory of whole bytes: all but the enables of its write port.

    The caller makes the memory and its ports, because the names of a netlist's signals come from
    the caller's variables. It also drives ``write.en``, one bit for each byte of a word, and may
    override address and data, for one to clear the memory.

    Parameters
    ----------
    m : Module
        The statements are added to this module.
    read : amaranth.lib.memory.ReadPort
        A synchronous port: its data come one cycle after the address.
    write : amaranth.lib.memory.WritePort
        A port with a granularity of 8.
    index : Value
        Number of the word that is read.
    pointer : Value
        Byte address that the host writes to. Words begin at multiples of a power of two, see
        `stride_bits`, so that the low bits are the byte's place in its word.
    value : Value
        Byte that the host writes. It is offered in all places of the word; the enables choose one.
    output : Value, optional
        Becomes equal to the word that was read.
    """
    length = len(write.en)
    m.d.comb += read.addr.eq(index)
    if output is not None:
        m.d.comb += output.eq(read.data)
    m.d.comb += [
        write.addr.eq(pointer[stride_bits(length) :]),
        write.data.eq(value.replicate(length)),
    ]
