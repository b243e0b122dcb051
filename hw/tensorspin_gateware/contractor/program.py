"""The program as a stream of words, and the host's access to its memory."""

from __future__ import annotations

from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from tensorspin.contract.contractor.latency import START_TO_HEADER
from tensorspin.contract.contractor.memory import word_stride_bits
from tensorspin.contract.contractor.size import ContractorSize

from ..primitives import Family
from ..primitives.program_memory import ProgramMemory
from .interface import MemoryBusSignature


class ProgramReader(wiring.Component):
    """Reads the program memory from word 0 on.

    The word offered is in a register, since a block RAM's output comes late in its cycle and from
    anywhere on the device; the one behind it is at the memory's output, and moves up in the cycle
    of the transfer. So a transfer in each cycle is possible.

    Parameters
    ----------
    size : ContractorSize
    family : Family

    Ports
    -----
    run : In(1)
        Offer words; while low, the next word is word 0 and the host has the memory.
    words : Out(stream of 8 * lanes bits)
        The first is valid `tensorspin.contract.contractor.latency.START_TO_HEADER` cycles after
        `run`.
    overrun : Out(1)
        Word 0 came round again: the program has no end.
    bus : In(MemoryBusSignature)
        Used while `run` is low.
    selected : In(1)
        The bus means this memory.
    """

    def __init__(self, size: ContractorSize, family: Family) -> None:
        self._size = size
        self._family = family
        super().__init__(
            {
                "run": In(1),
                "words": Out(stream.Signature(8 * size.lanes)),
                "overrun": Out(1),
                "bus": In(MemoryBusSignature()),
                "selected": In(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        m.submodules.memory = memory = ProgramMemory(size.program_words, size.lanes, self._family)
        stride = word_stride_bits(size.lanes)

        address_bits = ceil_log2(size.program_words)
        # One bit more than the memory has, to notice the end.
        address = Signal(address_bits + 1)
        bus_lane = self.bus.address[:stride]
        fetched = Signal()
        fetched_overrun = Signal()
        move = Signal()
        assert START_TO_HEADER == 2

        m.d.comb += [
            move.eq(~self.words.valid | self.words.ready),
            memory.write_data.eq(self.bus.write_data),
        ]
        with m.If(move):
            m.d.sync += self.words.payload.eq(memory.read_data)
        with m.If(self.run):
            m.d.comb += [
                memory.address.eq(address),
                memory.enable.eq(move),
            ]
            with m.If(move):
                m.d.sync += [
                    address.eq(address + 1),
                    fetched.eq(1),
                    fetched_overrun.eq(fetched_overrun | address[-1]),
                    self.words.valid.eq(fetched),
                    self.overrun.eq(fetched_overrun),
                ]
        with m.Else():
            m.d.comb += [
                memory.address.eq(self.bus.address[stride:]),
                memory.enable.eq(self.selected),
                memory.write.eq(
                    (self.bus.write_enable & self.selected).replicate(size.lanes) & (1 << bus_lane)
                ),
            ]
            m.d.sync += [
                address.eq(0),
                fetched.eq(0),
                fetched_overrun.eq(0),
                self.words.valid.eq(0),
                self.overrun.eq(0),
            ]
        # A byte that the host reads goes the way of the words.
        lane_fetched = Signal.like(bus_lane)
        lane_offered = Signal.like(bus_lane)
        m.d.sync += [
            lane_fetched.eq(bus_lane),
            lane_offered.eq(lane_fetched),
            self.bus.read_data.eq(self.words.payload.word_select(lane_offered, 8)),
        ]
        return m
