"""From accumulators to a vector with one exponent."""

from __future__ import annotations

from amaranth import Array, Cat, Module, Mux, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from tensorspin.contract.contractor.latency import (
    ISSUE_TO_ADDRESS,
    NORMALISE_READ,
    NORMALISE_RELEASE,
    NORMALISE_WRITE,
)
from tensorspin.contract.contractor.program import MAX_OUTPUTS, OperandKind
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.fixed import ACCUMULATOR, EXPONENT, MANTISSA

from ..primitives.leading_zeros import LeadingZeros
from ..primitives.rounding import RoundSaturate
from .operands import VectorWriteSignature
from .sequencer import HEADER

INDEX_BITS = ceil_log2(MAX_OUTPUTS)

SCORE = data.StructLayout({"mantissa": signed(MANTISSA.width), "index": INDEX_BITS, "last": 1})
"""One score, its class, and whether it is the last of the sample."""

FINE_SHIFT_BITS = 3
"""Bits of the shift that are done in the second step."""


class Normaliser(wiring.Component):
    """Gives each vector one exponent and rounds it to 16 bits (block floating point).

    While a node drains, its accumulators are kept and their greatest magnitude is tracked. Then all
    are shifted left by the same amount, so that the greatest just fits, and the upper half is kept,
    rounded half to even. The exponent of the result is the sum of both operands' exponents (0 for a
    feature) and that shift. The next node drains into the other half of the memory meanwhile.

    Parameters
    ----------
    size : ContractorSize

    Ports
    -----
    run : In(1)
        While low everything is reset.
    header : In(HEADER)
    node_first : In(1)
    parity : In(1)
        From the sequencer: the node begun, and its number modulo 2.
    drain_valid, drain_last, drain : In
        From the lanes.
    release : Out(1)
        Strobe: nodes that wait for this one may begin.
    vector : Out(VectorWriteSignature)
    scores_begin : Out(1)
        Strobe, before the first score.
    outputs : Out(6)
        Number of scores minus one, in the cycle of `scores_begin`.
    score_valid : Out(1)
    score : Out(SCORE)
        The last node's outputs.
    exponent : Out(16)
        Of the scores; from the first score on until the next node is normalised.

    Latency: `tensorspin.contract.contractor.latency`. Memory: 4 block RAMs of 4 Kbit at most (2
    accumulators,
    2 exponents).
    """

    def __init__(self, size: ContractorSize) -> None:
        self._size = size
        super().__init__(
            {
                "run": In(1),
                "header": In(HEADER),
                "node_first": In(1),
                "parity": In(1),
                "drain_valid": In(1),
                "drain_last": In(1),
                "drain": In(signed(ACCUMULATOR.width)),
                "release": Out(1),
                "vector": Out(VectorWriteSignature(size)),
                "scores_begin": Out(1),
                "outputs": Out(INDEX_BITS),
                "score_valid": Out(1),
                "score": Out(SCORE),
                "exponent": Out(EXPONENT.width),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        # Two nodes at most are unfinished; their headers are kept until they are normalised.
        nodes = Array(Signal(HEADER, name=f"node_{parity}") for parity in range(2))
        with m.If(self.node_first):
            m.d.sync += nodes[self.parity].eq(self.header)

        m.submodules.accumulators = accumulators = memory.Memory(
            shape=ACCUMULATOR.width, depth=2 * MAX_OUTPUTS, init=[]
        )
        start = Signal()
        drained, magnitude = self._drain(m, nodes, accumulators.write_port(), start)

        running = Signal()
        parity = Signal()
        index = Signal(INDEX_BITS)
        node = Signal(HEADER)
        node_end = Signal()
        m.d.comb += [
            node.eq(nodes[parity]),
            start.eq(drained & ~running),
            node_end.eq(index == node.outputs),
            self.scores_begin.eq(start & node.last),
            self.outputs.eq(node.outputs),
        ]
        m.submodules.zeros = zeros = LeadingZeros(len(magnitude))
        shift = Signal.like(zeros.count)
        m.d.comb += zeros.value.eq(magnitude)
        assert NORMALISE_READ == 1
        with m.If(start):
            m.d.sync += [running.eq(1), index.eq(0), shift.eq(zeros.count)]
        with m.If(running):
            m.d.sync += index.eq(index + 1)
            with m.If(node_end):
                m.d.sync += [running.eq(0), parity.eq(~parity)]

        self._mantissas(m, accumulators.read_port(), running, parity, index, node, node_end, shift)
        self._exponents(m, start, node, shift)

        with m.If(~self.run):
            m.d.sync += parity.eq(0)
        return m

    def _drain(self, m: Module, nodes: Array, write, taken: Signal):
        """Keeps the accumulators; returns `drained`, up to `taken`, and the magnitude's bits."""
        parity = Signal()
        count = Signal(INDEX_BITS)
        surplus = Signal()
        store = Signal()
        complete = Signal()
        drained = Signal()
        magnitude = Signal(ACCUMULATOR.width - 1)
        # The magnitude of a negative number less one: -2**31 needs as many bits as 2**31 - 1.
        bits = Signal.like(magnitude)
        m.d.comb += [
            bits.eq(self.drain[:-1] ^ self.drain[-1].replicate(len(bits))),
            store.eq(self.drain_valid & ~surplus),
            complete.eq(store & (count == nodes[parity].outputs)),
            write.addr.eq(Cat(count, parity)),
            write.data.eq(self.drain),
            write.en.eq(store),
        ]
        with m.If(store):
            m.d.sync += [
                count.eq(count + 1),
                magnitude.eq(bits | Mux(count == 0, 0, magnitude)),
            ]
        with m.If(taken):
            m.d.sync += drained.eq(0)
        # Later than `taken`: a node with one output completes in the very cycle in which the node
        # before it, whose last block was full, is taken.
        with m.If(complete):
            m.d.sync += [
                count.eq(0),
                parity.eq(~parity),
                drained.eq(1),
                # The lanes beyond the last output drain too.
                surplus.eq(1),
            ]
        with m.If(self.drain_valid & self.drain_last):
            m.d.sync += surplus.eq(0)
        with m.If(~self.run):
            m.d.sync += [parity.eq(0), surplus.eq(0)]
        return drained, magnitude

    def _mantissas(self, m: Module, read, running, parity, index, node, node_end, shift) -> None:
        size = self._size
        stage_layout = data.StructLayout(
            {
                "valid": 1,
                "index": INDEX_BITS,
                "node_end": 1,
                "slot": len(self.vector.slot),
                "scores": 1,
            }
        )
        stages = [Signal(stage_layout, name=f"stage_{n}") for n in range(NORMALISE_WRITE + 1)]
        m.d.comb += [
            stages[0].valid.eq(running),
            stages[0].index.eq(index),
            stages[0].node_end.eq(node_end),
            stages[0].slot.eq(node.destination),
            stages[0].scores.eq(node.last),
            read.addr.eq(Cat(index, parity)),
        ]
        m.d.sync += [after.eq(before) for before, after in zip(stages, stages[1:])]

        # Stage 1: memory output. Stages 2, 3: shifted. Stage 4: rounded, and written.
        assert NORMALISE_WRITE == 4
        coarse = Signal(signed(ACCUMULATOR.width))
        shifted = Signal(signed(ACCUMULATOR.width))
        mantissa = Signal(signed(MANTISSA.width))
        fine_shift = Signal(FINE_SHIFT_BITS)
        m.submodules.round = rounding = RoundSaturate(
            ACCUMULATOR.width, ACCUMULATOR.width - MANTISSA.width, MANTISSA
        )
        m.d.comb += rounding.value.eq(shifted)
        m.d.sync += [
            coarse.eq(read.data << (shift[FINE_SHIFT_BITS:] << FINE_SHIFT_BITS)),
            # The next node's shift may come before the last output of this one is here.
            fine_shift.eq(shift[:FINE_SHIFT_BITS]),
            shifted.eq(coarse << fine_shift),
            mantissa.eq(rounding.result),
        ]

        # A reader's address must come after the last write.
        assert NORMALISE_RELEASE + 1 + ISSUE_TO_ADDRESS > NORMALISE_WRITE
        released, written = stages[NORMALISE_RELEASE], stages[NORMALISE_WRITE]
        m.d.comb += [
            self.release.eq(released.valid & released.node_end),
            self.vector.enable.eq(written.valid & ~written.scores),
            self.vector.slot.eq(written.slot),
            self.vector.entry.eq(written.index[: ceil_log2(size.slot_entries)]),
            self.vector.mantissa.eq(mantissa),
            self.score_valid.eq(written.valid & written.scores),
            self.score.mantissa.eq(mantissa),
            self.score.index.eq(written.index),
            self.score.last.eq(written.node_end),
        ]

    def _exponents(self, m: Module, start, node, shift) -> None:
        m.submodules.exponents = exponents = memory.Memory(
            shape=EXPONENT.width, depth=self._size.slots, init=[]
        )
        write = exponents.write_port()
        started = Signal()
        written = Signal()
        slot = Signal(len(self.vector.slot))
        total = shift
        for side in ("left", "right"):
            read = exponents.read_port()
            m.d.comb += [read.addr.eq(node[f"{side}_index"]), read.en.eq(start)]
            total = total + Mux(node[f"{side}_kind"] == OperandKind.VECTOR, read.data, 0)
        m.d.sync += [started.eq(start), written.eq(started & ~node.last)]
        with m.If(started):
            m.d.sync += [self.exponent.eq(total), slot.eq(node.destination)]
        m.d.comb += [
            write.addr.eq(slot),
            write.data.eq(self.exponent),
            write.en.eq(written),
        ]
