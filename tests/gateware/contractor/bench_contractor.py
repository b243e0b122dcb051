"""Holds the contractor to its golden model: every bit of every score, and every cycle."""

from __future__ import annotations

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

from tensorspin.contract.device import ContractorSize
from tensorspin.contract.latency import MEMORY_READ
from tensorspin.contract.memory import MemorySpace
from tensorspin.golden.contractor import contract, run_image
from tests.gateware.bench import bench_parameters
from tests.random_programs import random_program


class Driver:
    """Plays the router."""

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
        for _ in range(3):
            await RisingEdge(dut.clk)
        dut.rst.value = 0
        await RisingEdge(dut.clk)

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
            dut.start.value = 1
            await RisingEdge(dut.clk)
            dut.start.value = 0
            await RisingEdge(dut.clk)

    async def receive(self, most_idle: float) -> list[int]:
        dut = self.dut
        words = []
        while True:
            ready = self.rng.random() >= most_idle
            dut.results__ready.value = int(ready)
            await RisingEdge(dut.clk)
            if ready and int(dut.results__valid.value):
                payload = int(dut.results__payload.value)
                words.append(payload & 0xFFFF)
                if payload >> 16:
                    dut.results__ready.value = 0
                    return words


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


@cocotb.test()
async def equals_golden_model(dut) -> None:
    parameters = bench_parameters()
    size = ContractorSize(**parameters["size"])
    rng = np.random.default_rng(parameters["seed"])
    driver = Driver(dut, size, rng)
    await driver.start()
    for number in range(parameters["programs"]):
        image = None
        # Small enough for the simulation to spend its time on contracting.
        while image is None or len(image) > parameters["most_bytes"]:
            program = random_program(rng, size)
            image = program.image(size.lanes)
        await driver.write(MemorySpace.PROGRAM, image)
        await driver.write(MemorySpace.TABLE, program.table_bytes())
        if number == 0:
            addresses = rng.integers(len(image), size=50)
            got = await driver.read(MemorySpace.PROGRAM, addresses)
            assert got == bytes(image[a] for a in addresses)
            table = program.table_bytes()
            addresses = rng.integers(len(table), size=50)
            got = await driver.read(MemorySpace.TABLE, addresses)
            assert got == bytes(table[a] for a in addresses)
        samples = rng.integers(256, size=(parameters["samples"], program.features))
        golden = contract(program.nodes, program.weights, program.table, samples, size.lanes)
        from_image = run_image(image, program.table_bytes(), size, samples)
        assert np.array_equal(golden.scores, from_image.scores)
        sending = cocotb.start_soon(driver.send(samples))
        most_idle = rng.choice([0.0, 0.5, 0.98])
        for index in range(len(samples)):
            got = await driver.receive(most_idle)
            assert got == expected_words(golden, index), (number, index, program.nodes)
        await sending
        while not int(dut.idle.value):
            await RisingEdge(dut.clk)


@cocotb.test(skip=not bench_parameters()["endless"])
async def endless_program_is_reported(dut) -> None:
    parameters = bench_parameters()
    size = ContractorSize(**parameters["size"])
    rng = np.random.default_rng(parameters["seed"])
    driver = Driver(dut, size, rng)
    await driver.start()
    # Headers of zeros never say that they are the last.
    await driver.write(MemorySpace.PROGRAM, bytes(size.space_bytes(MemorySpace.PROGRAM)))
    await driver.send(np.zeros((1, 1), dtype=np.uint8))
    assert await driver.receive(0.0) == [0]
    while not int(dut.idle.value):
        await RisingEdge(dut.clk)
    # ... and the next program is none the worse.
    program = random_program(rng, size)
    await driver.write(MemorySpace.PROGRAM, program.image(size.lanes))
    await driver.write(MemorySpace.TABLE, program.table_bytes())
    samples = rng.integers(256, size=(1, program.features))
    golden = contract(program.nodes, program.weights, program.table, samples, size.lanes)
    await driver.send(samples)
    assert await driver.receive(0.0) == expected_words(golden, 0)
