"""The sequencer: takes headers and weights from the stream of words, and issues elements."""

from __future__ import annotations

from amaranth import Cat, Module, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.contractor.latency import ISSUE_TO_WEIGHT
from tensorspin.contract.contractor.program import HEADER_BITS, HEADER_FIELDS
from tensorspin.contract.contractor.size import ContractorSize

HEADER = data.StructLayout({name: unsigned(width) for name, width in HEADER_FIELDS})
"""A node's header: the layout of `tensorspin.contract.contractor.program.Node.pack`."""

ELEMENT = data.StructLayout(
    {
        "valid": 1,
        "left": dict(HEADER_FIELDS)["left_size"],
        "right": dict(HEADER_FIELDS)["right_size"],
        "block_last": 1,
    }
)
"""One element: the indices a (`left`) and b (`right`) of the product ``left[a] * right[b]`` that
all lanes multiply with their weights; and whether the element is the last of its block."""

WEIGHT_PLACE = data.StructLayout({"narrow": 1, "upper": 1})
"""Where the weights of an element stand in a word of the program memory: in whole bytes, or, if
`narrow`, in the lower or `upper` half of each byte."""


class Sequencer(wiring.Component):
    """Walks through the program and issues one element a cycle.

    An element is one product of two operands' entries. A node with more outputs than there are
    lanes takes several *blocks*, each of which goes through all elements for another set of
    outputs. The elements of a node are issued in the order in which its weights stand in the
    program: block by block, and within a block with `left` as the outer index and `right` as the
    inner one.

    Between two nodes one cycle is free. In it the header of the node after next is taken from the
    stream: headers are read one node ahead, since operands are fetched several cycles before the
    weights that meet their product.

    An element waits

    - at the start of a node, until at most one earlier node is unfinished; if the header's `wait`
      bit is set, because the node needs the result of the node before, until no earlier node is
      unfinished;
    - at the end of a block, until the sums of the block before have left the lanes, which takes
      `lanes` cycles from the end of that block.

    Parameters
    ----------
    size : ContractorSize
        Number of lanes.

    Ports
    -----
    run : In(1)
        Contract samples; while it is low, everything is reset.
    words : In(stream of 8 * lanes bits)
        The program. A word is taken exactly when a header, or the weights of an element, are due.
    overrun : In(1)
        The word that is offered is not part of the program.
    header : Out(HEADER)
        Header of the node whose elements are being issued.
    header_new : Out(1)
        High in the first cycle of `header`.
    element : Out(ELEMENT)
        The element issued in this cycle; the cycles of `tensorspin.contract.contractor.latency`
        count from here.
    weight : Out(WEIGHT_PLACE)
        Where the weights of the element issued ``ISSUE_TO_WEIGHT`` cycles ago stand in the word
        that is offered.
    node_first : Out(1)
        The element issued in this cycle is the first of its node.
    parity : Out(1)
        Number of the node, modulo 2.
    release : In(1)
        Strobe: the oldest unfinished node has so little left to do that nodes which need its
        result may begin.
    fault : Out(1)
        A word past the end of the memory was taken as a header or as weights.

    Latency: the first element is issued 4 cycles after `run` rises, of which `ProgramReader` takes
    ``START_TO_HEADER``.
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

        # Weights are due a fixed time after their elements. Two elements of a narrow node share a
        # word, which is taken with the second of them, or with the last element of the block.
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

        # Headers are taken one ahead of the node that is being issued: `following` holds that of
        # the next node. It is `header_turn` when the word that comes next in the stream is a
        # header.
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
                # The program begins with two headers; after these, each header is followed by the
                # weights of the node before.
                header_turn.eq(first_header & ~stop),
            ]
        with m.Elif(last_due):
            m.d.sync += header_turn.eq(~ended)
        # Not every overrun is a fault: the word after the last weight is offered, but not taken.
        with m.If(self.words.ready & self.overrun):
            m.d.sync += self.fault.eq(1)

        # Elements: nested loops over the blocks, `left` and `right`, as registers that count.
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
            # A header stores sizes less one, and `remaining`, the outputs from this block on, keeps
            # that convention.
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
        # Nodes that have begun and are not released: two at most, because of `may_begin`.
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
    def _delayed(m: Module, value, name: str) -> Value:
        """Delay a bit that belongs to an element until the element's weight is due."""
        stages = Signal(ISSUE_TO_WEIGHT, name=f"{name}_due")
        m.d.sync += stages.eq(Cat(value, stages))
        return stages[-1]
