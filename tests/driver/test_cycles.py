"""Answers that took another number of clock cycles than they can: the device has a fault."""

from __future__ import annotations

import logging
import pickle
import struct
from dataclasses import replace

import numpy as np
import pytest

from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.annealer.steps import highest_temperature, schedule
from tensorspin.contract.contractor.image import program_image
from tensorspin.contract.contractor.latency import PIPELINES
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.wire.packets import PacketType, Status
from tensorspin.driver.selftest.contractor import check_contractor
from tensorspin.driver.selftest.result import Verdict
from tensorspin.errors import FaultError, LinkError
from tensorspin.golden.annealer.metropolis import anneal
from tensorspin.golden.device import GoldenDevice

from ..support.annealer_sizes import SIZES
from ..support.anneals import cooling, random_ising
from ..support.doubles import assert_answers, golden_board
from ..support.loaded_programs import chain_program, cycles_of, golden_answers, random_levels
from .test_lying_devices import ROW, replying

PROGRAM = chain_program()
LEVELS = random_levels(20)
CYCLES = cycles_of(PROGRAM)


def slow_at(samples, by=1):
    """A device whose answers to these samples, counted by their RUNs, take other cycles."""
    count = iter(range(10**6))

    def change(payload, request):
        (cycles,) = struct.unpack("<I", payload[-4:])
        late = by if next(count) in samples else 0
        return payload[:-4] + struct.pack("<I", (cycles + late) % 2**32)

    return replying(PacketType.RUN, change)


@pytest.mark.parametrize("by", [1, -1, 1000, -CYCLES], ids=str)
@pytest.mark.parametrize("sample", [0, 7, 19])
def test_a_sample_that_took_other_cycles_is_a_fault_wherever_it_stands(sample, by):
    board = golden_board(slow_at([sample], by), ROW)
    board.load(PROGRAM)
    told = f"took {CYCLES + by} cycles for sample {sample}, not {CYCLES} \\(1 of 20 samples"
    with pytest.raises(FaultError, match=told) as caught:
        board.run(LEVELS)
    assert caught.value.status == Status.OK
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_after_a_fault_the_device_holds_no_program_and_loading_sends_everything():
    device = slow_at([3])
    board = golden_board(device, ROW)
    board.load(PROGRAM)
    with pytest.raises(FaultError):
        board.run(LEVELS)
    assert board.program is None and not board.status().active
    sent = []
    board.load(PROGRAM, progress=lambda done, total: sent.append(done))  # without force
    assert sent
    assert_answers(board.run(LEVELS), golden_answers(PROGRAM, LEVELS))


def test_a_line_that_is_lost_at_the_same_time_is_told_with_the_fault(caplog):
    class Dying(GoldenDevice):
        def feed(self, data):
            return [] if self.dead else super().feed(data)

        dead = False

    device = Dying(ROW)
    board = golden_board(device, ROW)
    board.load(PROGRAM)
    driver = board._drivers[1]
    ask = driver._ask_samples

    def then_die(*arguments):
        replies = ask(*arguments)
        replies[5, -4] ^= 1
        device.dead = True
        return replies

    driver._ask_samples = then_die
    with caplog.at_level(logging.WARNING), pytest.raises(FaultError, match="for sample 5"):
        board.run(LEVELS)
    assert "may still run its faulty program" in caplog.text


def test_a_bit_that_flips_in_the_memory_of_a_running_device_is_found_by_the_cycles():
    device = GoldenDevice(ROW)
    board = golden_board(device, ROW)
    board.load(PROGRAM)
    board.run(LEVELS)
    engine = next(e for e in device.engines.values() if MemorySpace.PROGRAM in e.memories)
    waits = [
        replace(node, wait=False) if node is PROGRAM.nodes[3] else node for node in PROGRAM.nodes
    ]
    right, flipped = (
        np.frombuffer(program_image(nodes, PROGRAM.weights, 8), np.uint8)
        for nodes in (PROGRAM.nodes, waits)
    )
    assert np.unpackbits(right ^ flipped).sum() == 1  # a node that no longer waits for its operand
    engine.memories[MemorySpace.PROGRAM][: len(flipped)] = flipped.tobytes()
    engine._program = None
    with pytest.raises(FaultError, match="does not run the program that was loaded"):
        board.run(LEVELS)
    board.load(PROGRAM)
    assert_answers(board.run(LEVELS), golden_answers(PROGRAM, LEVELS))


def test_no_samples_take_no_cycles():
    board = golden_board(None, ROW)
    board.load(PROGRAM)
    assert board.run(LEVELS[:0]).cycles.shape == (0,)


@pytest.mark.parametrize("pipeline", range(len(PIPELINES)))
def test_a_device_takes_the_cycles_of_its_pipeline(pipeline):
    size = replace(ROW.require_contractor(), pipeline=pipeline)
    board = golden_board(None, replace(ROW, engines=ROW.engines.with_sizes(size)))
    board.load(PROGRAM)
    expected = golden_answers(PROGRAM, LEVELS, size)
    assert expected.cycles[0] == PROGRAM.cycles(8, PIPELINES[pipeline])
    assert_answers(board.run(LEVELS), expected)
    assert check_contractor(board).verdict is Verdict.PASS


# The annealer


@pytest.mark.parametrize("by", [1, -1, 9], ids=str)
def test_cycles_of_an_anneal_that_are_no_multiple_of_a_round_are_a_fault(by):
    job = AnnealJob(random_ising(0, 5), cooling(2)).fit(ROW.require_annealer())
    cycles = anneal(job).cycles

    def change(payload, request):
        if payload[8:12] != struct.pack("<I", cycles):
            return payload
        return payload[:8] + struct.pack("<I", cycles + by) + payload[12:]

    board = golden_board(replying(PacketType.READ, change), ROW)
    told = f"{cycles + by} cycles of a run that takes {job.least_cycles} to "
    with pytest.raises(LinkError, match=told):
        board.anneal_job(job)


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("initial", [False, True])
@pytest.mark.parametrize("coldest", [0.1, 0.9])
def test_every_run_takes_possible_cycles(name, initial, coldest):
    size = SIZES[name]
    rng = np.random.default_rng(0)
    for variables in (1, size.spins // 2, size.spins):
        start = rng.choice([-1, 1], (size.replicas, variables)) if initial else None
        steps = schedule(np.geomspace(0.9, coldest, 3) * highest_temperature(size), 2, size)
        couplings = np.diag(rng.choice([-1, 1], variables - 1), 1)
        couplings += couplings.T
        problem = IsingProblem(size, couplings, -couplings.sum(axis=0))
        job = AnnealJob(problem, steps, 3, 2, start)
        assert job.possible_cycles(anneal(job).cycles)


def test_the_least_cycles_are_those_of_a_run_without_a_flip():
    size = ROW.require_annealer()
    problem = random_ising(0, 5)
    job = AnnealJob(problem, cooling(2), refresh=3)
    assert 0 < job.least_cycles < job.most_cycles
    assert not job.possible_cycles(job.least_cycles - job.cycle_step)
    assert job.possible_cycles(job.least_cycles)
    assert not job.possible_cycles(job.most_cycles + job.cycle_step)
    assert job.cycle_step == size.replicas
    assert np.isscalar(job.least_cycles)
