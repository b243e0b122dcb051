"""A harness for proofs of the contractor's score buffer: any runs, at any times, and any reader."""

from __future__ import annotations

import types

from amaranth.hdl import Assert, Assume, Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from tensorspin.contract.fixed import EXPONENT
from tensorspin_gateware.contractor import score_buffer
from tensorspin_gateware.contractor.interface import CYCLE_BITS, RESULT_WORD_BITS
from tensorspin_gateware.contractor.normaliser import INDEX_BITS
from tensorspin_gateware.contractor.score_buffer import BANKS, TRAILER_WORDS

from ..support.proof import Mutant, Probes, hold_while_stalled, unchanging, variant
from .results_invariants import assert_invariants
from .results_model import ROW, SCORE, Environment, OneRow, RunsUnderWay, Watch, run_layout

DELAY = 4
"""Greatest number of cycles in which no word is offered although a run is stored."""


class ResultsHarness(wiring.Component):
    """The fate of any one word of any one run.

    It is asserted that words come in the order of the runs, that each result has its words and its
    end, that the word that is watched is right, that words keep coming, and that the buffer reports
    truly whether it has room or is empty. What is assumed stands in `Environment`.

    Parameters
    ----------
    groups : int
    mutant : Mutant or None
    inductive : bool
        Assert what holds inside of the component, too.
    pauses : bool
        Without pauses, everything happens as soon as it may, which is easier for the solver.
    """

    def __init__(
        self,
        groups: int,
        mutant: Mutant | None,
        inductive: bool,
        pauses: bool = True,
        staged: bool = False,
    ) -> None:
        self._delay = DELAY + staged
        self._groups = groups
        self._pauses = pauses
        self._inductive = inductive
        memories: list[OneRow] = []

        def one_row(**parameters) -> OneRow:
            memories.append(OneRow(**parameters))
            return memories[-1]

        module = variant(score_buffer, mutant, memory=types.SimpleNamespace(Memory=one_row))
        self._buffer = module.ScoreBuffer(groups, staged)
        # The buffer has a register of the same name as this port, and probes go by names.
        self._buffer.cycles = Signal(CYCLE_BITS, name="cycles_now")
        self._dut = self._buffer.elaborate(None)
        (self._rows,) = memories

        probed = self._probed(groups, staged)
        self.probes = Probes({f"dut_{name}": f"dut.{name}" for name in probed})
        super().__init__(
            {f"dut_{name}": In(shape) for name, shape in probed.items()}
            | {
                # What the contractor does: samples are taken, a run begins, scores come.
                "take": In(1),
                "begin": In(1),
                "run": In(run_layout(groups)),
                "valid": In(1),
                "index": In(INDEX_BITS),
                "last": In(1),
                "scores": In(SCORE).array(groups),
                "exponents": In(EXPONENT.width).array(groups),
                "cycles": In(CYCLE_BITS),
                # What the reader does.
                "ready": In(1),
                # What rows give that are not watched.
                "anything": In(RESULT_WORD_BITS * groups),
                # What is watched: the next run in a bank when `watch` is high, a group, and a row.
                "watch": In(1),
                "bank": In(1),
                "group": In(range(max(2, groups))),
                "row": In(ROW),
                # Two scores that are compared with each other, to check the greatest.
                "winner": In(INDEX_BITS),
                "rival": In(INDEX_BITS),
            }
        )

    @staticmethod
    def _probed(groups: int, staged: bool) -> dict:
        """Registers inside of the buffer, and their shapes."""
        place = data.StructLayout({"head": 1, "group": range(groups), "last": 1})
        return {
            "begun": 1,
            "group": range(groups + 1),
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
            **{f"run_{bank}": run_layout(groups) for bank in range(BANKS)},
            **({} if staged else {f"best_{group}": SCORE for group in range(groups)}),
            **{f"best_index_{group}": RESULT_WORD_BITS for group in range(groups)},
        }

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.dut = self._dut
        self._connect(m)
        hold_while_stalled(m, Assert, self._buffer.words, "words")

        runs = RunsUnderWay(self._groups)
        runs.follow(m, self.begin, self.run, self._buffer.words)
        environment = Environment(self._groups, self._pauses)
        environment.assume(m, self, self._buffer, runs)
        watch = Watch(self, runs)
        watch.follow(m, environment)

        self._assert_words(m, runs, watch)
        self._assert_reports(m, runs)
        if self._inductive:
            assert_invariants(
                m, self, self._buffer, self._rows, self._groups, runs, environment, watch
            )
        return m

    def _connect(self, m: Module) -> None:
        """Drive the buffer's inputs from the harness' ports; what is watched does not change."""
        dut = self._buffer
        m.d.comb += [
            dut.begin.eq(self.begin),
            *(getattr(dut, name).eq(self.run[name]) for name, _ in run_layout(self._groups)),
            dut.score_valid.eq(self.valid),
            *(
                score.eq(Cat(mantissa, self.index, self.last))
                for score, mantissa in zip(dut.scores, self.scores)
            ),
            *(port.eq(value) for port, value in zip(dut.exponents, self.exponents)),
            dut.cycles.eq(self.cycles),
            dut.words.ready.eq(self.ready),
            self._rows.address.eq(Cat(self.row, self.bank)),
            self._rows.anything.eq(self.anything),
            Assume(self.group < self._groups),
        ]
        for name in ("bank", "group", "row", "winner", "rival"):
            unchanging(m, getattr(self, name), name)

    def _assert_words(self, m: Module, runs: RunsUnderWay, watch: Watch) -> None:
        """Words come within `DELAY` cycles, or one more if staged, and each is the next one."""
        words, given = self._buffer.words, runs.given
        self.idle = idle = Signal(range(self._delay + 2))
        with m.If(words.valid | (runs.stored == 0)):
            m.d.sync += idle.eq(0)
        with m.Elif(idle <= self._delay):
            m.d.sync += idle.eq(idle + 1)
        m.d.comb += Assert(idle <= self._delay)
        with m.If(words.valid):
            word = words.payload.word
            m.d.comb += [
                Assert(runs.stored != 0),
                Assert(words.payload.last == runs.is_last(given)),
                Assert(~given.head | (word == runs.head(given))),
                Assert(~watch.is_watched(given) | watch.is_right(word)),
            ]

    def _assert_reports(self, m: Module, runs: RunsUnderWay) -> None:
        """`empty` and `room` are true, and there is room if fewer runs than banks are under way."""
        dut, given, begun = self._buffer, runs.given, runs.begun
        nothing_given = given.head & (given.group == 0)
        m.d.comb += [
            Assert(dut.empty == (begun == 0)),
            Assert(dut.room | (begun >= BANKS)),
            Assert(~dut.room | (begun < BANKS) | ~nothing_given | runs.runs[0].fault),
        ]
