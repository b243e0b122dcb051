# amaranth: UnusedElaboratable=no

"""Any memory ends: a run of the contractor takes a bounded time, whatever its words are.

Two proofs lead to the bound of `tensorspin.contract.contractor.bound`: that of reader and
sequencer, and that of lanes and normaliser. What one assumes of the others' signals, the other
asserts (`ending_model.Issue`, and the few lines with ``Assume`` in both harnesses).
"""

from __future__ import annotations

import pytest

from tensorspin.contract.contractor.size import ContractorSize
from tensorspin_gateware.contractor import lanes, normaliser, program, sequencer
from tests.support.selection import long_after

from ..support.proof import Model, Mutant
from .ending_normaliser import NormaliserHarness
from .ending_sequencer import SequencerHarness

CYCLES = 80
"""Cycles of a bounded proof without any choice: enough to go through a small memory twice."""


def _size(lanes: int, pipeline: int, words: int = 1 << 14) -> ContractorSize:
    return ContractorSize(lanes, words, 16, 4, 4, 16, pipeline=pipeline)


SIZES = {
    "8 lanes, long": _size(8, 1),
    "8 lanes": _size(8, 0),
    "24 lanes": _size(24, 0),
    "16 lanes, long": _size(16, 1),
}

WAIT, NARROW, LAST = 1 << 53, 1 << 55, 1 << 54
"""Bits of a header."""

OUTPUTS, SIZE = 47, 35
"""Places of the number of outputs, and of the size of the left operand, less one in both cases."""

SEQUENCER_MUTANTS = {
    "overrun ignored": (0, 0, sequencer, Mutant("offered.last | self.overrun", "offered.last")),
    "release lost": (0, 0, sequencer, Mutant("self.node_first - self.release", "self.node_first")),
    "address not advanced": (
        1,
        0,
        program,
        Mutant(
            "with m.If(self.ready_next):\n                    m.d.sync += address.eq(address + 1)",
            "pass",
        ),
    ),
    "address not advanced, short": (
        0,
        0,
        program,
        Mutant("if not self._ahead:\n                    m.d.sync += address", "if 0: address"),
    ),
    "end of the memory forgotten": (
        0,
        15 << SIZE,
        program,
        Mutant("fetched_overrun | address[-1]", "address[-1]"),
    ),
    "not the last": (0, 0, sequencer, Mutant("following.last.eq(stop)", "following.last.eq(0)")),
    "headers without end": (0, 0, sequencer, Mutant("turn.eq(~headers.ended)", "turn.eq(1)")),
    "drains for ever": (0, 15 << OUTPUTS, sequencer, Mutant("drain.eq(drain - 1)", "drain.eq(7)")),
    "never begins": (0, 0, sequencer, Mutant("begun | (unfinished == 0)", "begun")),
    "begins too soon": (
        1,
        0,
        sequencer,
        Mutant("(left_over == 1) & ~waits", "left_over != 3"),
    ),
    "block without end": (
        1,
        3 << SIZE,
        sequencer,
        Mutant("right_last.eq(right_next)", "right_last.eq(0)"),
    ),
    "same element again": (
        0,
        3 << SIZE,
        sequencer,
        Mutant("right.eq(0), left.eq(left + 1)", "right.eq(0)"),
    ),
    "blocks without end": (
        0,
        15 << OUTPUTS,
        sequencer,
        Mutant("remaining.eq(remaining - lanes)", "remaining.eq(remaining)"),
    ),
    "a word for four": (
        0,
        NARROW | 7 << SIZE,
        sequencer,
        Mutant("upper.eq(~word_done)", "upper.eq(0)"),
    ),
}
"""Pipeline, the header that stands everywhere in the memory, module, and fault."""

NORMALISER_MUTANTS = {
    "no release": (1, 0, 0, normaliser, Mutant("released.valid & released.node_end", "0")),
    "each output released": (
        0,
        3,
        0,
        normaliser,
        Mutant("released.valid & released.node_end", "released.valid"),
    ),
    "surplus kept": (
        0,
        3,
        0,
        normaliser,
        Mutant("store.eq(self.drain_valid & ~surplus)", "store.eq(self.drain_valid)"),
    ),
    "never started": (0, 0, 0, normaliser, Mutant("start.eq(drained & may_start)", "start.eq(0)")),
    "never complete": (
        1,
        9,
        0,
        normaliser,
        Mutant("count == Mux(store, before_last, last)", "count == Mux(store, last, last)"),
    ),
    "read without end": (
        0,
        3,
        0,
        normaliser,
        Mutant("m.d.sync += index.eq(index + 1)", "pass"),
    ),
    "last of the other node": (
        0,
        0,
        1,
        normaliser,
        Mutant("stages[0].scores.eq(node.last)", "stages[0].scores.eq(0)"),
    ),
    "header of the next": (
        1,
        3,
        0,
        normaliser,
        Mutant("first_parity.eq(self.parity)", "first_parity.eq(~self.parity)"),
    ),
    "block lost": (
        0,
        15,
        0,
        lanes,
        Mutant("copied.eq(totals), draining.eq(1)", "copied.eq(totals)"),
    ),
    "drains without end": (
        0,
        0,
        0,
        lanes,
        Mutant("m.d.sync += [draining.eq(0), first_block.eq(0)]", "pass"),
    ),
}
"""Pipeline, outputs less one and the bit `last` of all headers, module, and fault."""


@pytest.mark.parametrize("name", long_after(1, SIZES))
def test_sequencer_takes_any_words_in_bounded_time(name, tmp_path):
    assert Model(SequencerHarness(SIZES[name], None), tmp_path).is_proved(cycles=1)


@pytest.mark.long
@pytest.mark.parametrize("name", SIZES)
def test_normaliser_releases_nodes_in_bounded_time(name, tmp_path):
    assert Model(NormaliserHarness(SIZES[name], None), tmp_path).is_proved(cycles=1)


@pytest.mark.parametrize("name", long_after(3, SEQUENCER_MUTANTS))
def test_wrong_sequencer_is_refuted(name, tmp_path):
    pipeline, header, module, mutant = SEQUENCER_MUTANTS[name]
    harness = SequencerHarness(_size(8, pipeline, words=8), (module, mutant), header)
    assert not Model(harness, tmp_path).holds(CYCLES)


@pytest.mark.parametrize("name", long_after(1, NORMALISER_MUTANTS))
def test_wrong_normaliser_is_refuted(name, tmp_path):
    pipeline, outputs, last, module, mutant = NORMALISER_MUTANTS[name]
    harness = NormaliserHarness(_size(8, pipeline), (module, mutant), (outputs, last))
    assert not Model(harness, tmp_path).holds(CYCLES)


@pytest.mark.long
@pytest.mark.parametrize("header", [0, 15 << OUTPUTS | WAIT, LAST])
@pytest.mark.parametrize("pipeline", [0, 1])
def test_sound_parts_are_not_refuted(pipeline, header, tmp_path):
    """So what refutes mutants, harnesses without any choice, is not wrong itself."""
    for name, harness in (
        ("sequencer", SequencerHarness(_size(8, pipeline, words=8), None, header)),
        (
            "normaliser",
            NormaliserHarness(
                _size(8, pipeline), None, (header >> OUTPUTS & 63, int(header == LAST))
            ),
        ),
    ):
        folder = tmp_path / name
        folder.mkdir()
        assert Model(harness, folder).holds(CYCLES)
