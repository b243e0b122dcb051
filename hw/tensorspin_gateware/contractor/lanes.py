"""The multiply-accumulators and their drain."""

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
    """P multiply-accumulators that share one product.

    At the end of a block the sums are copied into a shift register, which gives out lane 0 first,
    one lane a cycle, while the next block is accumulated.

    The sums go on from block to block, as clearing them would take a bubble or a multiplexer in
    each lane; what is given out is the difference from the sum at the end of the block before. It
    is exact: sums wrap modulo 2**32, and a block's own sum fits 32 bits.

    Parameters
    ----------
    lanes : int
    family : Family

    Ports
    -----
    run : In(1)
        While low the sums are cleared, and what has not drained is dropped: lanes beyond the
        scores must not delay the next sample.
    element : In(ELEMENT)
        As issued.
    product : In(signed(16))
        ``ISSUE_TO_FACTORS`` cycles after its element.
    weights : In(8 * lanes)
        In the same cycle; lane 0 in the low byte.
    drain_valid : Out(1)
        High for `lanes` cycles, from ``ISSUE_TO_DRAIN`` cycles after a block's last element on.
    drain_last : Out(1)
        The last of those cycles.
    drain : Out(signed(32))
        The block's sum of the lane in turn.

    On iCE40 UP a lane takes one DSP and 32 logic cells; two block RAMs keep the sums of the block
    before.
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
        # A sum is complete, and copied in the same cycle; the copy drains through one register.
        copy_stage = ISSUE_TO_FACTORS + MULTIPLY_ACCUMULATE
        assert copy_stage + 2 == ISSUE_TO_DRAIN

        enable = Signal(copy_stage - 1)
        last = Signal(copy_stage)
        clear = Signal(init=1)
        issued = self.element.valid
        m.d.sync += [
            enable.eq(Cat(issued, enable)),
            last.eq(Cat(issued & self.element.block_last, last)),
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
        lanes = self._lanes
        copied = Signal.like(totals)
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
