"""Memory of the couplings: a row a cycle, far apart and from block RAM, which is slow."""

from __future__ import annotations

from amaranth import Cat, Module, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.image import row_bytes
from tensorspin.contract.annealer.size import AnnealerSize

from ...primitives import Family
from ...primitives.copies import copy
from ..common.delay import delay

PART_BYTES = 16
"""Of a row that are addressed by the same register."""

ROW_REGISTERS = 2
"""Behind the memory: of the memory's output, and beside the spin."""

READ = 2 + ROW_REGISTERS
"""Least cycles from an index to its row: a register beside the memory, the memory, registers."""


class Couplings(wiring.Component):
    """Rows of the couplings, and behind them the offset rows.

    Parameters
    ----------
    size : AnnealerSize
    latency : int
        Cycles from an index to its row, `READ` or more.
    family : Family

    Ports
    -----
    index : In
    row : Out(spins x coupling_bits)
    write_index, write_byte, write_data, write_enable : In
        Writes a byte of a row, two cycles later.
    clear : In(1)
        Sets all of the row to zero instead.

    Block RAM, and registers: of a row and of an address for each `PART_BYTES` of it.
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
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        rows = self._size.spins + self._size.offset_rows
        index = delay(m, self.index, self._spare)
        value = self.write_data & ~self.clear.replicate(len(self.write_data))
        write = delay(m, Cat(self.write_index, value), 1)
        which = Cat(self.clear, self.write_enable, self.write_byte)
        length = row_bytes(self._size)
        parts = []
        for first in range(0, length, PART_BYTES):
            count = min(PART_BYTES, length - first)
            m.submodules[f"part_{first // PART_BYTES}"] = part = memory.Memory(
                shape=8 * count, depth=rows, init=[]
            )
            read, port = part.read_port(), part.write_port(granularity=8)
            here = copy(m, which, self._family)
            clear, enable, byte = here[0], here[1], here[2:]
            chosen = Signal(count, name=f"chosen_{first}", reset_less=True)
            m.d.sync += chosen.eq(Cat(((byte == first + n) & enable) | clear for n in range(count)))
            copied = copy(m, write, self._family)
            m.d.comb += [
                read.addr.eq(copy(m, index, self._family)),
                port.addr.eq(copied),
                port.data.eq(copied[len(self.write_index) :].replicate(count)),
                port.en.eq(chosen),
            ]
            parts.append(read.data)
        m.d.comb += self.row.eq(delay(m, Cat(parts), ROW_REGISTERS))
        return m
