"""The whole engine: one program, one or more groups that apply it to samples."""

from __future__ import annotations

from typing import Any

from amaranth import C, Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring

from tensorspin.contract.contractor.latency import LONG
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.contractor.program import HEADER_BITS, MIN_LANES
from tensorspin.contract.contractor.protection import HEADER_DATA_BITS
from tensorspin.contract.contractor.rows import Rows
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.fixed import NARROW_WEIGHT

from ..primitives import Family
from ..primitives.signature import WordSignature
from ..primitives.stream_register import StreamRegister
from .correcting import CorrectingSequencer
from .group import Group
from .interface import CYCLE_BITS, RESULT_WORD, ContractorSignature, FillSignature
from .program import ProgramReader
from .protection import ProtectedWeights
from .sample_queue import SampleQueue
from .score_buffer import ScoreBuffer
from .sequencer import Sequencer
from .single import RowReader, SharedGroup, SingleMode
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
    standby : bool, default=False
        Whether the program memory stands by while nobody uses it.

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
        has a byte for each lane. Or if a program memory is to stand by that consists of banks.
    """

    def __init__(
        self,
        size: ContractorSize,
        family: Family = Family.BEHAVIOURAL,
        standby: bool = False,
    ) -> None:
        if size.lanes < MIN_LANES:
            raise ValueError(f"a header needs {MIN_LANES} lanes, not {size.lanes}")
        if standby and size.single_drain:
            raise ValueError(
                "a program memory of banks, for groups that share a sample, can't stand by"
            )
        self._size = size
        self._family = family
        self._standby = standby
        super().__init__(ContractorSignature(size, standby).flip())

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        slow = size.latencies is LONG
        m.submodules.reader = reader = self._reader()
        corrects = bool(size.protected)
        m.submodules.sequencer = sequencer = (CorrectingSequencer if corrects else Sequencer)(size)
        m.submodules.weights = weights = (ProtectedWeights if corrects else Weights)(size.lanes)
        m.submodules.samples = samples = SampleQueue(size.groups, modes=bool(size.single_drain))
        m.submodules.results = results = ScoreBuffer(size.groups, slow, bool(size.resident))
        groups = [self._group(index) for index in range(size.groups)]
        for index, group in enumerate(groups):
            m.submodules[f"group_{index}"] = group
        # All groups are in the same cycle of the same node, so all of their outputs but scores and
        # exponents are the same. These are taken from the first group.
        speaker = groups[0]

        # A run contracts the samples of one or more groups. `run` is high while it lasts; all parts
        # of the engine take its fall as their reset.
        all_sent, fill = results.empty, self.fill
        fill_half, fill_group = samples.fill_half, samples.fill_group
        if slow:
            all_sent = self._register_results(m, results)
            fill, fill_half, fill_group = self._register_fill(m, samples)
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
            self.idle.eq(~run & ~samples.waiting & all_sent),
        ]
        with m.If(run):
            m.d.sync += [cycle.eq(cycle + 1), run.eq(~results.finished)]
        with m.Elif(samples.take):
            # The cycle of `take` counts too.
            m.d.sync += [cycle.eq(1), run.eq(1)]
        if slow:
            # The same without an enable, which would come late from `take`.
            with m.If(~run):
                m.d.sync += cycle.eq(1)

        wiring.connect(m, reader.words, sequencer.words)
        if slow:
            m.d.comb += reader.ready_next.eq(sequencer.ready_next)
        else:
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
        if size.protected:
            m.d.comb += [
                sequencer.coded.eq(self.protected),
                weights.protected.eq(sequencer.weight_protected),
            ]
        if self._standby:
            m.d.comb += reader.awake.eq(self.awake)
        if size.resident:
            self._run_again(m, run, cycle, samples, results, (reader, *groups))
        for index, group in enumerate(groups):
            m.d.comb += [
                group.run.eq(run),
                group.weights.eq(weights.weights),
                group.fill.enable.eq(fill.enable & (fill_group == index)),
                group.fill.address.eq(fill.address),
                group.fill.level.eq(fill.level),
                group.fill_half.eq(fill_half),
                group.read_half.eq(samples.run_half),
                results.scores[index].eq(group.score),
                results.exponents[index].eq(group.exponent),
            ]
            for name in ("header", "header_new", "element", "node_first", "parity"):
                m.d.comb += getattr(group, name).eq(getattr(sequencer, name))
        self._connect_bus(m, reader, groups)
        if size.signature:
            self._check_program(m, run, reader, sequencer, weights, groups, results)
        if size.single_drain:
            self._share_samples(m, run, samples, reader, sequencer, groups, results)
            self._read_ahead(m, run, cycle, samples, reader, results)
        return m

    def _run_again(self, m: Module, run, cycle, samples, results, readers) -> None:
        """Let the other half contract the samples of a run, too, before their place is free.

        The assignments here win over those of a run with one half, which come before them.
        """
        second = Signal()
        # Half of the run to come: it is read two cycles after the end of the one before.
        half = Signal()
        m.d.sync += half.eq(self.half ^ second)
        m.d.comb += [component.half.eq(half) for component in readers]
        m.d.comb += [results.both.eq(self.both), results.second.eq(second)]
        with m.If(self.both & ~second):
            m.d.comb += samples.done.eq(0)
        with m.If(run & results.finished):
            m.d.sync += second.eq(self.both & ~second)
        with m.If(second):
            m.d.comb += samples.take.eq(0)
            with m.If(~run):
                m.d.sync += [cycle.eq(1), run.eq(1)]

    def _check_program(self, m: Module, run, reader, sequencer, weights, groups, results) -> None:
        """Give no scores of a run that has not read the program that was signed."""
        wrong = Signal()
        corrects = bool(self._size.protected)
        m.submodules.signature = signature = WordSignature(self._size.lanes, apart=corrects)
        # From a wrong run on no run is right, until all results are sent. Then the program is not
        # active any more, and no sample comes before it is loaded again.
        failed = Signal()
        with m.If(self.idle):
            m.d.sync += failed.eq(0)
        with m.Elif(results.begin & results.fault):
            m.d.sync += failed.eq(1)
        word, take = reader.words.payload, reader.words.valid & reader.words.ready
        if corrects:
            word, take = self._corrected(m, run, reader, sequencer, weights, signature)
        m.d.comb += [
            signature.run.eq(run),
            signature.word.eq(word),
            signature.take.eq(take),
            results.fault.eq(sequencer.fault | failed | (self.signed & wrong)),
            wrong.eq(signature.wrong),
        ]
        if self._size.table_parity:
            # Groups without a sample in this run read what is left of earlier samples.
            table_wrong = Signal()
            m.d.sync += table_wrong.eq(
                Cat(
                    group.table_wrong & (results.first <= index) & (results.end > index)
                    for index, group in enumerate(groups)
                ).any()
            )
            m.d.comb += wrong.eq(signature.wrong | table_wrong)

    def _corrected(self, m: Module, run, reader, sequencer, weights, signature) -> list[Value]:
        """Give what is used of a word, and whether it was taken, a cycle late: when it is right."""
        word = Signal.like(reader.words.payload)
        taken, decoded, coded = Signal(), Signal(), self.protected
        m.d.sync += [
            word.eq(reader.words.payload),
            taken.eq(reader.words.valid & reader.words.ready & run),
            decoded.eq(sequencer.weight_protected),
        ]
        half = NARROW_WEIGHT.width
        upper_halves = Cat(
            Cat(C(0, half), weights.decoded.word_select(lane, half))
            for lane in range(self._size.lanes)
        )
        header = Cat(sequencer.used, C(0, HEADER_BITS - HEADER_DATA_BITS), word[HEADER_BITS:])
        used = Mux(sequencer.used_new, header, Mux(decoded, upper_halves, word))
        m.d.comb += signature.expected.eq(Mux(coded, weights.decoded, word))
        return [Mux(coded, used, word), taken]

    def _register_results(self, m: Module, results: ScoreBuffer) -> Value:
        """Put a register behind the results; return whether all of them have been read."""
        m.submodules.results_register = register = StreamRegister(RESULT_WORD)
        wiring.connect(m, results.words, register.before)
        wiring.connect(m, wiring.flipped(self.results), register.after)
        return results.empty & ~register.after.valid

    def _register_fill(self, m: Module, samples: SampleQueue) -> tuple[Any, Value, Value]:
        """Put registers before the features' memories, which are far from the router.

        Returns
        -------
        fill : interface of FillSignature
            The same a cycle later: a sample is read some cycles after its `start` at the earliest.
        fill_half, fill_group : Value
            Its place, which may be another already in that cycle.
        """
        fill = FillSignature(self._size).create()
        half = Signal.like(samples.fill_half)
        group = Signal.like(samples.fill_group)
        m.d.sync += [half.eq(samples.fill_half), group.eq(samples.fill_group)]
        for name in FillSignature(self._size).members:
            m.d.sync += getattr(fill, name).eq(getattr(self.fill, name))
        return fill, half, group

    def _share_samples(self, m: Module, run, samples, reader, sequencer, groups, results) -> None:
        """Add single mode, in which the groups share a sample.

        The assignments here win over those of throughput mode, which come before them.
        """
        m.submodules.single = mode = SingleMode(self._size)
        single = samples.run_single
        # Copies for what does not begin with the run, as headers and scores come many cycles later:
        # the wires are long.
        shared, shared_results = Signal(), Signal()
        m.d.sync += [shared.eq(single), shared_results.eq(shared)]
        m.d.comb += [
            samples.single.eq(self.single),
            mode.run.eq(run & single),
            mode.group.eq(samples.first),
            mode.word.eq(reader.row[0]),
            reader.single.eq(single),
            reader.read.eq(mode.read),
            reader.count.eq(mode.count),
            reader.header.eq(mode.header_read),
            reader.header_address.eq(mode.header_address),
        ]
        for index, group in enumerate(groups):
            m.d.comb += [
                group.single.eq(single),
                group.word.eq(reader.row[index]),
                group.fetch.eq(Mux(shared, mode.fetch, sequencer.header)),
                group.fetch_new.eq(Mux(shared, mode.fetch_new, sequencer.header_new)),
                mode.valid[index].eq(group.valid),
                mode.levels[index].eq(group.level),
                mode.sums[index].eq(group.sums),
            ]
            for name in ("step", "place", "left_level", "right_level", "slice", "row"):
                m.d.comb += getattr(group, name).eq(getattr(mode, name))
        m.d.comb += sequencer.run.eq(run & ~single)
        with m.If(shared):
            m.d.comb += [group.header.eq(mode.header) for group in groups]
        with m.If(shared_results):
            m.d.comb += [
                # The result counts as that of the first group, whichever has the sample.
                results.first.eq(0),
                results.end.eq(1),
                results.begin.eq(mode.scores_begin),
                results.outputs.eq(mode.outputs),
                results.fault.eq(reader.past_end),
                results.score_valid.eq(mode.score_valid),
                results.scores[0].eq(mode.score),
                results.exponents[0].eq(mode.exponent),
            ]

    def _read_ahead(self, m: Module, run, cycle, samples, reader, results) -> None:
        """Let the reader begin before a run in throughput mode, so that the first word is there."""
        reading = Signal()
        cycles = Rows(self._size).read_ahead
        waits = Signal(range(cycles + 1))
        m.d.comb += [
            samples.take.eq(~reading & samples.waiting & results.room),
            reader.run.eq(reading),
        ]
        with m.If(samples.take):
            m.d.sync += [reading.eq(1), run.eq(samples.next_single), waits.eq(cycles)]
        with m.If(reading & ~run):
            m.d.sync += waits.eq(waits - 1)
            with m.If(waits == 1):
                m.d.sync += [run.eq(1), cycle.eq(1)]
        with m.If(run & results.finished):
            m.d.sync += reading.eq(0)

    def _reader(self) -> ProgramReader | RowReader:
        if self._size.single_drain:
            return RowReader(self._size, self._family)
        return ProgramReader(self._size, self._family, self._standby)

    def _group(self, index: int) -> Group:
        if self._size.single_drain:
            return SharedGroup(self._size, self._family, index)
        return Group(self._size, self._family)

    def _connect_bus(
        self, m: Module, reader: ProgramReader | RowReader, groups: list[Group]
    ) -> None:
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
