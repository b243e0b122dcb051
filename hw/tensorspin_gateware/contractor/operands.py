"""The operands of an element, and their product."""

from __future__ import annotations

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from tensorspin.contract.contractor.latency import ISSUE_TO_ADDRESS
from tensorspin.contract.contractor.memory import LEVELS, MemorySpace
from tensorspin.contract.contractor.program import OperandKind
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.fixed import LEVEL, MANTISSA

from ..primitives import Family
from ..primitives.multiplier import Multiplier
from ..primitives.rounding import RoundSaturate
from .interface import FillSignature, MemoryBusSignature
from .sequencer import ELEMENT, HEADER


class VectorWriteSignature(wiring.Signature):
    """Write port of the vector slots: the memories of vectors that earlier nodes have computed.

    Parameters
    ----------
    size : ContractorSize
        Numbers of slots and of their entries.

    Members
    -------
    enable : Out(1)
        Write in this cycle.
    slot : Out(log2(slots))
        Number of the slot: the place of one vector.
    entry : Out(log2(slot_entries))
        Index within the vector.
    mantissa : Out(signed(16))
        The entry; the vector's exponent is kept by `Normaliser`.
    """

    def __init__(self, size: ContractorSize) -> None:
        super().__init__(
            {
                "enable": Out(1),
                "slot": Out(ceil_log2(size.slots)),
                "entry": Out(ceil_log2(size.slot_entries)),
                "mantissa": Out(signed(MANTISSA.width)),
            }
        )


class Operands(wiring.Component):
    """Fetches the two operands of an element, multiplies them, and rounds the product.

    An operand is a vector, in a slot to which an earlier node has written it, or a feature. A
    feature's *level*, one byte, selects a row of the *feature table*, which holds the feature's
    vector; the rows are the same for all features.

    The left and the right operand are read in the same cycle. For this there are two copies of the
    vector slots, and two read ports of the feature table. The levels of a node's features are read
    once for the node, left then right, from one memory of two halves: one is filled in while the
    other is contracted.

    Parameters
    ----------
    size : ContractorSize
        Sizes of the memories, and latencies.
    family : Family
        What the multiplier is built from.

    Ports
    -----
    header, header_new, element : In
        From `Sequencer`: the node, its first cycle, and the element issued in this cycle.
    fill : In(FillSignature)
        Levels that are filled in.
    fill_half : In(1)
        Half of the feature memory that is written.
    read_half : In(1)
        Half of the feature memory that is read.
    vector : In(VectorWriteSignature)
        Entries of vectors, from `Normaliser`.
    product : Out(signed(16))
        left * right / 2**15, rounded half to even and saturated.
    bus : In(MemoryBusSignature)
        The host's access to the feature table.
    selected : In(1)
        The bus means the feature table. No samples may be contracted then.
    run : In(1)
        Only with `ContractorSize.table_parity`. Low resets `table_wrong`.
    table_wrong : Out(1)
        Likewise. An element has read a byte with wrong parity since `run` rose. That of a node's
        last element is told two cycles after its product is at the multiplier.
    half : In(1)
        Only with `ContractorSize.resident`. Half of the feature table that elements read.

    Latency: `Pipeline.issue_to_factors` cycles from element to product. Memory: on the iCEBreaker
    14 block RAMs of 4 Kbit (4 for levels, 8 for tables, 2 for vectors); on ECP5 5 of 18 Kbit with
    vectors of features twice as long (1, 2, 2).
    """

    def __init__(self, size: ContractorSize, family: Family) -> None:
        self._size = size
        self._family = family
        super().__init__(self._ports(size))

    @staticmethod
    def _ports(size: ContractorSize) -> dict[str, wiring.Member]:
        further = {"run": In(1), "table_wrong": Out(1)} if size.table_parity else {}
        further |= {"half": In(1)} if size.resident else {}
        return further | {
            "header": In(HEADER),
            "header_new": In(1),
            "element": In(ELEMENT),
            "fill": In(FillSignature(size)),
            "fill_half": In(1),
            "read_half": In(1),
            "vector": In(VectorWriteSignature(size)),
            "product": Out(signed(MANTISSA.width)),
            "bus": In(MemoryBusSignature()),
            "selected": In(1),
        }

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        left_level, right_level = self._levels(m)

        address = data.StructLayout(
            {
                "kind": OperandKind,
                "slot": ceil_log2(size.slots),
                "entry": ceil_log2(max(size.slot_entries, size.components)),
            }
        )
        sides = data.StructLayout({"left": address, "right": address})
        requested = Signal(sides)
        for side in ("left", "right"):
            m.d.comb += [
                requested[side].kind.eq(self.header[f"{side}_kind"]),
                requested[side].slot.eq(self.header[f"{side}_index"]),
                requested[side].entry.eq(self.element[side]),
            ]
        # By the time of the access, the header may be that of the next node. So what an element
        # needs of its header travels with the element.
        for cycle in range(ISSUE_TO_ADDRESS):
            stage = Signal(sides)
            m.d.sync += stage.eq(requested)
            requested = self._requested(m, stage) if cycle == 0 else stage

        m.submodules.multiplier = multiplier = Multiplier(
            MANTISSA.width, self._family, size.latencies.multiply
        )
        entries = self._table(m, requested, (left_level, right_level))
        for side, entry in zip(("left", "right"), entries):
            is_vector = Signal(name=f"{side}_is_vector")
            m.d.sync += is_vector.eq(requested[side].kind == OperandKind.VECTOR)
            vector = self._vectors(m, side, requested[side])
            m.d.sync += getattr(multiplier, side).eq(Mux(is_vector, vector.as_signed(), entry))
        if size.table_parity:
            self._check_parity(m, requested, multiplier)

        m.submodules.round = rounding = RoundSaturate(
            len(multiplier.product), MANTISSA.f_bits, MANTISSA, staged=size.latencies.round == 2
        )
        m.d.comb += rounding.value.eq(multiplier.product)
        m.d.sync += self.product.eq(rounding.result)
        # The stages: address, memory and operand register (2), multiplier, rounding.
        stages = ISSUE_TO_ADDRESS + 2 + size.latencies.multiply + size.latencies.round
        assert size.latencies.issue_to_factors == stages
        return m

    def _requested(self, m: Module, sides: data.View) -> data.View:
        """Give what is requested in the cycle after the issue."""
        return sides

    def _fetched(self) -> tuple[data.View, Value]:
        """Give the header whose features are fetched, and a strobe in its first cycle."""
        return self.header, self.header_new

    def _levels(self, m: Module) -> tuple[Value, Value]:
        """Read the levels of a node's features; return left and right.

        Both are valid in the cycle in which the operands are addressed.

        The node's first element is issued in the cycle of `header_new` at the earliest and its
        operands are addressed ``ISSUE_TO_ADDRESS`` cycles later, in time for both reads.
        """
        size = self._size
        header, header_new = self._fetched()
        m.submodules.features = features = memory.Memory(
            shape=LEVEL.width, depth=2 * size.features, init=[]
        )
        write = features.write_port()
        read = features.read_port()
        index_bits = ceil_log2(size.features)
        reading_right = Signal()
        left_arrives = Signal()
        left_level = Signal(LEVEL.width)
        index = Mux(reading_right, header.right_index, header.left_index)
        m.d.comb += [
            write.addr.eq(Cat(self.fill.address, self.fill_half)),
            write.data.eq(self.fill.level),
            write.en.eq(self.fill.enable),
            read.addr.eq(Cat(index[:index_bits], self.read_half)),
            read.en.eq(header_new | reading_right),
        ]
        m.d.sync += [reading_right.eq(header_new), left_arrives.eq(header_new)]
        with m.If(left_arrives):
            m.d.sync += left_level.eq(read.data)
        return left_level, read.data

    def _vectors(self, m: Module, name: str, address) -> Value:
        """Read one side's copy of the vector slots; return the entry, a cycle after its address."""
        size = self._size
        rows = size.slots * size.slot_entries
        m.submodules[f"{name}_vectors"] = vectors = memory.Memory(
            shape=MANTISSA.width, depth=rows, init=[]
        )
        write = vectors.write_port()
        read = vectors.read_port()
        m.d.comb += [
            write.addr.eq(Cat(self.vector.entry, self.vector.slot)),
            write.data.eq(self.vector.mantissa),
            write.en.eq(self.vector.enable),
            read.addr.eq(Cat(address.entry[: ceil_log2(size.slot_entries)], address.slot)),
        ]
        return read.data

    def _table(self, m: Module, addresses, levels) -> list[Value]:
        """Read the feature table for both sides; return the entries, a cycle after their addresses.

        The host has no port of its own: it reads and writes through that of the left side. The
        table is two memories, one for each byte of an entry, so that the host can write single
        bytes.
        """
        size = self._size
        component_bits = ceil_log2(size.components)
        half = self.half if size.resident else Const(0, 0)
        left_row, right_row = (
            Cat(level, addresses[side].entry[:component_bits], half)
            for side, level in zip(("left", "right"), levels)
        )
        # An entry has two bytes; the lowest bit of the host's byte address says which.
        shared_row = Mux(self.selected, self.bus.address[1:], left_row)
        odd = Signal()
        m.d.sync += odd.eq(self.bus.address[0])
        chosen = Signal(8)
        entries = []
        parity = size.table_parity
        for place, name in enumerate(("low", "high")):
            m.submodules[f"table_{name}"] = half = memory.Memory(
                shape=8 + parity, depth=(size.components << size.resident) * LEVELS, init=[]
            )
            write, left, right = half.write_port(), half.read_port(), half.read_port()
            m.d.comb += [
                write.addr.eq(shared_row),
                write.data.eq(self._with_parity() if parity else self.bus.write_data),
                write.en.eq(self.selected & self.bus.write_enable & (self.bus.address[0] == place)),
                left.addr.eq(shared_row),
                right.addr.eq(right_row),
            ]
            entries.append((left.data, right.data))
        if parity:
            self._parities = [Cat(data[8] for data in side) for side in zip(*entries)]
            entries = [(left[:8], right[:8]) for left, right in entries]
        (left_low, right_low), (left_high, right_high) = entries
        # These registers make the byte as late as one of the program memory, so that the bus may
        # choose between both by the address alone.
        m.d.sync += [
            chosen.eq(Mux(odd, left_high, left_low)),
            self.bus.read_data.eq(chosen),
        ]
        return [Cat(left_low, left_high).as_signed(), Cat(right_low, right_high).as_signed()]

    def _with_parity(self) -> Value:
        """Give the host's byte with even parity, or the wrong one if its address asks for it."""
        data, size = self.bus.write_data, self._size
        wrong = self.bus.address[ceil_log2(size.space_bytes(MemorySpace.TABLE))]
        return Cat(data, data.xor() ^ wrong)

    def _check_parity(self, m: Module, requested, multiplier) -> None:
        """Compare the parity of the table's entries that elements have read.

        That is done behind the operands' registers: a block RAM's output is valid late in its
        cycle.
        """
        valid = self.element.valid
        for _ in range(ISSUE_TO_ADDRESS):
            later = Signal()
            m.d.sync += later.eq(valid)
            valid = later
        wrong = []
        for side, parities in zip(("left", "right"), self._parities):
            reads = Signal(name=f"{side}_reads")
            counts = Signal(name=f"{side}_counts")
            kept = Signal(2, name=f"{side}_parities")
            m.d.sync += [
                reads.eq(valid & (requested[side].kind == OperandKind.FEATURE)),
                counts.eq(reads),
                kept.eq(parities),
            ]
            operand = getattr(multiplier, side)
            odd = Cat((operand.word_select(byte, 8).xor() ^ kept[byte]) for byte in range(2))
            wrong.append(counts & odd.any())
        with m.If(~self.run):
            m.d.sync += self.table_wrong.eq(0)
        with m.Elif(Cat(wrong).any()):
            m.d.sync += self.table_wrong.eq(1)
