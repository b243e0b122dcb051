"""What holds inside of the contractor's score buffer in every cycle, for proofs by induction.

An induction starts from any state that satisfies the assertions, also from states that never occur.
So it needs assertions about the registers inside of the buffer: they rule those states out. Each
function here asserts one aspect, by comparing registers (the harness' ports ``dut_...``) with the
reference.
"""

from __future__ import annotations

from amaranth.hdl import Array, Assert, Module, Mux

from tensorspin.contract.contractor.program import MAX_OUTPUTS
from tensorspin_gateware.contractor.interface import RESULT_WORD_BITS
from tensorspin_gateware.contractor.score_buffer import BANKS

from .results_model import CYCLE_ROWS, EXPONENT_ROW, UNDER_WAY, Environment, RunsUnderWay, Watch


def assert_invariants(
    m: Module,
    ports,
    dut,
    rows,
    groups: int,
    runs: RunsUnderWay,
    environment: Environment,
    watch: Watch,
) -> None:
    """Assert all of them.

    Parameters
    ----------
    m : Module
    ports : ResultsHarness
        Has the harness' ports.
    dut : ScoreBuffer
    rows : OneRow
    groups : int
    runs : RunsUnderWay
    environment : Environment
    watch : Watch
    """
    # Words on their way from the memory to the reader: one may be offered, one be held in the
    # register of the row, one be at the memory's output. So what is read next, `at`, is the word to
    # be given out, moved on by as many words.
    at_held = runs.after(m, runs.given, dut.words.valid, "at_held")
    at_fetched = runs.after(m, at_held, ports.dut_held, "at_fetched")
    at = runs.after(m, at_fetched, ports.dut_fetched, "at")

    _assert_progress(m, ports, dut)
    _assert_counts(m, ports, dut, runs, environment, watch, at)
    _assert_kept_runs(m, ports, groups, runs, at)
    _assert_next_word(m, runs)
    _assert_reading(m, ports, runs, at)
    for valid, place, row, position in (
        (ports.dut_held, ports.dut_held_place, ports.dut_held_row, at_held),
        (ports.dut_fetched, ports.dut_fetched_place, rows.read.data, at_fetched),
    ):
        with m.If(valid):
            _assert_word_on_its_way(m, ports, runs, watch, place, row, position)
    _assert_stored_word(m, ports, rows, runs, environment, watch, at)
    _assert_words_to_come(m, ports, groups, environment, watch)


def _assert_progress(m: Module, ports, dut) -> None:
    """The longer nothing is offered, the further the next word has come."""
    reached = Mux(ports.dut_held, 3, Mux(ports.dut_fetched, 2, ports.dut_begun))
    m.d.comb += Assert(dut.words.valid | (ports.idle <= reached))


def _assert_counts(
    m: Module, ports, dut, runs: RunsUnderWay, environment: Environment, watch: Watch, at
) -> None:
    """Counters and banks agree with the number of runs that have begun, are stored and are read."""
    begun, stored, in_trailer = runs.begun, runs.stored, environment.in_trailer
    m.d.comb += [
        Assert(begun == stored + (environment.scoring | in_trailer)),
        Assert(begun <= UNDER_WAY),
        Assert(at.run <= stored),
        Assert(begun - at.run <= BANKS),
        Assert(ports.dut_unread == begun - at.run),
        Assert(dut.room == (begun - at.run != BANKS)),
        Assert(~environment.taken | environment.scoring | dut.room),
        Assert(
            ~environment.scoring
            | (environment.taken & ~in_trailer & (environment.index <= runs.at[stored].outputs))
        ),
        Assert(ports.dut_step == environment.trailer),
        Assert(ports.dut_write_bank == runs.first_bank ^ stored[0]),
        Assert(ports.dut_read_bank == runs.first_bank ^ at.run[0]),
        Assert(ports.dut_head == at.head),
        Assert(~watch.watching | (watch.watched < begun)),
        Assert(~watch.watching | (runs.first_bank ^ watch.watched[0] == ports.bank)),
    ]


def _assert_kept_runs(m: Module, ports, groups: int, runs: RunsUnderWay, at) -> None:
    """Runs under way are possible ones, and those not yet read stand in the buffer as they are."""
    for place, run in enumerate(runs.runs):
        with m.If(place < runs.begun):
            m.d.comb += [
                Assert((run.first < run.end) & (run.end <= groups)),
                Assert(run.fault | ~runs.runs[max(place - 1, 0)].fault),
            ]
        for bank in range(BANKS):
            kept = getattr(ports, f"dut_run_{bank}").as_value()
            is_here = runs.first_bank == (bank ^ place) % 2
            with m.If((place >= at.run) & (place < runs.begun) & is_here):
                m.d.comb += Assert(run.as_value() == kept)


def _assert_next_word(m: Module, runs: RunsUnderWay) -> None:
    """The word to be given out next is one that a result has."""
    given, oldest = runs.given, runs.runs[0]
    is_score, is_trailer = given.row <= oldest.outputs, given.row >= MAX_OUTPUTS
    is_row = ~oldest.fault & (is_score | (is_trailer & (given.row <= CYCLE_ROWS[-1])))
    m.d.comb += [
        Assert((runs.stored != 0) | (given.head & (given.group == 0))),
        Assert((runs.begun == 0) | (oldest.first + given.group < oldest.end)),
        Assert(Mux(given.head, given.row == 0, is_row)),
    ]


def _assert_reading(m: Module, ports, runs: RunsUnderWay, at) -> None:
    """Reading has begun exactly where the words on their way end."""
    with m.If(ports.dut_begun):
        m.d.comb += [
            Assert(at.run != runs.stored),
            Assert(ports.dut_group == runs.at[at.run].first + at.group),
            Assert(at.head | (ports.dut_row == at.row)),
        ]
    with m.Else():
        m.d.comb += Assert((runs.stored - at.run < BANKS) & at.head & (at.group == 0))


def _assert_word_on_its_way(
    m: Module, ports, runs: RunsUnderWay, watch: Watch, place, row, position
) -> None:
    """A word on its way is the one that its position says, and right if it is watched."""
    m.d.comb += [
        Assert(place.head == position.head),
        Assert(place.group == runs.at[position.run].first + position.group),
        Assert(place.last == runs.is_last(position)),
        Assert(~position.head | (ports.dut_count == runs.head(position))),
        Assert(~watch.is_watched(position) | watch.is_right(_word(ports, row))),
    ]


def _assert_stored_word(
    m: Module, ports, rows, runs: RunsUnderWay, environment: Environment, watch: Watch, at
) -> None:
    """The watched word is right in the memory from its write until it is read."""
    is_score, is_trailer = ports.row < MAX_OUTPUTS, ports.row <= CYCLE_ROWS[-1]
    is_row = Mux(is_score, ports.row <= watch.outputs, is_trailer)
    next_row = Mux(environment.in_trailer, MAX_OUTPUTS + environment.trailer, environment.index)
    waits = (watch.watched >= at.run) & (watch.watched < runs.stored)
    is_stored = Mux(watch.writing, ports.row < next_row, waits)
    with m.If(watch.watching & is_row & is_stored):
        m.d.comb += Assert(rows.written & watch.is_right(_word(ports, rows.word)))


def _assert_words_to_come(
    m: Module, ports, groups: int, environment: Environment, watch: Watch
) -> None:
    """What the trailer will be written from is right: best score, exponent and cycles."""
    with m.If(watch.writing & environment.steady):
        best, best_index = (
            Array(getattr(ports, f"dut_{name}_{group}") for group in range(groups))[ports.group]
            for name in ("best", "best_index")
        )
        seen = Mux(environment.scoring, environment.index, watch.outputs + 1)
        beats = Mux(ports.rival < best_index, best > watch.rivalling, best >= watch.rivalling)
        m.d.comb += [
            Assert(best_index < seen),
            Assert((best_index != ports.winner) | (best == watch.winning)),
            Assert((ports.rival >= seen) | beats),
            Assert((ports.row != EXPONENT_ROW) | (watch.expected == watch.exponent)),
        ]
    for half, row in enumerate(CYCLE_ROWS):
        with m.If(watch.writing & environment.in_trailer & (ports.row == row)):
            half_cycles = ports.dut_cycles.word_select(half, RESULT_WORD_BITS)
            m.d.comb += Assert(watch.expected == half_cycles)


def _word(ports, row):
    """The watched group's word of a row."""
    return row.word_select(ports.group, RESULT_WORD_BITS)
