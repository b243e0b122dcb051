"""A campaign of faults on the gateware, simulated: none is wrong in silence, and none hangs."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.contractor.program import HEADER_BYTES
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.boards import BoardSpec, find_board
from tensorspin.contract.device.engines import Engines
from tensorspin.driver.board import Board
from tensorspin.driver.transports.simulated import SimulatedTransport
from tensorspin.trust import Fault, Outcome, campaign
from tensorspin.trust.memory_map import MemoryMap
from tensorspin_gateware.accelerator import Accelerator
from tensorspin_gateware.simulation import simulator
from tensorspin_gateware.simulation.compilation import compile_simulator

from ..support.doubles import assert_answers
from ..support.loaded_programs import chain_program, golden_answers, random_levels

SIZE = ContractorSize(
    lanes=8,
    program_words=512,
    features=16,
    components=2,
    slots=4,
    slot_entries=8,
    signature=1,
    table_parity=1,
)
BENCH = BoardSpec(
    name="bench",
    title="Test bench",
    clock_hz=12_000_000,
    baud=1_000_000,
    receive_bytes=1024,
    engines=Engines(SIZE),
)
"""A small device with the short pipeline, which is compiled quickly."""

ROWS = {"bench": BENCH, "icebreaker": find_board("icebreaker")}
FOLDER = Path(__file__).parents[2] / "build" / "simulators"
PROGRAM = chain_program(8, bond=8)
X = np.random.default_rng(0).random((3, 8))


@cache
def library(name: str) -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    return compile_simulator(Accelerator(ROWS[name], bytes(8)), FOLDER, lambda line: None)


def open_board(name: str) -> Board:
    path, row = library(name), ROWS[name]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulator, "load", lambda name: simulator.VirtualBoard(path, row.clock_hz))
        return Board.over(SimulatedTransport(row))


def bits(space: MemorySpace, addresses) -> list[Fault]:
    return [Fault(space, int(address), bit) for address in addresses for bit in range(8)]


def drawn(faults: list[Fault], count: int, seed: int) -> list[Fault]:
    chosen = np.random.default_rng(seed).choice(len(faults), count, replace=False)
    return [faults[index] for index in chosen]


def all_bits() -> tuple[list[Fault], list[Fault], list[Fault]]:
    """The bits of headers, of the other words, and of the feature table."""
    headers = np.asarray(MemoryMap.of(PROGRAM, 8).headers)
    assert len(headers) == HEADER_BYTES * len(PROGRAM.nodes)
    image = np.arange(len(PROGRAM.image(8)))
    return (
        bits(MemorySpace.PROGRAM, headers),
        bits(MemorySpace.PROGRAM, np.setdiff1d(image, headers)),
        bits(MemorySpace.TABLE, range(len(PROGRAM.table_bytes()))),
    )


def check(name: str, faults: list[Fault]) -> Counter:
    with open_board(name) as board:
        size = board.info.require_contractor()
        assert size.table_parity
        board.load(PROGRAM)
        levels = random_levels(20, 8)
        assert_answers(board.run(levels), golden_answers(PROGRAM, levels, size))
        report = campaign(board, PROGRAM, X, faults)
        assert board.status().corrupted == report.counts[Outcome.CORRUPT] % 128
    unexpected = [
        (fault, outcome, message)
        for fault, outcome, message in zip(report.faults, report.outcomes, report.messages)
        if outcome not in (Outcome.MASKED, Outcome.CORRUPT)
        or (outcome is Outcome.MASKED and fault.space is MemorySpace.PROGRAM)
    ]
    assert not unexpected, unexpected
    print(report)
    return Counter((fault.space.name, o.name) for fault, o in zip(report.faults, report.outcomes))


def read_entries() -> list[Fault]:
    """Bits of the entries of the feature table that the samples of the campaign read."""
    entries = {2 * int(level) + 512 * part for level in PROGRAM.levels(X).flat for part in (0, 1)}
    return bits(MemorySpace.TABLE, sorted(entries | {entry + 1 for entry in entries}))


def test_no_fault_of_a_sample_is_wrong_in_silence():
    headers, weights, _ = all_bits()
    faults = drawn(headers, 4, 0) + drawn(weights, 4, 1) + drawn(read_entries(), 4, 2)
    assert set(check("bench", faults)) == {("PROGRAM", "CORRUPT"), ("TABLE", "CORRUPT")}


@pytest.mark.long
@pytest.mark.parametrize("name", ROWS)
def test_no_fault_is_wrong_in_silence(name):
    """All bits of headers, 2,000 of weights, all of the entries that are read, 500 of the table."""
    headers, weights, table = all_bits()
    faults = [*headers, *drawn(weights, 2000, 3), *read_entries(), *drawn(table, 500, 4)]
    found = check(name, faults)
    assert found["TABLE", "MASKED"] and found["TABLE", "CORRUPT"] >= len(read_entries())
    assert found["PROGRAM", "CORRUPT"] == len(headers) + 2000
