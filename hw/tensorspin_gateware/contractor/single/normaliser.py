"""The normaliser of single mode: several sums in a cycle, for one vector that all groups get."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2, exact_log2

from tensorspin.contract.contractor.program import MAX_OUTPUTS, OperandKind
from tensorspin.contract.contractor.rows import (
    NODES,
    NORMALISE_READ,
    NORMALISE_RELEASE,
    NORMALISE_WRITE,
)
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.fixed import ACCUMULATOR, EXPONENT, MANTISSA

from ...primitives.leading_zeros import LeadingZeros
from ...primitives.rounding import RoundSaturate
from ..normaliser import FINE_SHIFT_BITS, INDEX_BITS, SCORE
from ..sequencer import HEADER
from .joiner import slice_layout


def row_layout(size: ContractorSize) -> data.StructLayout:
    """Make the layout of a row of a vector: entries that are written in the same cycle.

    Members: `mask`, which of the entries are written; `slot`; `row`, the index of the first entry
    divided by their number; `mantissas`.
    """
    drain = size.single_drain
    return data.StructLayout(
        {
            "mask": drain,
            "slot": ceil_log2(size.slots),
            "row": exact_log2(size.slot_entries // drain),
            "mantissas": data.ArrayLayout(signed(MANTISSA.width), drain),
        }
    )


def _node_layout(size: ContractorSize) -> data.StructLayout:
    """Make the layout of what is kept of a node from its first row of elements to its result."""
    slot = ceil_log2(size.slots)
    return data.StructLayout(
        {
            "outputs": INDEX_BITS,
            "last": 1,
            "destination": slot,
            "left_kind": 1,
            "left_index": slot,
            "right_kind": 1,
            "right_index": slot,
        }
    )


class RowNormaliser(wiring.Component):
    """Gives each vector one exponent and rounds its entries, as `Normaliser` does, but by rows.

    Sums wait in a ring, as the next nodes may drain while one is read. They cannot overtake: a node
    takes as many cycles to drain as its rows take to be read, and more only if it is the first to
    be read after a pause. So twice the rows of the greatest node are always enough.

    Parameters
    ----------
    size : ContractorSize
        Numbers of slots, of their entries, and of lanes that drain in a cycle.

    Ports
    -----
    run : In(1)
        While it is low, everything is reset.
    header : In(HEADER)
        Header of the node whose elements are being issued.
    node_first : In(1)
        The first row of that node is issued in this cycle.
    joined : In(slice_layout)
        From `Joiner`.
    release, slot : Out
        To `RowSequencer`.
    vector : Out(row_layout)
        Entries of a result; each group has a register of its own for them.
    scores_begin, outputs, score_valid, score, exponent : Out
        As of `Normaliser`. Scores leave one a cycle.

    Latency: ``NORMALISE_READ``, ``NORMALISE_RELEASE`` and ``NORMALISE_WRITE`` of
    `tensorspin.contract.contractor.rows`, and a cycle for each row. Memory: RAM in LUTs.
    """

    def __init__(self, size: ContractorSize) -> None:
        self._size = size
        super().__init__(
            {
                "run": In(1),
                "header": In(HEADER),
                "node_first": In(1),
                "joined": In(slice_layout(size)),
                "release": Out(1),
                "slot": Out(ceil_log2(size.slots)),
                "vector": Out(row_layout(size)),
                "scores_begin": Out(1),
                "outputs": Out(INDEX_BITS),
                "score_valid": Out(1),
                "score": Out(SCORE),
                "exponent": Out(EXPONENT.width),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        drain = self._size.single_drain
        lane_bits = exact_log2(drain)
        start = Signal()
        found, found_shift = self._magnitudes(m, start)
        node_offered = self._nodes(m, start)

        # The node that is normalised: `running` while its sums are read.
        node = Signal(_node_layout(self._size))
        shift = Signal.like(found_shift)
        running = Signal()
        started = Signal()
        index = Signal(INDEX_BITS)
        node_end = Signal()
        row_end = Signal()
        m.d.comb += [
            node_end.eq(
                Mux(
                    node.last,
                    index == node.outputs,
                    index[lane_bits:] == node.outputs[lane_bits:],
                )
            ),
            row_end.eq(~node.last | (index[:lane_bits] == drain - 1) | node_end),
            start.eq(found & (~running | node_end)),
            self.scores_begin.eq(started & node.last),
            self.outputs.eq(node.outputs),
        ]
        assert NORMALISE_READ == 1
        m.d.sync += started.eq(start)
        with m.If(running):
            m.d.sync += index.eq(index + Mux(node.last, 1, drain))
            with m.If(node_end):
                m.d.sync += running.eq(0)
        with m.If(start):
            m.d.sync += [running.eq(1), index.eq(0), shift.eq(found_shift), node.eq(node_offered)]
        sums = self._ring(m, running & row_end)
        self._mantissas(m, sums, running, index, node, node_end, shift)
        self._exponents(m, started, node, shift)
        with m.If(~self.run):
            m.d.sync += [running.eq(0), started.eq(0)]
        return m

    def _magnitudes(self, m: Module, start: Signal) -> tuple[Value, Value]:
        """Find the shift of each node that has drained; return whether there is one, and its shift.

        Shifts wait while an earlier node is read.
        """
        joined = self.joined
        magnitude = Signal(ACCUMULATOR.width - 1)
        ones = []
        for lane in range(self._size.single_drain):
            total = joined.sums[lane]
            sign = total[-1].replicate(len(magnitude))
            ones.append((total[:-1] ^ sign) & joined.mask[lane].replicate(len(magnitude)))
        bits: Value = ones[0]
        for more in ones[1:]:
            bits = bits | more
        node_begins = Signal(init=1)
        complete = Signal()
        m.d.sync += complete.eq(joined.valid & joined.node_last)
        with m.If(joined.valid):
            m.d.sync += [
                magnitude.eq(bits | Mux(node_begins, 0, magnitude)),
                node_begins.eq(joined.node_last),
            ]
        m.submodules.zeros = zeros = LeadingZeros(len(magnitude))
        m.d.comb += zeros.value.eq(magnitude)
        m.submodules.shifts = shifts = memory.Memory(shape=len(zeros.count), depth=NODES, init=[])
        write, read = shifts.write_port(), shifts.read_port(domain="comb")
        waiting = Signal(range(NODES + 1))
        waits = Signal()
        takes = Signal()
        m.d.comb += [
            waits.eq(complete & ~(start & (waiting == 0))),
            takes.eq(start & (waiting != 0)),
            write.data.eq(zeros.count),
            write.en.eq(waits),
        ]
        m.d.sync += [
            waiting.eq(waiting + waits - takes),
            write.addr.eq(write.addr + waits),
            read.addr.eq(read.addr + takes),
        ]
        with m.If(~self.run):
            m.d.sync += [
                node_begins.eq(1),
                complete.eq(0),
                waiting.eq(0),
                write.addr.eq(0),
                read.addr.eq(0),
            ]
        return complete | (waiting != 0), Mux(waiting != 0, read.data, zeros.count)

    def _nodes(self, m: Module, start: Signal) -> data.View:
        """Keep what is needed of the nodes that have begun; return the next one to normalise."""
        layout = _node_layout(self._size)
        m.submodules.nodes = nodes = memory.Memory(shape=layout, depth=NODES, init=[])
        write, read = nodes.write_port(), nodes.read_port(domain="comb")
        for name in layout.members:
            m.d.comb += write.data[name].eq(self.header[name])
        m.d.comb += write.en.eq(self.node_first)
        m.d.sync += [
            write.addr.eq(write.addr + self.node_first),
            read.addr.eq(read.addr + start),
        ]
        with m.If(~self.run):
            m.d.sync += [write.addr.eq(0), read.addr.eq(0)]
        return read.data

    def _ring(self, m: Module, taken: Value) -> Value:
        """Keep the sums of nodes; return the row that is read next."""
        drain = self._size.single_drain
        m.submodules.ring = ring = memory.Memory(
            shape=ACCUMULATOR.width * drain, depth=2 * MAX_OUTPUTS // drain, init=[]
        )
        write, read = ring.write_port(), ring.read_port(domain="comb")
        m.d.comb += [
            write.data.eq(self.joined.sums.as_value()),
            write.en.eq(self.joined.valid),
        ]
        m.d.sync += [
            write.addr.eq(write.addr + self.joined.valid),
            read.addr.eq(read.addr + taken),
        ]
        with m.If(~self.run):
            m.d.sync += [write.addr.eq(0), read.addr.eq(0)]
        return read.data

    def _mantissas(self, m: Module, sums, running, index, node, node_end, shift) -> None:
        """Shift and round a row of sums, and write it as a part of a vector, or give out scores."""
        drain = self._size.single_drain
        lane_bits = exact_log2(drain)
        stage_layout = data.StructLayout(
            {
                "valid": 1,
                "index": INDEX_BITS,
                "mask": drain,
                "node_end": 1,
                "slot": len(self.slot),
                "scores": 1,
            }
        )
        stages = [Signal(stage_layout, name=f"stage_{n}") for n in range(NORMALISE_WRITE + 1)]
        m.d.comb += [
            stages[0].valid.eq(running),
            stages[0].index.eq(index),
            stages[0].mask.eq(
                Cat(~node_end | (lane <= node.outputs[:lane_bits]) for lane in range(drain))
            ),
            stages[0].node_end.eq(node_end),
            stages[0].slot.eq(node.destination),
            stages[0].scores.eq(node.last),
        ]
        m.d.sync += [after.eq(before) for before, after in zip(stages, stages[1:])]
        with m.If(~self.run):
            m.d.sync += [stage.valid.eq(0) for stage in stages[1:]]

        # Stages 1 and 2: shifted. Stage 3: rounded. Stage 4: written.
        assert NORMALISE_WRITE == 4
        fine_shift = Signal(FINE_SHIFT_BITS)
        m.d.sync += fine_shift.eq(shift[:FINE_SHIFT_BITS])
        mantissas = Signal(data.ArrayLayout(signed(MANTISSA.width), drain))
        for lane in range(drain):
            coarse = Signal(signed(ACCUMULATOR.width), name=f"coarse_{lane}")
            shifted = Signal(signed(ACCUMULATOR.width), name=f"shifted_{lane}")
            m.submodules[f"round_{lane}"] = rounding = RoundSaturate(
                ACCUMULATOR.width, ACCUMULATOR.width - MANTISSA.width, MANTISSA
            )
            entry = sums.word_select(lane, ACCUMULATOR.width)
            m.d.comb += rounding.value.eq(shifted)
            m.d.sync += [
                coarse.eq(entry << (shift[FINE_SHIFT_BITS:] << FINE_SHIFT_BITS)),
                shifted.eq(coarse << fine_shift),
                mantissas[lane].eq(rounding.result),
            ]

        released, rounded = stages[NORMALISE_RELEASE - 1], stages[NORMALISE_WRITE - 1]
        written = stages[NORMALISE_WRITE]
        writes = rounded.valid & ~rounded.scores
        m.d.comb += [
            self.release.eq(released.valid & released.node_end),
            self.slot.eq(released.slot),
            self.vector.mask.eq(rounded.mask & writes.replicate(drain)),
            self.vector.slot.eq(rounded.slot),
            self.vector.row.eq(rounded.index[lane_bits:]),
            self.vector.mantissas.eq(mantissas),
            self.score_valid.eq(written.valid & written.scores),
            self.score.index.eq(written.index),
            self.score.last.eq(written.node_end),
        ]
        m.d.sync += self.score.mantissa.eq(mantissas[rounded.index[:lane_bits]])

    def _exponents(self, m: Module, started, node, shift) -> None:
        """Add up the exponent of a node's result, and keep it by slot."""
        m.submodules.exponents = exponents = memory.Memory(
            shape=EXPONENT.width, depth=max(2, self._size.slots), init=[]
        )
        write = exponents.write_port()
        written = Signal()
        slot = Signal(len(self.slot))
        total: Value = shift
        for side in ("left", "right"):
            read = exponents.read_port(domain="comb")
            m.d.comb += read.addr.eq(node[f"{side}_index"])
            total = total + Mux(node[f"{side}_kind"] == OperandKind.VECTOR, read.data, 0)
        m.d.sync += written.eq(started & ~node.last)
        with m.If(started):
            m.d.sync += [self.exponent.eq(total), slot.eq(node.destination)]
        m.d.comb += [
            write.addr.eq(slot),
            write.data.eq(self.exponent),
            write.en.eq(written),
        ]
