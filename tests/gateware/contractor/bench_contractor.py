"""Compares the contractor with its golden model: every bit of every score, and every cycle."""

from __future__ import annotations

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge

from tensorspin.contract.contractor.image import ProgramOverrunError, read_image
from tensorspin.contract.contractor.latency import MEMORY_READ
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.golden.contractor.contraction import contract
from tensorspin.golden.contractor.cycles import cycle_count
from tests.gateware.bench import bench_parameters
from tests.support.random_programs import (
    RandomProgram,
    exact_program,
    random_program,
    short_program,
)


class Driver:
    """Drives the contractor as the router does: fills in samples, starts them, takes results."""

    def __init__(self, dut, size: ContractorSize, rng) -> None:
        self.dut = dut
        self.size = size
        self.rng = rng

    async def start(self) -> None:
        dut = self.dut
        for name in (
            "fill__enable",
            "start",
            "results__ready",
            "memory__write_enable",
            "memory__space",
            "memory__address",
            "memory__write_data",
        ):
            getattr(dut, name).value = 0
        dut.rst.value = 1
        Clock(dut.clk, 10, unit="ns").start()
        await self.reset()

    async def reset(self) -> None:
        """Reset the contractor, whatever it is doing."""
        dut = self.dut
        dut.fill__enable.value = 0
        dut.start.value = 0
        dut.rst.value = 1
        await ClockCycles(dut.clk, 3)
        dut.rst.value = 0
        await RisingEdge(dut.clk)

    async def load(self, program: RandomProgram) -> None:
        """Write the program, as much as fits, and the feature table."""
        capacity = self.size.space_bytes(MemorySpace.PROGRAM)
        await self.write(MemorySpace.PROGRAM, program.image(self.size.lanes)[:capacity])
        await self.write(MemorySpace.TABLE, program.table_bytes())

    async def check(self, program: RandomProgram, samples: int, most_idle: float = 0.0) -> None:
        """Contract random samples with the program that is loaded."""
        levels = self.rng.integers(256, size=(samples, program.features))
        golden = contract(program.nodes, program.weights, program.table, levels, self.size.lanes)
        sending = cocotb.start_soon(self.send(levels))
        for index in range(samples):
            got = await self.receive(most_idle, limit=100 * int(golden.cycles[0]) + 20_000)
            assert got == expected_words(golden, index), (index, program.nodes)
        await sending
        await self.until_idle()

    async def until_idle(self) -> None:
        while not int(self.dut.idle.value):
            await RisingEdge(self.dut.clk)

    async def write(self, space: MemorySpace, data: bytes) -> None:
        dut = self.dut
        dut.memory__space.value = int(space)
        for address, byte in enumerate(data):
            dut.memory__address.value = address
            dut.memory__write_data.value = byte
            dut.memory__write_enable.value = 1
            await RisingEdge(dut.clk)
        dut.memory__write_enable.value = 0

    async def read(self, space: MemorySpace, addresses) -> bytes:
        dut = self.dut
        dut.memory__space.value = int(space)
        values = bytearray()
        for address in addresses:
            dut.memory__address.value = int(address)
            for _ in range(MEMORY_READ + 1):
                await RisingEdge(dut.clk)
            values.append(int(dut.memory__read_data.value))
        return bytes(values)

    async def send(self, samples: np.ndarray) -> None:
        dut = self.dut
        for sample in samples:
            for index, level in enumerate(sample):
                while not int(dut.fill_ready.value):
                    await RisingEdge(dut.clk)
                dut.fill__enable.value = 1
                dut.fill__address.value = index
                dut.fill__level.value = int(level)
                await RisingEdge(dut.clk)
            dut.fill__enable.value = 0
            if self.rng.random() < 0.5:
                # So that a start may come at any time relative to the end of the sample before.
                await ClockCycles(dut.clk, int(self.rng.integers(1, 200)))
            dut.start.value = 1
            await RisingEdge(dut.clk)
            dut.start.value = 0
            await RisingEdge(dut.clk)

    async def receive(self, most_idle: float, limit: int = 100_000) -> list[int]:
        dut = self.dut
        words = []
        for _ in range(limit):
            ready = self.rng.random() >= most_idle
            dut.results__ready.value = int(ready)
            await RisingEdge(dut.clk)
            if ready and int(dut.results__valid.value):
                payload = int(dut.results__payload.value)
                words.append(payload & 0xFFFF)
                if payload >> 16:
                    dut.results__ready.value = 0
                    return words
        raise AssertionError(f"no result after {limit} cycles, only {words}")


def expected_words(results, index: int) -> list[int]:
    scores = [int(score) & 0xFFFF for score in results.scores[index]]
    cycles = int(results.cycles[index])
    return [
        len(scores),
        *scores,
        int(results.exponents[index]),
        int(results.classes[index]),
        cycles & 0xFFFF,
        cycles >> 16,
    ]


async def set_up(dut) -> tuple[Driver, dict]:
    parameters = bench_parameters()
    rng = np.random.default_rng(parameters["seed"])
    driver = Driver(dut, ContractorSize(**parameters["size"]), rng)
    await driver.start()
    return driver, parameters


async def equal(dut, random_one) -> None:
    """Check programs that `random_one` draws, each with several samples."""
    driver, parameters = await set_up(dut)
    rng, size = driver.rng, driver.size
    for _ in range(parameters["programs"]):
        program = random_one(rng, size)
        # Long programs are drawn again: to load them would take most of the simulation's time.
        while len(program.image(size.lanes)) > parameters["most_bytes"]:
            program = random_one(rng, size)
        await driver.load(program)
        await driver.check(program, parameters["samples"], rng.choice([0.0, 0.5, 0.98]))


@cocotb.test()
async def equals_golden_model(dut) -> None:
    await equal(dut, random_program)


@cocotb.test()
async def short_nodes_equal_golden_model(dut) -> None:
    await equal(dut, short_program)


@cocotb.test()
async def memories_read_back(dut) -> None:
    driver, _ = await set_up(dut)
    program = random_program(driver.rng, driver.size)
    await driver.load(program)
    for space, data in (
        (MemorySpace.PROGRAM, program.image(driver.size.lanes)),
        (MemorySpace.TABLE, program.table_bytes()),
    ):
        addresses = driver.rng.integers(min(len(data), driver.size.space_bytes(space)), size=50)
        assert await driver.read(space, addresses) == bytes(data[a] for a in addresses)


@cocotb.test()
async def reset_in_the_middle(dut) -> None:
    driver, _ = await set_up(dut)
    program = short_program(driver.rng, driver.size)
    await driver.load(program)
    cycles = cycle_count(program.nodes, driver.size.lanes)
    for _ in range(8):
        levels = driver.rng.integers(256, size=(3, program.features))
        sending = cocotb.start_soon(driver.send(levels))
        await ClockCycles(dut.clk, int(driver.rng.integers(1, 3 * cycles)))
        sending.cancel()
        await driver.reset()
        await driver.check(program, 2)


@cocotb.test(skip=not bench_parameters()["whole_memory"])
async def program_fills_the_memory(dut) -> None:
    """The last word may be a weight; one word more is reported, and harms nothing."""
    driver, _ = await set_up(dut)
    words = driver.size.program_words
    for excess in (1, 0, 2, 3):
        program = exact_program(driver.rng, driver.size, words + excess)
        await driver.load(program)
        if excess:
            await driver.send(np.zeros((1, 1), dtype=np.uint8))
            assert await driver.receive(0.0) == [0]
            await driver.until_idle()
        else:
            await driver.check(program, 2)


@cocotb.test(skip=not bench_parameters()["whole_memory"])
async def any_program_ends(dut) -> None:
    driver, parameters = await set_up(dut)
    rng, size = driver.rng, driver.size
    capacity = size.space_bytes(MemorySpace.PROGRAM)
    endless = 0
    # A memory of zeros has only headers that are not the last, so it never ends; random bytes may.
    for data in (bytes(capacity), *(rng.bytes(capacity) for _ in range(parameters["garbage"]))):
        await driver.write(MemorySpace.PROGRAM, data)
        try:
            read_image(data, size.lanes)
            overrun = False
        except ProgramOverrunError:
            overrun = True
        endless += overrun
        for _ in range(2):
            await driver.send(np.zeros((1, 1), dtype=np.uint8))
            assert (await driver.receive(0.0) == [0]) == overrun
        await driver.until_idle()
        # ... and the next program is none the worse.
        program = short_program(rng, size)
        await driver.load(program)
        await driver.check(program, 1)
    assert 1 < endless
