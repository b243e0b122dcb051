"""What the host writes, on its way to the memories, and the parameters of a run."""

from __future__ import annotations

from amaranth import Module
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.image import POINTER_BYTES, AnnealerSpace, stride_bits
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.annealer.thresholds import SEED_BYTES, generators

from .interface import ADDRESS_BITS, SPACE_BITS, parameters_layout

WRITES = {"couplings": 1, "steps": 1, "states": 1, "ladder": 1}
"""The memories that a byte may go to, a bit for each."""


class HostWrites(wiring.Component):
    """Takes the host's writes, one a cycle.

    Parameters
    ----------
    size : AnnealerSize
    word_bits : int
        Base-2 logarithm of the bytes of the coupling memory's words.
    words : int
        That are cleared.
    run_late : bool, default=False
        Parameters and seeds are written a cycle later than asked for: the way from the router is
        long on slow devices. Else what the router asks for is known in the same cycle.

    Ports
    -----
    space, address, write_enable, write_data : In
        As in `AnnealerBusSignature`.
    ready : Out(1)
        Nothing is being cleared, which takes as many cycles as there are words.
    pointer : Out(ADDRESS_BITS)
        Address of a byte that is written.
    value : Out(8)
    write : Out(WRITES)
        With `run_late` it has another member, `run`: parameters or seeds are being written.
    clearing : Out(1)
        The word at `pointer` becomes zero.
    parameters : Out(parameters_layout())
    seed : Out(8)
    seed_enable : Out(generators)
        Writes a byte of the generator's seed.
    seed_first : Out(1)
        It is the first.
    run_written : Out(1)
        The same, without `run_late`.

    Latency: bytes are written one cycle later.
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
                "parameters": Out(parameters_layout()),
                "seed": Out(8),
                "seed_enable": Out(generators(size)),
                "seed_first": Out(1),
                **({} if run_late else {"run_written": Out(1)}),
            }
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
                    with m.If(self.address < POINTER_BYTES):
                        m.d.sync += pointer.word_select(self.address[:2], 8).eq(self.write_data)
                    with m.Elif(self.address[0] == POINTER_BYTES & 1):
                        m.d.sync += write.couplings.eq(1)
                    with m.Else():
                        m.d.sync += pointer.eq(pointer + self.write_data)
                with m.Case(AnnealerSpace.CLEAR):
                    m.d.sync += [pointer.eq(0), clearing.eq(1)]
        word = pointer[self._word_bits :]
        with m.If(clearing):
            m.d.sync += [self.value.eq(0), word.eq(word + 1)]
            with m.If(word == self._words - 1):
                m.d.sync += clearing.eq(0)

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
        return m
