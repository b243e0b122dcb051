"""Campaigns of faults in the annealer's memories: none is wrong in silence, and none hangs."""

from __future__ import annotations

import dataclasses
from collections import Counter
from functools import cache
from pathlib import Path

import dimod
import numpy as np
import pytest

from tensorspin import BoardSampler
from tensorspin.contract.annealer.image import (
    AnnealerSpace,
    row_bytes,
    state_bytes,
    step_bytes,
    stride_bits,
)
from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.annealer.segments import bank_rows, bank_stride
from tensorspin.contract.annealer.signature import check_cycles
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.annealer.steps import highest_temperature, schedule
from tensorspin.contract.annealer.tempering import ladder, tempering_schedule
from tensorspin.contract.device.boards import BoardSpec, find_board
from tensorspin.contract.device.engines import Engines
from tensorspin.contract.wire.packets import Status
from tensorspin.driver.board import Board
from tensorspin.driver.link.requests import Read
from tensorspin.driver.transports.golden import GoldenTransport
from tensorspin.errors import DeviceError, FaultError, TensorspinError
from tensorspin.golden.annealer.metropolis import anneal
from tensorspin.trust import Fault, inject

from ..support.anneals import check, random_ising

SIZES = {
    "parallel": AnnealerSize(16, 4, 9, 12, (2,) * 6, 8, 4, tempering=1, signature=1),
    "two flips": AnnealerSize(16, 3, 8, 10, (1,) * 6, 8, 4, ring=0, flips=2, signature=1),
    "windowed": AnnealerSize(72, 2, 8, 4, (2,) * 5, 4, 4, ring=0, window=8, signature=1),
}
FOLDER = Path(__file__).parents[2] / "build" / "simulators"


def row_of(size: AnnealerSize) -> BoardSpec:
    return BoardSpec("bench", "Test bench", 12_000_000, 1_000_000, 1024, Engines(size))


def job_of(size: AnnealerSize) -> AnnealJob:
    """A job that uses all memories that the device has."""
    states = np.random.default_rng(1).choice([-1, 1], (size.replicas, size.spins))
    problem = random_ising(0, variables=size.spins, density=0.2, size=size)
    if size.tempering:
        rungs = ladder(np.geomspace(8, 1, size.replicas), size)
        return AnnealJob(problem, tempering_schedule(2, 2, size), 1, 0, states, rungs)
    steps = schedule([0.5 * highest_temperature(size), 1.0], 2, size)
    return AnnealJob(problem, steps, 1, 0, states, flips=size.flips)


def golden_board(size: AnnealerSize) -> Board:
    return Board.over(GoldenTransport(row_of(size)))


@cache
def library(name: str) -> Path:
    from tensorspin_gateware.accelerator import Accelerator
    from tensorspin_gateware.simulation.compilation import compile_simulator

    FOLDER.mkdir(parents=True, exist_ok=True)
    return compile_simulator(Accelerator(row_of(SIZES[name]), bytes(8)), FOLDER, lambda line: None)


def simulated_board(name: str) -> Board:
    from tensorspin.driver.transports.simulated import SimulatedTransport
    from tensorspin_gateware.simulation import simulator

    path, row = library(name), row_of(SIZES[name])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulator, "load", lambda board: simulator.VirtualBoard(path, row.clock_hz))
        return Board.over(SimulatedTransport(row))


def used_bits(size: AnnealerSize, job: AnnealJob) -> list[Fault]:
    """All bits that a run of the job may read, and those beside them that the check reads."""
    lengths = {
        AnnealerSpace.COUPLINGS: row_bytes(size),
        AnnealerSpace.STEPS: step_bytes(size),
        AnnealerSpace.STATES: state_bytes(size),
    }
    faults = []
    for space, words in job.fit(size).images().items():
        length = lengths.get(space, len(words[0]))
        assert all(len(word) == length for word in words)
        for index in range(len(words)):
            first = index << stride_bits(length)
            faults += [
                Fault(space, address, bit)
                for address in range(first, first + length)
                for bit in range(8)
            ]
    return faults


def is_long(fault: Fault, size: AnnealerSize) -> bool:
    """Whether a run would take millions of cycles with it: the upper bits of a step's sweeps."""
    place = fault.address % (1 << stride_bits(step_bytes(size)))
    last = step_bytes(size) - 2
    return (
        fault.space is AnnealerSpace.STEPS and place >= last and 8 * (place - last) + fault.bit > 7
    )


def campaign(board: Board, job: AnnealJob, faults: list[Fault]) -> Counter:
    """What becomes of each fault, by the memory that it is in; the right results otherwise."""
    right, found = anneal(job.fit(board.info.annealer)), Counter()
    check(board, job)
    for fault in faults:
        inject(board, fault)
        try:
            results = board.anneal_job(job)
        except FaultError as error:
            assert error.status == Status.CORRUPT, (fault, str(error))
            assert not board.status().cleared
            found[fault.space.name] += 1
            board.anneal_job(job)  # which sends everything again
        else:
            for field in dataclasses.fields(right):
                np.testing.assert_array_equal(
                    getattr(results, field.name), getattr(right, field.name), str(fault)
                )
            found["masked"] += 1
            inject(board, fault)  # which undoes it
    assert board.status().corrupted == (len(faults) - found["masked"]) % 128
    return found


def drawn(faults: list[Fault], count: int, seed: int = 0) -> list[Fault]:
    chosen = np.random.default_rng(seed).choice(len(faults), min(count, len(faults)), replace=False)
    return [faults[index] for index in chosen]


def exists(fault: Fault, size: AnnealerSize) -> bool:
    """Whether a device has such a bit: between two banks of couplings there are no rows."""
    row = fault.address >> stride_bits(row_bytes(size))
    banks = fault.space is AnnealerSpace.COUPLINGS and size.flips > 1
    return not banks or row % bank_stride(size) <= bank_rows(size)


def expected(faults: list[Fault], size: AnnealerSize) -> Counter:
    return Counter(fault.space.name if exists(fault, size) else "masked" for fault in faults)


@pytest.mark.parametrize("name", SIZES)
def test_no_fault_of_the_golden_model_is_wrong_in_silence(name):
    size = SIZES[name]
    job = job_of(size)
    bits = [fault for fault in used_bits(size, job) if not is_long(fault, size)]
    faults = drawn(bits, 12) + drawn([f for f in bits if f.space is AnnealerSpace.STEPS], 4)
    with golden_board(size) as board:
        assert campaign(board, job, faults) == expected(faults, size)


@pytest.mark.long
@pytest.mark.parametrize("name", SIZES)
def test_no_bit_of_the_golden_model_is_wrong_in_silence(name):
    size = SIZES[name]
    job = job_of(size)
    faults = drawn([fault for fault in used_bits(size, job) if not is_long(fault, size)], 1500)
    with golden_board(size) as board:
        assert campaign(board, job, faults) == expected(faults, size)


@pytest.mark.long
@pytest.mark.parametrize("name", SIZES)
def test_no_bit_of_the_gateware_is_wrong_in_silence(name):
    check_gateware(name, 150, long_runs=10)


def check_gateware(name: str, count: int, long_runs: int) -> None:
    size = SIZES[name]
    job = job_of(size)
    bits = used_bits(size, job)
    quick = [fault for fault in bits if not is_long(fault, size)]
    faults = drawn([fault for fault in bits if is_long(fault, size)], long_runs)
    for space in {fault.space for fault in bits}:
        faults += drawn([fault for fault in quick if fault.space is space], count)
    with simulated_board(name) as board:
        assert campaign(board, job, faults) == expected(faults, size)


# What follows


@pytest.fixture
def board():
    with golden_board(SIZES["windowed"]) as board:
        yield board


JOB = job_of(SIZES["windowed"])
COUPLING = Fault(AnnealerSpace.COUPLINGS, 32 * 5 + 1, 3)


def test_the_error_says_what_to_do_and_the_next_run_is_right(board):
    check(board, JOB)
    inject(board, COUPLING)
    with pytest.raises(FaultError, match="signature is wrong.*the next run sends everything again"):
        board.anneal_job(JOB)
    status = board.status()
    assert (status.corrupted, status.cleared, status.annealing) == (1, False, False)
    check(board, JOB)
    assert board.status().corrupted == 1 and board.status().cleared


def test_bits_that_are_flipped_back_are_none(board):
    check(board, JOB)
    inject(board, COUPLING)
    inject(board, COUPLING)
    check(board, JOB)


def test_two_bits_in_different_memories(board):
    check(board, JOB)
    inject(board, COUPLING, Fault(AnnealerSpace.STATES, 3, 1))
    with pytest.raises(FaultError):
        board.anneal_job(JOB)


def test_results_are_not_read_until_there_is_another_run(board):
    check(board, JOB)
    inject(board, COUPLING)
    with pytest.raises(FaultError):
        board.anneal_job(JOB)
    with pytest.raises(DeviceError) as caught:
        list(board._open_session.exchange([Read(AnnealerSpace.RESULTS, 0, 1)]))
    assert caught.value.status == Status.CORRUPT


def test_a_job_that_asks_for_no_check_has_none(board):
    """It takes fewer cycles, and its states are whatever they are."""
    unsigned = dataclasses.replace(JOB, signed=False)
    cycles = check(board, JOB).cycles
    assert check(board, unsigned).cycles == cycles - check_cycles(SIZES["windowed"])
    inject(board, Fault(AnnealerSpace.STEPS, 0, 7))
    board.anneal_job(unsigned)
    assert board.status().corrupted == 0


def test_what_cannot_be_flipped(board):
    with pytest.raises(TensorspinError, match="holds no problem: run a job first"):
        inject(board, COUPLING)
    check(board, JOB)
    for fault, message in (
        (Fault(AnnealerSpace.RESULTS, 0, 0), "no bit of RESULTS can be flipped"),
        (Fault(AnnealerSpace.LADDER, 0, 0), "no bit of LADDER can be flipped"),
        (Fault(AnnealerSpace.STEPS, 1 << 20, 0), "address of STEPS must be 0 to 127"),
        (Fault(AnnealerSpace.STEPS, 127, 0), "nothing was written to byte 127 of STEPS"),
    ):
        with pytest.raises(ValueError, match=message):
            inject(board, fault)


@pytest.mark.parametrize("on_fault", ["reload", "raise"])
def test_a_sampler_sends_the_job_again_or_raises(on_fault):
    bqm = dimod.generators.ran_r(3, 12, seed=1)
    with Board.open("golden://sign/ulx3s_25f_annealer") as board:
        sampler = BoardSampler(board, on_fault)
        right = sampler.sample(bqm, num_sweeps=20, seed=3)
        inject(board, Fault(AnnealerSpace.STEPS, 4, 3))
        if on_fault == "raise":
            with pytest.raises(FaultError):
                sampler.sample(bqm, num_sweeps=20, seed=3)
        again = sampler.sample(bqm, num_sweeps=20, seed=3)
        np.testing.assert_array_equal(again.record.sample, right.record.sample)
        assert board.status().corrupted == 1
    with pytest.raises(ValueError, match='on_fault must be "raise" or "reload", not None'):
        BoardSampler("golden://icebreaker_annealer", None)


def test_boards_by_name():
    with Board.open("golden://sign/icebreaker_annealer") as board:
        assert board.info.annealer.signature == 1
        assert board.info.board == "sign/icebreaker_annealer"
    both = find_board("sign/ulx3s_25f_both")
    assert both.require_contractor().signature and both.require_annealer().signature
    with pytest.raises(ValueError, match="engines that check what they read can be built for"):
        find_board("sign/ulx3s_25f_annealer_8bit")
