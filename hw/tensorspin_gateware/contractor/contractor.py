"""The whole engine: one program, one or more groups that apply it to samples."""

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
from .sample_queue import SampleQueue
from .score_buffer import ScoreBuffer
from .sequencer import Sequencer
from .weights import Weights


class Contractor(wiring.Component):
    """Contracts samples with the network in its program memory, as many at once as it has groups.

    While samples are contracted, the next ones can be filled in, and the results of the last ones
    can be read. A sample that comes alone is contracted at once, without waiting for others, and
    takes as many cycles as a sample for each group would.

    Parameters
    ----------
    size : ContractorSize
        Numbers of lanes and groups, and sizes of the memories; at least
        `tensorspin.contract.contractor.program.MIN_LANES` lanes.
    family : Family
        What memories and multipliers are built from.

    Ports
    -----
    All members of `ContractorSignature`, seen from the contractor.

    Latency: `tensorspin.golden.contractor.cycles` counts a sample's cycles exactly. Resources:
    those of the parts; on iCE40 UP a lane takes one DSP, and the program memory of 8 lanes four
    SPRAMs. ``docs/boards.md`` has the totals of each board.

    Raises
    ------
    ValueError
        If there are too few lanes for a header: a header is one word of the program memory, which
        has a byte for each lane.
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
        m.submodules.samples = samples = SampleQueue(size.groups)
        m.submodules.results = results = ScoreBuffer(size.groups)
        groups = [Group(size, self._family) for _ in range(size.groups)]
        for index, group in enumerate(groups):
            m.submodules[f"group_{index}"] = group
        # All groups are in the same cycle of the same node, so all of their outputs but scores and
        # exponents are the same. These are taken from the first group.
        speaker = groups[0]

        # A run contracts the samples of one or more groups. `run` is high while it lasts; all parts
        # of the engine take its fall as their reset.
        run = Signal()
        cycle = Signal(CYCLE_BITS)
        m.d.comb += [
            samples.start.eq(self.start),
            # A run starts only if there is room for its results, so that nothing in the engine ever
            # has to wait for a slow reader while it runs.
            samples.take.eq(~run & samples.waiting & results.room),
            samples.done.eq(run & results.finished),
            self.fill_ready.eq(samples.fill_ready),
            self.busy.eq(run),
            self.idle.eq(~run & ~samples.waiting & results.empty),
        ]
        with m.If(run):
            m.d.sync += [cycle.eq(cycle + 1), run.eq(~results.finished)]
        with m.Elif(samples.take):
            # The cycle of `take` counts too.
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
        """Connect the host's bus to the program memory and the feature tables.

        A write goes to the feature tables of all groups, which therefore hold the same; a read
        returns what the first group holds. The bus passes a register here, since it leads to
        memories all over the device; this is part of `READ_LATENCY`.
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
            # While samples are contracted, the engine needs the memories' ports for itself.
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
