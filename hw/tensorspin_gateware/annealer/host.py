"""What the host writes, on its way to the memories, and the parameters of a run."""

from __future__ import annotations

from amaranth import Module
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer import AnnealerSize
from tensorspin.contract.annealer_image import POINTER_BYTES, AnnealerSpace, stride_bits
from tensorspin.contract.thresholds import SEED_BYTES, generators

from .interface import ADDRESS_BITS, SPACE_BITS, parameters_layout

WRITES = data.StructLayout({"couplings": 1, "steps": 1, "states": 1, "ladder": 1, "run": 1})
"""The memory that a byte goes to."""


class HostWrites(wiring.Component):
    """Takes the host's writes, one a cycle.

    Parameters
    ----------
    size : AnnealerSize
    word_bits : int
        Base-2 logarithm of the bytes of the coupling memory's words.
    words : int
        That are cleared.

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
    clearing : Out(1)
        The word at `pointer` becomes zero.
    parameters : Out(parameters_layout())
    seed : Out(8)
    seed_enable : Out(generators)
        Writes a byte of the generator's seed.
    seed_first : Out(1)
        It is the first.

    Latency: bytes are written one cycle later, as the other outputs tell.
    """

    def __init__(self, size: AnnealerSize, word_bits: int, words: int) -> None:
        self._size = size
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
                "write": Out(WRITES),
                "clearing": Out(1),
                "parameters": Out(parameters_layout()),
                "seed": Out(8),
                "seed_enable": Out(generators(size)),
                "seed_first": Out(1),
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
        place, block = pointer[:block_bits], pointer[block_bits:]
        parameters = self.parameters.as_value()
        m.d.comb += [self.seed.eq(self.value), self.seed_first.eq(place == 0)]
        with m.If(write.run):
            with m.If(block == 0):
                for byte in range(len(parameters) // 8):
                    with m.If(place == byte):
                        m.d.sync += parameters.word_select(byte, 8).eq(self.value)
            for generator in range(generators(self._size)):
                m.d.comb += self.seed_enable[generator].eq(block == generator + 1)
        return m
