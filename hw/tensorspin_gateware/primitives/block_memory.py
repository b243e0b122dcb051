"""Block memory with one writer, whose readers don't care what a write under way does to them."""

from __future__ import annotations

from amaranth import Module
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2


class WriteSignature(wiring.Signature):
    """Write port: a row in the cycle of `enable`."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__(
            {"enable": Out(1), "address": Out(ceil_log2(depth)), "data": Out(width)},
        )


class ReadSignature(wiring.Signature):
    """Read port: `data` is valid one cycle after `enable`, and stays without it."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__(
            {"enable": Out(1, init=1), "address": Out(ceil_log2(depth)), "data": In(width)},
        )


class BlockMemory(wiring.Component):
    """Memory of `depth` rows of `width` bits, all 0 at first.

    A row that is read in the cycle in which it is written reads as anything: block RAMs of ECP5
    give no promise, and to make them keep one takes 40 LUTs and more for each memory. (Simulated,
    it is the row before the write.)

    Parameters
    ----------
    width, depth : int
    readers : int
        A reader whose address is always that of the writer shares its port where block RAMs have
        two ports for both ways.

    Ports
    -----
    write : In(WriteSignature)
    reads : In(ReadSignature) x readers
    """

    def __init__(self, width: int, depth: int, readers: int = 1) -> None:
        self._width = width
        self._depth = depth
        super().__init__(
            {
                "write": In(WriteSignature(width, depth)),
                "reads": In(ReadSignature(width, depth)).array(readers),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.cells = cells = memory.Memory(
            shape=self._width,
            depth=self._depth,
            init=[],
            attrs={"ram_block": True, "no_rw_check": True},
        )
        write = cells.write_port()
        m.d.comb += [
            write.en.eq(self.write.enable),
            write.addr.eq(self.write.address),
            write.data.eq(self.write.data),
        ]
        for port in self.reads:
            # Yosys heeds the attribute only where it makes a synchronous port itself.
            read = cells.read_port(domain="comb")
            m.d.comb += read.addr.eq(port.address)
            with m.If(port.enable):
                m.d.sync += port.data.eq(read.data)
        return m
