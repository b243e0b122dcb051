"""What the host writes: couplings, schedule, initial states, parameters of a run."""

from __future__ import annotations

from amaranth import Module, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer import AnnealerSize
from tensorspin.contract.annealer_image import (
    POINTER_BYTES,
    AnnealerSpace,
    rank_bytes,
    row_bytes,
    state_bytes,
    step_bytes,
    stride_bits,
)
from tensorspin.contract.thresholds import SEED_BYTES, generators

from .interface import ADDRESS_BITS, SPACE_BITS, parameters_layout, slot_bits


class Memories(wiring.Component):
    """Takes the host's writes, one a cycle; reads for the run.

    Parameters
    ----------
    size : AnnealerSize

    Ports
    -----
    space, address, write_enable, write_data : In
        As in `AnnealerBusSignature`.
    ready : Out(1)
        Nothing is being cleared, which takes as many cycles as there are rows.
    row_index, step_index, spin, rank_index : In
    row : Out(8 x row_bytes)
    step : Out(8 x step_bytes)
    states : Out(8 x state_bytes)
    rank_word : Out(8 x rank_bytes)
        A cycle later. A byte that was written two cycles before is there.
    parameters : Out(parameters_layout())
    seed : Out(8)
    seed_enable : Out(generators)
        Writes a byte of the generator's seed.
    seed_first : Out(1)
        It is the first.
    run_written : Out(1)
        Strobe: parameters or seeds are written.
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
        super().__init__(
            {
                "space": In(SPACE_BITS),
                "address": In(ADDRESS_BITS),
                "write_enable": In(1),
                "write_data": In(8),
                "ready": Out(1),
                "row_index": In(range(size.spins + size.offset_rows)),
                "row": Out(8 * row_bytes(size)),
                "step_index": In(range(size.steps + 1)),
                "step": Out(8 * step_bytes(size)),
                "spin": In(range(size.spins + 1)),
                "states": Out(8 * state_bytes(size)),
                "rank_index": In(slot_bits(size)),
                "rank_word": Out(8 * rank_bytes(size)),
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
        rows = size.spins + size.offset_rows

        # All writes to memories pass this register; scripts and clearing move its address on.
        pointer = Signal(ADDRESS_BITS)
        value = Signal(8)
        write = Signal(data.StructLayout({"couplings": 1, "steps": 1, "states": 1, "ladder": 1}))
        clearing = Signal()
        row_low = stride_bits(row_bytes(size))
        m.d.comb += self.ready.eq(~clearing)
        m.d.sync += [value.eq(self.write_data), write.eq(0)]
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
                with m.Case(AnnealerSpace.SPARSE):
                    with m.If(self.address < POINTER_BYTES):
                        m.d.sync += pointer.word_select(self.address[:2], 8).eq(self.write_data)
                    with m.Elif(self.address[0] == POINTER_BYTES & 1):
                        m.d.sync += write.couplings.eq(1)
                    with m.Else():
                        m.d.sync += pointer.eq(pointer + self.write_data)
                with m.Case(AnnealerSpace.CLEAR):
                    m.d.sync += [pointer.eq(0), clearing.eq(1)]
        with m.If(clearing):
            m.d.sync += [value.eq(0), pointer[row_low:].eq(pointer[row_low:] + 1)]
            with m.If(pointer[row_low:] == rows - 1):
                m.d.sync += clearing.eq(0)

        stores = [
            ("couplings", rows, row_bytes(size), self.row_index, self.row),
            ("steps", size.steps, step_bytes(size), self.step_index, self.step),
            ("states", size.spins, state_bytes(size), self.spin, self.states),
        ]
        if size.tempering:
            stores.append(
                ("ladder", size.replicas, rank_bytes(size), self.rank_index, self.rank_word)
            )
        for name, depth, length, index, output in stores:
            m.submodules[name] = store = memory.Memory(shape=8 * length, depth=depth, init=[])
            read, port = store.read_port(), store.write_port(granularity=8)
            low = stride_bits(length)
            m.d.comb += [
                read.addr.eq(index),
                output.eq(read.data),
                port.addr.eq(pointer[low:]),
                port.data.eq(value.replicate(length)),
            ]
            for byte in range(length):
                m.d.comb += port.en[byte].eq(write[name] & (pointer[:low] == byte))
            if name in ("couplings", "states"):
                with m.If(clearing):
                    m.d.comb += [
                        port.addr.eq(pointer[row_low:]),
                        port.data.eq(0),
                        port.en.eq(~0),
                    ]

        block_bits = stride_bits(SEED_BYTES)
        place, block = self.address[:block_bits], self.address[block_bits:]
        parameters = self.parameters.as_value()
        m.d.comb += [
            self.run_written.eq(self.write_enable & (self.space == AnnealerSpace.RUN)),
            self.seed.eq(self.write_data),
            self.seed_first.eq(place == 0),
        ]
        with m.If(self.run_written):
            with m.If(block == 0):
                for byte in range(len(parameters) // 8):
                    with m.If(place == byte):
                        m.d.sync += parameters.word_select(byte, 8).eq(self.write_data)
            for generator in range(generators(size)):
                m.d.comb += self.seed_enable[generator].eq(block == generator + 1)
        return m
