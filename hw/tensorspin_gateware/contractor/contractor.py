"""The tensor-network engine."""

from __future__ import annotations

from amaranth import Module, Signal
from amaranth.lib import wiring

from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.contractor.program import MIN_LANES
from tensorspin.contract.contractor.size import ContractorSize

from ..primitives import Family
from .group import Group
from .interface import CYCLE_BITS, ContractorSignature
from .program import ProgramReader
from .results import Results
from .samples import Samples
from .sequencer import Sequencer
from .weights import Weights


class Contractor(wiring.Component):
    """Contracts samples with the network in its program memory, as many at once as it has groups.

    While samples are contracted, the next ones are filled in and the last ones' results are read.
    A sample alone is contracted at once, and takes as long as a sample of each group.

    Parameters
    ----------
    size : ContractorSize
        At least `tensorspin.contract.contractor.program.MIN_LANES` lanes.
    family : Family

    Ports
    -----
    As `ContractorSignature`, seen from the contractor.

    Latency: `tensorspin.golden.contractor.cycles` counts it, exactly.

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
        size = self._size
        m.submodules.reader = reader = ProgramReader(size, self._family)
        m.submodules.sequencer = sequencer = Sequencer(size)
        m.submodules.weights = weights = Weights(size.lanes)
        m.submodules.samples = samples = Samples(size.groups)
        m.submodules.results = results = Results(size.groups)
        groups = [Group(size, self._family) for _ in range(size.groups)]
        for index, group in enumerate(groups):
            m.submodules[f"group_{index}"] = group
        # Groups work in step: one speaks for all.
        speaker = groups[0]

        run = Signal()
        cycle = Signal(CYCLE_BITS)
        m.d.comb += [
            samples.start.eq(self.start),
            samples.take.eq(~run & samples.waiting & results.room),
            samples.done.eq(run & results.finished),
            self.fill_ready.eq(samples.fill_ready),
            self.busy.eq(run),
            self.idle.eq(~run & ~samples.waiting & results.empty),
        ]
        with m.If(run):
            m.d.sync += [cycle.eq(cycle + 1), run.eq(~results.finished)]
        with m.Elif(samples.take):
            m.d.sync += [cycle.eq(1), run.eq(1)]

        wiring.connect(m, reader.words, sequencer.words)
        wiring.connect(m, wiring.flipped(self.results), results.words)
        m.d.comb += [
            reader.run.eq(run),
            sequencer.run.eq(run),
            sequencer.overrun.eq(reader.overrun),
            sequencer.release.eq(speaker.release),
            weights.word.eq(reader.words.payload),
            weights.place.eq(sequencer.weight),
            results.begin.eq(speaker.scores_begin),
            results.outputs.eq(speaker.outputs),
            results.first.eq(samples.first),
            results.end.eq(samples.end),
            results.fault.eq(sequencer.fault),
            results.score_valid.eq(speaker.score_valid),
            results.cycles.eq(cycle),
        ]
        for index, group in enumerate(groups):
            m.d.comb += [
                group.run.eq(run),
                group.weights.eq(weights.weights),
                group.fill.enable.eq(self.fill.enable & (samples.fill_group == index)),
                group.fill.address.eq(self.fill.address),
                group.fill.level.eq(self.fill.level),
                group.fill_half.eq(samples.fill_half),
                group.read_half.eq(samples.run_half),
                results.scores[index].eq(group.score),
                results.exponents[index].eq(group.exponent),
            ]
            for name in ("header", "header_new", "element", "node_first", "parity"):
                m.d.comb += getattr(group, name).eq(getattr(sequencer, name))
        self._connect_bus(m, reader, groups)
        return m

    def _connect_bus(self, m: Module, reader: ProgramReader, groups: list[Group]) -> None:
        """All groups have the same feature table; the first one's is read back.

        The bus is registered: it goes to memories all over the device.
        """
        address, write_data = Signal.like(self.memory.address), Signal.like(self.memory.write_data)
        write_enable = Signal()
        m.d.sync += [
            address.eq(self.memory.address),
            write_enable.eq(self.memory.write_enable),
            write_data.eq(self.memory.write_data),
        ]
        for space, components in (
            (MemorySpace.PROGRAM, [reader]),
            (MemorySpace.TABLE, groups),
        ):
            selected = Signal(name=f"{space.name.lower()}_selected")
            m.d.sync += selected.eq((self.memory.space == space) & ~self.busy)
            for component in components:
                m.d.comb += [
                    component.bus.address.eq(address),
                    component.bus.write_enable.eq(write_enable),
                    component.bus.write_data.eq(write_data),
                    component.selected.eq(selected),
                ]
            with m.If(self.memory.space == space):
                m.d.comb += self.memory.read_data.eq(components[0].bus.read_data)
