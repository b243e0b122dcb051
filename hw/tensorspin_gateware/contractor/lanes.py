"""The lanes: multiply-accumulators, and how their sums leave them."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.contractor.latency import (
    ISSUE_TO_DRAIN,
    ISSUE_TO_FACTORS,
    MULTIPLY_ACCUMULATE,
)
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

    Ports
    -----
    run : In(1)
        While it is low, the sums are cleared, and sums that have not drained are dropped: those of
        lanes beyond the scores must not delay the next run.
    element : In(ELEMENT)
        The element that the sequencer issues in this cycle.
    product : In(signed(16))
        The product of the element issued ``ISSUE_TO_FACTORS`` cycles ago.
    weights : In(8 * lanes)
        The weights of the same element; lane 0 in the low byte.
    drain_valid : Out(1)
        High while `drain` holds a sum: for `lanes` cycles, from ``ISSUE_TO_DRAIN`` cycles after the
        issue of a block's last element on.
    drain_last : Out(1)
        The sum is that of the last lane.
    drain : Out(signed(32))
        The block's sum of one lane after the other.

    Latency: ``ISSUE_TO_DRAIN`` cycles from an element to the first sum of its block. Resources: on
    iCE40 UP a lane takes one DSP, and 32 logic cells for the copy; two block RAMs keep the sums of
    the block before.
    """

    def __init__(self, lanes: int, family: Family) -> None:
        self._lanes = lanes
        self._family = family
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
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        lanes = self._lanes
        # A sum is complete after `copy_stage` cycles and copied in that cycle; the difference that
        # drains is registered once more.
        copy_stage = ISSUE_TO_FACTORS + MULTIPLY_ACCUMULATE
        assert copy_stage + 2 == ISSUE_TO_DRAIN

        # Shift registers: bit n belongs to the element issued n + 1 cycles ago.
        enable = Signal(copy_stage - 1)
        last = Signal(copy_stage)
        clear = Signal(init=1)
        issued = self.element.valid
        m.d.sync += [
            enable.eq(Cat(issued, enable)),
            last.eq(Cat(issued & self.element.block_last, last)),
            # A register, as the wire to all lanes is long.
            clear.eq(~self.run),
        ]

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
        m.d.comb += [
            lane_next.eq(Mux(draining & ~lane_last, lane + 1, 0)),
            read.addr.eq(lane_next),
            write.addr.eq(lane),
            write.data.eq(total),
            write.en.eq(draining),
        ]
        m.d.sync += [
            lane.eq(lane_next),
            self.drain.eq(total - Mux(first_block, 0, read.data)),
            self.drain_valid.eq(draining & self.run),
            self.drain_last.eq(draining & lane_last),
        ]
        with m.If(draining):
            m.d.sync += copied.eq(copied >> ACCUMULATOR.width)
            with m.If(lane_last):
                m.d.sync += [draining.eq(0), first_block.eq(0)]
        with m.If(copy):
            m.d.sync += [copied.eq(totals), draining.eq(1)]
        with m.If(~self.run):
            m.d.sync += [first_block.eq(1), draining.eq(0)]
