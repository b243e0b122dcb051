# amaranth: UnusedElaboratable=no

"""The contractor's score buffer: what is stored is given out once, in order, and as it was."""

import pytest

from tests.support.selection import long_after, slow_after, slow_but

from ..support.proof import Model, Mutant
from .results_harness import ResultsHarness

CYCLES = 22
"""Cycles of a proof: enough for a run of two scores and its result, or several runs that wait."""

MUTANTS = {
    "one bank": Mutant("write_bank.eq(write_bank + stored)", "write_bank.eq(0)"),
    "one run": Mutant("run = runs[write_bank]", "run = runs[0]"),
    "trailer over scores": Mutant(
        "Cat(row, in_trailer, bank)",
        "Cat(row, in_trailer & ~in_trailer, bank)",
    ),
    "finished too soon": Mutant(
        "self.finished.eq(self.score_valid & score.last)", "self.finished.eq(score.last)"
    ),
    "first exponent": Mutant("list(self.exponents)", "[self.exponents[0]] * self._groups"),
    "no fault": Mutant("Mux(head, run.fault, result_ends)", "~head & result_ends"),
    "number in spite of a fault": Mutant(
        "Mux(run.fault, 0, run.outputs + further)", "run.outputs + further"
    ),
    "number less one": Mutant(
        "Mux(run.fault, 0, run.outputs + further)", "Mux(run.fault, 0, run.outputs)"
    ),
    "first sample only": Mutant("fetch & last & (group + 1 == run.end)", "fetch & last"),
    "samples from the first group": Mutant("group.eq(run.first)", "group.eq(0)"),
    "first group's words": Mutant("held_row[held_place.group]", "held_row[0]"),
    "group too late": Mutant(
        "held_place.eq(fetched_place)", "held_place.eq(Cat(head, group, last))"
    ),
    "no end": Mutant(
        "self.words.payload.last.eq(held_place.last)", "self.words.payload.last.eq(0)"
    ),
    "scores from the second": Mutant("row.eq(0), count", "row.eq(1), count"),
    "other bank": Mutant("read.addr.eq(Cat(row, bank))", "read.addr.eq(Cat(row, ~bank))"),
    "word lost": Mutant("fetch.eq(begun & ~fetched)", "fetch.eq(begun)"),
    "word twice": Mutant("fetched.eq(0)", "fetched.eq(begun)"),
    "changes while offered": Mutant("held & (~self.words.valid | self.words.ready)", "held"),
    "never begins": Mutant("~begun & available", "~begun & begun"),
    "begins at once": Mutant("write_bank != read_bank", "~self.empty"),
    "begins too soon": Mutant("return complete", "return self.finished"),
    "always room": Mutant("self.room.eq(unread != BANKS)", "self.room.eq(1)"),
    "room for one": Mutant("self.room.eq(unread != BANKS)", "self.room.eq(unread == 0)"),
    "room from the trailer on": Mutant("unread + begun - consumed", "unread + stored - consumed"),
    "empty too soon": Mutant("(unread == 0) & drained", "unread == 0"),
}
TRAILER_MUTANTS = {
    "no trailer": Mutant(
        "write.en.eq(self.score_valid | in_trailer)", "write.en.eq(self.score_valid)"
    ),
    "last of equals": Mutant("mantissa > best[group]", "mantissa >= best[group]"),
    "greatest of all runs": Mutant("(score.index == 0) | (mantissa", "(mantissa"),
    "cycles of another time": Mutant("low, high = cycles[:", "low, high = self.cycles[:"),
    "low half twice": Mutant("[high] * self._groups", "[low] * self._groups"),
    "all scores": Mutant("row == run.outputs", "row == trailer_first - 1"),
}
"""Mutants whose fault shows late in a result; without pauses the solver gets there in time."""


# With three groups the solver takes minutes.
@pytest.mark.parametrize(
    "groups", [*slow_but([2], [1, 2]), pytest.param(3, marks=pytest.mark.long)]
)
def test_gives_out_what_was_stored(groups, tmp_path):
    assert Model(ResultsHarness(groups, None, inductive=True), tmp_path).is_proved(cycles=1)


STAGED_MUTANTS = {
    "no run known": Mutant("m.d.sync += known.eq(run_read)", "pass"),
    "no bias": Mutant("bias = 1 << (width - 1)", "bias = 0"),
    "index of the next": Mutant("index.eq(score.index),", "index.eq(score.index + 1),"),
    "last of equals, a cycle late": Mutant("(compared + missing)", "(compared + missing + 1)"),
    "what is no score": Mutant("self.score_valid.replicate", "(self.score_valid | 1).replicate"),
    "greatest of all numbers at first": Mutant("missing.eq(-1), best", "missing.eq(0), best"),
    "no trailer": Mutant("Cat(is_last_score, is_trailer_last)", "Cat(is_last_score, 0)"),
}


@pytest.mark.parametrize("pauses", long_after(1, [False, True]))
def test_registers_on_the_way_only_delay(pauses, tmp_path):
    harness = ResultsHarness(1, None, inductive=False, pauses=pauses, staged=True)
    assert Model(harness, tmp_path).holds(CYCLES)


@pytest.mark.parametrize("name", slow_after(1, STAGED_MUTANTS))
def test_wrong_register_is_refuted(name, tmp_path):
    mutant = STAGED_MUTANTS[name]
    harness = ResultsHarness(1, mutant, inductive=False, pauses=False, staged=True)
    assert not Model(harness, tmp_path).holds(CYCLES + 2)


@pytest.mark.parametrize("name", slow_after(2, MUTANTS))
def test_mutant_is_refuted(name, tmp_path):
    assert not Model(ResultsHarness(2, MUTANTS[name], inductive=False), tmp_path).holds(CYCLES)


@pytest.mark.parametrize("name", slow_after(2, TRAILER_MUTANTS))
def test_wrong_trailer_is_refuted(name, tmp_path):
    harness = ResultsHarness(1, TRAILER_MUTANTS[name], inductive=False, pauses=False)
    assert not Model(harness, tmp_path).holds(CYCLES)
