"""The router's RTL against the golden device."""

from __future__ import annotations

from dataclasses import asdict

from tensorspin.contract.boards import Board
from tensorspin.contract.device import ContractorSize
from tensorspin_gateware.router import Router
from tests.gateware.bench import run_bench

# The feature buffer is longer than a packet, and the memories differ in size.
SIZE = ContractorSize(
    lanes=8, program_words=512, features=256, components=2, slots=2, slot_entries=8
)
BOARD = {
    "name": "bench",
    "title": "Test bench",
    "clock_hz": 12_000_000,
    "baud": 1_000_000,
    # The golden device counts all requests of one call as held at once.
    "receive_bytes": 1 << 15,
}
BUILD = bytes(range(8))


def test_equals_golden_device():
    board = Board(contractor=SIZE, **BOARD)
    run_bench(
        Router(SIZE, None, board.description(BUILD).pack()),
        "tests.gateware.link.bench_router",
        size=asdict(SIZE),
        board=BOARD,
        build=BUILD.hex(),
        rounds=25,
    )
