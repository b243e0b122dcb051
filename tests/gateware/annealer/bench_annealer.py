"""cocotb test bench of the annealer: random problems and schedules against the golden model."""

from __future__ import annotations

from dataclasses import fields, replace

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge

from tensorspin.contract.annealer.image import AnnealerSpace, result_bytes, stride_bits
from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.annealer.results import AnnealResults
from tensorspin.contract.annealer.segments import bank_rows, bank_stride
from tensorspin.contract.annealer.size import RING, AnnealerSize, Exchange, Moving
from tensorspin.contract.annealer.steps import Step, highest_temperature, schedule
from tensorspin.contract.annealer.tempering import ladder
from tensorspin.contract.contractor.latency import MEMORY_READ
from tensorspin.golden.annealer.metropolis import anneal
from tests.gateware.bench import bench_parameters
from tests.support.random_problems import problem_scripts, random_problem


class Driver:
    """Plays the router: writes memories, starts runs, and reads results at the annealer's ports."""

    def __init__(self, dut, size: AnnealerSize, rng) -> None:
        self.dut = dut
        self.size = size
        self.rng = rng
        self.cleared = False
        self.corrupt = False  # the last run was found to be

    async def begin(self) -> None:
        dut = self.dut
        for name in (
            "start",
            "stop",
            "memory__space",
            "memory__address",
            "memory__write_enable",
            "memory__write_data",
        ):
            getattr(dut, name).value = 0
        Clock(dut.clk, 10, unit="ns").start()
        await self.reset()

    async def reset(self) -> None:
        dut = self.dut
        dut.rst.value = 1
        await ClockCycles(dut.clk, 3)
        dut.rst.value = 0
        await RisingEdge(dut.clk)

    async def write(self, space: AnnealerSpace, address: int, data: bytes) -> None:
        dut = self.dut
        dut.memory__space.value = int(space)
        for place, byte in enumerate(data):
            dut.memory__address.value = address + place
            dut.memory__write_data.value = byte
            dut.memory__write_enable.value = 1
            await RisingEdge(dut.clk)
        dut.memory__write_enable.value = 0

    async def load(self, job: AnnealJob, sparse: bool) -> None:
        images = job.images()
        # With several flips a turn each bank has a row that is zero, once it has been cleared; and
        # what is checked must be known where nothing is written.
        known = self.cleared or (self.size.flips == 1 and not self.size.signature)
        if sparse or not known:
            await self.write(AnnealerSpace.CLEAR, 0, b"\0")
            await RisingEdge(self.dut.clk)
            while not int(self.dut.ready.value):
                await RisingEdge(self.dut.clk)
            self.cleared = True
        if sparse:
            del images[AnnealerSpace.COUPLINGS]
            for script in problem_scripts(job.problem):
                await self.write(AnnealerSpace.SPARSE, 0, script)
        for space, rows in images.items():
            for index, row in enumerate(rows):
                await self.write(space, index << stride_bits(len(row)), row)

    async def start(self, run: bytes) -> None:
        """Play an ANNEAL request."""
        dut = self.dut
        await self.write(AnnealerSpace.RUN, 0, run)
        dut.start.value = 1
        await RisingEdge(dut.clk)
        dut.start.value = 0

    async def finish(self, limit: int) -> int:
        """Wait for the end of a run; the step that it was in."""
        self.corrupt = False
        for _ in range(limit):
            await RisingEdge(self.dut.clk)
            if not int(self.dut.running.value):
                return int(self.dut.step.value)
            self.corrupt = bool(self.size.signature and int(self.dut.corrupt.value))
        raise AssertionError(f"no result after {limit} cycles")

    async def results(self) -> list[bytes]:
        """The replicas' blocks, read byte by byte in a row."""
        dut, length = self.dut, result_bytes(self.size)
        dut.memory__space.value = int(AnnealerSpace.RESULTS)
        blocks = []
        for replica in range(self.size.replicas):
            got = bytearray()
            for place in range(length + MEMORY_READ):
                dut.memory__address.value = (replica << stride_bits(length)) + place
                await RisingEdge(dut.clk)
                if place >= MEMORY_READ:
                    got.append(int(dut.memory__read_data.value))
            blocks.append(bytes(got))
        return blocks


async def set_up(dut) -> tuple[Driver, dict]:
    parameters = bench_parameters()
    values = parameters["size"]
    size = AnnealerSize(**{**values, "strides": tuple(values["strides"])})
    driver = Driver(dut, size, np.random.default_rng(parameters["seed"]))
    await driver.begin()
    return driver, parameters


def random_ring(rng, step: Step) -> Step:
    """All replicas move, or some of them, on a ring."""
    moving = Moving(int(rng.integers(len(Moving))))
    ring = 0 if moving is Moving.ALL else int(rng.integers(RING.maximum + 1))
    return replace(step, moving=moving, ring=ring)


async def check(driver: Driver, seed: int) -> IsingProblem:
    """A random run; the problem."""
    rng, size = driver.rng, driver.size
    problem = random_problem(rng, size)
    temperatures = rng.uniform(0.02, 1, rng.integers(1, size.steps + 1))
    steps = schedule(temperatures * highest_temperature(size), int(rng.integers(1, 5)), size)
    shared = bool(size.shared_sweeps) and rng.random() < 0.7
    if size.ring and not shared:
        steps = [random_ring(rng, step) for step in steps]
    if size.tempering and not shared:
        steps = [
            replace(step, exchange=Exchange(int(rng.integers(len(Exchange))))) for step in steps
        ]
        lowest = rng.uniform(0.02, 0.2)
        rungs = ladder(np.geomspace(0.9, lowest, size.replicas) * highest_temperature(size), size)
    else:
        rungs = None
    refresh = int(rng.choice([0, 0, 1, 5]))
    initial_states = None
    if rng.random() < 0.5:
        initial_states = rng.choice([-1, 1], (size.replicas, problem.variables))
    flips = size.flips if size.flips == 1 or rng.random() < 0.7 else 1
    signed = rng.random() < 0.8
    job = AnnealJob(problem, steps, seed, refresh, initial_states, rungs, flips, shared, signed)
    job = job.fit(size)
    expected = anneal(job)
    await driver.load(job, sparse=rng.random() < 0.5)
    run = job.run_image()
    for repetition in range(2):
        await driver.start(run)
        if repetition == 1 and rng.random() < 0.5:
            # A repeated request while the run is under way starts again.
            await ClockCycles(driver.dut.clk, int(rng.integers(0, expected.cycles)))
            await driver.start(run)
        assert await driver.finish(2 * expected.cycles) == len(steps) - 1
        assert not driver.corrupt, seed
        got = AnnealResults.unpack(problem, await driver.results())
        for field in fields(AnnealResults):
            assert np.array_equal(getattr(got, field.name), getattr(expected, field.name)), (
                seed,
                field.name,
                problem.variables,
                refresh,
            )
    return problem


@cocotb.test()
async def equals_golden_model(dut) -> None:
    driver, parameters = await set_up(dut)
    problems = [await check(driver, seed) for seed in range(parameters["runs"])]
    if parameters["wraps"]:
        assert any(problem.offset_rows > driver.size.offset_rows for problem in problems)


@cocotb.test()
async def changed_bits_are_found(dut) -> None:
    """Bytes are changed before a run, and while it goes on: in any memory that the check reads."""
    driver, parameters = await set_up(dut)
    size, rng = driver.size, driver.rng
    if not size.signature:
        return
    problem = random_problem(rng, size)
    states = rng.choice([-1, 1], (size.replicas, problem.variables))
    steps = schedule([0.5 * highest_temperature(size), 0.3], 1, size)
    job = AnnealJob(problem, steps, 1, 0, states).fit(size)
    cycles, run = anneal(job).cycles, job.run_image()
    await driver.load(job, sparse=False)
    for number in range(3 * parameters["runs"]):
        images = job.images()
        space = list(images)[number % len(images)]
        word = int(rng.integers(len(images[space])))
        # The last field of a step is the number of its sweeps: with many, a run takes long.
        place = int(rng.integers(len(images[space][0]) - 2 * (space is AnnealerSpace.STEPS)))
        address = (word << stride_bits(len(images[space][0]))) + place
        right = images[space][word][place : place + 1]
        wrong = bytes([right[0] ^ 1 << int(rng.integers(8))])
        row = word % bank_stride(size)
        banks = space is AnnealerSpace.COUPLINGS and size.flips > 1
        exists = not banks or row <= bank_rows(size)  # no rows stand between two banks
        late = rng.random() < 0.5
        if not late:
            await driver.write(space, address, wrong)
        await driver.start(run)
        if late:
            await ClockCycles(dut.clk, int(rng.integers(1, cycles - job.check_cycles)))
            await driver.write(space, address, wrong)
        await driver.finish(200 * cycles)
        assert driver.corrupt == exists, (space, word, place, late)
        await driver.write(space, address, right)
        # A run whose check is broken off says nothing, and the one that breaks it off is right.
        await driver.start(run)
        await ClockCycles(dut.clk, cycles - int(rng.integers(1, job.check_cycles)))
        await driver.start(run)
        await driver.finish(2 * cycles)
        assert not driver.corrupt
        assert int(dut.step.value) == len(steps) - 1


@cocotb.test()
async def stop_in_the_middle(dut) -> None:
    driver, parameters = await set_up(dut)
    await check(driver, 0)
    for seed in range(1, 4):
        dut.start.value = 1
        await RisingEdge(dut.clk)
        dut.start.value = 0
        await ClockCycles(dut.clk, int(driver.rng.integers(1, 300)))
        dut.stop.value = 1
        await RisingEdge(dut.clk)
        dut.stop.value = 0
        await RisingEdge(dut.clk)
        assert not int(dut.running.value)
        await check(driver, seed)


@cocotb.test()
async def reset_in_the_middle(dut) -> None:
    driver, parameters = await set_up(dut)
    for seed in range(4):
        dut.start.value = 1
        await ClockCycles(dut.clk, int(driver.rng.integers(1, 300)))
        await driver.reset()
        await check(driver, seed)
