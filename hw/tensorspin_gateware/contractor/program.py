"""The program as a stream of words, and the host's access to the program memory."""

from __future__ import annotations

from amaranth import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from tensorspin.contract.contractor.latency import LONG, START_TO_HEADER
from tensorspin.contract.contractor.memory import word_stride_bits
from tensorspin.contract.contractor.size import ContractorSize

from ..primitives import Family
from ..primitives.program_memory import ProgramMemory
from .interface import MemoryBusSignature


class ProgramReader(wiring.Component):
    """Reads the program memory from word 0 on and offers its words as a stream.

    The word that is offered is in a register, because a block RAM's output is valid late in its
    cycle and may come from anywhere on the device. The word after it waits at the memory's output,
    and moves into the register in the cycle in which the word before it is taken. So one word can
    be taken in each cycle.

    Parameters
    ----------
    size : ContractorSize
        Words of the program memory, and lanes: the bytes of a word.
    family : Family
        What the memory is built from.
    standby : bool, default=False
        Whether the memory stands by while nobody uses it.

    Ports
    -----
    run : In(1)
        Offer words. While it is low, the next word is word 0, and the memory belongs to the host.
    words : Out(stream of 8 * lanes bits)
        The program. Word 0 is valid `tensorspin.contract.contractor.latency.START_TO_HEADER` cycles
        after `run` rises.
    ready_next : In(1)
        Only with the long pipeline: `words.ready` in the next cycle, from its beginning on. It must
        be high while `run` is low, and until word 0 has been taken.
    overrun : Out(1)
        The word that is offered is not part of the program: reading went past the end of the memory
        and began again with word 0. Then the program has no end.
    bus : In(MemoryBusSignature)
        The host's access, while `run` is low.
    selected : In(1)
        The bus means the program memory.
    awake : In(1)
        Only with `standby`: the bus may be used. While neither `awake`
        nor `run` is high, the memory stands by, and `bus.read_data` is undefined.
    half : In(1)
        Only with `ContractorSize.resident`. The half of the memory whose words are offered: word 0
        is its first one, and its end counts as the memory's.

    Latency: one word a cycle; the host's bytes take 3 cycles from `bus` to `read_data`. Resources:
    those of `ProgramMemory`, 8 registers a lane, and a multiplexer for the host's byte.
    """

    def __init__(self, size: ContractorSize, family: Family, standby: bool = False) -> None:
        self._size = size
        self._family = family
        self._standby = standby
        self._ahead = size.latencies is LONG
        super().__init__(
            {
                "run": In(1),
                "words": Out(stream.Signature(8 * size.lanes)),
                "overrun": Out(1),
                "bus": In(MemoryBusSignature()),
                "selected": In(1),
            }
            | ({"awake": In(1)} if standby else {})
            | ({"half": In(1)} if size.resident else {})
            | ({"ready_next": In(1)} if self._ahead else {})
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        m.submodules.memory = memory = ProgramMemory(
            size.program_words << size.resident, size.lanes, self._family, self._standby
        )
        stride = word_stride_bits(size.lanes)

        address_bits = ceil_log2(size.program_words)
        # One bit more than an address of the memory, or of its half, has: it shows when reading has
        # gone past the end.
        address = Signal(address_bits + 1)
        # A byte address is a word's address and, in its low bits, the lane.
        bus_lane = self.bus.address[:stride]
        # `fetched`: there is a word at the memory's output.
        fetched = Signal()
        fetched_overrun = Signal()
        move = Signal()
        assert START_TO_HEADER == 2

        m.d.comb += [
            move.eq(self.words.ready if self._ahead else ~self.words.valid | self.words.ready),
            memory.write_data.eq(self.bus.write_data),
        ]
        if self._standby:
            m.d.comb += memory.awake.eq(self.awake | self.run)
        with m.If(move):
            m.d.sync += self.words.payload.eq(memory.read_data)
        with m.If(self.run):
            m.d.comb += [
                memory.address.eq(
                    Cat(address[:address_bits], self.half) if size.resident else address
                ),
                # The long pipeline's address keeps its value while no word moves.
                memory.enable.eq(1 if self._ahead else move),
            ]
            if self._ahead:
                with m.If(self.ready_next):
                    m.d.sync += address.eq(address + 1)
            with m.If(move):
                if not self._ahead:
                    m.d.sync += address.eq(address + 1)
                m.d.sync += [
                    fetched.eq(1),
                    fetched_overrun.eq(fetched_overrun | address[-1]),
                    self.words.valid.eq(fetched),
                    self.overrun.eq(fetched_overrun),
                ]
        with m.Else():
            m.d.comb += [
                memory.address.eq(self.bus.address[stride:]),
                memory.enable.eq(1 if self._ahead else self.selected),
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
        # A byte that the host reads passes the register of the words too, and its lane is chosen
        # after that; otherwise each bit of the memory's output would have a second reader.
        lane_fetched = Signal.like(bus_lane)
        lane_offered = Signal.like(bus_lane)
        m.d.sync += [
            lane_fetched.eq(bus_lane),
            lane_offered.eq(lane_fetched),
            self.bus.read_data.eq(self.words.payload.word_select(lane_offered, 8)),
        ]
        return m
