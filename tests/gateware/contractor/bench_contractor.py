"""Compares the contractor with its golden model: every bit of every score, and every cycle."""

from __future__ import annotations

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge

from tensorspin.contract.contractor.latency import MEMORY_READ
from tensorspin.contract.contractor.memory import (
    LEVELS,
    MANTISSA_BYTES,
    MemorySpace,
    word_stride_bits,
)
from tensorspin.contract.contractor.program import HEADER_BYTES, OperandKind
from tensorspin.contract.contractor.resident import half_base, half_size
from tensorspin.contract.contractor.signature import signature_word
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.signature import SIGNATURE_BITS
from tensorspin.golden.contractor.contraction import contract
from tensorspin.golden.contractor.cycles import cycle_count
from tensorspin.golden.contractor.single import single_cycle_count
from tensorspin.golden.contractor.walk import Walk, walk
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
        # What a program may use, and where that begins.
        self.size = half_size(size)
        self.rng = rng
        self.whole, self._half = size, 0

    async def start(self) -> None:
        dut = self.dut
        for name in (
            "fill__enable",
            "start",
            *(("single",) if self.size.single_drain else ()),
            *(("signed",) if self.size.signature else ()),
            *(("protected",) if self.size.protected else ()),
            *(("half",) if self.whole.resident else ()),
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
        image = signed_image(program, self.size)
        if self.whole.resident:
            self._half = int(self.rng.integers(2))
            self.dut.half.value = self._half
        if self.size.signature:
            self.dut.signed.value = 1
        if self.size.protected:
            self.dut.protected.value = int(program.protected)
        await self.write(MemorySpace.PROGRAM, image[:capacity])
        await self.write(MemorySpace.TABLE, program.table_bytes())

    async def check(self, program: RandomProgram, samples: int, most_idle: float = 0.0) -> None:
        """Contract random samples with the program that is loaded."""
        levels = self.rng.integers(256, size=(samples, program.features))
        lanes, latencies = self.size.lanes, self.size.latencies
        golden = contract(program.nodes, program.weights, program.table, levels, lanes, latencies)
        singles = np.zeros(samples, dtype=bool)
        if self.size.single_drain:
            singles = self.rng.random(samples) < self.rng.choice([0.0, 0.3, 1.0])
            cycles = single_cycle_count(program.nodes, self.size)
            golden.cycles[singles] = cycles
        sending = cocotb.start_soon(self.send(levels, singles))
        for index in range(samples):
            got = await self.receive(most_idle, limit=100 * int(golden.cycles.max()) + 20_000)
            expected = expected_words(golden, index)
            assert got == expected, (index, singles, got, expected, program.nodes)
        await sending
        await self.until_idle()

    async def check_walk(self, found: Walk, single: bool = False) -> None:
        """Take a result, of which only the length and the cycles are known."""
        got = await self.receive(0.0)
        if found.overrun or found.uncorrectable:
            assert got == [0]
            return
        lanes, latencies = self.size.lanes, self.size.latencies
        cycles = cycle_count(found.nodes, lanes, latencies, found.protected)
        if single:
            cycles = single_cycle_count(found.nodes, self.size)
        assert got[0] == found.nodes[-1].outputs == len(got) - 5
        assert got[-2] | got[-1] << 16 == cycles, found.nodes

    async def until_idle(self) -> None:
        while not int(self.dut.idle.value):
            await RisingEdge(self.dut.clk)

    async def write(self, space: MemorySpace, data: bytes, start: int = 0) -> None:
        dut = self.dut
        dut.memory__space.value = int(space)
        for address, byte in enumerate(data, start + half_base(self.whole, space, self._half)):
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
            dut.memory__address.value = int(address) + half_base(self.whole, space, self._half)
            for _ in range(MEMORY_READ + 1):
                await RisingEdge(dut.clk)
            values.append(int(dut.memory__read_data.value))
        return bytes(values)

    async def send(self, samples: np.ndarray, singles: np.ndarray | None = None) -> None:
        """Fill samples in and start them, those in `singles` in single mode."""
        dut = self.dut
        for number, sample in enumerate(samples):
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
            if singles is not None and self.size.single_drain:
                dut.single.value = int(singles[number])
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


def signed_image(program: RandomProgram, size: ContractorSize) -> bytes:
    """Lay a program out, with its signature if the contractor computes it."""
    image = program.image(size.lanes)
    if size.signature:
        image += signature_word(image, size.lanes, program.nodes)
    return image


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


def drawn(rng, size: ContractorSize, random_one) -> RandomProgram:
    """Draw a program, often a protected one if the contractor corrects bits."""
    program = random_one(rng, size)
    return program.as_protected() if size.protected and rng.random() < 0.7 else program


def fitting_program(rng, size: ContractorSize) -> RandomProgram:
    """Draw a program of short nodes that fits the program memory."""
    while True:
        program = drawn(rng, size, short_program)
        if len(program.image(size.lanes)) <= size.model_words << word_stride_bits(size.lanes):
            return program


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
        program = drawn(rng, size, random_one)
        # Long programs are drawn again: to load them would take most of the simulation's time.
        while len(program.image(size.lanes)) > parameters["most_bytes"]:
            program = drawn(rng, size, random_one)
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
    program = fitting_program(driver.rng, driver.size)
    await driver.load(program)
    cycles = cycle_count(program.nodes, driver.size.lanes, driver.size.latencies)
    for _ in range(8):
        levels = driver.rng.integers(256, size=(3, program.features))
        singles = driver.rng.random(3) < 0.5
        sending = cocotb.start_soon(driver.send(levels, singles))
        await ClockCycles(dut.clk, int(driver.rng.integers(1, 3 * cycles)))
        sending.cancel()
        await driver.reset()
        await driver.check(program, 2)


@cocotb.test(skip=not bench_parameters()["whole_memory"])
async def program_fills_the_memory(dut) -> None:
    """The last word may be a weight; one word more is reported, and harms nothing."""
    driver, _ = await set_up(dut)
    words = driver.size.model_words
    for excess in (1, 0, 2, 3):
        program = exact_program(driver.rng, driver.size, words + excess)
        await driver.load(program)
        if excess:
            for single in (False, True):
                await driver.send(np.zeros((1, 1), dtype=np.uint8), np.array([single]))
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
        if size.signature:
            dut.signed.value = 0
        # Zeros are code words; most random headers can't be corrected.
        protected = bool(size.protected and rng.random() < 0.5)
        if size.protected:
            dut.protected.value = int(protected)
        found = walk(data, size.lanes, protected)
        endless += found.overrun
        for single in (False, True):
            await driver.send(np.zeros((1, 1), dtype=np.uint8), np.array([single]))
            await driver.check_walk(found, bool(size.single_drain) and single)
        await driver.until_idle()
        # ... and the next program is none the worse.
        program = fitting_program(rng, size)
        await driver.load(program)
        await driver.check(program, 1)
    assert 1 < endless


@cocotb.test(skip=not bench_parameters()["size"]["signature"])
async def changed_bits_are_found(dut) -> None:
    """Any bit of any word that is read, and neighbours of it, in this word and in the next."""
    driver, parameters = await set_up(dut)
    rng, size = driver.rng, driver.size
    stride = 1 << word_stride_bits(size.lanes)
    bits = 8 * size.lanes
    for _ in range(parameters["programs"]):
        program = fitting_program(rng, size)
        while program.protected:  # what is corrected is not found
            program = fitting_program(rng, size)
        await driver.load(program)
        await driver.check(program, 1)
        image = signed_image(program, size)
        words = len(image) // stride
        for _ in range(parameters["flips"]):
            # The bits of the last word beyond the signature do not count, nor do those behind it.
            word, bit = int(rng.integers(words - 1)), int(rng.integers(bits))
            places = {(word, bit)}
            match rng.integers(5):
                case 0:
                    places |= {(word + 1, bit + int(rng.integers(-1, 2)))}
                case 1:
                    places |= {(word, bit ^ 1)}
                case 2:
                    places = {(words - 1, int(rng.integers(SIGNATURE_BITS)))}
                case 3:
                    places = {(0, int(rng.integers(8 * HEADER_BYTES)))}
            changed = np.frombuffer(image, dtype=np.uint8).copy()
            for place, which in places:
                if place < words - 1 or which < SIGNATURE_BITS:
                    which = min(max(which, 0), bits - 1)
                    changed[place * stride + which // 8] ^= 1 << which % 8
            for data in (changed.tobytes(), image):
                for address in np.flatnonzero(changed != np.frombuffer(image, np.uint8)).tolist():
                    await driver.write(MemorySpace.PROGRAM, data[address : address + 1], address)
                dut.signed.value = 1
                if data is image:
                    await driver.check(program, 1)
                    continue
                levels = rng.integers(256, size=(2, program.features))
                sending = cocotb.start_soon(driver.send(levels))
                for _ in levels:
                    assert await driver.receive(0.0) == [0], places
                await sending
                await driver.until_idle()


@cocotb.test(skip=not bench_parameters()["size"]["table_parity"])
async def wrong_parity_is_found(dut) -> None:
    """A byte of the table with wrong parity counts in a run that reads it, and in no other."""
    driver, parameters = await set_up(dut)
    rng, size = driver.rng, driver.size
    end = driver.whole.space_bytes(MemorySpace.TABLE)
    for _ in range(parameters["programs"]):
        program = fitting_program(rng, size)
        await driver.load(program)
        table = program.table_bytes()
        read = np.zeros((program.features, size.components), dtype=bool)
        for node in program.nodes:
            for operand in (node.left, node.right):
                if operand.kind is OperandKind.FEATURE:
                    read[operand.index, : operand.size] = True
        for _ in range(parameters["flips"]):
            component, level = int(rng.integers(size.components)), int(rng.integers(LEVELS))
            place = MANTISSA_BYTES * (component * LEVELS + level) + int(rng.integers(2))
            byte = table[place] if place < len(table) else 0
            changed = byte ^ 1 << int(rng.integers(8))
            await driver.write(MemorySpace.TABLE, bytes([changed]), place + end)
            assert await driver.read(MemorySpace.TABLE, [place]) == bytes([changed])
            levels = rng.choice([level, (level + 1) % LEVELS], size=(1, program.features))
            wrong = (read[:, component] & (levels[0] == level)).any()
            await driver.send(levels)
            words = await driver.receive(0.0)
            assert (words == [0]) == wrong, (component, level, levels)
            await driver.until_idle()
            await driver.write(MemorySpace.TABLE, bytes([byte]), place)
        await driver.check(program, 2)
