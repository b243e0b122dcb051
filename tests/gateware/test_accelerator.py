"""The whole accelerator's RTL against the golden device."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.boards import BoardSpec
from tensorspin.contract.device.engines import Engines
from tensorspin_gateware.accelerator import Accelerator
from tests.gateware.bench import board_parameters, run_bench
from tests.support.selection import slow_but

SIZE = ContractorSize(
    lanes=8, program_words=1024, features=16, components=2, slots=4, slot_entries=8
)
ANNEALER = AnnealerSize(
    spins=20, coupling_bits=4, field_bits=9, replicas=10, strides=(1,) * 5, offset_rows=12, steps=4
)
BOARD = BoardSpec(
    name="bench",
    title="Test bench",
    clock_hz=12_000_000,
    baud=1_000_000,
    receive_bytes=1024,
    engines=Engines(SIZE),
)
BUILD = bytes(range(8))
BOARDS = {
    "contractor": BOARD,
    "3 groups": replace(BOARD, engines=Engines(replace(SIZE, groups=3))),
    "annealer": replace(BOARD, engines=Engines(ANNEALER)),
    "both": replace(BOARD, engines=Engines(SIZE, ANNEALER)),
}


@pytest.mark.parametrize("engines", slow_but(["both"], BOARDS))
def test_equals_golden_device(engines):
    board = BOARDS[engines]
    run_bench(
        Accelerator(board, BUILD),
        "tests.gateware.bench_accelerator",
        board=board_parameters(board),
        build=BUILD.hex(),
        seed=1,
        rounds=4,
    )
