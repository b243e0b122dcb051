"""The router's RTL against the golden device."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.boards import BoardSpec
from tensorspin.contract.device.engines import Engines
from tensorspin_gateware.router import Router
from tests.gateware.bench import board_parameters, run_bench
from tests.support.selection import slow_but

# The feature buffer is longer than a packet, and the memories differ in size.
SIZE = ContractorSize(
    lanes=8, program_words=512, features=256, components=2, slots=2, slot_entries=8
)
ANNEALER = AnnealerSize(
    spins=20,
    coupling_bits=4,
    field_bits=9,
    replicas=11,
    strides=(1, 2, 1),
    offset_rows=5,
    steps=6,
    tempering=1,
)
BOARD = BoardSpec(
    name="bench",
    title="Test bench",
    clock_hz=12_000_000,
    baud=1_000_000,
    # The golden device counts all requests of one call as held at once.
    receive_bytes=1 << 15,
    engines=Engines(SIZE),
)
BUILD = bytes(range(8))


def run_router_bench(module: str, board: BoardSpec, rounds: int, staged: bool = False) -> None:
    run_bench(
        Router(board.engines, board.description(BUILD).pack(), staged=staged),
        f"tests.gateware.link.{module}",
        board=board_parameters(board),
        build=BUILD.hex(),
        rounds=rounds,
        staged=staged,
        signature=board.contractor is not None and board.contractor.signature,
    )


@pytest.mark.parametrize("staged", [False, True])
def test_equals_golden_device(staged):
    # One of both forms is that of a device that checks signatures, which is a superset.
    board = replace(BOARD, engines=Engines(replace(SIZE, signature=int(staged))))
    run_router_bench("bench_router", board, 25, staged)


@pytest.mark.parametrize("others", slow_but([(SIZE,)], [(), (SIZE,)]), ids=["alone", "both"])
def test_with_an_annealer(others):
    board = replace(BOARD, engines=Engines(*others, ANNEALER))
    run_router_bench("bench_router_annealer", board, 15)
