"""The program memory as banks, read a row at a time or as a stream of words."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from tensorspin.contract.contractor.memory import word_stride_bits
from tensorspin.contract.contractor.rows import Rows
from tensorspin.contract.contractor.size import ContractorSize

from ...primitives import Family
from ...primitives.program_memory import ProgramMemory
from ..interface import MemoryBusSignature

WAITING_WORDS = 16
"""Words of the stream that can wait to be taken: the depth of an ECP5's RAM in LUTs."""

MOST_UNDER_WAY = 12
"""Words of the stream that are read ahead at most. A word is under way for 6 cycles at least, so
this keeps one coming in each cycle; and a comparison with it takes one LUT."""


class RowReader(wiring.Component):
    """Reads the program memory in order: a word for each group, or one word at a time.

    Word w of the program stands in bank ``w % banks``. So successive words, one for each group, can
    be read in one cycle, wherever they begin. They are then rotated, so that the first of them
    comes to the first group.

    In throughput mode the same memories give a stream of single words, which are read ahead, since
    a word is under way for several cycles.

    Parameters
    ----------
    size : ContractorSize
        Words of the program memory, lanes, and groups.
    family : Family
        What the memory is built from.

    Ports
    -----
    run : In(1)
        Samples are contracted. While it is low, the next word is word 0, and the memory belongs to
        the host.
    single : In(1)
        The run is in single mode; constant during a run.
    words : Out(stream of 8 * lanes bits)
        The program, in throughput mode. Word 0 is valid `Rows.read` + 1 cycles after `run`
        rises.
    overrun : Out(1)
        The word that is offered is not part of the program: reading went past the end of the memory
        and began again with word 0.
    read : In(1)
        In single mode: read words in this cycle, one for each group.
    count : In(log2(groups + 1))
        With `read`, how many of these words are used: the next read begins behind them.
    header : In(1)
        With `read`, read the word at `header_address` for the first group; the others' words mean
        nothing. `count` counts words as ever, which are then passed over.
    header_address : In(log2(program_words))
        A word of the program.
    row : Out(8 * lanes) x groups
        The words, `Rows.read` cycles after `read`, until those of the next read come.
    past_end : Out(1)
        In single mode, a word past the end of the memory has been used; two cycles after `read`.
    bus : In(MemoryBusSignature)
        The host's access, while `run` is low.
    selected : In(1)
        The bus means the program memory.

    Latency: `Rows.read` cycles; the host's bytes take one more. Resources: those of the banks; for
    each bank 8 registers a lane, and 8 LUTs a lane for each step of the rotation.
    """

    def __init__(self, size: ContractorSize, family: Family) -> None:
        self._size = size
        self._family = family
        self._latency = Rows(size).read
        super().__init__(
            {
                "run": In(1),
                "single": In(1),
                "words": Out(stream.Signature(8 * size.lanes)),
                "overrun": Out(1),
                "read": In(1),
                "count": In(range(size.groups + 1)),
                "header": In(1),
                "header_address": In(exact_log2(size.program_words)),
                "row": Out(8 * size.lanes).array(size.groups),
                "past_end": Out(1),
                "bus": In(MemoryBusSignature()),
                "selected": In(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        bank_bits = exact_log2(size.banks)
        # One bit more than an address of the memory has: it shows when reading has gone past the
        # memory's end.
        position = Signal(exact_log2(size.program_words) + 1)
        row, offset = position[bank_bits:], position[:bank_bits]
        # Banks before the one of the first word hold a word of the next row.
        next_row = Signal(len(row), init=1)
        fetch = Signal()
        reads = Signal()
        step = Signal(range(size.groups + 1))
        m.d.comb += [
            reads.eq(self.run & Mux(self.single, self.read, fetch)),
            step.eq(Mux(self.single, self.count, 1)),
        ]
        with m.If(reads):
            m.d.sync += [
                position.eq(position + step),
                next_row.eq((position + step + size.banks)[bank_bits:]),
            ]
        with m.If(self.single & position[-1] & position[:-1].any()):
            m.d.sync += self.past_end.eq(1)
        with m.If(~self.run):
            m.d.sync += [position.eq(0), next_row.eq(1), self.past_end.eq(0)]

        words = self._banks(m, row, next_row, offset, reads)
        for index in range(size.groups):
            m.d.comb += self.row[index].eq(words[index])
        self._stream(m, position[-1], fetch)

        # The host's byte: its address stays until the byte is there.
        lane = self.bus.address[: word_stride_bits(size.lanes)]
        m.d.sync += self.bus.read_data.eq(words[0].word_select(lane, 8))
        return m

    def _banks(self, m: Module, row, next_row, offset, reads) -> list[Value]:
        """Read the banks, and rotate their words; return a word for each bank's place."""
        size = self._size
        stride = word_stride_bits(size.lanes)
        bus_lane, bus_word = self.bus.address[:stride], self.bus.address[stride:]
        bus_bank = bus_word[: len(offset)]
        header_row, header_bank = (
            self.header_address[len(offset) :],
            self.header_address[: len(offset)],
        )
        header = self.single & self.header
        # The first word's bank: it must not change before the next read, as words stay until then.
        first = Signal.like(offset)
        with m.If(self.run):
            with m.If(reads):
                m.d.sync += first.eq(Mux(header, header_bank, offset))
        with m.Else():
            m.d.sync += first.eq(bus_bank)
        words: list[Value] = []
        for index in range(size.banks):
            m.submodules[f"bank_{index}"] = bank = ProgramMemory(
                size.program_words // size.banks, size.lanes, self._family
            )
            m.d.comb += bank.write_data.eq(self.bus.write_data)
            with m.If(self.run):
                m.d.comb += [
                    bank.address.eq(Mux(header, header_row, Mux(index < offset, next_row, row))),
                    bank.enable.eq(reads),
                ]
            with m.Else():
                writes = self.bus.write_enable & self.selected & (bus_bank == index)
                m.d.comb += [
                    bank.address.eq(bus_word[len(offset) :]),
                    bank.enable.eq(self.selected),
                    bank.write.eq(writes.replicate(size.lanes) & (1 << bus_lane)),
                ]
            # A block RAM's output is valid late in its cycle.
            word = Signal(8 * size.lanes, name=f"word_{index}")
            m.d.sync += word.eq(bank.read_data)
            words.append(word)
        turn = Signal.like(offset)
        m.d.sync += turn.eq(first)
        for bit in range(len(offset)):
            words = [
                Mux(turn[bit], words[(index + (1 << bit)) % size.banks], word)
                for index, word in enumerate(words)
            ]
            if bit % 2 or bit == len(offset) - 1:
                turned = [
                    Signal(8 * size.lanes, name=f"turned_{bit}_{index}")
                    for index in range(size.banks)
                ]
                later = Signal.like(turn, name=f"turn_{bit}")
                m.d.sync += [later.eq(turn), *(a.eq(b) for a, b in zip(turned, words))]
                turn, words = later, list(turned)
        return words

    def _stream(self, m: Module, past_end: Value, fetch: Signal) -> None:
        """Offer the words of throughput mode, and read ahead."""
        word = self.row[0]
        arrives = Signal(self._latency)
        late = Signal(self._latency)  # the word that arrives is past the end
        beyond = Signal()
        under_way = Signal(range(WAITING_WORDS))
        taken = self.words.valid & self.words.ready
        m.submodules.waiting = waiting = memory.Memory(
            shape=len(word) + 1, depth=WAITING_WORDS, init=[]
        )
        write, read = waiting.write_port(), waiting.read_port(domain="comb")
        level = Signal(range(WAITING_WORDS))
        move = Signal()
        bypass = Signal()
        m.d.comb += [
            fetch.eq(self.run & ~self.single & (under_way < MOST_UNDER_WAY)),
            move.eq(~self.words.valid | self.words.ready),
            bypass.eq(level == 0),
            write.data.eq(Cat(word, late[-1])),
            write.en.eq(arrives[-1] & ~(move & bypass)),
        ]
        m.d.sync += [
            arrives.eq(Cat(fetch, arrives)),
            late.eq(Cat(beyond | past_end, late)),
            under_way.eq(under_way + fetch - taken),
            level.eq(level + write.en - (move & ~bypass)),
            write.addr.eq(write.addr + write.en),
            read.addr.eq(read.addr + (move & ~bypass)),
        ]
        with m.If(fetch & past_end):
            m.d.sync += beyond.eq(1)
        with m.If(move):
            m.d.sync += [
                Cat(self.words.payload, self.overrun).eq(
                    Mux(bypass, Cat(word, late[-1]), read.data)
                ),
                self.words.valid.eq(arrives[-1] | ~bypass),
            ]
        with m.If(~self.run):
            m.d.sync += [
                arrives.eq(0),
                under_way.eq(0),
                beyond.eq(0),
                level.eq(0),
                write.addr.eq(0),
                read.addr.eq(0),
                self.words.valid.eq(0),
                self.overrun.eq(0),
            ]
