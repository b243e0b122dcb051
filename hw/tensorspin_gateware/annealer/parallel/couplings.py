"""Memory of the couplings: one row a cycle, from block RAM that is spread over the die."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.image import row_bytes
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.signature import SIGNATURE_BITS

from ...primitives import Family
from ...primitives.copies import copy
from ..common.check import fold
from ..common.delay import delay, delay_fields, named_fields

PART_BYTES = 16
"""Bytes of a row that share one register for their address: enough that the registers cost little,
few enough that their block RAMs lie close together."""

ROW_REGISTERS = 2
"""Registers, in a row, that a bit passes behind the memory: the first takes the block RAM's slow
output, the second stands beside the spin. Between them nothing but wire crosses the die."""

READ = 2 + ROW_REGISTERS
"""Least number of cycles from an index to its row: one register of the address beside the memory,
one cycle of the memory, and `ROW_REGISTERS`."""


FOLDED = 4
"""Cycles from the number of a line of the check to its folded row: a register of the address beside
each part, one cycle of the memory, one register beside each part, and one for the sum."""


def check_ports(size: AnnealerSize, index: range) -> dict[str, wiring.Member]:
    """Make the ports of a memory of couplings for the check after a run, if the size has one.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.
    index : range
        Numbers of the rows.

    Returns
    -------
    dict of str to Member
        `checking`: row `line` is read instead of the run's. `line`: its number. `folded`: the
        folded row, or the sum of those of all banks, `FOLDED` cycles later.
    """
    if not size.signature:
        return {}
    return {"checking": In(1), "line": In(index), "folded": Out(SIGNATURE_BITS)}


def sum_parts(m: Module, parts: Sequence[Value]) -> Signal:
    """Fold the parts of a row, each beside its memory, and add them up, modulo 2.

    Parameters
    ----------
    m : Module
        Two registers are added to this module, one after the other.
    parts : sequence of Value
        What each part's memory gives, a multiple of `SIGNATURE_BITS` from the row's beginning.

    Returns
    -------
    Signal
        The folded row, two cycles later.
    """
    assert 8 * PART_BYTES % SIGNATURE_BITS == 0
    total: Value = Const(0, SIGNATURE_BITS)
    for number, part in enumerate(parts):
        near = Signal(SIGNATURE_BITS, name=f"folded_{number}", reset_less=True)
        m.d.sync += near.eq(fold(part))
        total = total ^ near
    folded = Signal(SIGNATURE_BITS, reset_less=True)
    m.d.sync += folded.eq(total)
    return folded


class Couplings(wiring.Component):
    """Holds the rows of couplings, one for each spin, and after them the offset rows.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.
    latency : int
        Cycles from an index to its row, `READ` or more. Cycles beyond `READ` are spent on the
        index, which is far narrower than a row.
    family : Family
        FPGA family; on ECP5 the parts' registers are kept apart.

    Ports
    -----
    index : In(range(spins + offset_rows))
        Number of the row that is read.
    row : Out(spins x signed(coupling_bits))
        That row, `latency` cycles later.
    write_index, write_byte, write_data, write_enable : In
        Writes a byte: the row's number, the byte's place in the row, its value, and a strobe. The
        byte is in the memory two cycles later.
    clear : In(1)
        Sets all bytes of row `write_index` to zero instead.

    checking, line, folded
        Only with `AnnealerSize.signature`, see `check_ports`.

    Resources: block RAM as wide as a row, ``2 * spins * coupling_bits`` registers behind it, and
    registers of read and write address and of the data for each `PART_BYTES` of a row.
    """

    def __init__(self, size: AnnealerSize, latency: int, family: Family) -> None:
        self._size = size
        self._spare = latency - READ
        self._family = family
        index = range(size.spins + size.offset_rows)
        super().__init__(
            {
                "index": In(index),
                "row": Out(data.ArrayLayout(signed(size.coupling_bits), size.spins)),
                "write_index": In(index),
                "write_byte": In(range(row_bytes(size))),
                "write_data": In(8),
                "write_enable": In(1),
                "clear": In(1),
            }
            | check_ports(size, index)
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        rows = self._size.spins + self._size.offset_rows
        index = delay(m, self.index, self._spare)
        if self._size.signature:
            index = Mux(self.checking, self.line, index)
        value = self.write_data & ~self.clear.replicate(len(self.write_data))
        write = delay_fields(m, 1, index=self.write_index, value=value)
        length = row_bytes(self._size)
        parts = []
        for first in range(0, length, PART_BYTES):
            count = min(PART_BYTES, length - first)
            m.submodules[f"part_{first // PART_BYTES}"] = part = memory.Memory(
                shape=8 * count, depth=rows, init=[]
            )
            read, port = part.read_port(), part.write_port(granularity=8)
            # Each part decodes the byte's place from registers of its own, and registers the
            # result; address and value pass as many registers, so that all arrive together.
            which = named_fields(
                lambda value: copy(m, value, self._family),
                clear=self.clear,
                enable=self.write_enable,
                byte=self.write_byte,
            )
            chosen = Signal(count, name=f"chosen_{first}", reset_less=True)
            m.d.sync += chosen.eq(
                Cat(((which.byte == first + n) & which.enable) | which.clear for n in range(count))
            )
            copied = data.View(write.shape(), copy(m, write, self._family))
            m.d.comb += [
                read.addr.eq(copy(m, index, self._family)),
                port.addr.eq(copied.index),
                port.data.eq(copied.value.replicate(count)),
                port.en.eq(chosen),
            ]
            parts.append(read.data)
        m.d.comb += self.row.eq(delay(m, Cat(parts), ROW_REGISTERS))
        if self._size.signature:
            m.d.comb += self.folded.eq(sum_parts(m, parts))
        return m
