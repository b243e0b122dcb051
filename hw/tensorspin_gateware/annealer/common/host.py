"""The host's writes on their way to the memories, and the parameters of a run."""

from __future__ import annotations

from amaranth import Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.image import POINTER_BYTES, AnnealerSpace, stride_bits
from tensorspin.contract.annealer.signature import CHECK_DRAIN, check_lines
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.annealer.thresholds import SEED_BYTES, generators
from tensorspin.contract.signature import SIGNATURE_BITS

from .interface import ADDRESS_BITS, SPACE_BITS, parameters_layout

WRITES = {"couplings": 1, "steps": 1, "states": 1, "ladder": 1}
"""Fields of `HostWrites.write`, one bit each: the memories that a byte of the host may go to."""


class HostWrites(wiring.Component):
    """Takes the host's writes, one a cycle, and decodes which memory each goes to.

    The host writes couplings byte by byte, or as a script: an address, then by turns a byte and the
    distance to the next one's address. Most couplings of a sparse problem are zero, so that a
    script is far shorter than the rows. A script needs zeros to write into, which a write of
    `AnnealerSpace.CLEAR` makes.

    The parameters of a run are kept here in registers, and the generators' seeds pass through.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.
    word_bits : int
        Base-2 logarithm of the number of bytes of a word of the coupling memory.
    words : int
        Words of the coupling memory that a write of `AnnealerSpace.CLEAR` sets to zero, one a
        cycle.
    run_late : bool, default=False
        Whether parameters and seeds are taken from the same register as all other bytes, a cycle
        after the router's write: on slow devices the path from the router to them is too long for
        one cycle. Otherwise they are taken from the router directly.

    Ports
    -----
    space, address, write_enable, write_data : In
        The router's write, as in `AnnealerBusSignature`.
    ready : Out(1)
        High unless memories are being cleared, which takes `words` cycles.
    pointer : Out(ADDRESS_BITS)
        Byte address of the byte that is being written, in its memory.
    value : Out(8)
        The byte that is being written.
    write : Out(WRITES)
        Strobes: `value` goes to that memory. With `run_late` there is one more field, `run`, for
        parameters and seeds.
    clearing : Out(1)
        High while the word of couplings at `pointer`, and the word of initial states in the same
        row, become zero.
    parameters : Out(parameters_layout(size))
        Parameters of the run, as written last.
    seed : Out(8)
        Byte of a generator's seed.
    seed_enable : Out(generators)
        Strobes: `seed` goes to that generator.
    seed_first : Out(1)
        With `seed_enable`: `seed` is the first byte of that generator's seed.
    run_written : Out(1)
        Strobe: parameters or seeds are being written, with which a run loses its meaning. Without
        `run_late` only; with it ``write.run`` says so.

    With `AnnealerSize.signature` there are ports for the check after a run, too:

    check, stop_check : In(1)
        Strobes: the check begins in the next cycle; it is broken off.
    checking : Out(1)
        High during a check: for a cycle for each line, and `CHECK_DRAIN` more.
    line : Out(ADDRESS_BITS - word_bits)
        Number of the line that is read.
    line_valid : Out(1)
        There is such a line.
    check_ends : Out(1)
        Strobe: last cycle of a check that is not broken off.
    expected : Out(SIGNATURE_BITS)
        The signature that is expected.

    Latency: a byte is written one cycle after the router has offered it (`pointer`, `value` and
    `write` are registers); parameters and seeds are taken in the router's own cycle unless
    `run_late`.
    """

    def __init__(
        self, size: AnnealerSize, word_bits: int, words: int, run_late: bool = False
    ) -> None:
        self._size = size
        self._run_late = run_late
        self._word_bits = word_bits
        self._words = words
        super().__init__(
            {
                "space": In(SPACE_BITS),
                "address": In(ADDRESS_BITS),
                "write_enable": In(1),
                "write_data": In(8),
                "ready": Out(1),
                "pointer": Out(ADDRESS_BITS),
                "value": Out(8),
                "write": Out(data.StructLayout(WRITES | ({"run": 1} if run_late else {}))),
                "clearing": Out(1),
                "parameters": Out(parameters_layout(size)),
                "seed": Out(8),
                "seed_enable": Out(generators(size)),
                "seed_first": Out(1),
                **({} if run_late else {"run_written": Out(1)}),
            }
            | (
                {
                    "check": In(1),
                    "stop_check": In(1),
                    "checking": Out(1),
                    "line": Out(ADDRESS_BITS - word_bits),
                    "line_valid": Out(1),
                    "check_ends": Out(1),
                    "expected": Out(SIGNATURE_BITS),
                }
                if size.signature
                else {}
            )
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        pointer, write, clearing = self.pointer, self.write, self.clearing
        m.d.comb += self.ready.eq(~clearing)
        m.d.sync += [self.value.eq(self.write_data), write.eq(0)]
        with m.If(self.write_enable):
            with m.Switch(self.space):
                with m.Case(AnnealerSpace.COUPLINGS):
                    m.d.sync += [pointer.eq(self.address), write.couplings.eq(1)]
                with m.Case(AnnealerSpace.STEPS):
                    m.d.sync += [pointer.eq(self.address), write.steps.eq(1)]
                with m.Case(AnnealerSpace.STATES):
                    m.d.sync += [pointer.eq(self.address), write.states.eq(1)]
                with m.Case(AnnealerSpace.LADDER):
                    m.d.sync += [pointer.eq(self.address), write.ladder.eq(1)]
                if self._run_late:
                    with m.Case(AnnealerSpace.RUN):
                        m.d.sync += [pointer.eq(self.address), write.run.eq(1)]
                with m.Case(AnnealerSpace.SPARSE):
                    # The first bytes of a script are the pointer itself. After them bytes to be
                    # written have odd addresses and distances even ones, as POINTER_BYTES is odd.
                    # No state is kept between packets: the address in the script tells all.
                    with m.If(self.address < POINTER_BYTES):
                        m.d.sync += pointer.word_select(self.address[:2], 8).eq(self.write_data)
                    with m.Elif(self.address[0] == POINTER_BYTES & 1):
                        m.d.sync += write.couplings.eq(1)
                    with m.Else():
                        m.d.sync += pointer.eq(pointer + self.write_data)
                with m.Case(AnnealerSpace.CLEAR):
                    m.d.sync += [pointer.eq(0), clearing.eq(1)]
        # The pointer doubles as the counter of words that are cleared: the host does not write
        # while `ready` is low, so nothing else needs it then.
        word = pointer[self._word_bits :]
        with m.If(clearing):
            m.d.sync += [self.value.eq(0), word.eq(word + 1)]
            with m.If(word == self._words - 1):
                m.d.sync += clearing.eq(0)
        if self._size.signature:
            self._count_lines(m, word)

        # Block 0 of `AnnealerSpace.RUN` has the parameters, each further one a generator's seed.
        block_bits = stride_bits(SEED_BYTES)
        if self._run_late:
            written, address, value = write.run, pointer, self.value
        else:
            written, address, value = self.run_written, self.address, self.write_data
            m.d.comb += written.eq(self.write_enable & (self.space == AnnealerSpace.RUN))
        place, block = address[:block_bits], address[block_bits:]
        parameters = self.parameters.as_value()
        m.d.comb += [self.seed.eq(value), self.seed_first.eq(place == 0)]
        with m.If(written):
            with m.If(block == 0):
                for byte in range(len(parameters) // 8):
                    with m.If(place == byte):
                        m.d.sync += parameters.word_select(byte, 8).eq(value)
            for generator in range(generators(self._size)):
                m.d.comb += self.seed_enable[generator].eq(block == generator + 1)
            if self._size.signature:
                with m.If(block == generators(self._size) + 1):
                    for byte in range(SIGNATURE_BITS // 8):
                        with m.If(place == byte):
                            m.d.sync += self.expected.word_select(byte, 8).eq(value)
        return m

    def _count_lines(self, m: Module, word: Value) -> None:
        """Count the lines of a check in the pointer, as the words that are cleared."""
        lines = check_lines(self._size)
        ends = Signal()
        m.d.comb += [
            self.line.eq(word),
            ends.eq(self.checking & (word == lines + CHECK_DRAIN - 1)),
            self.check_ends.eq(ends & ~self.stop_check),
        ]
        with m.If(self.check):
            m.d.sync += [self.pointer.eq(0), self.checking.eq(1), self.line_valid.eq(1)]
        # The host writes during a check only to start another run, which breaks it off.
        with m.Elif(self.checking & ~self.write_enable):
            m.d.sync += word.eq(word + 1)
            with m.If(word == lines - 1):
                m.d.sync += self.line_valid.eq(0)
        with m.If(ends | self.stop_check):
            m.d.sync += [self.checking.eq(0), self.line_valid.eq(0)]
