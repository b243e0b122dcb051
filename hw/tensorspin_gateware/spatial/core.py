"""The network itself: levels in, scores out, one sample a cycle."""

from __future__ import annotations

from amaranth import Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.fixed import EXPONENT, LEVEL
from tensorspin.contract.spatial.arithmetic import SCORE_BITS, SHIFT_BITS, has_weights, n_terms
from tensorspin.contract.spatial.image import tables
from tensorspin.contract.spatial.latency import TABLE, best_cycles, latency, node_time, vector_times
from tensorspin.contract.spatial.resources import data_products, node_data_products
from tensorspin.contract.spatial.size import SpatialSize

from ..primitives import Family
from .arithmetic import delayed
from .greatest import Greatest
from .nodes import Table, TableNode, WeightNode
from .unpacker import Unpacker


class SpatialCore(wiring.Component):
    """A tree tensor network, unrolled: it takes a sample in every cycle.

    It never waits, and its results must be taken when they come.

    Parameters
    ----------
    size : SpatialSize
        Shape of the tree and widths of its numbers.
    family : Family
        Whose cells it is made of.

    Ports
    -----
    levels : In(8 * inputs), valid : In(1)
        A sample: a level for each feature, the first in the lowest bits.
    scores : Out(16 * outputs), best : Out, scores_valid : Out(1)
        Its scores, and the index of the greatest, the first of equals.
    exponent : Out(16)
        Exponent of all scores, as it was loaded.
    load_restart : In(1)
        Strobe: the next byte to be loaded is the first of an image.
    load : In(8), load_valid : In(1)
        A byte of the network's image; see `tensorspin.contract.spatial.image`. Samples in between
        have undefined scores.
    loaded : Out(1)
        High from the last byte of an image on. The network is in use `settling_cycles` later.

    Latency: `tensorspin.contract.spatial.latency.latency` cycles from a sample to its scores.
    """

    def __init__(self, size: SpatialSize, family: Family = Family.BEHAVIOURAL) -> None:
        self._size = size
        self._family = family
        super().__init__(
            {
                "levels": In(LEVEL.width * size.inputs),
                "valid": In(1),
                "scores": Out(SCORE_BITS * size.outputs),
                "best": Out(max(1, (size.outputs - 1).bit_length())),
                "scores_valid": Out(1),
                "exponent": Out(EXPONENT.width),
                "load_restart": In(1),
                "load": In(8),
                "load_valid": In(1),
                "loaded": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        m.submodules.unpacker = unpacker = Unpacker(size)
        m.d.comb += [
            unpacker.restart.eq(self.load_restart),
            unpacker.byte.eq(self.load),
            unpacker.valid.eq(self.load_valid),
            self.loaded.eq(unpacker.done),
            self.exponent.eq(unpacker.tail[8 * len(size.nodes) :]),
        ]
        nodes = self._add_nodes(m, unpacker)
        scores = nodes[-1].vector
        m.submodules.greatest = greatest = Greatest(size.outputs)
        m.d.comb += [
            greatest.scores.eq(scores),
            self.best.eq(greatest.index),
            self.scores.eq(delayed(m, scores, best_cycles(size))),
            self.scores_valid.eq(delayed(m, self.valid, latency(size))),
        ]
        return m

    def _add_nodes(self, m: Module, unpacker: Unpacker) -> list:
        """Add the nodes, from leaves to root, and connect each to its operands."""
        size = self._size
        rows = self._add_tables(m, unpacker)
        times: list[int] = vector_times(size)
        # Products of data come first; what is left is for those with weights.
        data_multipliers = size.multipliers
        multipliers = max(0, size.multipliers - data_products(size))
        nodes: list[TableNode | WeightNode] = []
        for index, node in enumerate(size.tree):
            time = node_time(size, times, node)
            part: TableNode | WeightNode
            if has_weights(size, node):
                part = WeightNode(size, index, self._family, data_multipliers, multipliers)
                terms = n_terms(size, node)
                multipliers -= terms * min(node.outputs, multipliers // terms)
                m.d.comb += part.right.eq(self._vector(m, nodes, times, node.right, time))
            else:
                part = TableNode(size, index, self._family, data_multipliers)
                m.d.comb += part.row.eq(rows[index, False])
            data_multipliers = max(0, data_multipliers - node_data_products(size, node))
            left = (
                rows[index, True]
                if size.is_feature(node.left)
                else self._vector(m, nodes, times, node.left, time)
            )
            m.d.comb += [
                part.left.eq(left),
                part.shift.eq(unpacker.tail.word_select(index, 8)[:SHIFT_BITS]),
            ]
            m.submodules[f"node_{index}"] = part
            nodes.append(part)
        weight, shift = unpacker.weight, unpacker.shift
        for part in reversed(nodes):
            if isinstance(part, WeightNode):
                m.d.comb += [part.weight.eq(weight), part.shift_weights.eq(shift)]
                weight, shift = part.next_weight, part.next_shift
        return nodes

    def _add_tables(self, m: Module, unpacker: Unpacker) -> dict[tuple[int, bool], Value]:
        """Add the tables, and return their rows by node, and whether they are its left one."""
        size = self._size
        times = vector_times(size)
        rows: dict[tuple[int, bool], Value] = {}
        for number, table in enumerate(tables(size)):
            width = table.entries * size.value_bits
            m.submodules[f"table_{number}"] = part = Table(width)
            time = node_time(size, times, size.tree[table.node])
            level = self.levels.word_select(table.feature, LEVEL.width)
            m.d.comb += part.level.eq(delayed(m, level, time - TABLE))
            m.d.sync += [
                part.write.eq(unpacker.write[number]),
                part.address.eq(unpacker.level),
                part.data.eq(unpacker.row_of(number)),
            ]
            # A node's left table, if there is one, stands before its right one.
            is_left = size.is_feature(size.tree[table.node].left) and (table.node, True) not in rows
            rows[table.node, is_left] = part.row
        return rows

    def _vector(self, m: Module, nodes: list, times: list[int], child: int, time: int):
        """Give a node's vector at a later time."""
        index = child - self._size.inputs
        return delayed(m, nodes[index].vector, time - times[index])
