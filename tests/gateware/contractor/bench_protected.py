"""Changes bits of protected programs, and compares the contractor with its golden model."""

from __future__ import annotations

from dataclasses import replace

import cocotb
import numpy as np

from tensorspin.contract.contractor.image import read_image
from tensorspin.contract.contractor.memory import MemorySpace, word_stride_bits
from tensorspin.contract.contractor.program import HEADER_BYTES
from tensorspin.contract.signature import SIGNATURE_BITS
from tensorspin.golden.contractor.walk import walk
from tests.gateware.contractor.bench_contractor import Driver, fitting_program, set_up, signed_image
from tests.support.random_programs import RandomProgram


class Layout:
    """Where the code words of a program stand.

    Attributes
    ----------
    headers : list of ndarray of int
        Addresses of the bytes of each header.
    weights : ndarray of int
        Addresses of the protected weights, with those of lanes beyond the last output.
    signature : ndarray of int
        Addresses of the signature behind the program, if there is one.
    """

    def __init__(self, program: RandomProgram, driver: Driver) -> None:
        lanes, nodes = driver.size.lanes, program.nodes
        stride = 1 << word_stride_bits(lanes)
        self.headers: list[np.ndarray] = []
        weights = []
        word = 0

        def header(index: int) -> None:
            nonlocal word
            if index < len(nodes):
                self.headers.append(word * stride + np.arange(HEADER_BYTES))
                word += 1

        header(0)
        header(1)
        for index, node in enumerate(nodes):
            rows = np.arange(word, word + node.words(lanes) - 1)
            if node.protected:
                weights.append((rows[:, None] * stride + np.arange(lanes)).ravel())
            word += len(rows)
            header(index + 2)
        self.weights = np.concatenate(weights)
        size = SIGNATURE_BITS // 4 if driver.size.signature else 0
        self.signature = word * stride + np.arange(size)


async def change(driver: Driver, image: bytes, changed: np.ndarray) -> None:
    """Write the bytes that differ."""
    for address in np.flatnonzero(changed != np.frombuffer(image, np.uint8)).tolist():
        await driver.write(MemorySpace.PROGRAM, changed[address : address + 1].tobytes(), address)
    driver.dut.protected.value = 1
    if driver.size.signature:
        driver.dut.signed.value = 1


async def protected_program(driver: Driver) -> tuple[RandomProgram, bytes, Layout]:
    """Load a protected program."""
    program = fitting_program(driver.rng, driver.size)
    while not program.protected:
        program = fitting_program(driver.rng, driver.size)
    await driver.load(program)
    return program, signed_image(program, driver.size), Layout(program, driver)


@cocotb.test()
async def one_changed_bit_of_each_code_word_changes_nothing(dut) -> None:
    driver, parameters = await set_up(dut)
    rng = driver.rng
    for _ in range(parameters["programs"]):
        program, image, layout = await protected_program(driver)
        for share in (0.1, 1.0):
            changed = np.frombuffer(image, dtype=np.uint8).copy()
            for addresses in layout.headers:
                changed[rng.choice(addresses)] ^= 1 << rng.integers(8)
            for address in np.concatenate([layout.weights, layout.signature]):
                if rng.random() < share:
                    changed[address] ^= 1 << rng.integers(8)
            await change(driver, image, changed)
            await driver.check(program, parameters["samples"])
            await change(driver, changed.tobytes(), np.frombuffer(image, dtype=np.uint8))


@cocotb.test()
async def every_bit_of_a_header_is_corrected(dut) -> None:
    driver, parameters = await set_up(dut)
    program, image, layout = await protected_program(driver)
    header = layout.headers[-1]
    for bit in range(8 * HEADER_BYTES):
        changed = np.frombuffer(image, dtype=np.uint8).copy()
        changed[header[bit // 8]] ^= 1 << bit % 8
        await change(driver, image, changed)
        await driver.check(program, 1)
        await change(driver, changed.tobytes(), np.frombuffer(image, dtype=np.uint8))


@cocotb.test()
async def any_bytes_are_the_weights_of_the_contract(dut) -> None:
    """Whatever stands in place of protected weights; a signature finds what is not corrected."""
    driver, parameters = await set_up(dut)
    rng, size = driver.rng, driver.size
    for _ in range(parameters["programs"]):
        program, image, layout = await protected_program(driver)
        changed = np.frombuffer(image, dtype=np.uint8).copy()
        if rng.random() < 0.5:
            chosen = layout.weights
        else:
            chosen = rng.choice(layout.weights, size=min(3, len(layout.weights)), replace=False)
        for address in chosen:
            changed[address] = rng.integers(256)
        await change(driver, image, changed)
        nodes, weights = read_image(changed.tobytes(), size.lanes, protected=True)
        assert nodes == program.nodes
        if size.signature and not walk(changed.tobytes(), size.lanes, protected=True).signed:
            await refused(driver, program)
            driver.dut.signed.value = 0
        await driver.check(replace(program, weights=weights), parameters["samples"])


@cocotb.test()
async def two_changed_bits_of_a_header_are_found(dut) -> None:
    driver, parameters = await set_up(dut)
    rng = driver.rng
    for _ in range(parameters["programs"]):
        program, image, layout = await protected_program(driver)
        for _ in range(parameters["flips"]):
            changed = np.frombuffer(image, dtype=np.uint8).copy()
            header = layout.headers[rng.integers(len(layout.headers))]
            for bit in rng.choice(8 * HEADER_BYTES, size=2, replace=False):
                changed[header[bit // 8]] ^= 1 << bit % 8
            await change(driver, image, changed)
            await refused(driver, program)
            await change(driver, changed.tobytes(), np.frombuffer(image, dtype=np.uint8))
        await driver.check(program, 1)


async def refused(driver: Driver, program: RandomProgram) -> None:
    """Run a sample that has no scores."""
    levels = driver.rng.integers(256, size=(1, program.features))
    await driver.send(levels)
    assert await driver.receive(0.0) == [0], program.nodes
    await driver.until_idle()
