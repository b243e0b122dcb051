"""The multiply-accumulators and their drain."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.fixed import ACCUMULATOR, MANTISSA, WEIGHT
from tensorspin.contract.latency import ISSUE_TO_DRAIN, ISSUE_TO_WEIGHT

from .sequencer import ELEMENT


class Lanes(wiring.Component):
    """P multiply-accumulators that share one product.

    At the end of a block the accumulators are copied into a shift register, which gives out lane 0
    first, one lane a cycle, while the next block is accumulated.

    Parameters
    ----------
    lanes : int

    Ports
    -----
    run : In(1)
        While low, what has not drained is dropped.
    element : In(ELEMENT)
        As issued.
    product : In(signed(16))
        ``ISSUE_TO_WEIGHT + 1`` cycles after its element.
    weights : In(8 * lanes)
        ``ISSUE_TO_WEIGHT`` cycles after their element; lane 0 in the low byte.
    drain_valid : Out(1)
        High for `lanes` cycles, from ``ISSUE_TO_DRAIN`` cycles after a block's last element on.
    drain_last : Out(1)
        The last of those cycles.
    drain : Out(signed(32))
        Accumulator of the lane in turn.

    On iCE40 UP a lane takes one DSP and about 80 LUTs.
    """

    def __init__(self, lanes: int) -> None:
        self._lanes = lanes
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
        accumulate_stage = ISSUE_TO_WEIGHT + 1
        copy_stage = accumulate_stage + 1
        assert copy_stage + 1 == ISSUE_TO_DRAIN

        first = Signal(accumulate_stage)
        valid = Signal(accumulate_stage)
        last = Signal(copy_stage)
        issued = self.element.valid
        m.d.sync += [
            first.eq(Cat(self.element.block_first, first)),
            valid.eq(Cat(issued, valid)),
            last.eq(Cat(issued & self.element.block_last, last)),
        ]

        copied = Signal(ACCUMULATOR.width * lanes)
        waiting = Signal(range(lanes + 1))
        m.d.comb += [
            self.drain.eq(copied[: ACCUMULATOR.width].as_signed()),
            self.drain_valid.eq(waiting != 0),
            self.drain_last.eq(waiting == 1),
        ]
        with m.If(self.drain_valid):
            m.d.sync += [
                copied.eq(copied >> ACCUMULATOR.width),
                waiting.eq(waiting - 1),
            ]
        with m.If(last[-1]):
            m.d.sync += waiting.eq(lanes)
        with m.If(~self.run):
            # Lanes beyond the scores: they must not delay the next sample.
            m.d.sync += waiting.eq(0)

        for lane in range(lanes):
            weight = Signal(signed(WEIGHT.width), name=f"weight_{lane}")
            accumulator = Signal(signed(ACCUMULATOR.width), name=f"accumulator_{lane}")
            m.d.sync += weight.eq(self.weights.word_select(lane, WEIGHT.width))
            with m.If(valid[-1]):
                m.d.sync += accumulator.eq(Mux(first[-1], 0, accumulator) + self.product * weight)
            with m.If(last[-1]):
                m.d.sync += copied.word_select(lane, ACCUMULATOR.width).eq(accumulator)
        return m
