"""The contractor's results and all that may happen around them, for proofs."""

import types

from amaranth.hdl import Array, Assert, Assume, Cat, Elaboratable, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from tensorspin.contract.contractor.program import MAX_OUTPUTS
from tensorspin.contract.fixed import EXPONENT, MANTISSA
from tensorspin_gateware.contractor import score_buffer
from tensorspin_gateware.contractor.interface import CYCLE_BITS, RESULT_WORD_BITS
from tensorspin_gateware.contractor.normaliser import INDEX_BITS
from tensorspin_gateware.contractor.score_buffer import BANKS, TRAILER_WORDS

from ..support.proof import Mutant, Probes, hold_while_stalled, unchanging, variant

UNDER_WAY = BANKS + 3
"""Runs begun and not given out, at most: those in the banks, and three of one word each before."""
DELAY = 4
"""Cycles in which at most nothing is offered, though something is stored."""
ROW = range(2 * MAX_OUTPUTS)
EXPONENT_ROW, BEST_ROW, *CYCLE_ROWS = range(MAX_OUTPUTS, MAX_OUTPUTS + TRAILER_WORDS)
SCORE = signed(MANTISSA.width)


class OneRow(Elaboratable):
    """In place of the memory: any one row of it. Others give anything when they are read, and so
    does this one before it has been written, and while it is."""

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


class ResultsHarness(wiring.Component):
    """Any runs, at any times, and any reader: the fate of any one word of any one run.

    The environment is the contractor: it takes samples when there is room and no run, a run begins
    after that and after the trailer of the one before is stored, and its scores come in order, with
    any pauses. All runs under way have faults, or none has: the program stays while there are
    results. (Words under way share one register for the number of scores; a fault's 0 that waits
    there would become the number of a sound run behind it.)

    Parameters
    ----------
    groups : int
    mutant : Mutant or None
    inductive : bool
        Assert what holds inside of the component, too.
    pauses : bool
        Nothing waits if there are none.
    """

    def __init__(
        self, groups: int, mutant: Mutant | None, inductive: bool, pauses: bool = True
    ) -> None:
        self._groups = groups
        self._pauses = pauses
        self._inductive = inductive
        memories = []

        def one_row(**parameters) -> OneRow:
            memories.append(OneRow(**parameters))
            return memories[-1]

        module = variant(score_buffer, mutant, memory=types.SimpleNamespace(Memory=one_row))
        self._results = module.ScoreBuffer(groups)
        # A register inside has the name of this port.
        self._results.cycles = Signal(CYCLE_BITS, name="cycles_now")
        self._dut = self._results.elaborate(None)
        (self._rows,) = memories

        number = range(groups + 1)
        self._run = data.StructLayout(
            {"outputs": INDEX_BITS, "first": number, "end": number, "fault": 1}
        )
        # Of a word: how many runs and groups stand before it, and where it stands itself.
        self._position = data.StructLayout(
            {"run": range(UNDER_WAY), "group": number, "head": 1, "row": ROW}
        )
        place = data.StructLayout({"head": 1, "group": range(groups), "last": 1})
        probed = {
            "begun": 1,
            "group": number,
            "head": 1,
            "row": ROW,
            "count": RESULT_WORD_BITS,
            "fetched": 1,
            "fetched_place": place,
            "held": 1,
            "held_place": place,
            "held_row": RESULT_WORD_BITS * groups,
            "write_bank": 1,
            "read_bank": 1,
            "unread": range(BANKS + 1),
            "step": range(TRAILER_WORDS + 1),
            "cycles": CYCLE_BITS,
            **{f"run_{bank}": self._run for bank in range(BANKS)},
            **{f"best_{group}": SCORE for group in range(groups)},
            **{f"best_index_{group}": RESULT_WORD_BITS for group in range(groups)},
        }
        self.probes = Probes({f"dut_{name}": f"dut.{name}" for name in probed})
        super().__init__(
            {f"dut_{name}": In(shape) for name, shape in probed.items()}
            | {
                "take": In(1),
                "begin": In(1),
                "run": In(self._run),
                "valid": In(1),
                "index": In(INDEX_BITS),
                "last": In(1),
                "scores": In(SCORE).array(groups),
                "exponents": In(EXPONENT.width).array(groups),
                "cycles": In(CYCLE_BITS),
                "ready": In(1),
                "anything": In(RESULT_WORD_BITS * groups),
                # What is watched; the greatest score is compared with any rival.
                "watch": In(1),
                "bank": In(1),
                "group": In(range(max(2, groups))),
                "row": In(ROW),
                "winner": In(INDEX_BITS),
                "rival": In(INDEX_BITS),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.dut = self._dut
        dut, words = self._results, self._results.words
        m.d.comb += [
            dut.begin.eq(self.begin),
            *(getattr(dut, name).eq(self.run[name]) for name, _ in self._run),
            dut.score_valid.eq(self.valid),
            *(
                score.eq(Cat(mantissa, self.index, self.last))
                for score, mantissa in zip(dut.scores, self.scores)
            ),
            *(port.eq(value) for port, value in zip(dut.exponents, self.exponents)),
            dut.cycles.eq(self.cycles),
            words.ready.eq(self.ready),
            self._rows.address.eq(Cat(self.row, self.bank)),
            self._rows.anything.eq(self.anything),
            Assume(self.group < self._groups),
        ]
        for name in ("bank", "group", "row", "winner", "rival"):
            unchanging(m, getattr(self, name), name)
        hold_while_stalled(m, Assert, words, "words")

        # The runs under way: how many have begun, and are stored. The next word is of the first.
        runs = [Signal(self._run, name=f"under_way_{place}") for place in range(UNDER_WAY)]
        self._runs = Array(runs)
        begun, stored = Signal(range(UNDER_WAY + 1)), Signal(range(UNDER_WAY + 1))
        first_bank = Signal()
        given = Signal(self._position, init={"head": 1})
        then = self._after(m, given, words.valid & words.ready, "then")
        leaves = then.run != 0
        m.d.sync += [given.eq(then), given.run.eq(0), first_bank.eq(first_bank ^ leaves)]
        for place, (run, following) in enumerate(zip(runs, [*runs[1:], runs[-1]])):
            with m.If(self.begin & (place + leaves == begun)):
                m.d.sync += run.eq(self.run)
            with m.Elif(leaves):
                m.d.sync += run.eq(following)

        # The environment.
        taken, scoring = Signal(), Signal()
        index = Signal(INDEX_BITS)
        trailer = Signal(range(TRAILER_WORDS + 1), init=TRAILER_WORDS)  # words that are stored
        in_trailer, steady = Signal(), Signal()
        exponents, exponents_before = Cat(self.exponents), Signal(EXPONENT.width * self._groups)
        may_take, may_begin = dut.room & ~taken, taken & ~scoring & ~in_trailer
        m.d.comb += [
            in_trailer.eq(trailer != TRAILER_WORDS),
            steady.eq((scoring & (index != 0)) | in_trailer),
            Assume(~self.take | may_take),
            Assume(~self.begin | may_begin),
            Assume(~steady | (exponents == exponents_before)),
        ]
        m.d.sync += [
            exponents_before.eq(exponents),
            begun.eq(begun + self.begin - leaves),
            stored.eq(stored + (trailer == TRAILER_WORDS - 1) - leaves),
            taken.eq((taken | self.take) & ~dut.finished),
            trailer.eq(trailer + in_trailer),
        ]
        if not self._pauses:
            at_once = (self.take == may_take) & (self.begin == may_begin) & (self.valid == scoring)
            m.d.comb += Assume(at_once & self.ready)
        with m.If(self.begin):
            m.d.comb += [
                Assume((self.run.first < self.run.end) & (self.run.end <= self._groups)),
                Assume((begun == 0) | (self.run.fault == runs[0].fault)),
            ]
            m.d.sync += [scoring.eq(1), index.eq(0)]
        with m.If(self.valid):
            m.d.comb += [
                Assume(scoring & (self.index == index)),
                Assume(self.last == (index == self._runs[stored].outputs)),
            ]
            m.d.sync += index.eq(index + 1)
        m.d.comb += Assert(dut.finished == (self.valid & self.last))
        with m.If(dut.finished):
            m.d.sync += [scoring.eq(0), trailer.eq(0)]

        # One run is watched.
        watching, watched = Signal(), Signal(range(UNDER_WAY))
        begun_bank = first_bank ^ begun[0]
        with m.If(watching):
            m.d.sync += [watching.eq(~leaves | (watched != 0)), watched.eq(watched - leaves)]
        with m.Elif(self.begin & self.watch & (begun_bank == self.bank)):
            m.d.sync += [watching.eq(1), watched.eq(begun - leaves)]
        mantissa = Array(self.scores)[self.group]
        exponent = Array(self.exponents)[self.group]
        expected = Signal(RESULT_WORD_BITS)
        winning, rivalling = Signal(SCORE), Signal(SCORE)
        writing = watching & (watched == stored)
        with m.If(self.valid & writing):
            with m.If(self.row == index):
                m.d.sync += expected.eq(mantissa)
            with m.If((self.row == EXPONENT_ROW) & (index == 0)):
                m.d.sync += expected.eq(exponent)
            for half, row in enumerate(CYCLE_ROWS):
                with m.If(self.last & (self.row == row)):
                    m.d.sync += expected.eq(self.cycles.word_select(half, RESULT_WORD_BITS))
            for rank, value in ((self.winner, winning), (self.rival, rivalling)):
                with m.If(rank == index):
                    m.d.sync += value.eq(mantissa)
        outputs = self._runs[watched].outputs
        beats = Mux(self.rival < self.winner, winning > rivalling, winning >= rivalling)

        def is_right(word):
            """Whether the word that is watched may be this one."""
            is_best = (word != self.winner) | (self.rival > outputs) | beats
            return Mux(self.row == BEST_ROW, (word <= outputs) & is_best, word == expected)

        def is_watched(position):
            group = self._runs[position.run].first + position.group
            is_here = ~position.head & (group == self.group) & (position.row == self.row)
            return watching & (watched == position.run) & is_here

        # What comes out.
        idle = Signal(range(DELAY + 2))
        with m.If(words.valid | (stored == 0)):
            m.d.sync += idle.eq(0)
        with m.Elif(idle <= DELAY):
            m.d.sync += idle.eq(idle + 1)
        nothing_given = given.head & (given.group == 0)
        m.d.comb += [
            Assert(idle <= DELAY),
            Assert(dut.empty == (begun == 0)),
            Assert(dut.room | (begun >= BANKS)),
            Assert(~dut.room | (begun < BANKS) | ~nothing_given | runs[0].fault),
        ]
        with m.If(words.valid):
            word = words.payload.word
            m.d.comb += [
                Assert(stored != 0),
                Assert(words.payload.last == self._is_last(given)),
                Assert(~given.head | (word == self._head(given))),
                Assert(~is_watched(given) | is_right(word)),
            ]
        if not self._inductive:
            return m

        # Inside: what is read, and the words on the way from there, oldest first.
        at_held = self._after(m, given, words.valid, "at_held")
        at_fetched = self._after(m, at_held, self.dut_held, "at_fetched")
        at = self._after(m, at_fetched, self.dut_fetched, "at")
        reached = Mux(self.dut_held, 3, Mux(self.dut_fetched, 2, self.dut_begun))
        m.d.comb += [
            Assert(words.valid | (idle <= reached)),
            Assert(begun == stored + (scoring | in_trailer)),
            Assert(begun <= UNDER_WAY),
            Assert(at.run <= stored),
            Assert(begun - at.run <= BANKS),
            Assert(self.dut_unread == begun - at.run),
            Assert(dut.room == (begun - at.run != BANKS)),
            Assert(~taken | scoring | dut.room),
            Assert(~scoring | (taken & ~in_trailer & (index <= self._runs[stored].outputs))),
            Assert(self.dut_step == trailer),
            Assert(self.dut_write_bank == first_bank ^ stored[0]),
            Assert(self.dut_read_bank == first_bank ^ at.run[0]),
            Assert(self.dut_head == at.head),
            Assert(~watching | (watched < begun)),
            Assert(~watching | (first_bank ^ watched[0] == self.bank)),
        ]
        for place, run in enumerate(runs):
            with m.If(place < begun):
                m.d.comb += [
                    Assert((run.first < run.end) & (run.end <= self._groups)),
                    Assert(run.fault == runs[0].fault),
                ]
            for bank in range(BANKS):
                kept = getattr(self, f"dut_run_{bank}").as_value()
                with m.If((place >= at.run) & (place < begun) & (first_bank == (bank ^ place) % 2)):
                    m.d.comb += Assert(run.as_value() == kept)
        is_score, is_trailer = given.row <= runs[0].outputs, given.row >= MAX_OUTPUTS
        is_row = ~runs[0].fault & (is_score | (is_trailer & (given.row <= CYCLE_ROWS[-1])))
        m.d.comb += [
            Assert((stored != 0) | (given.head & (given.group == 0))),
            Assert((begun == 0) | (runs[0].first + given.group < runs[0].end)),
            Assert(Mux(given.head, given.row == 0, is_row)),
        ]
        with m.If(self.dut_begun):
            m.d.comb += [
                Assert(at.run != stored),
                Assert(self.dut_group == self._runs[at.run].first + at.group),
                Assert(at.head | (self.dut_row == at.row)),
            ]
        with m.Else():
            m.d.comb += Assert((stored - at.run < BANKS) & at.head & (at.group == 0))
        for valid, place, row, position in (
            (self.dut_held, self.dut_held_place, self.dut_held_row, at_held),
            (self.dut_fetched, self.dut_fetched_place, self._rows.read.data, at_fetched),
        ):
            with m.If(valid):
                m.d.comb += [
                    Assert(place.head == position.head),
                    Assert(place.group == self._runs[position.run].first + position.group),
                    Assert(place.last == self._is_last(position)),
                    Assert(~position.head | (self.dut_count == self._head(position))),
                    Assert(~is_watched(position) | is_right(self._word(row))),
                ]

        # What is stored, and what will be.
        is_score, is_trailer = self.row < MAX_OUTPUTS, self.row <= CYCLE_ROWS[-1]
        is_row = Mux(is_score, self.row <= outputs, is_trailer)
        next_row = Mux(in_trailer, MAX_OUTPUTS + trailer, index)
        is_stored = Mux(writing, self.row < next_row, (watched >= at.run) & (watched < stored))
        with m.If(watching & is_row & is_stored):
            m.d.comb += Assert(self._rows.written & is_right(self._word(self._rows.word)))
        with m.If(writing & steady):
            best, best_index = (
                Array(getattr(self, f"dut_{name}_{group}") for group in range(self._groups))[
                    self.group
                ]
                for name in ("best", "best_index")
            )
            seen = Mux(scoring, index, outputs + 1)
            beats = Mux(self.rival < best_index, best > rivalling, best >= rivalling)
            m.d.comb += [
                Assert(best_index < seen),
                Assert((best_index != self.winner) | (best == winning)),
                Assert((self.rival >= seen) | beats),
                Assert((self.row != EXPONENT_ROW) | (expected == exponent)),
            ]
        for half, row in enumerate(CYCLE_ROWS):
            with m.If(writing & in_trailer & (self.row == row)):
                half_cycles = self.dut_cycles.word_select(half, RESULT_WORD_BITS)
                m.d.comb += Assert(expected == half_cycles)
        return m

    def _word(self, row):
        return row.word_select(self.group, RESULT_WORD_BITS)

    def _head(self, position):
        """The word that a group begins with."""
        run = self._runs[position.run]
        return Mux(run.fault, 0, run.outputs + 1)

    def _is_last(self, position):
        return Mux(position.head, self._runs[position.run].fault, position.row == CYCLE_ROWS[-1])

    def _after(self, m: Module, position, moves, name: str):
        """The position behind this one if it moves."""
        run, after = self._runs[position.run], Signal(self._position, name=name)
        m.d.comb += after.eq(position)
        with m.If(moves):
            m.d.comb += [
                after.head.eq(0),
                after.row.eq(Mux(position.row == run.outputs, EXPONENT_ROW, position.row + 1)),
            ]
            with m.If(position.head):
                m.d.comb += after.row.eq(0)
            with m.If(self._is_last(position)):
                m.d.comb += [after.head.eq(1), after.row.eq(0), after.group.eq(position.group + 1)]
                with m.If(run.first + position.group + 1 == run.end):
                    m.d.comb += [after.run.eq(position.run + 1), after.group.eq(0)]
        return after
