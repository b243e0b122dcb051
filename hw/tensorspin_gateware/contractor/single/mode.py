"""Single mode as one component, beside the sequencer and the groups of throughput mode."""

from __future__ import annotations

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from tensorspin.contract.contractor.program import HEADER_BITS
from tensorspin.contract.contractor.rows import Rows
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.fixed import ACCUMULATOR, EXPONENT, LEVEL

from ..normaliser import INDEX_BITS, SCORE
from ..sequencer import HEADER, WEIGHT_PLACE
from .joiner import Joiner
from .levels import Levels
from .normaliser import RowNormaliser, row_layout
from .sequencer import RowSequencer, step_layout


class SingleMode(wiring.Component):
    """What single mode has only one of: sequencer, levels, joiner and normaliser.

    Parameters
    ----------
    size : ContractorSize
        Sizes of the engine.

    Ports
    -----
    run : In(1)
        A sample is contracted in single mode; low resets everything.
    group : In(log2(groups))
        The group that has the sample.
    read, count, header_read, header_address, word : Out, In
        To and from `RowReader`; `word` is the first one of a row.
    header : Out(HEADER)
        Header of the node whose elements are being issued.
    fetch, fetch_new : Out
        Header of the node after that, and its first cycle.
    step, place : Out
        From `RowSequencer`, the latter its `weight`.
    valid : In(groups)
        Which groups have an element in the row that was issued in the cycle before.
    levels : In(8) x groups
        Levels that the groups fetch.
    left_level, right_level : Out(8)
        From `Levels`.
    slice, sums : Out, In
        To and from the groups, for `Joiner`.
    row : Out(row_layout)
        Entries of a result, from `RowNormaliser`.
    scores_begin, outputs, score_valid, score, exponent : Out
        From `RowNormaliser`.

    Latency: `tensorspin.golden.contractor.single` counts a sample's cycles exactly.
    """

    def __init__(self, size: ContractorSize) -> None:
        self._size = size
        super().__init__(
            {
                "run": In(1),
                "group": In(range(size.groups)),
                "read": Out(1),
                "count": Out(range(size.groups + 1)),
                "word": In(HEADER_BITS),
                "header_read": Out(1),
                "header_address": Out(exact_log2(size.program_words)),
                "header": Out(HEADER),
                "fetch": Out(HEADER),
                "fetch_new": Out(1),
                "step": Out(step_layout(size.groups)),
                "place": Out(WEIGHT_PLACE),
                "valid": In(size.groups),
                "levels": In(LEVEL.width).array(size.groups),
                "left_level": Out(LEVEL.width),
                "right_level": Out(LEVEL.width),
                "slice": Out(range(Rows(size).slices)),
                "sums": In(ACCUMULATOR.width * size.single_drain).array(size.groups),
                "row": Out(row_layout(size)),
                "scores_begin": Out(1),
                "outputs": Out(INDEX_BITS),
                "score_valid": Out(1),
                "score": Out(SCORE),
                "exponent": Out(EXPONENT.width),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        m.submodules.sequencer = sequencer = RowSequencer(size)
        m.submodules.levels = levels = Levels(size.groups)
        m.submodules.joiner = joiner = Joiner(size)
        m.submodules.normaliser = normaliser = RowNormaliser(size)
        m.d.comb += [
            *(part.run.eq(self.run) for part in (sequencer, joiner, normaliser)),
            sequencer.word.eq(self.word),
            sequencer.valid.eq(self.valid),
            sequencer.release.eq(normaliser.release),
            sequencer.slot.eq(normaliser.slot),
            self.read.eq(sequencer.read),
            self.count.eq(sequencer.count),
            self.header_read.eq(sequencer.header_read),
            self.header_address.eq(sequencer.header_address),
            self.header.eq(sequencer.header),
            self.fetch.eq(sequencer.following),
            self.fetch_new.eq(sequencer.following_new),
            self.step.eq(sequencer.step),
            self.place.eq(sequencer.weight),
            levels.group.eq(self.group),
            levels.new.eq(sequencer.following_new),
            levels.load.eq(sequencer.step.load),
            self.left_level.eq(levels.left),
            self.right_level.eq(levels.right),
            joiner.block.eq(sequencer.block),
            self.slice.eq(joiner.slice),
            normaliser.header.eq(sequencer.header),
            normaliser.node_first.eq(sequencer.node_first),
            normaliser.joined.eq(joiner.joined),
            self.row.eq(normaliser.vector),
        ]
        for index in range(size.groups):
            m.d.comb += [
                levels.levels[index].eq(self.levels[index]),
                joiner.sums[index].eq(self.sums[index]),
            ]
        for name in ("scores_begin", "outputs", "score_valid", "score", "exponent"):
            m.d.comb += getattr(self, name).eq(getattr(normaliser, name))
        return m
