"""One node of the tree, from its operands to its vector."""

from __future__ import annotations

from amaranth import Cat, Module, Signal, Value, signed
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.fixed import LEVEL
from tensorspin.contract.spatial.arithmetic import (
    SHIFT_BITS,
    least_shift,
    n_terms,
    output_bits,
    sum_bits,
)
from tensorspin.contract.spatial.image import LEVELS
from tensorspin.contract.spatial.latency import NARROW, SPREAD, sum_cycles
from tensorspin.contract.spatial.size import SpatialSize, TreeNode

from ..primitives import Family
from ..primitives.copies import copy
from .arithmetic import Narrow, delayed, joined, product
from .digits import lut_product
from .weighted_sum import WeightedSum


class Table(wiring.Component):
    """A row of numbers for each level.

    Parameters
    ----------
    width : int
        Bits of a row.

    Ports
    -----
    level : In(8)
        The row to read.
    row : Out(width)
        That row.
    write : In(1), address : In(8), data : In(width)
        Writes a row.

    Latency: `tensorspin.contract.spatial.latency.TABLE` cycles.
    """

    def __init__(self, width: int) -> None:
        super().__init__(
            {
                "level": In(LEVEL.width),
                "row": Out(width),
                "write": In(1),
                "address": In(LEVEL.width),
                "data": In(width),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.rows = rows = memory.Memory(shape=len(self.row), depth=LEVELS, init=[])
        read, write = rows.read_port(), rows.write_port()
        m.d.comb += [
            read.addr.eq(self.level),
            self.row.eq(read.data),
            write.en.eq(self.write),
            write.addr.eq(self.address),
            write.data.eq(self.data),
        ]
        return m


def _entries(value: Value, count: int, bits: int) -> list[Value]:
    """Take a vector apart into its signed entries."""
    return [value.word_select(entry, bits).as_signed() for entry in range(count)]


class TableNode(wiring.Component):
    """A node whose right operand is a feature: its table holds the weights for each level.

    Parameters
    ----------
    size : SpatialSize
        Parameters of the engine.
    index : int
        Index of the node.
    family : Family
        Whose cells it is made of.
    data_multipliers : int
        Hardware multipliers for its products; look-up tables make the others.

    Ports
    -----
    left : In(entries * value_bits)
        The left vector.
    row : In(outputs * entries * value_bits)
        The row of the table, in the same cycle.
    shift : In(SHIFT_BITS)
        The node's loaded shift.
    vector : Out(outputs * output_bits)
        The node's vector.

    Latency: `MULTIPLY`, `sum_cycles` and `NARROW`.
    """

    def __init__(
        self, size: SpatialSize, index: int, family: Family, data_multipliers: int
    ) -> None:
        self._size, self._node, self._family = size, size.tree[index], family
        self._data_multipliers = data_multipliers
        entries = n_terms(size, self._node)
        outputs = self._node.outputs
        super().__init__(
            {
                "left": In(entries * size.value_bits),
                "row": In(outputs * entries * size.value_bits),
                "shift": In(SHIFT_BITS),
                "vector": Out(outputs * output_bits(size, self._node)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size, node = self._size, self._node
        entries = n_terms(size, node)
        left = _entries(self.left, entries, size.value_bits)
        row = _entries(self.row, node.outputs * entries, size.value_bits)
        sums = []
        made = 0
        for output in range(node.outputs):
            weights = row[output * entries : (output + 1) * entries]
            products = []
            for entry, weight in zip(left, weights, strict=True):
                multiply = product if made < self._data_multipliers else lut_product
                products.append(multiply(m, self._family, entry, weight))
                made += 1
            sums.append(_added(m, products, sum_bits(size, node), sum_cycles(entries)))
        m.d.comb += self.vector.eq(_narrowed(m, size, node, sums, self.shift, self._family))
        return m


class WeightNode(wiring.Component):
    """A node of two vectors: their product is formed, and then its sums with the weights.

    Parameters
    ----------
    size : SpatialSize
        Parameters of the engine.
    index : int
        Index of the node.
    family : Family
        Whose cells it is made of.
    data_multipliers : int
        Hardware multipliers for products of entries; look-up tables make the others.
    multipliers : int
        Hardware multipliers for products with weights. As many outputs have them as they suffice
        for.

    Ports
    -----
    left, right : In(entries * value_bits)
        The vectors, both in the same cycle.
    weight, shift_weights, next_weight, next_shift
        The chain of the weights, which goes from the last output to the first; see `WeightedSum`.
    shift : In(SHIFT_BITS)
        The node's loaded shift.
    vector : Out(outputs * output_bits)
        The node's vector.

    Latency: `MULTIPLY`, `SPREAD`, `weighted_sum_cycles` and `NARROW`.
    """

    def __init__(
        self,
        size: SpatialSize,
        index: int,
        family: Family,
        data_multipliers: int,
        multipliers: int,
    ) -> None:
        self._size, self._node, self._family = size, size.tree[index], family
        self._data_multipliers = data_multipliers
        self._multipliers = multipliers
        bits = size.value_bits
        super().__init__(
            {
                "left": In(size.child_size(self._node.left) * bits),
                "right": In(size.child_size(self._node.right) * bits),
                "weight": In(size.weight_bits),
                "shift_weights": In(1),
                "next_weight": Out(size.weight_bits),
                "next_shift": Out(1),
                "shift": In(SHIFT_BITS),
                "vector": Out(self._node.outputs * output_bits(size, self._node)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size, node, bits = self._size, self._node, self._size.value_bits
        left = _entries(self.left, size.child_size(node.left), bits)
        right = _entries(self.right, size.child_size(node.right), bits)
        products: list[Value] = []
        for one in left:
            for other in right:
                multiply = product if len(products) < self._data_multipliers else lut_product
                whole = multiply(m, self._family, one, other)
                # Narrowed: nothing is ever out of range here.
                products.append(Cat(1, whole[bits:][: bits - 1]))
        terms = len(products)
        weight, shift = self.weight, self.shift_weights
        sums: list[Value] = []
        for output in reversed(range(node.outputs)):
            in_multipliers = (output + 1) * terms <= self._multipliers
            part = WeightedSum(
                terms,
                bits,
                size.weight_bits,
                sum_bits(size, node),
                self._family,
                in_multipliers,
            )
            m.submodules[f"output_{output}"] = part
            assert SPREAD == 1
            m.d.comb += [
                part.values.eq(copy(m, Cat(products), self._family)),
                part.weight.eq(weight),
                part.shift.eq(shift),
            ]
            weight, shift = part.next_weight, part.next_shift
            sums.insert(0, part.total)
        m.d.comb += [self.next_weight.eq(weight), self.next_shift.eq(shift)]
        m.d.comb += self.vector.eq(_narrowed(m, size, node, sums, self.shift, self._family))
        return m


def _added(m: Module, products: list[Value], bits: int, cycles: int) -> Value:
    """Add products up in `cycles` cycles."""

    def register(value: Value) -> Value:
        later = Signal(signed(min(len(value), bits)))
        m.d.sync += later.eq(value)
        return later

    return joined(products, lambda left, right: left + right, register, cycles)


def _narrowed(
    m: Module, size: SpatialSize, node: TreeNode, sums: list[Value], shift: Value, family: Family
) -> Value:
    """Narrow a node's sums to its vector, each with a copy of the shift beside it."""
    entries = []
    for value in sums:
        part = Narrow(sum_bits(size, node), least_shift(size, node), output_bits(size, node))
        m.submodules += part
        m.d.comb += [part.value.eq(value), part.shift.eq(copy(m, shift, family))]
        entries.append(delayed(m, part.result, NARROW))
    return Cat(entries)
