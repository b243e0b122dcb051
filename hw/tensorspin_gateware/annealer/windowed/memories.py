"""The memories that the host writes: couplings, schedule, initial states, parameters of a run."""

from __future__ import annotations

from amaranth import Module, Mux, Signal, Value, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from tensorspin.contract.annealer.image import (
    INITIAL_STATES,
    row_bytes,
    state_bytes,
    step_bytes,
    stride_bits,
)
from tensorspin.contract.annealer.signature import STEP_WORD_BYTES, check_lines, step_word_bits
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.annealer.thresholds import generators
from tensorspin.contract.signature import SIGNATURE_BITS

from ...primitives import Family
from ...primitives.program_memory import SPRAM_WORDS, ProgramMemory
from ..common.check import compare_signature, fold, has_flag
from ..common.delay import delay
from ..common.host import HostWrites
from ..common.interface import ADDRESS_BITS, SPACE_BITS, parameters_layout, step_layout
from ..common.ports import forward
from ..common.store import connect_byte_store
from .interface import row_index_bits, window_bits

FOLDED = 2
"""Cycles from the number of a line of the check to the folded line: one of the memories, and a
register."""


class Memories(wiring.Component):
    """Takes the host's writes, one byte a cycle, and gives the engine the words that it reads.

    Parameters
    ----------
    size : AnnealerSize
        Size of an annealer with windows.
    family : Family
        FPGA family; with ``ICE40UP`` the couplings lie in SPRAM.
    standby : bool, default=False
        Whether the memory of couplings stands by while nobody uses it.

    Ports
    -----
    space, address, write_enable, write_data : In
        The router's write, as in `AnnealerBusSignature`.
    ready : Out(1)
        High unless couplings and initial states are being cleared, which takes a cycle for each
        window of each row of couplings.
    row_index, window : In
        Numbers of the row of couplings and of the window of it that are read.
    row : Out(window x signed(coupling_bits))
        The window's part of that row, one cycle after its number; undefined while the host writes
        couplings.
    step_index : In(range(steps + 1))
        Index of the step that is read.
    step : Out(step_layout(size))
        That step, once its index and its bytes have been stable for two rounds of reading: twice
        the number of a step's words of `STEP_WORD_BYTES`, rounded up to a power of two, in cycles.
    spin : In(range(spins + 1))
        Spin whose initial states are read.
    states : Out(8 x state_bytes)
        Initial states of the spin, a bit for each replica, one cycle after `spin`.
    parameters : Out(parameters_layout(size))
        Parameters of the run, as written last.
    seed, seed_enable, seed_first : Out
        Bytes of the generators' seeds, as from `HostWrites`.
    awake : In(1)
        Only with `standby`: couplings are read or written. While it is
        low, that memory stands by, unless it is being cleared.
    run_written : Out(1)
        Strobe: parameters or seeds are being written, which ends a run. It comes one cycle after
        the router's write.
    check, stop_check, checking, corrupt
        Only with `AnnealerSize.signature`: as for `HostWrites`; and a strobe in the last cycle of a
        check that has found that the memories do not hold what was written. While one goes on,
        what is read for the run is undefined.

    Latency: reads return a byte of initial states from two cycles after the router's write on.

    Resources: block RAM for schedule and initial states; for the couplings SPRAM on
    ``Family.ICE40UP``, block RAM elsewhere; a register for each bit of a step.

    Raises
    ------
    ValueError
        When elaborated, if the couplings do not fit into the SPRAM.
    """

    def __init__(self, size: AnnealerSize, family: Family, standby: bool = False) -> None:
        self._size = size
        self._family = family
        self._standby = standby
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
                "parameters": Out(parameters_layout(size)),
                "seed": Out(8),
                "seed_enable": Out(generators(size)),
                "seed_first": Out(1),
                "run_written": Out(1),
            }
            | ({"awake": In(1)} if standby else {})
            | (
                {"check": In(1), "stop_check": In(1), "checking": Out(1), "corrupt": Out(1)}
                if size.signature
                else {}
            )
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        # A word of couplings is one window of one row.
        length = size.window * size.coupling_bits // 8
        words = (size.spins + size.offset_rows) << window_bits(size)
        word_bits = ceil_log2(length)
        m.submodules.host = host = HostWrites(size, word_bits, words, run_late=True)
        forward(m, self, host, "space", "address", "write_enable", "write_data")
        forward(m, host, self, "ready", "parameters", "seed", "seed_enable", "seed_first")
        m.d.comb += self.run_written.eq(host.write.run)
        pointer = host.pointer

        if self._family is Family.ICE40UP:
            if words > SPRAM_WORDS:
                raise ValueError(f"SPRAM holds {SPRAM_WORDS} windows of couplings, not {words}")
            words = SPRAM_WORDS
        m.submodules.couplings = couplings = ProgramMemory(
            words, length, self._family, self._standby
        )
        if self._standby:
            busy = host.clearing | host.checking if size.signature else host.clearing
            m.d.comb += couplings.awake.eq(self.awake | busy)
        # SPRAM has one port, so the host's address takes the place of the run's while it writes.
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
        takes_pointer = couplings.write.any()
        if size.signature:
            takes_pointer = takes_pointer | host.checking
        with m.If(takes_pointer):
            m.d.comb += couplings.address.eq(pointer[word_bits:])

        length = state_bytes(size)
        m.submodules.states = store = memory.Memory(shape=8 * length, depth=size.spins, init=[])
        read, write = store.read_port(), store.write_port(granularity=8)
        spin = Mux(host.checking, host.line, self.spin) if size.signature else self.spin
        connect_byte_store(m, read, write, spin, pointer, host.value, self.states)
        with m.If(host.clearing):
            # The word of spin i is cleared along with row i of the couplings: as often as a row has
            # windows, which does no harm.
            m.d.comb += [write.addr.eq(pointer[stride_bits(row_bytes(size)) :]), write.en.eq(~0)]
        with m.Elif(host.write.states):
            m.d.comb += write.en.eq(1 << pointer[: stride_bits(length)])

        step_word = self._steps(m, host)
        if size.signature:
            self._check(m, host, step_word)
        return m

    def _check(self, m: Module, host: HostWrites, step_word: Value) -> None:
        """Add up lines of the check: a window of a row, and the words of the other memories."""
        size, parameters = self._size, host.parameters
        forward(m, self, host, "check", "stop_check")
        m.d.comb += self.checking.eq(host.checking)
        line = delay(m, host.line, 1)
        bits = step_word_bits(size)
        in_step = line[:bits] < step_bytes(size) // STEP_WORD_BYTES
        row, words = self.row.as_value(), (size.spins + size.offset_rows) << window_bits(size)
        total = fold(row, line < words) if check_lines(size) > words else fold(row)
        total ^= fold(step_word, (line[bits:] < parameters.steps) & in_step)
        total ^= fold(self.states, (line < size.spins) & has_flag(parameters, INITIAL_STATES))
        folded = Signal(SIGNATURE_BITS, reset_less=True)
        m.d.sync += folded.eq(total)
        m.d.comb += self.corrupt.eq(compare_signature(m, host, folded, FOLDED))

    def _steps(self, m: Module, host: HostWrites) -> Value:
        """Keep the step `step_index` in registers, read one word after the other.

        A step is wide and seldom changes, so its words are read round and round, without any
        control: soon after `step_index` has changed, the registers have the new step.

        Returns
        -------
        Value
            The word that was read; during a check that of the line.
        """
        size = self._size
        length = step_bytes(size)
        count = ceil_log2(length // STEP_WORD_BYTES)  # bits of a word's number
        m.submodules.steps = store = memory.Memory(
            shape=8 * STEP_WORD_BYTES, depth=size.steps << count, init=[]
        )
        read, write = store.read_port(), store.write_port(granularity=8)
        word, late = Signal(count), Signal(count)
        m.d.sync += [word.eq(word + 1), late.eq(word)]
        index = self.step_index << count | word
        if size.signature:
            index = Mux(host.checking, host.line, index)
        connect_byte_store(m, read, write, index, host.pointer, host.value)
        with m.If(host.write.steps):
            m.d.comb += write.en.eq(1 << host.pointer[: stride_bits(STEP_WORD_BYTES)])
        step = self.step.as_value()
        for place in range(length // STEP_WORD_BYTES):
            with m.If(late == place):
                m.d.sync += step.word_select(place, 8 * STEP_WORD_BYTES).eq(read.data)
        return read.data
