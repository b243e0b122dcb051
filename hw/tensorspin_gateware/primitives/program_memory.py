"""Memory of the contractor's program: read a wide word a cycle, written byte by byte."""

from __future__ import annotations

from amaranth import C, Cat, ClockSignal, Instance, Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from . import Family

SPRAM_WORDS = 1 << 14
"""Number of words of one SPRAM of the iCE40 UltraPlus."""

SPRAM_BITS = 16
"""Width of a word of one SPRAM, in bits."""


class ProgramMemory(wiring.Component):
    """Memory of `words` words of `lanes` bytes with one port, for reading or writing.

    Parameters
    ----------
    words : int
        Number of words: a power of two; with `Family.ICE40UP`, 16384.
    lanes : int
        Number of bytes of a word; with `Family.ICE40UP`, an even number.
    family : Family
        ``ICE40UP`` takes `lanes` / 2 SPRAMs. ``ECP5`` takes block RAMs that Yosys infers: each
        holds 16384 bits, and spans all words if there are at least 2048, so that no multiplexer is
        needed behind them.
    standby : bool, default=False
        Whether the memory has the port `awake`; only with a family whose cells can stand by,
        `Family.standby`.

    Ports
    -----
    address : In(log2(words))
        Word to read or write.
    enable : In(1)
        Read or write in this cycle. Otherwise `read_data` keeps its value.
    write : In(lanes)
        Bytes of the word to write; if none is, the word is read.
    write_data : In(8)
        Value for all bytes that are written.
    read_data : Out(8 * lanes)
        The word, valid one cycle after a read; undefined after a write.
    awake : In(1)
        Only with `standby`. While it is low, the SPRAMs are in standby, where they leak
        less: they keep what they hold, nothing is read or written, and `read_data` is undefined
        until the next read. That may come in the cycle in which `awake` rises: the cell wants
        STANDBY low 1.7 ns before the clock's edge (iCEcube2's timing, as recorded in Project
        IceStorm's ``timings_up5k.txt``), which is less than the clock's period.

    Latency: 1 cycle.

    Raises
    ------
    ValueError
        If the size is not one that the family can build, or the family's cells can't stand by.
    """

    def __init__(self, words: int, lanes: int, family: Family, standby: bool = False) -> None:
        if family is Family.ICE40UP and (words != SPRAM_WORDS or lanes % 2):
            raise ValueError(
                f"SPRAM holds {SPRAM_WORDS} words of an even number of bytes, "
                f"not {words} of {lanes}"
            )
        if standby and not family.standby:
            raise ValueError(f"memory of the family {family.value} can't stand by")
        self._words = words
        self._lanes = lanes
        self._family = family
        self._standby = standby
        super().__init__(
            {
                "address": In(ceil_log2(words)),
                "enable": In(1),
                "write": In(lanes),
                "write_data": In(8),
                "read_data": Out(8 * lanes),
            }
            | ({"awake": In(1)} if standby else {})
        )

    def elaborate(self, platform) -> Module:
        return self._of_spram() if self._family is Family.ICE40UP else self._of_memory()

    def _of_memory(self) -> Module:
        """Build it from memory that synthesis infers, with a write enable for each byte."""
        m = Module()
        m.submodules.cells = cells = memory.Memory(
            shape=8 * self._lanes, depth=self._words, init=[]
        )
        read = cells.read_port()
        write = cells.write_port(granularity=8)
        m.d.comb += [
            read.addr.eq(self.address),
            # No cycle reads and writes, so that both ports fit one port of a block RAM.
            read.en.eq(self.enable & ~self.write.any()),
            self.read_data.eq(read.data),
            write.addr.eq(self.address),
            write.en.eq(self.write & self.enable.replicate(self._lanes)),
            write.data.eq(self.write_data.replicate(self._lanes)),
        ]
        return m

    def _of_spram(self) -> Module:
        """Build it from SPRAMs of an iCE40 UltraPlus, two lanes each."""
        m = Module()
        # While `enable` is low, the last word is read again, since the data sheet does not promise
        # that an SPRAM which is not selected keeps its output. Lattice's generator of SPRAMs says
        # of one in standby that it does, Yosys' model that it does not; nothing relies on either.
        held = Signal.like(self.address)
        with m.If(self.enable):
            m.d.sync += held.eq(self.address)
        address = Mux(self.enable, self.address, held)
        for index in range(self._lanes // 2):
            output = Signal(SPRAM_BITS)
            low, high = self.write[2 * index], self.write[2 * index + 1]
            m.submodules[f"spram_{index}"] = Instance(
                "SB_SPRAM256KA",
                i_CLOCK=ClockSignal(),
                i_ADDRESS=address,
                i_DATAIN=self.write_data.replicate(2),
                # A bit of the mask allows the write of four bits, so a byte has two.
                i_MASKWREN=Cat(low.replicate(2), high.replicate(2)),
                i_WREN=self.enable & self.write.any(),
                i_CHIPSELECT=C(1, 1),
                i_STANDBY=~self.awake if self._standby else C(0, 1),
                i_SLEEP=C(0, 1),
                i_POWEROFF=C(1, 1),
                o_DATAOUT=output,
            )
            m.d.comb += self.read_data.word_select(index, SPRAM_BITS).eq(output)
        return m
