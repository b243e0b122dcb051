"""The whole accelerator's RTL against the golden device."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest
from amaranth import C

from tensorspin.contract.annealer.image import AnnealerSpace
from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.boards import BoardSpec
from tensorspin.contract.device.engines import Engines
from tensorspin.driver.board import Board
from tensorspin.driver.transports.simulated import SimulatedTransport
from tensorspin.errors import FaultError
from tensorspin.trust import Fault, inject
from tensorspin_gateware import accelerator as top
from tensorspin_gateware.accelerator import Accelerator
from tensorspin_gateware.build.toolchain import to_verilog
from tensorspin_gateware.primitives import Family
from tensorspin_gateware.primitives.program_memory import SPRAM_WORDS, ProgramMemory
from tensorspin_gateware.router import router
from tensorspin_gateware.simulation import simulator
from tensorspin_gateware.simulation.compilation import TOP, compile_verilog
from tests.gateware.bench import board_parameters, run_bench, vendor_cell
from tests.support.anneals import check, cooling, random_ising
from tests.support.selection import long_after, slow_but

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
    "sharing": replace(BOARD, engines=Engines(replace(SIZE, groups=3, single_drain=2))),
    "annealer": replace(BOARD, engines=Engines(ANNEALER)),
    "both": replace(BOARD, engines=Engines(SIZE, ANNEALER)),
    "long": replace(BOARD, engines=Engines(replace(SIZE, pipeline=1))),
    "signed": replace(
        BOARD,
        engines=Engines(replace(SIZE, groups=3, signature=1), replace(ANNEALER, signature=1)),
    ),
    "protected": replace(BOARD, engines=Engines(replace(SIZE, protected=1))),
    "signed, protected": replace(BOARD, engines=Engines(replace(SIZE, signature=1, protected=1))),
}

STANDBY = replace(BOARD, engines=Engines(replace(SIZE, program_words=SPRAM_WORDS, pipeline=1)))
"""A device on an iCE40 UltraPlus whose program memory stands by while nobody uses it."""

MUTANTS = {
    "never awake": ('self.requests.valid | held | ~fsm.ongoing("FREE")', "C(0)"),
    "asleep in a reply": (' | ~fsm.ongoing("FREE")', ""),
}
"""Faults of `Router.awake`: text of the module, and what takes its place."""


@pytest.mark.parametrize(
    "engines",
    [
        *slow_but(["signed", "long"], [name for name in BOARDS if name != "protected"]),
        *long_after(0, ["protected"]),
    ],
)
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


def run_standby():
    """Hold a device with Lattice's cells, which lose what reaches them in standby, to the model."""
    cells = ("SB_SPRAM256KA", "SB_MAC16")
    run_bench(
        Accelerator(STANDBY, BUILD, Family.ICE40UP, standby=True),
        "tests.gateware.bench_accelerator",
        vendor_cells="".join(vendor_cell("ice40", name) for name in cells),
        board=board_parameters(STANDBY),
        build=BUILD.hex(),
        seed=1,
        rounds=4,
    )


@pytest.mark.slow
def test_program_memory_is_awake_when_it_is_used():
    run_standby()


@pytest.mark.slow
def test_couplings_are_awake_when_they_are_used(tmp_path):
    size = AnnealerSize(144, 4, 11, 24, (2,) * 6, 20, 8, ring=0, window=16, signature=1)
    row = replace(BOARD, engines=Engines(size))
    text = to_verilog(Accelerator(row, BUILD, Family.ICE40UP, standby=True), TOP)
    text += vendor_cell("ice40", "SB_SPRAM256KA")
    library = compile_verilog(text, tmp_path, lambda line: None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulator, "load", lambda name: simulator.VirtualBoard(library, row.clock_hz))
        board = Board.over(SimulatedTransport(row))
    with board:
        for seed in range(2):
            check(
                board,
                AnnealJob(random_ising(seed, size.spins, 1.0, size), cooling(2, 3, size), seed),
            )
        inject(board, Fault(AnnealerSpace.COUPLINGS, 0, 0))
        with pytest.raises(FaultError):
            board.anneal_job(AnnealJob(random_ising(1, size.spins, 1.0, size), cooling(2, 3, size)))


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS)
def test_memory_that_sleeps_too_long_is_found(mutant, monkeypatch):
    source = inspect.getsource(router)
    before, after = MUTANTS[mutant]
    assert source.count(before) == 1
    scope = dict(vars(router), C=C)
    exec(compile(source.replace(before, after), router.__file__, "exec"), scope)
    monkeypatch.setattr(top, "Router", scope["Router"])
    with pytest.raises(AssertionError, match="failed"):
        run_standby()


def test_only_memory_that_can_stand_by_does():
    with pytest.raises(ValueError, match="family ecp5 can't stand by"):
        ProgramMemory(1024, 8, Family.ECP5, standby=True)
