"""cocotb test bench of the annealer: random problems and schedules against the golden model."""

from __future__ import annotations

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge

from tensorspin.contract.annealer import AnnealerSize
from tensorspin.contract.annealer_image import (
    AnnealerSpace,
    couplings_image,
    row_bytes,
    run_image,
    step_bytes,
    steps_image,
    stride_bits,
)
from tensorspin.contract.ising import schedule
from tensorspin.contract.thresholds import expand_seed, highest_temperature
from tensorspin.golden.annealer import anneal
from tests.gateware.bench import bench_parameters
from tests.random_problems import random_problem

WORD_BITS = 16


class Driver:
    """Plays the router."""

    def __init__(self, dut, size: AnnealerSize, rng) -> None:
        self.dut = dut
        self.size = size
        self.rng = rng

    async def begin(self) -> None:
        dut = self.dut
        for name in (
            "start",
            "results__ready",
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

    async def load(self, problem, steps, seeds, refresh) -> None:
        size = self.size
        for space, rows, length in (
            (AnnealerSpace.COUPLINGS, couplings_image(problem), row_bytes(size)),
            (AnnealerSpace.STEPS, steps_image(steps), step_bytes(size)),
        ):
            for index, row in enumerate(rows):
                assert len(row) == length
                await self.write(space, index << stride_bits(length), row)
        await self.write(AnnealerSpace.SEEDS, 0, seeds.tobytes())
        await self.write(AnnealerSpace.RUN, 0, run_image(problem, refresh, steps))

    async def start(self) -> None:
        dut = self.dut
        # The first step is read from its memory.
        await RisingEdge(dut.clk)
        dut.start.value = 1
        await RisingEdge(dut.clk)
        dut.start.value = 0

    async def receive(self, limit: int) -> list[int]:
        dut = self.dut
        words = []
        for _ in range(limit):
            ready = self.rng.random() < 0.8
            dut.results__ready.value = int(ready)
            await RisingEdge(dut.clk)
            if ready and int(dut.results__valid.value):
                payload = int(dut.results__payload.value)
                words.append(payload & 0xFFFF)
                if payload >> WORD_BITS:
                    dut.results__ready.value = 0
                    await RisingEdge(dut.clk)
                    await RisingEdge(dut.clk)
                    assert int(dut.idle.value)
                    return words
        raise AssertionError(f"no result after {limit} cycles, only {len(words)} words")


def two_words(value: int) -> list[int]:
    return [value & 0xFFFF, value >> WORD_BITS & 0xFFFF]


def state_words(problem, state) -> list[int]:
    bits = [0] * problem.first + [int(spin < 0) for spin in state]
    number = sum(bit << place for place, bit in enumerate(bits))
    return [number >> place & 0xFFFF for place in range(0, len(bits), WORD_BITS)]


def expected_words(problem, run) -> list[int]:
    start = problem.energy(np.ones(problem.variables, dtype=int))
    words = []
    for replica in range(problem.size.replicas):
        words += two_words(int(run.energies[replica] - start) // 2)
        words += two_words(int(run.best_energies[replica] - start) // 2)
        words += state_words(problem, run.states[replica])
        words += state_words(problem, run.best_states[replica])
    return words + two_words(run.cycles)


async def set_up(dut) -> tuple[Driver, dict]:
    parameters = bench_parameters()
    values = parameters["size"]
    size = AnnealerSize(**{**values, "strides": tuple(values["strides"])})
    driver = Driver(dut, size, np.random.default_rng(parameters["seed"]))
    await driver.begin()
    return driver, parameters


async def check(driver: Driver, seed: int) -> None:
    """A random run."""
    rng, size = driver.rng, driver.size
    problem = random_problem(rng, size)
    temperatures = rng.uniform(0.02, 1, rng.integers(1, size.steps + 1))
    steps = schedule(temperatures * highest_temperature(size), int(rng.integers(1, 5)), size)
    seeds = expand_seed(seed, size)
    refresh = int(rng.choice([0, 0, 1, 5]))
    run = anneal(problem, steps, seeds, refresh)
    assert run.flips.sum() > 0
    await driver.load(problem, steps, seeds, refresh)
    await driver.start()
    got = await driver.receive(2 * run.cycles + 100 * size.replicas * size.spins)
    assert got == expected_words(problem, run), (seed, problem.variables, len(steps), refresh)


@cocotb.test()
async def equals_golden_model(dut) -> None:
    driver, parameters = await set_up(dut)
    for seed in range(parameters["runs"]):
        await check(driver, seed)


@cocotb.test()
async def reset_in_the_middle(dut) -> None:
    driver, parameters = await set_up(dut)
    for seed in range(4):
        await driver.start()
        await ClockCycles(dut.clk, int(driver.rng.integers(1, 300)))
        await driver.reset()
        await check(driver, seed)
