"""Walks the program: takes headers and weights from the stream, issues elements."""

from __future__ import annotations

from amaranth import Cat, Module, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.contractor.latency import ISSUE_TO_WEIGHT
from tensorspin.contract.contractor.program import HEADER_BITS, HEADER_FIELDS
from tensorspin.contract.contractor.size import ContractorSize

HEADER = data.StructLayout({name: unsigned(width) for name, width in HEADER_FIELDS})
"""Layout of `tensorspin.contract.contractor.program.Node.pack`."""

ELEMENT = data.StructLayout(
    {
        "valid": 1,
        "left": dict(HEADER_FIELDS)["left_size"],
        "right": dict(HEADER_FIELDS)["right_size"],
        "block_last": 1,
    }
)
"""One element: the indices a and b of its product, and whether it closes a block."""

WEIGHT_PLACE = data.StructLayout({"narrow": 1, "upper": 1})
"""Where an element's weights stand in the word offered: in whole bytes, or in one half of each."""


class Sequencer(wiring.Component):
    """Issues one element a cycle.

    A node's elements are issued in the order of its weights: block by block, in a block `left`
    outside and `right` inside. Between two nodes one cycle is free, in which the header of the node
    after next is taken from the stream. An element waits

    - at the start of a node until at most one node is unfinished before it, or none if the header
      says `wait`;
    - at the end of a block until the drain of the block before has taken `lanes` cycles.

    Parameters
    ----------
    size : ContractorSize

    Ports
    -----
    run : In(1)
        Contract a sample; while low everything is reset.
    words : In(stream of 8 * lanes bits)
        The program; read exactly when a header or the weights of an element are due.
    overrun : In(1)
        The word offered is not part of the program.
    header : Out(HEADER)
        The node being issued.
    header_new : Out(1)
        First cycle of `header`.
    element : Out(ELEMENT)
        `tensorspin.contract.contractor.latency` counts from here.
    weight : Out(WEIGHT_PLACE)
        Of the element issued ``ISSUE_TO_WEIGHT`` cycles ago.
    node_first : Out(1)
        The first element of a node is issued in this cycle.
    parity : Out(1)
        Number of the node, modulo 2.
    release : In(1)
        Strobe: the oldest unfinished node is finished.
    fault : Out(1)
        A word past the end of the memory was used.
    """

    def __init__(self, size: ContractorSize) -> None:
        self._size = size
        super().__init__(
            {
                "run": In(1),
                "words": In(stream.Signature(8 * size.lanes)),
                "overrun": In(1),
                "header": Out(HEADER),
                "header_new": Out(1),
                "element": Out(ELEMENT),
                "weight": Out(WEIGHT_PLACE),
                "node_first": Out(1),
                "parity": Out(1),
                "release": In(1),
                "fault": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        node_last = Signal()
        node_done = Signal()
        issued = self.element.valid

        # Weights are due a fixed time after their elements; two elements of a narrow node share
        # a word, which is kept for the second.
        upper = Signal()
        word_done = Signal()
        m.d.comb += word_done.eq(~self.header.narrow | upper | self.element.block_last)
        with m.If(issued):
            m.d.sync += upper.eq(~word_done)
        word_due, last_due = (
            self._delayed(m, issued & flag, name)
            for flag, name in ((word_done, "word"), (node_last, "last"))
        )
        m.d.comb += [
            self.weight.narrow.eq(self._delayed(m, self.header.narrow, "narrow")),
            self.weight.upper.eq(self._delayed(m, upper, "upper")),
        ]

        # Headers: one ahead of the node being issued.
        following = Signal(HEADER)
        following_valid = Signal()
        active = Signal()
        header_turn = Signal(init=1)
        first_header = Signal(init=1)
        ended = Signal()
        load = Signal()
        take_header = Signal()
        offered = Signal(HEADER)
        m.d.comb += [
            offered.eq(self.words.payload[:HEADER_BITS]),
            load.eq(following_valid & ~active),
            take_header.eq(header_turn & self.words.valid & (~following_valid | load)),
            self.words.ready.eq(take_header | word_due),
        ]
        with m.If(load):
            m.d.sync += [
                self.header.eq(following),
                active.eq(1),
                following_valid.eq(0),
            ]
        m.d.sync += self.header_new.eq(load)
        with m.If(take_header):
            stop = offered.last | self.overrun
            m.d.sync += [
                following.eq(offered),
                following.last.eq(stop),
                following_valid.eq(1),
                ended.eq(stop),
                first_header.eq(0),
                # The first two headers stand together.
                header_turn.eq(first_header & ~stop),
            ]
        with m.Elif(last_due):
            m.d.sync += header_turn.eq(~ended)
        with m.If(self.words.ready & self.overrun):
            m.d.sync += self.fault.eq(1)

        # Elements.
        lanes = self._size.lanes
        begun = Signal()
        unfinished = Signal(2)
        left = Signal.like(self.element.left)
        right = Signal.like(self.element.right)
        remaining = Signal.like(self.header.outputs)
        drain = Signal(range(lanes))
        left_last = left == self.header.left_size
        right_last = right == self.header.right_size
        block_last = Signal()
        may_begin = Signal()
        m.d.comb += [
            block_last.eq(left_last & right_last),
            may_begin.eq(begun | (unfinished == 0) | ((unfinished == 1) & ~self.header.wait)),
            issued.eq(active & may_begin & ~(block_last & (drain != 0))),
            node_last.eq(block_last & (remaining < lanes)),
            node_done.eq(issued & node_last),
            self.node_first.eq(issued & ~begun),
            self.element.left.eq(left),
            self.element.right.eq(right),
            self.element.block_last.eq(block_last),
        ]
        with m.If(load):
            # Sizes are stored minus one, and so is what remains.
            m.d.sync += remaining.eq(following.outputs)
        with m.If(drain != 0):
            m.d.sync += drain.eq(drain - 1)
        with m.If(issued):
            m.d.sync += [begun.eq(1), right.eq(right + 1)]
            with m.If(right_last):
                m.d.sync += [right.eq(0), left.eq(left + 1)]
            with m.If(block_last):
                m.d.sync += [left.eq(0), remaining.eq(remaining - lanes), drain.eq(lanes - 1)]
        with m.If(node_done):
            m.d.sync += [begun.eq(0), active.eq(0), self.parity.eq(~self.parity)]
        m.d.sync += unfinished.eq(unfinished + self.node_first - self.release)

        with m.If(~self.run):
            m.d.sync += [
                following_valid.eq(0),
                active.eq(0),
                header_turn.eq(1),
                first_header.eq(1),
                ended.eq(0),
                drain.eq(0),
                self.parity.eq(0),
                self.fault.eq(0),
            ]
        return m

    @staticmethod
    def _delayed(m: Module, value, name: str):
        """A bit of an element, when its weight is due."""
        stages = Signal(ISSUE_TO_WEIGHT, name=f"{name}_due")
        m.d.sync += stages.eq(Cat(value, stages))
        return stages[-1]
