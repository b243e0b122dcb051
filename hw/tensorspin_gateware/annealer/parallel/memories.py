"""What the host writes: couplings, schedule, initial states, parameters of a run."""

from __future__ import annotations

from amaranth import Module, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.image import (
    rank_bytes,
    row_bytes,
    state_bytes,
    step_bytes,
    stride_bits,
)
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.annealer.thresholds import generators

from ...primitives import Family
from ..common.host import HostWrites
from ..common.interface import ADDRESS_BITS, SPACE_BITS, parameters_layout, slot_bits
from .couplings import Couplings


class Memories(wiring.Component):
    """Takes the host's writes, one a cycle; reads for the run.

    Parameters
    ----------
    size : AnnealerSize
    row_latency : int
        As for `Couplings`.
    family : Family

    Ports
    -----
    space, address, write_enable, write_data : In
        As in `AnnealerBusSignature`.
    ready : Out(1)
        Nothing is being cleared, which takes as many cycles as there are rows.
    row_index, step_index, spin, rank_index : In
    row : Out(spins x coupling_bits)
        `row_latency` cycles later.
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

    def __init__(self, size: AnnealerSize, row_latency: int, family: Family) -> None:
        self._size = size
        self._row_latency = row_latency
        self._family = family
        super().__init__(
            {
                "space": In(SPACE_BITS),
                "address": In(ADDRESS_BITS),
                "write_enable": In(1),
                "write_data": In(8),
                "ready": Out(1),
                "row_index": In(range(size.spins + size.offset_rows)),
                "row": Out(data.ArrayLayout(signed(size.coupling_bits), size.spins)),
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
        row_low = stride_bits(row_bytes(size))
        m.submodules.host = host = HostWrites(size, row_low, size.spins + size.offset_rows)
        for name in ("space", "address", "write_enable", "write_data"):
            m.d.comb += getattr(host, name).eq(getattr(self, name))
        for name in (
            "ready",
            "parameters",
            "seed",
            "seed_enable",
            "seed_first",
            "run_written",
        ):
            m.d.comb += getattr(self, name).eq(getattr(host, name))
        pointer, value, write, clearing = host.pointer, host.value, host.write, host.clearing

        m.submodules.couplings = couplings = Couplings(size, self._row_latency, self._family)
        m.d.comb += [
            couplings.index.eq(self.row_index),
            couplings.write_index.eq(pointer[row_low:]),
            couplings.write_byte.eq(pointer[:row_low]),
            couplings.write_data.eq(value),
            couplings.write_enable.eq(write.couplings),
            couplings.clear.eq(clearing),
            self.row.eq(couplings.row),
        ]
        stores = [
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
        return m
