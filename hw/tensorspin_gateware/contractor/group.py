"""The data path of one sample: operands, lanes and normaliser."""

from __future__ import annotations

from amaranth import Module
from amaranth.hdl import ValueLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.fixed import EXPONENT, WEIGHT

from ..primitives import Family
from .interface import FillSignature, MemoryBusSignature
from .lanes import Lanes
from .normaliser import INDEX_BITS, SCORE, Normaliser
from .operands import Operands
from .sequencer import ELEMENT, HEADER


class Group(wiring.Component):
    """Contracts one of the samples of a run.

    All groups of the engine receive the same nodes, elements and weights in the same cycles; only
    their features, and the vectors computed from these, differ.

    Parameters
    ----------
    size : ContractorSize
        Sizes of the engine.
    family : Family
        What memories and multipliers are built from.

    Ports
    -----
    run : In(1)
        High while samples are contracted; low resets the group.
    header, header_new, element, node_first, parity : In
        From `Sequencer`.
    weights : In(8 * lanes)
        The weights of the element issued `Pipeline.issue_to_factors` cycles ago, lane 0 in the low
        byte.
    fill, fill_half, read_half, bus, selected : In
        As for `Operands`: features that are filled in, and the host's access to the feature table.
    table_wrong : Out(1)
        As for `Operands`, only with `ContractorSize.table_parity`.
    half : In(1)
        As for `Operands`, only with `ContractorSize.resident`.
    release, scores_begin, outputs, score_valid, score, exponent : Out
        As for `Normaliser`. All but `score` and `exponent` are the same in all groups.

    Latency: `Pipeline.issue_to_drain` cycles from an element to the first sum of its block, then
    those of `Normaliser`. Resources: those of `Operands`, `Lanes` and `Normaliser`.
    """

    def __init__(self, size: ContractorSize, family: Family) -> None:
        self._size = size
        self._family = family
        super().__init__(self._ports(size))

    @staticmethod
    def _ports(size: ContractorSize) -> dict[str, wiring.Member]:
        return {
            "run": In(1),
            "header": In(HEADER),
            "header_new": In(1),
            "element": In(ELEMENT),
            "node_first": In(1),
            "parity": In(1),
            "weights": In(WEIGHT.width * size.lanes),
            "fill": In(FillSignature(size)),
            "fill_half": In(1),
            "read_half": In(1),
            "bus": In(MemoryBusSignature()),
            "selected": In(1),
            "release": Out(1),
            "scores_begin": Out(1),
            "outputs": Out(INDEX_BITS),
            "score_valid": Out(1),
            "score": Out(SCORE),
            "exponent": Out(EXPONENT.width),
        } | {
            **({"table_wrong": Out(1)} if size.table_parity else {}),
            **({"half": In(1)} if size.resident else {}),
        }

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.operands = operands = Operands(self._size, self._family)
        m.submodules.lanes = lanes = Lanes(self._size.lanes, self._family, self._size.latencies)
        m.submodules.normaliser = normaliser = Normaliser(self._size)
        self._connect(m, operands, lanes, normaliser)
        return m

    def _connect(
        self,
        m: Module,
        operands: Operands,
        lanes: Lanes,
        normaliser: Normaliser,
        **replaced: ValueLike,
    ) -> None:
        """Connect the parts with each other, and with the ports or what replaces some of them."""
        wiring.connect(m, wiring.flipped(self.fill), operands.fill)
        wiring.connect(m, wiring.flipped(self.bus), operands.bus)
        wiring.connect(m, normaliser.vector, operands.vector)
        for component, inputs in (
            (operands, ("header", "header_new", "element", "fill_half", "read_half", "selected")),
            (lanes, ("run", "element", "weights")),
            (normaliser, ("run", "header", "node_first", "parity")),
        ):
            m.d.comb += [
                getattr(component, name).eq(replaced.get(name, getattr(self, name)))
                for name in inputs
            ]
        m.d.comb += [
            lanes.product.eq(operands.product),
            normaliser.drain_valid.eq(lanes.drain_valid),
            normaliser.drain_last.eq(lanes.drain_last),
            normaliser.drain.eq(lanes.drain),
        ]
        if self._size.table_parity:
            m.d.comb += [operands.run.eq(self.run), self.table_wrong.eq(operands.table_wrong)]
        if self._size.resident:
            m.d.comb += operands.half.eq(self.half)
        for name in ("release", "scores_begin", "outputs", "score_valid", "score", "exponent"):
            m.d.comb += getattr(self, name).eq(getattr(normaliser, name))
