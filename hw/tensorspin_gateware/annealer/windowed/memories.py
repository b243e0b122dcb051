"""What the host writes: couplings, schedule, initial states, parameters of a run."""

from __future__ import annotations

from amaranth import Module, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from tensorspin.contract.annealer.image import row_bytes, state_bytes, step_bytes, stride_bits
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.annealer.thresholds import generators

from ...primitives import Family
from ...primitives.program_memory import SPRAM_WORDS, ProgramMemory
from ..common.host import HostWrites
from ..common.interface import ADDRESS_BITS, SPACE_BITS, parameters_layout, step_layout
from .interface import row_index_bits, window_bits

STEP_WORD_BYTES = 2
"""Of a step that are read in a cycle."""


class Memories(wiring.Component):
    """Takes the host's writes, one a cycle; reads for the run.

    Parameters
    ----------
    size : AnnealerSize
    family : Family

    Ports
    -----
    space, address, write_enable, write_data : In
        As in `AnnealerBusSignature`.
    ready : Out(1)
        Nothing is being cleared, which takes as many cycles as there are windows in all rows.
    row_index, window : In
    row : Out(window x coupling_bits)
        One cycle later, unless the host writes.
    step_index : In
    step : Out(step_layout(size))
        Of an index that has not changed, nor its step, for twice as many cycles as a step has words
        of `STEP_WORD_BYTES`, rounded up to a power of two.
    spin : In
    states : Out(8 x state_bytes)
        A cycle later. A byte that was written two cycles before is there.
    parameters, seed, seed_enable, seed_first : Out
        As from `HostWrites`.
    run_written : Out(1)
        Strobe: parameters or seeds are being written, one cycle later than the host asked for it.

    Block RAM; with ``Family.ICE40UP`` the couplings lie in SPRAM.
    """

    def __init__(self, size: AnnealerSize, family: Family) -> None:
        self._size = size
        self._family = family
        super().__init__(
            {
                "space": In(SPACE_BITS),
                "address": In(ADDRESS_BITS),
                "write_enable": In(1),
                "write_data": In(8),
                "ready": Out(1),
                "row_index": In(row_index_bits(size)),
                "window": In(window_bits(size)),
                "row": Out(data.ArrayLayout(signed(size.coupling_bits), size.window)),
                "step_index": In(range(size.steps + 1)),
                "step": Out(step_layout(size)),
                "spin": In(range(size.spins + 1)),
                "states": Out(8 * state_bytes(size)),
                "parameters": Out(parameters_layout()),
                "seed": Out(8),
                "seed_enable": Out(generators(size)),
                "seed_first": Out(1),
                "run_written": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        length = size.window * size.coupling_bits // 8
        words = (size.spins + size.offset_rows) << window_bits(size)
        word_bits = ceil_log2(length)
        m.submodules.host = host = HostWrites(size, word_bits, words, run_late=True)
        for name in ("space", "address", "write_enable", "write_data"):
            m.d.comb += getattr(host, name).eq(getattr(self, name))
        for name in ("ready", "parameters", "seed", "seed_enable", "seed_first"):
            m.d.comb += getattr(self, name).eq(getattr(host, name))
        m.d.comb += self.run_written.eq(host.write.run)
        pointer = host.pointer

        if self._family is Family.ICE40UP:
            if words > SPRAM_WORDS:
                raise ValueError(f"SPRAM holds {SPRAM_WORDS} windows of couplings, not {words}")
            words = SPRAM_WORDS
        m.submodules.couplings = couplings = ProgramMemory(words, length, self._family)
        m.d.comb += [
            couplings.enable.eq(1),
            couplings.address.eq(self.row_index << len(self.window) | self.window),
            couplings.write_data.eq(host.value),
            self.row.eq(couplings.read_data),
        ]
        with m.If(host.clearing):
            m.d.comb += couplings.write.eq(~0)
        with m.Elif(host.write.couplings):
            m.d.comb += couplings.write.eq(1 << pointer[:word_bits])
        with m.If(couplings.write.any()):
            m.d.comb += couplings.address.eq(pointer[word_bits:])

        length = state_bytes(size)
        m.submodules.states = store = memory.Memory(shape=8 * length, depth=size.spins, init=[])
        low = stride_bits(length)
        read, write = store.read_port(), store.write_port(granularity=8)
        m.d.comb += [
            read.addr.eq(self.spin),
            self.states.eq(read.data),
            write.addr.eq(pointer[low:]),
            write.data.eq(host.value.replicate(length)),
        ]
        with m.If(host.clearing):
            # For each window of a row the same.
            m.d.comb += [write.addr.eq(pointer[stride_bits(row_bytes(size)) :]), write.en.eq(~0)]
        with m.Elif(host.write.states):
            m.d.comb += write.en.eq(1 << pointer[:low])

        self._steps(m, host)
        return m

    def _steps(self, m: Module, host: HostWrites) -> None:
        """A step is wide, and seldom read: it goes to registers, one word after the other."""
        size = self._size
        length = step_bytes(size)
        count = ceil_log2(length // STEP_WORD_BYTES)  # bits of a word's number
        m.submodules.steps = store = memory.Memory(
            shape=8 * STEP_WORD_BYTES, depth=size.steps << count, init=[]
        )
        read, write = store.read_port(), store.write_port(granularity=8)
        low = ceil_log2(STEP_WORD_BYTES)
        word, late = Signal(count), Signal(count)
        m.d.sync += [word.eq(word + 1), late.eq(word)]
        m.d.comb += [
            read.addr.eq(self.step_index << count | word),
            write.addr.eq(host.pointer[low:]),
            write.data.eq(host.value.replicate(STEP_WORD_BYTES)),
        ]
        with m.If(host.write.steps):
            m.d.comb += write.en.eq(1 << host.pointer[:low])
        step = self.step.as_value()
        for index in range(length // STEP_WORD_BYTES):
            with m.If(late == index):
                m.d.sync += step.word_select(index, 8 * STEP_WORD_BYTES).eq(read.data)
