"""What the proofs of the contractor's score buffer compare it with, and what they assume around it.

The parts of the harness, each of which adds its logic to the harness' module:

- `OneRow` stands for the buffer's memory;
- `RunsUnderWay` is the reference: which runs have gone in, and which word must come out next;
- `Environment` assumes what the contractor around the buffer keeps to;
- `Watch` remembers what any one word of any one run must be.

Words: a *run* contracts samples in the groups ``first`` .. ``end - 1``. Each group gives a
*result*: a *head* (the number of scores), the scores, and a *trailer* (exponent, best score's
index, cycles in two halves). The buffer stores a score or a trailer's word of all groups as one
*row*, in the *bank* of the run.
"""

from __future__ import annotations

import types

from amaranth.hdl import Array, Assert, Assume, Cat, Elaboratable, Module, Mux, Signal, signed
from amaranth.lib import data

from tensorspin.contract.contractor.program import MAX_OUTPUTS
from tensorspin.contract.fixed import EXPONENT, MANTISSA
from tensorspin_gateware.contractor.interface import RESULT_WORD_BITS
from tensorspin_gateware.contractor.normaliser import INDEX_BITS
from tensorspin_gateware.contractor.score_buffer import BANKS, TRAILER_WORDS

UNDER_WAY = BANKS + 3
"""Greatest number of runs that have begun and whose words have not all left: those in the banks,
and three runs of one word each (faults) on the way from the memory to the reader."""

ROW = range(2 * MAX_OUTPUTS)
EXPONENT_ROW, BEST_ROW, *CYCLE_ROWS = range(MAX_OUTPUTS, MAX_OUTPUTS + TRAILER_WORDS)
SCORE = signed(MANTISSA.width)


class OneRow(Elaboratable):
    """One row of the buffer's memory, in place of the memory.

    A memory of all rows would be too large for the solver. Any one row is as good, since the
    harness leaves its address open: what is proved for it holds for each. All other rows give
    anything when they are read, and so does this one before it has been written, and while it is.

    It has the constructor and the methods of `amaranth.lib.memory.Memory` that the buffer uses.
    """

    def __init__(self, shape: int, depth: int, init: list[int]) -> None:
        self.address = Signal(range(depth))
        self.anything = Signal(shape)
        self.word = Signal(shape)
        self.written = Signal()
        self.write, self.read = (
            types.SimpleNamespace(addr=Signal(range(depth)), data=Signal(shape), en=Signal())
            for _ in range(2)
        )

    def write_port(self) -> types.SimpleNamespace:
        return self.write

    def read_port(self) -> types.SimpleNamespace:
        return self.read

    def elaborate(self, platform) -> Module:
        m = Module()
        writes = self.write.en & (self.write.addr == self.address)
        known = self.written & ~writes & (self.read.addr == self.address)
        with m.If(writes):
            m.d.sync += [self.word.eq(self.write.data), self.written.eq(1)]
        with m.If(self.read.en):
            m.d.sync += self.read.data.eq(Mux(known, self.word, self.anything))
        return m


def run_layout(groups: int) -> data.StructLayout:
    """What is known of a run when it begins; its outputs are counted less one."""
    number = range(groups + 1)
    return data.StructLayout({"outputs": INDEX_BITS, "first": number, "end": number, "fault": 1})


class RunsUnderWay:
    """The reference: runs that have begun, oldest first, and of which words are still to come.

    A *position* names a word: how many of these runs, and how many groups of its run, stand before
    it, and whether it is a head or which row it is of.

    Attributes
    ----------
    runs : list of run_layout
    at : Array
        The same, to be indexed by a signal.
    begun, stored : Signal
        How many of them there are, and how many of those have been stored completely.
    first_bank : Signal
        Bank of the oldest.
    given : position
        The word that must be given out next.
    leaves : Value
        The oldest run's last word is given out in this cycle.
    """

    def __init__(self, groups: int) -> None:
        self.layout = run_layout(groups)
        self._position = data.StructLayout(
            {"run": range(UNDER_WAY), "group": range(groups + 1), "head": 1, "row": ROW}
        )
        self.runs = [Signal(self.layout, name=f"under_way_{place}") for place in range(UNDER_WAY)]
        self.at = Array(self.runs)
        self.begun = Signal(range(UNDER_WAY + 1))
        self.stored = Signal(range(UNDER_WAY + 1))
        self.first_bank = Signal()
        self.given = Signal(self._position, init={"head": 1})

    def follow(self, m: Module, begin, run, words) -> None:
        """Add runs that begin, count the words that are given out, and drop runs that are done."""
        then = self.after(m, self.given, words.valid & words.ready, "then")
        self.leaves = then.run != 0
        m.d.sync += [
            self.given.eq(then),
            self.given.run.eq(0),
            self.first_bank.eq(self.first_bank ^ self.leaves),
        ]
        for place, (kept, following) in enumerate(zip(self.runs, [*self.runs[1:], self.runs[-1]])):
            with m.If(begin & (place + self.leaves == self.begun)):
                m.d.sync += kept.eq(run)
            with m.Elif(self.leaves):
                m.d.sync += kept.eq(following)

    def count(self, m: Module, begin, is_stored) -> None:
        """Count runs that begin, and runs whose last word is stored in this cycle."""
        m.d.sync += [
            self.begun.eq(self.begun + begin - self.leaves),
            self.stored.eq(self.stored + is_stored - self.leaves),
        ]

    def head(self, position):
        """The word that a result begins with: the number of scores, or 0 for a fault."""
        run = self.at[position.run]
        return Mux(run.fault, 0, run.outputs + 1)

    def is_last(self, position):
        """Whether a word is the last of its result."""
        return Mux(position.head, self.at[position.run].fault, position.row == CYCLE_ROWS[-1])

    def after(self, m: Module, position, moves, name: str):
        """The position of the word behind this one if it moves, and this position otherwise."""
        run, after = self.at[position.run], Signal(self._position, name=name)
        m.d.comb += after.eq(position)
        with m.If(moves):
            m.d.comb += [
                after.head.eq(0),
                after.row.eq(Mux(position.row == run.outputs, EXPONENT_ROW, position.row + 1)),
            ]
            with m.If(position.head):
                m.d.comb += after.row.eq(0)
            with m.If(self.is_last(position)):
                m.d.comb += [after.head.eq(1), after.row.eq(0), after.group.eq(position.group + 1)]
                with m.If(run.first + position.group + 1 == run.end):
                    m.d.comb += [after.run.eq(position.run + 1), after.group.eq(0)]
        return after


class Environment:
    """The contractor around the buffer: assumes that it keeps to its part.

    - Samples are taken only if there is room for a run, and no run has been taken before.
    - A run begins after that, and after the trailer of the run before is stored.
    - Scores come in order, from 0 on, with any pauses; the last one is marked.
    - The exponents stay from the first score to the end of the trailer.
    - Behind a run under way that has a fault there are only runs with faults. (Words on their way
      share one register for the number of scores; a fault's 0 that waits there would become the
      number of a sound run behind it.)

    Attributes
    ----------
    taken : Signal
        Samples have been taken, and their last score has not come.
    scoring : Signal
        The run has begun, and its last score has not come.
    index : Signal
        Index of the next score.
    trailer : Signal
        Words of the trailer that have been stored.
    in_trailer : Signal
        The trailer is being stored.
    steady : Signal
        The exponents must not change any more.
    """

    def __init__(self, groups: int, pauses: bool) -> None:
        self._groups = groups
        self._pauses = pauses
        self.taken = Signal()
        self.scoring = Signal()
        self.index = Signal(INDEX_BITS)
        self.trailer = Signal(range(TRAILER_WORDS + 1), init=TRAILER_WORDS)
        self.in_trailer = Signal()
        self.steady = Signal()

    def assume(self, m: Module, ports, dut, runs: RunsUnderWay) -> None:
        """Constrain the harness' input ports; the buffer's `finished` is asserted on the way."""
        self._assume_order_of_runs(m, ports, dut, runs)
        self._assume_order_of_scores(m, ports, runs)
        m.d.comb += Assert(dut.finished == (ports.valid & ports.last))
        with m.If(dut.finished):
            m.d.sync += [self.scoring.eq(0), self.trailer.eq(0)]

    def _assume_order_of_runs(self, m: Module, ports, dut, runs: RunsUnderWay) -> None:
        exponents, before = Cat(ports.exponents), Signal(EXPONENT.width * self._groups)
        may_take = dut.room & ~self.taken
        may_begin = self.taken & ~self.scoring & ~self.in_trailer
        m.d.comb += [
            self.in_trailer.eq(self.trailer != TRAILER_WORDS),
            self.steady.eq((self.scoring & (self.index != 0)) | self.in_trailer),
            Assume(~ports.take | may_take),
            Assume(~ports.begin | may_begin),
            Assume(~self.steady | (exponents == before)),
        ]
        m.d.sync += [
            before.eq(exponents),
            self.taken.eq((self.taken | ports.take) & ~dut.finished),
            self.trailer.eq(self.trailer + self.in_trailer),
        ]
        runs.count(m, ports.begin, self.trailer == TRAILER_WORDS - 1)
        if not self._pauses:
            at_once = (
                (ports.take == may_take)
                & (ports.begin == may_begin)
                & (ports.valid == self.scoring)
                & ports.ready
            )
            m.d.comb += Assume(at_once)

    def _assume_order_of_scores(self, m: Module, ports, runs: RunsUnderWay) -> None:
        with m.If(ports.begin):
            m.d.comb += [
                Assume((ports.run.first < ports.run.end) & (ports.run.end <= self._groups)),
                *(
                    Assume(ports.run.fault | (place >= runs.begun) | ~run.fault)
                    for place, run in enumerate(runs.runs)
                ),
            ]
            m.d.sync += [self.scoring.eq(1), self.index.eq(0)]
        with m.If(ports.valid):
            m.d.comb += [
                Assume(self.scoring & (ports.index == self.index)),
                Assume(ports.last == (self.index == runs.at[runs.stored].outputs)),
            ]
            m.d.sync += self.index.eq(self.index + 1)


class Watch:
    """What any one word must be: that of a row and a group, of any one run in a bank.

    The run, row and group are open inputs of the harness that keep their first values, so what is
    proved for them holds for each. The best score's index is not computed here. Instead any index,
    the *winner*, is compared with any other, its *rival*: if the buffer names the winner, no rival
    may beat it.

    Attributes
    ----------
    watching : Signal
        The run that is watched has begun, and its last word has not been given out.
    watched : Signal
        Its place among the runs under way.
    writing : Value
        It is being stored.
    expected : Signal
        What the watched word must be, unless it is the best score's index.
    winning, rivalling : Signal
        Scores of winner and rival.
    exponent : Value
        Exponent of the watched group.
    """

    def __init__(self, ports, runs: RunsUnderWay) -> None:
        self._ports = ports
        self._runs = runs
        self.watching = Signal()
        self.watched = Signal(range(UNDER_WAY))
        self.writing = self.watching & (self.watched == runs.stored)
        self.expected = Signal(RESULT_WORD_BITS)
        self.winning, self.rivalling = Signal(SCORE), Signal(SCORE)
        self.exponent = Array(ports.exponents)[ports.group]
        self.outputs = runs.at[self.watched].outputs

    def follow(self, m: Module, environment: Environment) -> None:
        """Choose a run, and remember what comes for the watched word."""
        ports, runs = self._ports, self._runs
        begun_bank = runs.first_bank ^ runs.begun[0]
        with m.If(self.watching):
            m.d.sync += [
                self.watching.eq(~runs.leaves | (self.watched != 0)),
                self.watched.eq(self.watched - runs.leaves),
            ]
        with m.Elif(ports.begin & ports.watch & (begun_bank == ports.bank)):
            m.d.sync += [self.watching.eq(1), self.watched.eq(runs.begun - runs.leaves)]

        mantissa = Array(ports.scores)[ports.group]
        index = environment.index
        with m.If(ports.valid & self.writing):
            with m.If(ports.row == index):
                m.d.sync += self.expected.eq(mantissa)
            with m.If((ports.row == EXPONENT_ROW) & (index == 0)):
                m.d.sync += self.expected.eq(self.exponent)
            for half, row in enumerate(CYCLE_ROWS):
                with m.If(ports.last & (ports.row == row)):
                    m.d.sync += self.expected.eq(ports.cycles.word_select(half, RESULT_WORD_BITS))
            for rank, value in ((ports.winner, self.winning), (ports.rival, self.rivalling)):
                with m.If(rank == index):
                    m.d.sync += value.eq(mantissa)

    def is_right(self, word):
        """Whether the watched word may be this one."""
        ports = self._ports
        # Of equal scores the first one wins.
        beats = Mux(
            ports.rival < ports.winner,
            self.winning > self.rivalling,
            self.winning >= self.rivalling,
        )
        is_best = (word != ports.winner) | (ports.rival > self.outputs) | beats
        return Mux(ports.row == BEST_ROW, (word <= self.outputs) & is_best, word == self.expected)

    def is_watched(self, position):
        """Whether a position is that of the watched word."""
        ports = self._ports
        group = self._runs.at[position.run].first + position.group
        is_here = ~position.head & (group == ports.group) & (position.row == ports.row)
        return self.watching & (self.watched == position.run) & is_here
