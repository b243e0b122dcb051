"""The check of a locked contractor against the contract, and faults that it must find."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from tensorspin.contract.contractor.lock import LockKey
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin_gateware.router.lock import check, engine
from tests.gateware.bench import run_bench
from tests.support.proof import Mutant, variant
from tests.support.selection import long_after

from .harness import CheckHarness

SIZE = ContractorSize(
    lanes=8, program_words=64, features=64, components=2, slots=2, slot_entries=8, lock=1
)

MUTANTS = {
    "15 bytes of the tag are compared": Mutant(
        "with core.If(self.comparing):\n                        core.d.sync += differs",
        "with core.If(self.comparing & ~end):\n                        core.d.sync += differs",
    ),
    "a difference is forgotten": Mutant("differs | mixed.any()", "mixed.any()"),
    "last key left out": Mutant("                    write.en.eq(taken),\n", ""),
    "key instead of the last key": Mutant(
        "                    code_read.addr[4].eq(1),  # where it is not there already\n", ""
    ),
    "versions not compared": Mutant("~differs & newer", "~differs"),
    "version of the last block": Mutant(
        "with core.If(header):\n                        core.d.sync += newer",
        "with core.If(1):\n                        core.d.sync += newer",
    ),
    "begun with another state": Mutant("right.eq(word[:8])", "right.eq(0)"),
    "carry kept": Mutant("carry & ~step.first", "carry"),
    "one pass less": Mutant("passes != PASSES - 1", "passes != PASSES - 2"),
    "differences outlive a start": Mutant(
        "ResetInserter(self.start)(core)", "ResetInserter(self.start & ~differs)(core)"
    ),
}
"""Faults of the engine."""

CHECK_MUTANTS = {
    "memory not cleared": Mutant("self.clear.eq(clearing)", "self.clear.eq(0)"),
    "table not cleared": Mutant("with m.If(self.table):\n", "with m.If(1):\n"),
    "done before it is cleared": Mutant("(engine.good | cleared)", "(engine.good | clearing)"),
    "table left out": Mutant("~engine.header & self.table & component_end", "block_end"),
    "header left out": Mutant("engine.header | engine.comparing", "engine.comparing"),
    "a component is one block": Mutant(
        "                & (address[: exact_log2(COMPONENT_BYTES)] == 0)\n", ""
    ),
    "address not rewound": Mutant("with m.If(engine.header):", "with m.If(0):"),
    "bytes taken early": Mutant(
        "engine.valid.eq(self.valid | ~from_host)", "engine.valid.eq(self.valid)"
    ),
}
"""Faults of what is around it."""


FIXED = LockKey(bytes(range(200, 216)), minimum=0x300)


def run(mutant=None, check_mutant=None, fixed=None, **parameters) -> None:
    made = variant(engine, mutant) if mutant else engine
    around = variant(check, check_mutant, ChaskeyEngine=made.ChaskeyEngine)
    key_port = fixed is None
    record = None if key_port else fixed.record()
    run_bench(
        CheckHarness(around.LockCheck(SIZE, record, key_port), SIZE, key_port),
        "tests.gateware.lock.bench_check",
        size=asdict(SIZE),
        seed=1,
        fixed=None if key_port else {"key": fixed.key.hex(), "minimum": fixed.minimum},
        **{"most": 4, "every": 5, "versions": 3, **parameters},
    )


def test_equals_the_contract():
    run()


def test_a_key_in_the_design_is_the_one_that_counts():
    # The tags are those of the bench above; what differs is where the key comes from.
    run(fixed=FIXED, most=2, every=9, versions=2)


@pytest.mark.long
def test_equals_the_contract_in_every_byte():
    run(most=32, every=1, versions=7)


@pytest.mark.parametrize("name", long_after(1, MUTANTS))
def test_fault_of_the_engine_is_found(name):
    with pytest.raises(AssertionError, match="failed|broke off"):
        run(MUTANTS[name])


@pytest.mark.parametrize("name", long_after(1, CHECK_MUTANTS))
def test_fault_around_the_engine_is_found(name):
    with pytest.raises(AssertionError, match="failed|broke off"):
        run(check_mutant=CHECK_MUTANTS[name])
