"""A device that holds two programs against the golden device."""

from __future__ import annotations

import inspect
import types
from dataclasses import replace
from typing import Any

import pytest

from tensorspin.contract.device.engines import Engines
from tensorspin.contract.engine import EngineKind
from tensorspin_gateware import accelerator as top
from tensorspin_gateware.accelerator import Accelerator
from tensorspin_gateware.contractor import contractor, group, operands, program, score_buffer
from tensorspin_gateware.router import engines, halves, samples
from tests.gateware.bench import board_parameters, run_bench
from tests.gateware.test_accelerator import ANNEALER, BOARD, BUILD, SIZE

RESIDENT = replace(SIZE, program_words=128, resident=1)
BOARDS = {
    name: replace(BOARD, engines=Engines(*sizes))
    for name, sizes in {
        "plain": [RESIDENT],
        "3 groups, signed": [replace(RESIDENT, groups=3, signature=1), ANNEALER],
        "long, table checked": [replace(RESIDENT, pipeline=1, signature=1, table_parity=1)],
    }.items()
}


def check(board: str, steps: int = 40) -> None:
    run_bench(
        Accelerator(BOARDS[board], BUILD),
        "tests.gateware.bench_resident",
        board=board_parameters(BOARDS[board]),
        build=BUILD.hex(),
        seed=1,
        steps=steps,
    )


def test_equals_golden_device():
    check("long, table checked", steps=8)


@pytest.mark.long
@pytest.mark.parametrize("board", BOARDS)
def test_each_kind_equals_golden_device(board):
    check(board)


MUTANTS: dict[str, tuple[Any, Any, types.ModuleType, str, str]] = {
    "half that is left is forgotten": (
        *(samples, "Halves", halves),
        "self.half.eq(self.second), other.eq(self.active)",
        "self.half.eq(self.second), other.eq(0)",
    ),
    "half that is left counts as whole": (
        *(samples, "Halves", halves),
        "self.half.eq(self.second), other.eq(self.active)",
        "self.half.eq(self.second), other.eq(1)",
    ),
    "what stands by is whole though it was written": (
        *(samples, "Halves", halves),
        "m.d.sync += other.eq(0)",
        "pass",
    ),
    "what stands by is not declared": (
        *(samples, "Halves", halves),
        "m.d.sync += other.eq(1)",
        "pass",
    ),
    "a write to what stands by counts for what runs": (
        *(samples, "Halves", halves),
        "self.both | (self.written_half == self.half)",
        "1",
    ),
    "what stands by is told like what runs": (
        *(samples, "Halves", halves),
        "self.keeps.eq(elsewhere & self.stands_by & ~self.swap)",
        "self.keeps.eq(0)",
    ),
    "an empty half is taken": (
        *(samples, "Halves", halves),
        "self.missing.eq(self.swap & ",
        "self.missing.eq(0 & ",
    ),
    "both halves run though one is empty": (
        *(samples, "Halves", halves),
        "both_whole.eq(other & self.active)",
        "both_whole.eq(other | self.active)",
    ),
    "a write to what comes second leaves both": (
        *(samples, "Halves", halves),
        "self.both | (self.written_half == self.half)",
        "self.written_half == self.half",
    ),
    "both go on when one is activated": (
        *(samples, "Halves", halves),
        "self.both.eq(self.stands_by & self.swap)",
        "self.both.eq(self.both | (self.stands_by & self.swap))",
    ),
    "a half that was found corrupt counts as whole": (
        *(samples, "Halves", halves),
        "spoiled = self.corrupt & self.both",
        "spoiled = self.corrupt & 0",
    ),
    "what stands by is lost with what runs": (
        *(samples, "Halves", halves),
        "spoiled = self.corrupt & self.both",
        "spoiled = self.corrupt",
    ),
    "the first half comes twice": (
        *(top.COMPONENTS, EngineKind.CONTRACTOR, contractor),
        "half.eq(self.half ^ second)",
        "half.eq(self.half)",
    ),
    "a place is free before the other half has used it": (
        *(top.COMPONENTS, EngineKind.CONTRACTOR, contractor),
        "m.d.comb += samples.done.eq(0)",
        "pass",
    ),
    "samples that come meanwhile join the second run": (
        *(top.COMPONENTS, EngineKind.CONTRACTOR, contractor),
        "m.d.comb += samples.take.eq(0)",
        "pass",
    ),
    "the second program takes a cycle more": (
        *(top.COMPONENTS, EngineKind.CONTRACTOR, contractor),
        "with m.If(~run):\n                m.d.sync += [cycle.eq(1), run.eq(1)]",
        "with m.If(~run):\n                m.d.sync += [cycle.eq(2), run.eq(1)]",
    ),
    "scores beyond the reply": (
        *(contractor, "ScoreBuffer", score_buffer),
        "too_many = self.both & self.outputs[PAIR_BIT]",
        "too_many = 0",
    ),
    "too many scores of one alone": (
        *(contractor, "ScoreBuffer", score_buffer),
        "too_many = self.both & self.outputs[PAIR_BIT]",
        "too_many = self.outputs[PAIR_BIT]",
    ),
    "a fault of the first run is forgotten": (
        *(contractor, "ScoreBuffer", score_buffer),
        "run.fault.eq(run.fault | self.fault | too_many)",
        "run.fault.eq(self.fault | too_many)",
    ),
    "the first trailer counts as the second's": (
        *(contractor, "ScoreBuffer", score_buffer),
        "Mux(in_trailer, second, self.second)",
        "self.second",
    ),
    "a pair is sent when its first run ends": (
        *(contractor, "ScoreBuffer", score_buffer),
        "complete &= second | ~self.both",
        "pass",
    ),
    "the table counts by the program's addresses": (
        *(engines, "written_half", halves),
        "Mux(space == MemorySpace.TABLE, table, program)",
        "program",
    ),
    "words of the first half alone": (
        *(contractor, "ProgramReader", program),
        "Cat(address[:address_bits], self.half)",
        "address[:address_bits]",
    ),
    "table of the first half alone": (
        *(group, "Operands", operands),
        "half = self.half if size.resident else Const(0, 0)",
        "half = Const(0, 1)",
    ),
}
"""Faults: who uses a class or function, and its name or key there; its module; text, what takes its
place."""


@pytest.mark.long
@pytest.mark.parametrize("mutant", MUTANTS)
def test_faults_are_found(mutant, monkeypatch):
    user, name, module, before, after = MUTANTS[mutant]
    source = inspect.getsource(module)
    assert source.count(before) == 1
    scope = dict(vars(module))
    exec(compile(source.replace(before, after), module.__file__, "exec"), scope)
    if isinstance(user, dict):
        monkeypatch.setitem(user, name, scope[user[name].__name__])
    else:
        monkeypatch.setattr(user, name, scope[name])
    with pytest.raises(AssertionError, match="failed"):
        check("long, table checked", steps=60)
