"""The sequencer of single mode: takes headers from rows of words, and issues rows of elements."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2, exact_log2

from tensorspin.contract.contractor import rows
from tensorspin.contract.contractor.program import HEADER_BITS, OperandKind
from tensorspin.contract.contractor.size import ContractorSize

from ..sequencer import HEADER, WEIGHT_PLACE
from .elements import SIDE_BITS, place_layout, place_of, thermometer_count
from .headers import Headers


def block_layout(size: ContractorSize) -> data.StructLayout:
    """Make the layout of what the drain of a block must know.

    Members: `ends`, the block ends in this cycle; `outputs`, its outputs less one; `node_last`, it
    is the last of its node.
    """
    return data.StructLayout({"ends": 1, "outputs": range(size.lanes), "node_last": 1})


def step_layout(groups: int) -> data.StructLayout:
    """Make the layout of what moves the groups' elements on; `Elements` describes the members."""
    step = place_layout(2 * groups)
    return data.StructLayout(
        {
            "load": 1,
            "narrow": 1,
            "next_left_size": SIDE_BITS,
            "next_right_size": SIDE_BITS,
            "left_size": SIDE_BITS,
            "issue": 1,
            "step_left": step["left"].shape,
            "step_right": step["right"].shape,
            "step_less": signed(SIDE_BITS + 1),
            "block_last": 1,
        }
    )


class RowSequencer(wiring.Component):
    """Walks through the program and issues a row of elements a cycle, one to each group.

    A row is as many consecutive elements of a block as there are groups; in the last row of a block
    the last groups may have none. In a narrow node the elements of two rows share a row of words,
    each word holding two consecutive elements.

    A header is read two nodes early. The weights of a node stand between the next two headers, so
    that a node's header tells where the second of these stands. It is read when the node is loaded,
    in place of the next header, which comes in the stream of words then and is known already.

    A row waits

    - at the start of a node, until no unfinished node writes to a slot that the node reads or
      writes, and fewer than `rows.NODES` nodes are unfinished;
    - at the end of a block, until the sums of the block before have left the lanes.

    Parameters
    ----------
    size : ContractorSize
        Numbers of lanes, groups and slots.

    Ports
    -----
    run : In(1)
        Contract a sample; while it is low, everything is reset.
    read, count, header_read, header_address : Out
        To `RowReader`, the third as its `header`.
    word : In(64)
        The first word of `RowReader.row`, as far as a header goes.
    valid : In(groups)
        Which groups have an element in the row issued in the cycle before, from `Elements`.
    header : Out(HEADER)
        Header of the node whose elements are being issued.
    following : Out(HEADER)
        Header of the node after that.
    following_new : Out(1)
        High in the first cycle of `following`.
    step : Out(step_layout)
        Moves the groups' elements on. A row is issued in the cycles of `step.issue`.
    block : Out(block_layout)
        The block whose last row is issued in this cycle.
    weight : Out(WEIGHT_PLACE)
        Where in the words the weights of the row issued `Pipeline.issue_to_weight` cycles ago
        stand.
    node_first : Out(1)
        The row issued in this cycle is the first of its node.
    release : In(1)
        Strobe, a cycle before nodes that need the result may begin to be chosen: a node is
        finished.
    slot : In(log2(slots))
        With `release`, the slot of its result.
    """

    def __init__(self, size: ContractorSize) -> None:
        self._size = size
        super().__init__(
            {
                "run": In(1),
                "read": Out(1),
                "count": Out(range(size.groups + 1)),
                "header_read": Out(1),
                "header_address": Out(exact_log2(size.program_words)),
                "word": In(HEADER_BITS),
                "valid": In(size.groups),
                "header": Out(HEADER),
                "following": Out(HEADER),
                "following_new": Out(1),
                "step": Out(step_layout(size.groups)),
                "block": Out(block_layout(size)),
                "weight": Out(WEIGHT_PLACE),
                "node_first": Out(1),
                "release": In(1),
                "slot": In(ceil_log2(size.slots)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        header, following, step = self.header, self.following, self.step
        issued = step.issue
        upper = Signal()
        row_done = Signal()
        node_done = Signal()
        load = step.load
        active = Signal()
        m.submodules.headers = headers = Headers(size)
        m.d.comb += [
            headers.run.eq(self.run),
            headers.word.eq(self.word),
            headers.load.eq(load),
            self.header_address.eq(headers.address),
            self.following.eq(headers.following),
            self.following_new.eq(headers.new),
            load.eq(headers.settled & ~active),
        ]
        with m.If(load):
            m.d.sync += self.header.eq(self.following)
        ready = self._dependencies(m, load)

        rows_end = self._count_elements(m, headers.elements, load, issued & row_done)
        remaining = Signal.like(header.outputs)
        slices = rows.Rows(size).slices
        drain = Signal(range(slices))
        begun = Signal()
        block_last = step.block_last
        node_last = Signal()
        m.d.comb += [
            row_done.eq(~header.narrow | upper),
            block_last.eq(row_done & rows_end),
            issued.eq(active & (begun | ready) & ~(block_last & (drain != 0))),
            node_last.eq(remaining < size.lanes),
            node_done.eq(issued & block_last & node_last),
            self.node_first.eq(issued & ~begun),
            self.block.ends.eq(issued & block_last),
            self.block.node_last.eq(node_last),
            self.block.outputs.eq(Mux(node_last, remaining, size.lanes - 1)),
            step.left_size.eq(header.left_size),
        ]
        # A copy for all groups, which is in time, as a node is loaded two cycles after its header
        # has come at the earliest.
        m.d.sync += [
            step.narrow.eq(following.narrow),
            step.next_left_size.eq(following.left_size),
            step.next_right_size.eq(following.right_size),
        ]
        with m.If(load):
            m.d.sync += [active.eq(1), remaining.eq(following.outputs)]
        if slices > 1:
            with m.If(drain != 0):
                m.d.sync += drain.eq(drain - 1)
        with m.If(issued):
            m.d.sync += [begun.eq(1), upper.eq(~row_done)]
            with m.If(block_last):
                m.d.sync += [remaining.eq(remaining - size.lanes), drain.eq(slices - 1)]
        with m.If(node_done):
            m.d.sync += [begun.eq(0), active.eq(0)]
        self._steps(m, load, upper)
        self._reads(m, load, issued, upper)
        until_weight = size.latencies.issue_to_weight
        m.d.comb += [
            self.weight.narrow.eq(_delayed(m, header.narrow, until_weight, "narrow")),
            self.weight.upper.eq(_delayed(m, upper, until_weight, "upper")),
        ]
        with m.If(~self.run):
            m.d.sync += [active.eq(0), begun.eq(0), upper.eq(0), drain.eq(0)]
        return m

    def _dependencies(self, m: Module, load: Signal) -> Signal:
        """Keep account of the slots that unfinished nodes write to.

        What is returned is a register, and says whether the node that is loaded may begin.
        """
        pending = Signal(self._size.slots)
        unfinished = Signal(range(rows.NODES + 1))
        ready = Signal()
        slot_bits = len(self.slot)

        def rests(slot: Value) -> Value:
            return ~pending.bit_select(slot[:slot_bits], 1)

        def may_begin(node: data.View) -> Value:
            return (
                ((node.left_kind == OperandKind.FEATURE) | rests(node.left_index))
                & ((node.right_kind == OperandKind.FEATURE) | rests(node.right_index))
                & (node.last | rests(node.destination))
            )

        with m.If(self.release):
            m.d.sync += pending.bit_select(self.slot, 1).eq(0)
        with m.If(self.node_first & ~self.header.last):
            m.d.sync += pending.bit_select(self.header.destination[:slot_bits], 1).eq(1)
        m.d.sync += [
            unfinished.eq(unfinished + self.node_first - self.release),
            # Both nodes are looked at, so that the choice between them is the last step.
            ready.eq(
                Mux(load, may_begin(self.following), may_begin(self.header))
                & (unfinished != rows.NODES)
            ),
        ]
        with m.If(~self.run):
            m.d.sync += [pending.eq(0), unfinished.eq(0), ready.eq(0)]
        return ready

    def _count_elements(self, m: Module, elements: Value, load, row_issued) -> Value:
        """Count a block's elements down; return whether the row that is issued is the last.

        What is counted are the elements from the next row on, less one, so that the sign tells.
        """
        groups, step = self._size.groups, self.step
        layout = signed(len(elements) + 1)
        first, kept_first, left = Signal(layout), Signal(layout), Signal(layout)
        of_row = Signal(range(2 * groups + 1))
        by_narrow = Mux(step.narrow, 2 * groups, groups)
        m.d.comb += first.eq(elements - 1 - by_narrow)
        with m.If(load):
            m.d.sync += [left.eq(first), kept_first.eq(first), of_row.eq(by_narrow)]
        with m.Elif(row_issued):
            m.d.sync += left.eq(Mux(step.block_last, kept_first, left - of_row))
        return left[-1]

    def _steps(self, m: Module, load, upper) -> None:
        """Move elements on: by a row, or within a word of a narrow node by one."""
        groups = self._size.groups
        step = self.step
        size, narrow = step.next_right_size, step.narrow
        # Steps from element to element: that of a wide node, and those of a narrow one.
        wide, one, rest = (
            place_of(m, number, size, name)
            for number, name in (
                (groups, "wide"),
                (1, "one"),
                (2 * groups - 1, "rest"),
            )
        )
        layout = data.StructLayout(
            {name: step.shape()[name].shape for name in ("step_left", "step_right", "step_less")}
        )
        steps = []
        for name, by_narrow in (("first", one), ("second", rest)):
            kept = Signal(layout, name=f"step_{name}")
            steps.append(kept)
            with m.If(load):
                for by, condition in ((wide, ~narrow), (by_narrow, narrow)):
                    with m.If(condition):
                        m.d.sync += [
                            kept.step_left.eq(by.left),
                            kept.step_right.eq(by.right),
                            kept.step_less.eq(by.right - size - 1),
                        ]
        first, second = steps
        chosen = Signal(layout)
        m.d.comb += chosen.eq(Mux(upper, second, first))
        m.d.comb += [step[name].eq(chosen[name]) for name in layout.members]

    def _reads(self, m: Module, load, issued, upper) -> None:
        """Ask for the words of a row, or for a header, a fixed time after its issue or load."""
        cycles = rows.Rows(self._size).issue_to_read
        shape = data.StructLayout({"read": 1, "header": 1})
        # The first two headers are asked for at once.
        begun = Signal(2)
        asks = Signal(shape)
        m.d.comb += [
            asks.read.eq((issued & ~upper) | (load & ~self.following.last)),
            asks.header.eq(load),
        ]
        valid: Value = self.valid
        for cycle in range(cycles - 1):
            later = Signal(shape)
            m.d.sync += later.eq(asks)
            with m.If(~self.run):
                m.d.sync += later.read.eq(0)
            asks = later
            if cycle:
                later_valid = Signal.like(valid)
                m.d.sync += later_valid.eq(valid)
                valid = later_valid
        read, header = Signal(), Signal()
        count = Signal.like(self.count)
        m.d.sync += [
            begun.eq(Cat(self.run, begun[0] & self.run)),
            read.eq(asks.read & self.run),
            header.eq(asks.header),
            count.eq(Mux(asks.header, 1, thermometer_count(valid))),
        ]
        second = begun[0] & ~begun[1]
        m.d.comb += [
            self.read.eq(read | (self.run & ~begun[1])),
            self.header_read.eq(header | second),
            # The first header is the first word, and the second stands where the next read begins.
            self.count.eq(Mux(begun[1], count, ~begun[0])),
        ]


def _delayed(m: Module, value: Value, cycles: int, name: str) -> Value:
    """Delay a bit that belongs to a row until the row's weights are due."""
    stages = Signal(cycles, name=f"{name}_due")
    m.d.sync += stages.eq(Cat(value, stages))
    return stages[-1]
