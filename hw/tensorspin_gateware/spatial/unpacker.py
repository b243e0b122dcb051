"""The bytes of a network on their way into tables and registers."""

from __future__ import annotations

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.fixed import LEVEL
from tensorspin.contract.spatial.image import row_bytes, tables, tail_bytes, weight_counts
from tensorspin.contract.spatial.size import SpatialSize


class Unpacker(wiring.Component):
    """Takes the bytes of an image one by one, and tells what is complete.

    Parameters
    ----------
    size : SpatialSize
        Parameters of the engine.

    Ports
    -----
    restart : In(1)
        Strobe: the next byte is the first of an image.
    byte : In(8), valid : In(1)
        A byte of the image.
    row : Out
        A row of a table, as wide as the widest.
    level : Out(8)
        The level that the row belongs to.
    write : Out(number of tables)
        Strobes: the row is one of that table.
    weight : Out(weight_bits), shift : Out(1)
        A weight for the chain, and its strobe.
    tail : Out
        Shifts and exponent, a byte each.
    done : Out(1)
        High from the last byte of an image on.

    Latency: 1 cycle from a byte to all that it completes.
    """

    def __init__(self, size: SpatialSize) -> None:
        self._size = size
        self._rows = [row_bytes(size, table) for table in tables(size)]
        self._weights = sum(weight_counts(size))
        self._tail = tail_bytes(size)
        super().__init__(
            {
                "restart": In(1),
                "byte": In(8),
                "valid": In(1),
                "row": Out(8 * max(self._rows)),
                "level": Out(LEVEL.width),
                "write": Out(len(self._rows)),
                "weight": Out(size.weight_bits),
                "shift": Out(1),
                "tail": Out(8 * self._tail),
                "done": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        # Sections: each table, the weights if there are any, the tail. `count` runs through the
        # bytes of a row, or of the whole section.
        lengths = [*self._rows, *([self._weights] if self._weights else []), self._tail]
        section = Signal(range(len(lengths) + 1))
        count = Signal(range(max(lengths)))
        level = Signal(LEVEL.width)
        last = Signal()
        bytes_of_row = Signal(len(self.row))
        weights, tail = len(self._rows), len(lengths) - 1
        with m.Switch(section):
            for index, length in enumerate(lengths):
                with m.Case(index):
                    m.d.comb += last.eq(count == length - 1)
        m.d.sync += [self.write.eq(0), self.shift.eq(0)]
        with m.If(self.valid & ~self.done):
            m.d.sync += [
                count.eq(count + 1),
                bytes_of_row.eq(Cat(bytes_of_row[8:], self.byte)),
                self.weight.eq(self.byte),
                self.level.eq(level),
            ]
            with m.If(last):
                m.d.sync += count.eq(0)
                with m.If(section < len(self._rows)):
                    m.d.sync += level.eq(level + 1)
                    with m.If(level.all()):
                        m.d.sync += section.eq(section + 1)
                with m.Else():
                    m.d.sync += section.eq(section + 1)
            with m.Switch(section):
                for index in range(len(self._rows)):
                    with m.Case(index):
                        m.d.sync += self.write[index].eq(last)
                if self._weights:
                    with m.Case(weights):
                        m.d.sync += self.shift.eq(1)
                with m.Case(tail):
                    m.d.sync += [
                        self.tail.eq(Cat(self.tail[8:], self.byte)),
                        self.done.eq(last),
                    ]
        with m.If(self.restart):
            m.d.sync += [section.eq(0), count.eq(0), level.eq(0), self.done.eq(0)]
        m.d.comb += self.row.eq(bytes_of_row)
        return m

    def row_of(self, table: int):
        """Give the bytes of one table's row, which is the last that has come in."""
        return self.row[len(self.row) - 8 * self._rows[table] :]
