"""The data path of a group that can share a sample with the others."""

from __future__ import annotations

from amaranth import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.contractor.rows import Rows
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.fixed import ACCUMULATOR, LEVEL, WEIGHT

from ...primitives import Family
from ..group import Group
from ..lanes import Lanes
from ..normaliser import Normaliser
from ..sequencer import ELEMENT, HEADER, WEIGHT_PLACE
from ..weights import Weights
from .elements import Elements
from .normaliser import row_layout
from .operands import SharedOperands
from .sequencer import step_layout


class SharedGroup(Group):
    """Contracts a sample of its own, or takes its part in one that all groups share.

    Parameters
    ----------
    size : ContractorSize
        Sizes of the engine.
    family : Family
        What memories and multipliers are built from.
    index : int
        Number of the group.

    Ports
    -----
    single : In(1)
        The run is in single mode; constant during a run.
    step : In(step_layout)
        Which element is the group's, from `RowSequencer`.
    valid : Out(1)
        The group has an element in the row that was issued in the cycle before.
    word : In(8 * lanes)
        The group's word, `Rows.read` cycles after it has been asked for.
    place : In(WEIGHT_PLACE)
        Where in the word the weights stand.
    fetch, fetch_new, left_level, right_level : In
        As of `SharedOperands`.
    level : Out(8)
        That of `SharedOperands`, a cycle later.
    slice, sums : In, Out
        As of `Lanes`, the former a cycle before.
    row : In(row_layout)
        Entries of a result, a cycle before they are written.

    All other ports are those of `Group`; in single mode `header` is that of `RowSequencer`.
    """

    def __init__(self, size: ContractorSize, family: Family, index: int) -> None:
        self._index = index
        super().__init__(size, family)

    @staticmethod
    def _ports(size: ContractorSize) -> dict[str, wiring.Member]:
        return Group._ports(size) | {
            "single": In(1),
            "step": In(step_layout(size.groups)),
            "valid": Out(1),
            "word": In(WEIGHT.width * size.lanes),
            "place": In(WEIGHT_PLACE),
            "fetch": In(HEADER),
            "fetch_new": In(1),
            "level": Out(LEVEL.width),
            "left_level": In(LEVEL.width),
            "right_level": In(LEVEL.width),
            "slice": In(range(Rows(size).slices)),
            "sums": Out(ACCUMULATOR.width * size.single_drain),
            "row": In(row_layout(size)),
        }

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        m.submodules.operands = operands = SharedOperands(size, self._family)
        m.submodules.lanes = lanes = Lanes(
            size.lanes, self._family, size.latencies, size.single_drain
        )
        m.submodules.normaliser = normaliser = Normaliser(size)
        m.submodules.row_weights = weights = Weights(size.lanes)
        # Registers of the group's own, as the wires to all groups are long.
        single = Signal()
        row = Signal(row_layout(size))
        place = Signal.like(self.slice)
        m.d.sync += [single.eq(self.single), row.eq(self.row), place.eq(self.slice)]
        late = self._late_element(m)
        chosen = Mux(single, weights.weights, self.weights)
        self._connect(m, operands, lanes, normaliser, weights=chosen)
        m.d.comb += [
            operands.late.eq(late),
            lanes.late.eq(late),
            operands.single.eq(single),
            operands.row.eq(row),
            lanes.single.eq(single),
            lanes.slice.eq(place),
            weights.word.eq(self.word),
            weights.place.eq(self.place),
            self.sums.eq(lanes.sums),
        ]
        # What a block RAM gives comes late, and all groups' levels go to one place.
        m.d.sync += self.level.eq(operands.level)
        for name in ("fetch", "fetch_new", "left_level", "right_level"):
            m.d.comb += getattr(operands, name).eq(getattr(self, name))
        return m

    def _late_element(self, m: Module) -> data.View:
        """Give the group's own element of the row that was issued in the cycle before."""
        step = Signal.like(self.step)
        m.d.sync += step.eq(self.step)
        m.submodules.elements = elements = Elements(self._size.groups, self._index)
        m.d.comb += [elements.step.eq(step.issue), self.valid.eq(elements.valid)]
        for name in (
            "load",
            "narrow",
            "next_left_size",
            "next_right_size",
            "left_size",
            "step_left",
            "step_right",
            "step_less",
            "block_last",
        ):
            m.d.comb += getattr(elements, name).eq(step[name])
        element = Signal(ELEMENT)
        m.d.comb += [
            element.valid.eq(step.issue & elements.valid),
            element.left.eq(elements.left),
            element.right.eq(elements.right),
            element.block_last.eq(step.issue & step.block_last),
        ]
        return element
