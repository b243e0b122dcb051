"""The operands of a group that can share a sample with the others."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.fixed import LEVEL, MANTISSA

from ..operands import Operands
from ..sequencer import ELEMENT, HEADER
from .normaliser import row_layout


class SharedOperands(Operands):
    """`Operands` whose levels may come from another group, and whose vectors are written by rows.

    Vector slots are as wide as a row, so that a row is written in one cycle; one of its entries is
    chosen behind the memory.

    Parameters
    ----------
    size : ContractorSize
        Sizes of the memories.
    family : Family
        What the multiplier is built from.

    Ports
    -----
    single : In(1)
        Single mode: `late`, `left_level`, `right_level` and `row` count, and `element` and `vector`
        do not.
    late : In(ELEMENT)
        The element that was issued in the cycle before.
    fetch, fetch_new : In
        Header of the node whose features are fetched, and its first cycle.
    level : Out(8)
        What was fetched: the left level a cycle after `fetch_new`, the right one after another.
    left_level, right_level : In(8)
        Levels of the node whose operands are addressed in this cycle.
    row : In(row_layout)
        Entries of a result, from `RowNormaliser`.

    All other ports, and the latencies, are those of `Operands`.
    """

    @staticmethod
    def _ports(size: ContractorSize) -> dict[str, wiring.Member]:
        return Operands._ports(size) | {
            "single": In(1),
            "late": In(ELEMENT),
            "fetch": In(HEADER),
            "fetch_new": In(1),
            "level": Out(LEVEL.width),
            "left_level": In(LEVEL.width),
            "right_level": In(LEVEL.width),
            "row": In(row_layout(size)),
        }

    def _requested(self, m: Module, sides: data.View) -> data.View:
        chosen = Signal.like(sides)
        m.d.comb += chosen.eq(sides)
        # The header stays for a cycle after a node's last element.
        with m.If(self.single):
            for side in ("left", "right"):
                m.d.comb += [
                    chosen[side].kind.eq(self.header[f"{side}_kind"]),
                    chosen[side].slot.eq(self.header[f"{side}_index"]),
                    chosen[side].entry.eq(self.late[side]),
                ]
        return chosen

    def _fetched(self) -> tuple[data.View, Value]:
        return self.fetch, self.fetch_new

    def _levels(self, m: Module) -> tuple[Value, Value]:
        left, right = super()._levels(m)
        m.d.comb += self.level.eq(right)
        return Mux(self.single, self.left_level, left), Mux(self.single, self.right_level, right)

    def _vectors(self, m: Module, name: str, address) -> Value:
        """Read one side's copy of the vector slots; return the entry, a cycle after its address."""
        size = self._size
        drain, width = size.single_drain, MANTISSA.width
        lane_bits = exact_log2(drain)
        entry_bits = exact_log2(size.slot_entries)
        m.submodules[f"{name}_vectors"] = vectors = memory.Memory(
            shape=width * drain, depth=size.slots * size.slot_entries // drain, init=[]
        )
        write = vectors.write_port(granularity=width)
        read = vectors.read_port()
        lane = Signal(lane_bits, name=f"{name}_lane")
        entry = self.vector.entry
        with m.If(self.single):
            m.d.comb += [
                write.addr.eq(Cat(self.row.row, self.row.slot)),
                write.data.eq(self.row.mantissas.as_value()),
                write.en.eq(self.row.mask),
            ]
        with m.Else():
            m.d.comb += [
                write.addr.eq(Cat(entry[lane_bits:], self.vector.slot)),
                write.data.eq(self.vector.mantissa.replicate(drain)),
                write.en.eq(self.vector.enable << entry[:lane_bits]),
            ]
        m.d.comb += read.addr.eq(Cat(address.entry[lane_bits:entry_bits], address.slot))
        m.d.sync += lane.eq(address.entry[:lane_bits])
        return read.data.word_select(lane, width)
