"""The groups' partial sums of a block, added up."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.contractor.latency import MULTIPLY_ACCUMULATE
from tensorspin.contract.contractor.rows import Rows
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.fixed import ACCUMULATOR

from .sequencer import block_layout


def slice_layout(size: ContractorSize) -> data.StructLayout:
    """Make the layout of the sums that leave in one cycle.

    Members: `valid`, there are sums; `node_last`, they are the last of their node; `mask`, which of
    them belong to an output; `sums`.
    """
    drain = size.single_drain
    return data.StructLayout(
        {
            "valid": 1,
            "node_last": 1,
            "mask": drain,
            "sums": data.ArrayLayout(signed(ACCUMULATOR.width), drain),
        }
    )


class Joiner(wiring.Component):
    """Adds the partial sums of all groups, for a few lanes in each cycle.

    As in `Lanes`, sums are not cleared between blocks: the joined sums of the block before are
    subtracted.

    Parameters
    ----------
    size : ContractorSize
        Numbers of lanes, groups, and of lanes that drain in a cycle.

    Ports
    -----
    run : In(1)
        While it is low, everything is reset.
    block : In(block_layout)
        From `RowSequencer`, in the cycle of issue.
    slice : Out(log2(slices))
        The lanes whose copied sums are wanted in the next cycle; each group has a register for it.
    sums : In(32 * single_drain) x groups
        These sums of each group.
    joined : Out(slice_layout)
        The block's sums, from `Rows.issue_to_drain` cycles after `block` on.
    """

    def __init__(self, size: ContractorSize) -> None:
        self._size = size
        self._shape = Rows(size)
        super().__init__(
            {
                "run": In(1),
                "block": In(block_layout(size)),
                "slice": Out(range(self._shape.slices)),
                "sums": In(ACCUMULATOR.width * size.single_drain).array(size.groups),
                "joined": Out(slice_layout(size)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        slices, drain = self._shape.slices, self._size.single_drain
        # The block, from its issue to the copy of its sums.
        block = self.block
        for _ in range(self._size.latencies.issue_to_factors + MULTIPLY_ACCUMULATE):
            later = Signal(block_layout(self._size))
            m.d.sync += later.eq(block)
            with m.If(~self.run):
                m.d.sync += later.ends.eq(0)
            block = later
        # Copied: the slices leave one after the other.
        leaving = Signal()
        copied = Signal(block_layout(self._size))
        place = Signal.like(self.slice)
        m.d.comb += self.slice.eq(place)
        m.d.sync += place.eq(self.slice)
        with m.If(block.ends):
            m.d.comb += self.slice.eq(0)
            m.d.sync += [leaving.eq(1), copied.eq(block)]
        with m.Elif(place == slices - 1):
            m.d.sync += leaving.eq(0)
        with m.Else():
            m.d.comb += self.slice.eq(place + 1)
        with m.If(~self.run):
            m.d.sync += leaving.eq(0)
        passing = data.StructLayout(
            {
                "leaving": 1,
                "slice": place.shape(),
                "valid": 1,
                "node_last": 1,
                "mask": drain,
            }
        )
        now = Signal(passing)
        first = Signal(range(slices * drain + 1))
        m.d.comb += [
            first.eq(place * drain),
            now.leaving.eq(leaving),
            now.slice.eq(place),
            now.valid.eq(leaving & (first <= copied.outputs)),
            now.node_last.eq(copied.node_last & (first + drain > copied.outputs)),
            now.mask.eq(Cat(first + lane <= copied.outputs for lane in range(drain))),
        ]
        self._add(m, now, passing)
        return m

    def _add(self, m: Module, passing: data.View, layout: data.StructLayout) -> None:
        """Add in pairs: one addition before the first register, then two between registers."""
        values: list[Value] = list(self.sums)
        values = self._halved(values)
        steps = self._size.banks.bit_length() - 1  # those that remain, with the subtraction
        number = 0
        while True:
            registers = [
                Signal(len(value), name=f"sums_{number}_{i}") for i, value in enumerate(values)
            ]
            later = Signal(layout, name=f"passing_{number}")
            m.d.sync += [a.eq(b) for a, b in zip(registers, values)]
            m.d.sync += later.eq(passing)
            with m.If(~self.run):
                m.d.sync += later.leaving.eq(0)
                m.d.sync += later.valid.eq(0)
            values, passing = list(registers), later
            for _ in range(2):
                if len(values) > 1:
                    values = self._halved(values)
                    steps -= 1
                elif steps == 1:
                    values = [self._difference(m, values[0], passing)]
                    steps -= 1
            number += 1
            if not steps:
                break
        m.d.sync += [
            self.joined.valid.eq(passing.valid & self.run),
            self.joined.node_last.eq(passing.node_last),
            self.joined.mask.eq(passing.mask),
            self.joined.sums.as_value().eq(values[0]),
        ]

    def _halved(self, values: list[Value]) -> list[Value]:
        """Add each two values lane by lane; an odd one stays."""
        width = ACCUMULATOR.width
        lanes = range(self._size.single_drain)
        added: list[Value] = []
        for left, right in zip(values[::2], values[1::2]):
            added.append(
                Cat(
                    (left.word_select(lane, width) + right.word_select(lane, width))[:width]
                    for lane in lanes
                )
            )
        return added + values[len(added) * 2 :]

    def _difference(self, m: Module, total: Value, passing: data.View) -> Value:
        """Subtract the sums of the block before, and keep these for the next block."""
        width = ACCUMULATOR.width
        first_block = Signal(init=1)
        m.submodules.before = before = memory.Memory(
            shape=len(total), depth=max(2, self._shape.slices), init=[]
        )
        write, read = before.write_port(), before.read_port(domain="comb")
        m.d.comb += [
            write.addr.eq(passing.slice),
            write.data.eq(total),
            write.en.eq(passing.leaving),
            read.addr.eq(passing.slice),
        ]
        with m.If(passing.leaving & (passing.slice == self._shape.slices - 1)):
            m.d.sync += first_block.eq(0)
        with m.If(~self.run):
            m.d.sync += first_block.eq(1)
        previous = Mux(first_block, 0, read.data)
        return Cat(
            (total.word_select(lane, width) - previous.word_select(lane, width))[:width]
            for lane in range(self._size.single_drain)
        )
