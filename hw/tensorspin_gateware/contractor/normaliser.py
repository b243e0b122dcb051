"""The normaliser: from the sums of a node to a vector of 16-bit numbers with one exponent."""

from __future__ import annotations

from amaranth import Array, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from tensorspin.contract.contractor.latency import ISSUE_TO_ADDRESS
from tensorspin.contract.contractor.program import MAX_OUTPUTS, OperandKind
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.fixed import ACCUMULATOR, EXPONENT, MANTISSA

from ..primitives.leading_zeros import LeadingZeros
from ..primitives.rounding import RoundSaturate
from .operands import VectorWriteSignature
from .sequencer import HEADER

INDEX_BITS = ceil_log2(MAX_OUTPUTS)
"""Width of the index of an output of a node."""

SCORE = data.StructLayout({"mantissa": signed(MANTISSA.width), "index": INDEX_BITS, "last": 1})
"""One score, its index (for a classifier, the class), and whether it is the last of the sample."""

BLOCK_RAM_WIDTH = 36
"""Greatest width of a block RAM of an ECP5."""

FINE_SHIFT_BITS = 3
"""Width of the part of the shift amount that the second of two shifting steps takes: 0 to 7 places.
The first step shifts by a multiple of 8, with few choices, since its input, a memory's output, is
valid late in its cycle."""


class Normaliser(wiring.Component):
    """Gives each vector one exponent and rounds its entries to 16 bits (block floating point).

    While the sums of a node drain from the lanes, they are kept in a memory, and their greatest
    magnitude is tracked. Then all of them are shifted left by the same amount, such that the
    greatest just fits, and the upper half of each is kept, rounded half to even. The vector's
    exponent is the sum of both operands' exponents (0 for a feature) and that shift. Meanwhile the
    next node drains into the other half of the memory.

    Parameters
    ----------
    size : ContractorSize
        Numbers of slots and of their entries, and latencies.

    Ports
    -----
    run : In(1)
        While it is low, everything is reset.
    header : In(HEADER)
        Header of the node whose elements are being issued.
    node_first : In(1)
        The first element of that node is issued in this cycle.
    parity : In(1)
        Number of that node, modulo 2.
    drain_valid, drain_last, drain : In
        Sums, from `Lanes`.
    release : Out(1)
        Strobe: nodes that need the result of the node being normalised may begin. The rest of the
        result is written before they read it.
    vector : Out(VectorWriteSignature)
        The node's result, unless the node is the last.
    scores_begin : Out(1)
        Strobe, before the first score.
    outputs : Out(6)
        Number of scores minus one, in the cycle of `scores_begin`.
    score_valid : Out(1)
        High in each cycle in which `score` holds a score.
    score : Out(SCORE)
        A score of the sample: the results of the last node are its scores.
    exponent : Out(16)
        Exponent of the scores, from the first score on until the next node is normalised.

    Latency: `Pipeline.find_shift`, `Pipeline.normalise_release` and `Pipeline.normalise_write` of
    `tensorspin.contract.contractor.latency`, and a cycle for each output. Memory: 4 block RAMs of
    4 Kbit at most (2 for sums, 2 for exponents).
    """

    def __init__(self, size: ContractorSize) -> None:
        self._size = size
        self._staged = size.latencies.find_shift > 1
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
        # The sequencer has moved on when a node is normalised, so its header is kept here. At most
        # two nodes are unfinished at a time: an even and an odd one.
        nodes = Array(Signal(HEADER, name=f"node_{parity}") for parity in range(2))
        first, first_parity = self.node_first, self.parity
        if self._staged or self._size.single_drain:
            # The header stays for a cycle after its node's last element, and so for this one. In
            # one cycle, the wires from the sequencer to all groups would limit the clock where the
            # logic of single mode stands between them.
            first = Signal()
            first_parity = Signal()
            m.d.sync += [first.eq(self.node_first), first_parity.eq(self.parity)]
        with m.If(first):
            m.d.sync += nodes[first_parity].eq(self.header)

        m.submodules.accumulators = accumulators = memory.Memory(
            shape=ACCUMULATOR.width, depth=2 * MAX_OUTPUTS, init=[], attrs=self._memory_attributes()
        )
        start = Signal()
        drained, magnitude = self._drain(m, nodes, accumulators.write_port(), start)

        # The node that is normalised: `running` while its sums are read, one a cycle.
        running = Signal()
        parity = Signal()
        index = Signal(INDEX_BITS)
        node = Signal(HEADER)
        node_end = Signal()
        # `starting` is the cycle before the first read. With more cycles before it, the node's
        # header passes a register in the first of them.
        domain, starting, may_start = m.d.comb, start, ~running
        if self._staged:
            delay = Signal(self._size.latencies.find_shift - 1)
            m.d.sync += delay.eq(Cat(start, delay))
            domain, starting, may_start = m.d.sync, delay[-1], ~running & ~delay.any()
        domain += node.eq(nodes[parity])
        m.d.comb += [
            start.eq(drained & may_start),
            node_end.eq(index == node.outputs),
            self.scores_begin.eq(starting & node.last),
            self.outputs.eq(node.outputs),
        ]
        m.submodules.zeros = zeros = LeadingZeros(len(magnitude), self._staged)
        shift = Signal.like(zeros.count)
        m.d.comb += zeros.value.eq(magnitude)
        with m.If(starting):
            m.d.sync += [running.eq(1), index.eq(0), shift.eq(zeros.count)]
        with m.If(running):
            m.d.sync += index.eq(index + 1)
            with m.If(node_end):
                m.d.sync += [running.eq(0), parity.eq(~parity)]

        self._mantissas(m, accumulators.read_port(), running, parity, index, node, node_end, shift)
        self._exponents(m, starting, node, shift)

        with m.If(~self.run):
            m.d.sync += parity.eq(0)
        return m

    def _memory_attributes(self) -> dict[str, str]:
        """Say what the memory of sums is built from.

        Where vectors are written by rows that are wider than a block RAM, they take another block
        RAM for each side, and LUTs are plentiful.
        """
        row_bits = self._size.single_drain * MANTISSA.width
        return {"ram_style": "distributed"} if row_bits > BLOCK_RAM_WIDTH else {}

    def _drain(self, m: Module, nodes: Array, write, taken: Signal) -> tuple[Signal, Signal]:
        """Keep the sums of a node while they drain.

        Parameters
        ----------
        m : Module
            The logic is added to it.
        nodes : Array
            Headers of the nodes that drain, by the parity of their numbers.
        write : amaranth.lib.memory.WritePort
            Write port of the memory of sums.
        taken : Signal
            Strobe: the node that has drained is now being normalised.

        Returns
        -------
        drained : Signal
            A node has drained, up to `taken`.
        magnitude : Signal
            Ones wherever a sum has a one in its magnitude: the highest one counts.
        """
        parity = Signal()
        count = Signal(INDEX_BITS)
        surplus = Signal()
        store = Signal()
        complete = Signal()
        drained = Signal()
        magnitude = Signal(ACCUMULATOR.width - 1)
        # For a negative number this is the magnitude less one, the number with its bits inverted.
        # It is cheaper than the magnitude, and right, as -2**31 needs as many bits as 2**31 - 1.
        bits = Signal.like(magnitude)
        is_first, is_last = count == 0, count == nodes[parity].outputs
        if self._staged:
            is_first, is_last = self._count_ahead(m, nodes, parity, count, store, complete)
        m.d.comb += [
            bits.eq(self.drain[:-1] ^ self.drain[-1].replicate(len(bits))),
            store.eq(self.drain_valid & ~surplus),
            complete.eq(store & is_last),
            write.addr.eq(Cat(count, parity)),
            write.data.eq(self.drain),
            write.en.eq(store),
        ]
        with m.If(store):
            m.d.sync += [
                # `complete` implies `store`, which a path to the count's enable need not wait for.
                count.eq(Mux(complete, 0, count + 1) if self._staged else count + 1),
                magnitude.eq(bits | Mux(is_first, 0, magnitude)),
            ]
        with m.If(taken):
            m.d.sync += drained.eq(0)
        # This comes after the assignment above, and wins over it: a node with one output completes
        # in the very cycle in which the node before it, whose last block was full, is taken.
        with m.If(complete):
            if not self._staged:
                m.d.sync += count.eq(0)
            m.d.sync += [
                parity.eq(~parity),
                drained.eq(1),
                # All lanes drain, also those that have no output of this node.
                surplus.eq(1),
            ]
        with m.If(self.drain_valid & self.drain_last):
            m.d.sync += surplus.eq(0)
        with m.If(~self.run):
            m.d.sync += [parity.eq(0), surplus.eq(0)]
        return drained, magnitude

    def _count_ahead(
        self, m: Module, nodes: Array, parity, count, store, complete
    ) -> tuple[Value, Value]:
        """Compare the count of a node's sums a cycle early, so that registers hold the answers.

        Returns
        -------
        is_first : Value
            The sum that drains next is the node's first.
        is_last : Value
            It is the node's last.
        """
        is_first = Signal(init=1)
        is_only = Signal()
        is_last = Signal()
        last = Signal.like(count)
        before_last = Signal.like(count)
        # The node after this one has been issued long before it drains, and with it its header.
        for condition, outputs in ((1, nodes[parity].outputs), (complete, nodes[~parity].outputs)):
            with m.If(condition):
                m.d.sync += [
                    is_only.eq(outputs == 0),
                    last.eq(outputs),
                    before_last.eq(outputs - 1),
                ]
        m.d.sync += is_last.eq(count == Mux(store, before_last, last))
        with m.If(store):
            m.d.sync += is_first.eq(complete)
        with m.If(~self.run):
            m.d.sync += is_first.eq(1)
        return is_first, Mux(is_first, is_only, is_last)

    def _mantissas(self, m: Module, read, running, parity, index, node, node_end, shift) -> None:
        """Shift and round the sums of a node, and write them as a vector or give out scores."""
        size, pipeline = self._size, self._size.latencies
        stage_layout = data.StructLayout(
            {
                "valid": 1,
                "index": INDEX_BITS,
                "node_end": 1,
                "slot": len(self.vector.slot),
                "scores": 1,
            }
        )
        stages = [
            Signal(stage_layout, name=f"stage_{n}") for n in range(pipeline.normalise_write + 1)
        ]
        m.d.comb += [
            stages[0].valid.eq(running),
            stages[0].index.eq(index),
            stages[0].node_end.eq(node_end),
            stages[0].slot.eq(node.destination),
            stages[0].scores.eq(node.last),
            read.addr.eq(Cat(index, parity)),
        ]
        m.d.sync += [after.eq(before) for before, after in zip(stages, stages[1:])]

        # Stage 1: memory output. Stages 2 and 3: shifted, in two steps, since a shift by any amount
        # in one cycle would limit the clock. Last stage, or last two: rounded, and written.
        assert pipeline.normalise_write == 3 + pipeline.round
        coarse = Signal(signed(ACCUMULATOR.width))
        shifted = Signal(signed(ACCUMULATOR.width))
        mantissa = Signal(signed(MANTISSA.width))
        fine_shift = Signal(FINE_SHIFT_BITS)
        m.submodules.round = rounding = RoundSaturate(
            ACCUMULATOR.width,
            ACCUMULATOR.width - MANTISSA.width,
            MANTISSA,
            staged=pipeline.round == 2,
        )
        m.d.comb += rounding.value.eq(shifted)
        m.d.sync += [
            coarse.eq(read.data << (shift[FINE_SHIFT_BITS:] << FINE_SHIFT_BITS)),
            # A copy of the shift, as the next node's shift may be there before this node's last
            # output has come this far.
            fine_shift.eq(shift[:FINE_SHIFT_BITS]),
            shifted.eq(coarse << fine_shift),
            mantissa.eq(rounding.result),
        ]

        # A node that was released reads its first operand after the last write.
        released, written = stages[pipeline.normalise_release], stages[pipeline.normalise_write]
        assert pipeline.normalise_release + 1 + ISSUE_TO_ADDRESS > pipeline.normalise_write
        m.d.comb += [
            self.release.eq(released.valid & released.node_end),
            self.vector.slot.eq(written.slot),
            self.vector.entry.eq(written.index[: ceil_log2(size.slot_entries)]),
            self.vector.mantissa.eq(mantissa),
            self.score.mantissa.eq(mantissa),
            self.score.index.eq(written.index),
        ]
        enable, valid = written.valid & ~written.scores, written.valid & written.scores
        last = written.node_end
        if self._staged:
            before = stages[pipeline.normalise_write - 1]
            strobes = Signal(3)
            enable, valid = before.valid & ~before.scores, before.valid & before.scores
            m.d.sync += strobes.eq(Cat(enable, valid, valid & before.node_end))
            enable, valid, last = strobes
        m.d.comb += [
            self.vector.enable.eq(enable),
            self.score_valid.eq(valid),
            self.score.last.eq(last),
        ]

    def _exponents(self, m: Module, start, node, shift) -> None:
        """Add up the exponent of a node's result, and keep it by slot."""
        m.submodules.exponents = exponents = memory.Memory(
            shape=EXPONENT.width, depth=self._size.slots, init=[]
        )
        write = exponents.write_port()
        started = Signal()
        written = Signal()
        slot = Signal(len(self.vector.slot))
        total = shift
        # The exponents of both operands are read when the node's normalisation starts, and that of
        # its result is written two cycles later: early enough for any node that reads it.
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
