"""The tensor-network engine."""

from __future__ import annotations

from amaranth import Array, Module, Signal
from amaranth.lib import wiring

from tensorspin.contract.device import ContractorSize
from tensorspin.contract.memory import MemorySpace
from tensorspin.contract.program import MIN_LANES

from ..primitives import Family
from .interface import CYCLE_BITS, ContractorSignature
from .lanes import Lanes
from .normaliser import Normaliser
from .operands import Operands
from .program import ProgramReader
from .results import Results
from .sequencer import Sequencer


class Contractor(wiring.Component):
    """Contracts one sample after the other with the network in its program memory.

    Two feature buffers: while one sample is contracted the next one is filled in.

    Parameters
    ----------
    size : ContractorSize
        At least `tensorspin.contract.program.MIN_LANES` lanes.
    family : Family

    Ports
    -----
    As `ContractorSignature`, seen from the contractor.

    Latency: `tensorspin.golden.cycles` counts it, exactly.

    Raises
    ------
    ValueError
        If there are too few lanes for a header.
    """

    def __init__(self, size: ContractorSize, family: Family = Family.BEHAVIOURAL) -> None:
        if size.lanes < MIN_LANES:
            raise ValueError(f"a header needs {MIN_LANES} lanes, not {size.lanes}")
        self._size = size
        self._family = family
        super().__init__(ContractorSignature(size).flip())

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.reader = reader = ProgramReader(self._size, self._family)
        m.submodules.sequencer = sequencer = Sequencer(self._size)
        m.submodules.operands = operands = Operands(self._size, self._family)
        m.submodules.lanes = lanes = Lanes(self._size.lanes, self._family)
        m.submodules.normaliser = normaliser = Normaliser(self._size)
        m.submodules.results = results = Results()

        # Samples.
        full = Array(Signal(name=f"full_{half}") for half in range(2))
        fill_half = Signal()
        run_half = Signal()
        run = Signal()
        cycle = Signal(CYCLE_BITS)
        m.d.comb += [
            self.fill_ready.eq(~full[fill_half]),
            self.busy.eq(run),
            self.idle.eq(~run & ~full[0] & ~full[1] & results.empty),
        ]
        with m.If(self.start):
            m.d.sync += [full[fill_half].eq(1), fill_half.eq(~fill_half)]
        with m.If(run):
            m.d.sync += cycle.eq(cycle + 1)
            with m.If(results.finished):
                m.d.sync += [run.eq(0), full[run_half].eq(0), run_half.eq(~run_half)]
        with m.Elif(full[run_half] & results.room):
            m.d.sync += [run.eq(1), cycle.eq(1)]

        wiring.connect(m, reader.words, sequencer.words)
        wiring.connect(m, normaliser.vector, operands.vector)
        wiring.connect(m, wiring.flipped(self.results), results.words)
        wiring.connect(m, wiring.flipped(self.fill), operands.fill)
        m.d.comb += [
            reader.run.eq(run),
            sequencer.run.eq(run),
            lanes.run.eq(run),
            normaliser.run.eq(run),
            sequencer.overrun.eq(reader.overrun),
            sequencer.release.eq(normaliser.release),
            operands.fill_half.eq(fill_half),
            operands.read_half.eq(run_half),
            operands.header.eq(sequencer.header),
            operands.header_new.eq(sequencer.header_new),
            operands.element.eq(sequencer.element),
            lanes.element.eq(sequencer.element),
            lanes.product.eq(operands.product),
            lanes.weights.eq(reader.words.payload),
            normaliser.header.eq(sequencer.header),
            normaliser.node_first.eq(sequencer.node_first),
            normaliser.parity.eq(sequencer.parity),
            normaliser.drain_valid.eq(lanes.drain_valid),
            normaliser.drain_last.eq(lanes.drain_last),
            normaliser.drain.eq(lanes.drain),
            results.begin.eq(normaliser.scores_begin),
            results.outputs.eq(normaliser.outputs),
            results.fault.eq(sequencer.fault),
            results.score_valid.eq(normaliser.score_valid),
            results.score.eq(normaliser.score),
            results.exponent.eq(normaliser.exponent),
            results.cycles.eq(cycle),
        ]
        self._connect_bus(m, reader, operands)
        return m

    def _connect_bus(self, m: Module, reader: ProgramReader, operands: Operands) -> None:
        for space, component in (
            (MemorySpace.PROGRAM, reader),
            (MemorySpace.TABLE, operands),
        ):
            m.d.comb += [
                component.bus.space.eq(self.memory.space),
                component.bus.address.eq(self.memory.address),
                component.bus.write_enable.eq(self.memory.write_enable),
                component.bus.write_data.eq(self.memory.write_data),
                component.selected.eq((self.memory.space == space) & ~self.busy),
            ]
            with m.If(self.memory.space == space):
                m.d.comb += self.memory.read_data.eq(component.bus.read_data)
