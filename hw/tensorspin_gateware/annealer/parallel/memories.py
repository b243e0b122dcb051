"""The memories that the host writes: couplings, schedule, initial states, ladder, and the like."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.image import (
    INITIAL_STATES,
    rank_bytes,
    row_bytes,
    state_bytes,
    step_bytes,
    stride_bits,
)
from tensorspin.contract.annealer.segments import bank_rows, memory_rows
from tensorspin.contract.annealer.signature import check_lines
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.annealer.thresholds import generators
from tensorspin.contract.signature import SIGNATURE_BITS

from ...primitives import Family
from ..common.check import compare_signature, fold, has_flag
from ..common.delay import delay
from ..common.host import HostWrites
from ..common.interface import (
    ADDRESS_BITS,
    SPACE_BITS,
    index_bits,
    parameters_layout,
    row_bits,
    slot_bits,
)
from ..common.ports import forward
from ..common.store import connect_byte_store
from .banks import CouplingBanks
from .couplings import FOLDED, Couplings


class Memories(wiring.Component):
    """Takes the host's writes, one byte a cycle, and gives the engine the words that it reads.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.
    row_latency : int
        Cycles from the number of a row of couplings to the row, as for `Couplings`.
    family : Family
        FPGA family.

    Ports
    -----
    space, address, write_enable, write_data : In
        The router's write, as in `AnnealerBusSignature`.
    ready : Out(1)
        High unless couplings and initial states are being cleared, which takes a cycle for each row
        of couplings.
    row_index, step_index, spin, rank_index : In
        Numbers of the row of couplings, the step, the spin (for its initial states) and the rank
        that are read.
    row : Out(spins x signed(coupling_bits))
        Row of couplings, `row_latency` cycles after `row_index`.
    step : Out(8 x step_bytes)
        Step of the schedule, one cycle after `step_index`.
    states : Out(8 x state_bytes)
        Initial states of the spin, a bit for each replica, one cycle after `spin`.
    rank_word : Out(8 x rank_bytes)
        Rank of the ladder, one cycle after `rank_index`; all zero without tempering.
    parameters : Out(parameters_layout(size))
        Parameters of the run, as written last.
    seed : Out(8)
        Byte of a generator's seed.
    seed_enable : Out(generators)
        Strobes: `seed` goes to that generator.
    seed_first : Out(1)
        With `seed_enable`: `seed` is the first byte of that generator's seed.
    run_written : Out(1)
        Strobe: parameters or seeds are being written, which ends a run.
    check, stop_check, checking, corrupt
        Only with `AnnealerSize.signature`: as for `HostWrites`; and a strobe in the last cycle of a
        check that has found that the memories do not hold what was written. While one goes on,
        what is read for the run is undefined.

    Latency: reads return a byte from two cycles after the router's write on.
    """

    def __init__(self, size: AnnealerSize, row_latency: int, family: Family) -> None:
        self._size = size
        self._row_latency = row_latency
        self._family = family
        several = size.flips > 1
        super().__init__(
            {
                "space": In(SPACE_BITS),
                "address": In(ADDRESS_BITS),
                "write_enable": In(1),
                "write_data": In(8),
                "ready": Out(1),
                "row_index": In(size.flips * index_bits(size)),
                **({"subtract": In(size.flips)} if several else {}),
                "row": Out(data.ArrayLayout(signed(row_bits(size)), size.spins)),
                "step_index": In(range(size.steps + 1)),
                "step": Out(8 * step_bytes(size)),
                "spin": In(range(size.segment + 1)),
                "states": Out(8 * state_bytes(size)),
                "rank_index": In(slot_bits(size)),
                "rank_word": Out(8 * rank_bytes(size)),
                "parameters": Out(parameters_layout(size)),
                "seed": Out(8),
                "seed_enable": Out(generators(size)),
                "seed_first": Out(1),
                "run_written": Out(1),
            }
            | (
                {"check": In(1), "stop_check": In(1), "checking": Out(1), "corrupt": Out(1)}
                if size.signature
                else {}
            )
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        row_low = stride_bits(row_bytes(size))
        m.submodules.host = host = HostWrites(size, row_low, memory_rows(size))
        forward(m, self, host, "space", "address", "write_enable", "write_data")
        forward(m, host, self, "ready", "parameters", "seed", "seed_enable", "seed_first")
        forward(m, host, self, "run_written")
        pointer, value, write, clearing = host.pointer, host.value, host.write, host.clearing

        several = size.flips > 1
        kind = CouplingBanks if several else Couplings
        m.submodules.couplings = couplings = kind(size, self._row_latency, self._family)
        if several:
            forward(m, self, couplings, "subtract")
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
            ("states", size.segment, state_bytes(size), self.spin, self.states),
        ]
        if size.tempering:
            stores.append(
                ("ladder", size.replicas, rank_bytes(size), self.rank_index, self.rank_word)
            )
        others: list[tuple[str, Value]] = []
        late = Signal()
        if size.signature:
            # As late as the words of these memories are wanted, which are nearer than couplings.
            late = delay(m, host.line, FOLDED - 2)
        for name, depth, length, index, output in stores:
            if size.signature:
                index = Mux(host.checking, late, index)
            # Block RAM is scarce where there are several banks of couplings.
            attributes = {"ram_style": "distributed"} if several and name == "steps" else {}
            m.submodules[name] = store = memory.Memory(
                shape=8 * length, depth=depth, init=[], attrs=attributes
            )
            read, port = store.read_port(), store.write_port(granularity=8)
            connect_byte_store(m, read, port, index, pointer, value, output)
            low = stride_bits(length)
            for byte in range(length):
                m.d.comb += port.en[byte].eq(write[name] & (pointer[:low] == byte))
            if name == "states":
                # Initial states are cleared along with the couplings, the word of spin i in the
                # cycle of row i. The offset rows after those may clear some words again, which
                # does no harm.
                with m.If(clearing):
                    m.d.comb += [
                        port.addr.eq(pointer[row_low:]),
                        port.data.eq(0),
                        port.en.eq(~0),
                    ]
            others.append((name, read.data))
        if size.signature:
            self._check(m, host, couplings, delay(m, late, 1), others)
        return m

    def _check(
        self,
        m: Module,
        host: HostWrites,
        couplings: Couplings | CouplingBanks,
        line: Value,
        others: Sequence[tuple[str, Value]],
    ) -> None:
        """Add up lines of the check: a row, and the words of other memories, if they have so many.

        `line` is the number of the line whose words `others` are.
        """
        size = self._size
        forward(m, self, host, "check", "stop_check")
        m.d.comb += [
            couplings.checking.eq(host.checking),
            couplings.line.eq(host.line),
            self.checking.eq(host.checking),
        ]
        valid = {
            "steps": line < host.parameters.steps,
            "states": (line < size.segment) & has_flag(host.parameters, INITIAL_STATES),
            "ladder": line < size.replicas,
        }
        total: Value = Const(0, SIGNATURE_BITS)
        for name, word in others:
            total = total ^ fold(word, valid[name])
        beside = Signal(SIGNATURE_BITS, reset_less=True)
        m.d.sync += beside.eq(total)
        row = couplings.folded
        if check_lines(size) > (rows := bank_rows(size) + (size.flips > 1)):
            row = Mux(delay(m, line, 1) < rows, row, 0)
        m.d.comb += self.corrupt.eq(compare_signature(m, host, row ^ beside, FOLDED))
