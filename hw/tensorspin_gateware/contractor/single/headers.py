"""The headers of single mode: where they stand, and the one of the node that comes next."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for, exact_log2

from tensorspin.contract.contractor import rows
from tensorspin.contract.contractor.program import HEADER_BITS, MAX_OPERAND, MAX_OUTPUTS
from tensorspin.contract.contractor.size import ContractorSize

from ..sequencer import HEADER


class Headers(wiring.Component):
    """Finds the headers of a program, and keeps the one of the node that is loaded next.

    A header's place is known from those before: the weights of node k stand between the headers of
    nodes k + 1 and k + 2. So the header of node k + 2 is read when node k is loaded.

    Parameters
    ----------
    size : ContractorSize
        Numbers of lanes and of words of the program memory.

    Ports
    -----
    run : In(1)
        While it is low, everything is reset.
    word : In(64)
        The first word of `RowReader.row`, as far as a header goes.
    load : In(1)
        Strobe, only with `settled`: the node of `following` is loaded. Unless it is the last one,
        the header at `address` is to be read `Rows.issue_to_read` cycles later.
    address : Out(log2(program_words))
        The header that is read next. It is that of a `load` from two cycles after it until a cycle
        after the next one.
    following : Out(HEADER)
        Header of the node that is loaded next.
    new : Out(1)
        High in the first cycle of `following`: in this cycle and the next, the levels of the node's
        features are read, left and right.
    elements : Out(13)
        Elements of a block of that node, while it is `settled`.
    settled : Out(1)
        The node may be loaded.

    Latency: ``HEADER_TO_LOAD`` of `tensorspin.contract.contractor.rows` from a header's arrival to
    the first cycle in which its node may be loaded.
    """

    def __init__(self, size: ContractorSize) -> None:
        self._size = size
        super().__init__(
            {
                "run": In(1),
                "word": In(HEADER_BITS),
                "load": In(1),
                "address": Out(exact_log2(size.program_words)),
                "following": Out(HEADER),
                "new": Out(1),
                "elements": Out(range(MAX_OPERAND**2 + 1)),
                "settled": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        following, load = self.following, self.load
        place = self._place(m)
        m.d.comb += self.address.eq(place)
        arrives, past_end = self._arrivals(m, place[len(self.address) :].any())

        # Two headers are on their way at most, or have arrived and wait: the second one in `spare`.
        read, offered = Signal(HEADER), Signal(HEADER)
        spare = Signal(HEADER)
        spare_waits = Signal()
        ended = Signal()  # words that arrive after the last header are none
        present = Signal()
        taken = Signal()
        free = ~present | load
        accepted = arrives & ~ended
        m.d.comb += [
            read.eq(self.word),
            offered.eq(read),
            offered.last.eq(read.last | past_end),
            taken.eq(free & (accepted | spare_waits)),
        ]
        with m.If(accepted):
            m.d.sync += [spare.eq(offered), ended.eq(offered.last)]
        with m.If(taken):
            m.d.sync += following.eq(Mux(spare_waits, spare, offered))
        m.d.sync += [
            spare_waits.eq((spare_waits | accepted) & ~free),
            present.eq(taken | (present & ~load)),
        ]

        assert rows.HEADER_TO_LOAD == 3
        read_levels = Signal()
        m.d.sync += [self.new.eq(taken), read_levels.eq(self.new)]
        with m.If(load):
            m.d.sync += self.settled.eq(0)
        with m.Elif(read_levels):
            m.d.sync += self.settled.eq(1)
        with m.If(~self.run):
            m.d.sync += [
                spare_waits.eq(0),
                ended.eq(0),
                present.eq(0),
                self.new.eq(0),
                read_levels.eq(0),
                self.settled.eq(0),
            ]
        return m

    def _place(self, m: Module) -> Signal:
        """Keep account of where the header stands that is read next.

        The words of a node are counted in three cycles from the first of `following` on.
        """
        following, lanes = self.following, self._size.lanes
        most = MAX_OPERAND**2 * -(-MAX_OUTPUTS // lanes)
        place = Signal(bits_for(self._size.program_words + most), init=1)
        left, right = following.left_size, following.right_size
        # Sums, as a multiplication would take a multiplier, and some devices have none left.
        terms = [Mux(bit, left, 0) << index for index, bit in enumerate(right)]
        halves = [Signal(range(MAX_OPERAND**2 + 1), name=f"half_{index}") for index in range(2)]
        block_words = Signal.like(self.elements)
        blocks = Signal(range(-(-MAX_OUTPUTS // lanes)))
        m.d.sync += [
            halves[0].eq(_sum(terms[:4])),
            halves[1].eq(_sum([*terms[4:], left + right + 1])),
            self.elements.eq(halves[0] + halves[1]),
            block_words.eq(
                Mux(
                    following.narrow,
                    (halves[0] + halves[1] + 1) >> 1,
                    halves[0] + halves[1],
                )
            ),
        ]
        with m.Switch(following.outputs):
            for less_one in range(MAX_OUTPUTS):
                with m.Case(less_one):
                    m.d.sync += blocks.eq(less_one // lanes)
        words = Signal(range(most + 1))
        m.d.sync += words.eq(
            _sum(
                [
                    block_words,
                    *(Mux(bit, block_words, 0) << index for index, bit in enumerate(blocks)),
                ]
            )
        )
        loaded = Signal()
        m.d.sync += loaded.eq(self.load)
        with m.If(loaded):
            m.d.sync += place.eq(place + words + 1)
        with m.If(~self.run):
            m.d.sync += [loaded.eq(0), place.eq(1)]
        return place

    def _arrivals(self, m: Module, past_end: Value) -> tuple[Value, Value]:
        """Tell when a header arrives, and whether it stands behind the end of the memory."""
        shape = rows.Rows(self._size)
        # `address` must still be that of the header when it is read.
        assert 2 <= shape.issue_to_read <= rows.HEADER_TO_LOAD
        begun = Signal(2)
        asked = Signal(shape.issue_to_read)
        on_the_way = Signal(shape.read)
        # What is told of a load's address is valid two cycles after the load.
        behind = Signal(len(asked) + len(on_the_way) - 2)
        m.d.sync += [
            begun.eq(Cat(self.run, begun[0])),
            asked.eq(Cat(self.load & ~self.following.last, asked)),
            on_the_way.eq(Cat((self.run & ~begun[1]) | asked[-1], on_the_way)),
            behind.eq(Cat(past_end, behind)),
        ]
        with m.If(~self.run):
            m.d.sync += [begun.eq(0), asked.eq(0), on_the_way.eq(0), behind.eq(0)]
        return on_the_way[-1], behind[-1]


def _sum(values: list[Value]) -> Value:
    """Add in pairs, so that few additions follow each other."""
    while len(values) > 1:
        pairs = zip(values[::2], values[1::2])
        values = [left + right for left, right in pairs] + values[len(values) // 2 * 2 :]
    return values[0]
