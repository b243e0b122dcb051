"""The lanes: multiply-accumulators, and how their sums leave them."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.contractor.latency import LONG, MULTIPLY_ACCUMULATE, SHORT, Pipeline
from tensorspin.contract.fixed import ACCUMULATOR, MANTISSA, WEIGHT

from ..primitives import Family
from ..primitives.multiply_accumulate import MultiplyAccumulate
from .sequencer import ELEMENT


class Lanes(wiring.Component):
    """Multiply-accumulators that all take the same product, each with a weight of its own.

    Each cycle, a lane adds the product times its weight to its sum; so a node's outputs are
    computed in parallel, one in each lane. At the end of a block all sums are copied into a shift
    register, which gives them out one a cycle, lane 0 first (the block *drains*), while the next
    block is already accumulated.

    The sums are not cleared between blocks, as this would take an idle cycle, or a multiplexer in
    each lane. Instead, what drains is the difference of a lane's sum from its sum at the end of the
    block before. The difference is exact: sums wrap modulo 2**32, and the compiler makes sure that
    a block's own sum fits 32 bits.

    Parameters
    ----------
    lanes : int
        Number of lanes.
    family : Family
        What the multiply-accumulators are built from.
    pipeline : Pipeline, default=SHORT
        Latencies of the contractor.
    single_drain : int, default=0
        Sums that leave in a cycle in single mode; 0 if there is no such mode.

    Ports
    -----
    run : In(1)
        While it is low, the sums are cleared, and sums that have not drained are dropped: those of
        lanes beyond the scores must not delay the next run.
    element : In(ELEMENT)
        The element that the sequencer issues in this cycle.
    product : In(signed(16))
        The product of the element issued `Pipeline.issue_to_factors` cycles ago.
    weights : In(8 * lanes)
        The weights of the same element; lane 0 in the low byte.
    drain_valid : Out(1)
        High while `drain` holds a sum: for `lanes` cycles, from `Pipeline.issue_to_drain` cycles
        after the issue of a block's last element on.
    drain_last : Out(1)
        The sum is that of the last lane.
    drain : Out(signed(32))
        The block's sum of one lane after the other.
    single : In(1)
        Only with `single_drain`, like the next three. The group works on a part of a block: nothing
        drains, and the copied sums stay. `late` counts, and `element` does not.
    late : In(ELEMENT)
        The element that was issued in the cycle before. The block also ends if the group has none.
    slice : In(log2(lanes / single_drain))
        Which of the copied sums are wanted.
    sums : Out(32 * single_drain)
        These sums, in the same cycle, without a subtraction.

    Latency: `Pipeline.issue_to_drain` cycles from an element to the first sum of its block.
    Resources: on iCE40 UP a lane takes one DSP, and 32 logic cells for the copy; two block RAMs
    keep the sums of the block before.
    """

    def __init__(
        self, lanes: int, family: Family, pipeline: Pipeline = SHORT, single_drain: int = 0
    ) -> None:
        self._lanes = lanes
        self._family = family
        self._pipeline = pipeline
        self._single_drain = single_drain
        super().__init__(
            {
                "run": In(1),
                "element": In(ELEMENT),
                "product": In(signed(MANTISSA.width)),
                "weights": In(WEIGHT.width * lanes),
                "drain_valid": Out(1),
                "drain_last": Out(1),
                "drain": Out(signed(ACCUMULATOR.width)),
            }
            | (
                {
                    "single": In(1),
                    "late": In(ELEMENT),
                    "slice": In(range(lanes // single_drain)),
                    "sums": Out(ACCUMULATOR.width * single_drain),
                }
                if single_drain
                else {}
            )
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        lanes = self._lanes
        # A sum is complete after `copy_stage` cycles and copied in that cycle; the difference that
        # drains is registered once more.
        copy_stage = self._pipeline.issue_to_factors + MULTIPLY_ACCUMULATE
        assert copy_stage + 2 == self._pipeline.issue_to_drain

        # Shift registers: bit n belongs to the element issued n + 1 cycles ago.
        enable = Signal(copy_stage - 1)
        last = Signal(copy_stage)
        clear = Signal(init=1)
        issued = self.element.valid
        ends = issued & self.element.block_last
        m.d.sync += [
            enable.eq(Cat(issued, enable)),
            last.eq(Cat(ends, last)),
            # A register, as the wire to all lanes is long.
            clear.eq(~self.run),
        ]
        if self._single_drain:
            with m.If(self.single):
                m.d.sync += [enable[1].eq(self.late.valid), last[1].eq(self.late.block_last)]

        totals = Signal(ACCUMULATOR.width * lanes)
        for lane in range(lanes):
            m.submodules[f"lane_{lane}"] = accumulator = MultiplyAccumulate(self._family)
            m.d.comb += [
                accumulator.left.eq(self.product),
                accumulator.right.eq(self.weights.word_select(lane, WEIGHT.width)),
                accumulator.enable.eq(enable[-1]),
                accumulator.clear.eq(clear),
            ]
            m.d.comb += totals.word_select(lane, ACCUMULATOR.width).eq(accumulator.total)
        self._drain(m, totals, last[-1])
        return m

    def _drain(self, m: Module, totals: Signal, copy: Signal) -> None:
        """Shift the lanes' sums out, and subtract those of the block before."""
        lanes = self._lanes
        copied = Signal.like(totals)
        # The memory of the sums of the block before: a lane's sum is read one cycle before it
        # drains, and the new one is written in its place when it does.
        m.submodules.before = before = memory.Memory(shape=ACCUMULATOR.width, depth=lanes, init=[])
        read = before.read_port()
        write = before.write_port()
        draining = Signal()
        first_block = Signal()
        lane = Signal(range(lanes))
        lane_next = Signal.like(lane)
        lane_last = lane == lanes - 1
        total = copied[: ACCUMULATOR.width]
        subtracted, read_lane = Mux(first_block, 0, read.data), lane_next
        if self._pipeline is LONG:
            # The sum of the block before is read a cycle earlier, and passes a register.
            register = Signal.like(read.data, name="subtracted")
            m.d.sync += register.eq(subtracted)
            before_last = lane == lanes - 2
            read_lane = Mux(draining & ~lane_last, Mux(before_last, 0, lane + 2), copy)
            subtracted = register
        m.d.comb += [
            lane_next.eq(Mux(draining & ~lane_last, lane + 1, 0)),
            read.addr.eq(read_lane),
            write.addr.eq(lane),
            write.data.eq(total),
            write.en.eq(draining),
        ]
        m.d.sync += [
            lane.eq(lane_next),
            self.drain.eq(total - subtracted),
            self.drain_valid.eq(draining & self.run),
            self.drain_last.eq(draining & lane_last),
        ]
        with m.If(draining):
            m.d.sync += copied.eq(copied >> ACCUMULATOR.width)
            with m.If(lane_last):
                m.d.sync += [draining.eq(0), first_block.eq(0)]
            if self._pipeline is LONG:
                with m.If(before_last):
                    m.d.sync += first_block.eq(0)
        with m.If(copy):
            m.d.sync += [copied.eq(totals), draining.eq(1)]
            if self._single_drain:
                m.d.sync += draining.eq(~self.single)
        if self._single_drain:
            m.d.comb += self.sums.eq(copied.word_select(self.slice, len(self.sums)))
        with m.If(~self.run):
            m.d.sync += [first_block.eq(1), draining.eq(0)]
