"""The whole accelerator's RTL against the golden device."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from tensorspin.contract.boards import Board
from tensorspin.contract.device import ContractorSize
from tensorspin_gateware.accelerator import Accelerator
from tests.gateware.bench import run_bench

SIZE = ContractorSize(
    lanes=8, program_words=1024, features=16, components=2, slots=4, slot_entries=8
)
BOARD = {
    "name": "bench",
    "title": "Test bench",
    "clock_hz": 12_000_000,
    "baud": 1_000_000,
    "receive_bytes": 1024,
}
BUILD = bytes(range(8))


@pytest.mark.parametrize("groups", [1, 3])
def test_equals_golden_device(groups):
    size = replace(SIZE, groups=groups)
    run_bench(
        Accelerator(Board(contractor=size, **BOARD), BUILD),
        "tests.gateware.bench_accelerator",
        size=asdict(size),
        board=BOARD,
        build=BUILD.hex(),
        seed=1,
        programs=4,
    )
