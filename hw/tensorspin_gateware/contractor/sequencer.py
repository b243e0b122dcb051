"""The sequencer: takes headers and weights from the stream of words, and issues elements."""

from __future__ import annotations

from dataclasses import dataclass

from amaranth import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.contractor.latency import CORRECT, LONG
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


@dataclass(frozen=True)
class _State:
    """Registers of the sequencer that say where it is."""

    load: Signal
    following: data.View
    active: Signal
    begun: Signal
    unfinished: Signal
    left: Signal
    right: Signal
    remaining: Signal
    drain: Signal


@dataclass(frozen=True)
class HeaderState:
    """Signals of the sequencer by which headers are taken."""

    following: data.View
    following_valid: Signal
    active: Signal
    header_turn: Signal
    first_header: Signal
    ended: Signal
    load: Signal
    take_header: Signal
    offered: data.View


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
        Number of lanes, and latencies.

    Ports
    -----
    run : In(1)
        Contract samples; while it is low, everything is reset.
    words : In(stream of 8 * lanes bits)
        The program. A word is taken exactly when a header, or the weights of an element, are due.
    overrun : In(1)
        The word that is offered is not part of the program.
    ready_next : Out(1)
        Only with the long pipeline: `words.ready` in the next cycle of a run.
    header : Out(HEADER)
        Header of the node whose elements are being issued.
    header_new : Out(1)
        High in the first cycle of `header`.
    element : Out(ELEMENT)
        The element issued in this cycle; the cycles of `tensorspin.contract.contractor.latency`
        count from here.
    weight : Out(WEIGHT_PLACE)
        Where the weights of the element issued `Pipeline.issue_to_weight` cycles ago stand in the
        word that is offered. With `ContractorSize.protected` they are taken `CORRECT` cycles
        earlier.
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
        self._ahead = size.latencies is LONG
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
            | ({"ready_next": Out(1)} if self._ahead else {})
            | self._further_ports()
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
            self.weight.narrow.eq(self._delayed(m, self.header.narrow, "narrow")[-1]),
            self.weight.upper.eq(self._delayed(m, upper, "upper")[-1]),
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
        headers = HeaderState(
            following,
            following_valid,
            active,
            header_turn,
            first_header,
            ended,
            load,
            take_header,
            offered,
        )
        self._take_headers(m, headers, word_due, last_due)
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
        right_last = right == self.header.right_size
        block_last = Signal()
        may_begin = Signal()
        if self._size.latencies is LONG:
            state = _State(
                load, following, active, begun, unfinished, left, right, remaining, drain
            )
            right_last, may_issue, last_block = self._look_ahead(m, state, block_last)
            m.d.comb += [issued.eq(may_issue), node_last.eq(block_last & last_block)]
        else:
            left_last = left == self.header.left_size
            m.d.comb += [
                block_last.eq(left_last & right_last),
                may_begin.eq(begun | (unfinished == 0) | ((unfinished == 1) & ~self.header.wait)),
                issued.eq(active & may_begin & ~(block_last & (drain != 0))),
                node_last.eq(block_last & (remaining < lanes)),
            ]
        m.d.comb += [
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
            if self._size.latencies is LONG:
                m.d.sync += begun.eq(0)
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
        if self._size.latencies is LONG:
            # The same in one equation each, of which Yosys makes no enables and resets: these would
            # be a wire more, and a long one.
            m.d.sync += [
                begun.eq(self.run & ~node_done & (begun | issued)),
                active.eq(self.run & ~node_done & (active | following_valid)),
            ]
        return m

    def _further_ports(self) -> dict[str, wiring.Member]:
        """Give the ports of a sequencer that does more."""
        return {}

    def _take_headers(
        self, m: Module, headers: HeaderState, word_due: Signal, last_due: Signal
    ) -> None:
        """Take headers from the stream, and load each when the node before has been issued."""
        room = ~headers.following_valid | headers.load
        if self._ahead:
            # By its turn, the header before it has been loaded: the node before that one was issued
            # `issue_to_weight` cycles ago.
            room = 1
        m.d.comb += [
            headers.offered.eq(self.words.payload[:HEADER_BITS]),
            headers.load.eq(headers.following_valid & ~headers.active),
            headers.take_header.eq(headers.header_turn & self.words.valid & room),
        ]
        stop = headers.offered.last | self.overrun
        if self._ahead:
            m.d.comb += self.ready_next.eq(
                word_due[-2]
                | (last_due[-1] & ~headers.ended)
                | (headers.header_turn & Mux(self.words.valid, headers.first_header & ~stop, 1))
            )
            m.d.sync += self.words.ready.eq(self.ready_next | ~self.run)
        else:
            m.d.comb += self.words.ready.eq(headers.take_header | word_due[-1])
        with m.If(headers.load):
            m.d.sync += [
                self.header.eq(headers.following),
                headers.active.eq(1),
                headers.following_valid.eq(0),
            ]
        m.d.sync += self.header_new.eq(headers.load)
        with m.If(headers.take_header):
            m.d.sync += [
                headers.following.eq(headers.offered),
                headers.following.last.eq(stop),
                headers.following_valid.eq(1),
                headers.ended.eq(stop),
                headers.first_header.eq(0),
                # The program begins with two headers; after these, each header is followed by the
                # weights of the node before.
                headers.header_turn.eq(headers.first_header & ~stop),
            ]
        with m.Elif(last_due[-1]):
            m.d.sync += headers.header_turn.eq(~headers.ended)

    def _look_ahead(self, m: Module, state: _State, block_last: Signal) -> tuple[Value, ...]:
        """Decide in each cycle what may happen in the next one, so that registers hold it.

        Nothing else differs from the comparisons in one cycle: elements are issued in the same
        cycles.

        Returns
        -------
        right_last : Value
            The next element is the last one of its `left`.
        may_issue : Value
            It is issued.
        last_block : Value
            Its block is the last one of its node.
        """
        lanes = self._size.lanes
        issued, following, header = self.element.valid, state.following, self.header
        left_last = Signal()
        right_last = Signal()
        last_block = Signal()
        single = Signal(data.StructLayout({"left": 1, "right": 1}))
        two = Signal.like(single)
        one_left = Signal.like(single)
        two_left = Signal(data.StructLayout({"left": len(state.left), "right": len(state.right)}))
        left_next = Signal()
        right_next = Signal()
        block_next = Signal()
        stopped = Signal()
        may_begin = Signal()
        drains_on = state.drain > 1
        m.d.comb += [
            right_next.eq(Mux(right_last, single.right, one_left.right)),
            left_next.eq(Mux(right_last, Mux(left_last, single.left, one_left.left), left_last)),
            block_next.eq(left_next & right_next),
        ]
        # The last element of a block stops until the sums of the block before have drained.
        m.d.sync += stopped.eq(block_last & drains_on)
        with m.If(issued):
            m.d.sync += [
                one_left.right.eq(Mux(right_last, two.right, state.right == two_left.right)),
                right_last.eq(right_next),
                left_last.eq(left_next),
                block_last.eq(block_next),
                # After the last element of a block, the drain begins.
                stopped.eq(block_next & (block_last | drains_on)),
            ]
            with m.If(right_last):
                m.d.sync += one_left.left.eq(Mux(left_last, two.left, state.left == two_left.left))
            with m.If(block_last):
                m.d.sync += last_block.eq(state.remaining < 2 * lanes)
        with m.If(state.load):
            left_single, right_single = following.left_size == 0, following.right_size == 0
            m.d.sync += [
                single.left.eq(left_single),
                single.right.eq(right_single),
                two.left.eq(following.left_size == 1),
                two.right.eq(following.right_size == 1),
                one_left.left.eq(following.left_size == 1),
                one_left.right.eq(following.right_size == 1),
                # A header stores sizes less one.
                two_left.left.eq(following.left_size - 2),
                two_left.right.eq(following.right_size - 2),
                left_last.eq(left_single),
                right_last.eq(right_single),
                block_last.eq(left_single & right_single),
                stopped.eq(left_single & right_single & drains_on),
                last_block.eq(following.outputs < lanes),
            ]
        # `unfinished` in the next cycle, if no node begins in this one.
        left_over = Signal.like(state.unfinished)
        waits = Mux(state.load, following.wait, header.wait)
        m.d.comb += left_over.eq(state.unfinished - self.release)
        m.d.sync += may_begin.eq(
            (state.load | (state.active & ~state.begun & ~issued))
            & ((left_over == 0) | ((left_over == 1) & ~waits))
            & self.run
        )
        return right_last, (state.begun | may_begin) & ~stopped, last_block

    def _delayed(self, m: Module, value, name: str) -> Signal:
        """Delay a bit that belongs to an element; its last stage meets the element's weight."""
        until_weight = self._size.latencies.issue_to_weight - CORRECT * self._size.protected
        stages = Signal(until_weight, name=f"{name}_due")
        m.d.sync += stages.eq(Cat(value, stages))
        return stages
