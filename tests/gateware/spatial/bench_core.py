"""Compares the spatial core with its golden model: each bit of each score, and each cycle."""

from __future__ import annotations

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge

from tensorspin.contract.spatial.arithmetic import SCORE_BITS
from tensorspin.contract.spatial.latency import latency, settling_cycles
from tensorspin.contract.spatial.size import SpatialSize
from tensorspin.golden.spatial.contraction import GoldenSpatial
from tests.gateware.bench import bench_parameters
from tests.support.spatial import random_image


async def start(dut) -> None:
    for name in ("levels", "valid", "load_restart", "load", "load_valid"):
        getattr(dut, name).value = 0
    dut.rst.value = 1
    Clock(dut.clk, 10, unit="ns").start()
    await ClockCycles(dut.clk, 3)
    dut.rst.value = 0
    await RisingEdge(dut.clk)


async def load(dut, size: SpatialSize, image: bytes, rng) -> None:
    """Load an image, with pauses, and wait until it is in use."""
    dut.load_restart.value = 1
    await RisingEdge(dut.clk)
    dut.load_restart.value = 0
    for position, byte in enumerate(image):
        dut.load.value = byte
        dut.load_valid.value = 1
        await RisingEdge(dut.clk)
        if rng.random() < 0.001:
            dut.load_valid.value = 0
            await ClockCycles(dut.clk, 2)
            assert not dut.loaded.value or position + 1 == len(image)
    dut.load_valid.value = 0
    await ClockCycles(dut.clk, settling_cycles(size))
    assert dut.loaded.value


async def run(dut, size: SpatialSize, samples: list) -> list:
    """Offer a sample, or None for a pause, in each cycle; return what comes with its cycle."""
    found = []
    mask = (1 << SCORE_BITS) - 1
    for cycle in range(len(samples) + latency(size) + 5):
        sample = samples[cycle] if cycle < len(samples) else None
        dut.valid.value = sample is not None
        # Without a sample, levels may be anything.
        dut.levels.value = int.from_bytes(
            bytes(sample if sample is not None else [77] * size.inputs), "little"
        )
        await RisingEdge(dut.clk)
        if dut.scores_valid.value:
            packed = dut.scores.value.to_unsigned()
            words = [packed >> SCORE_BITS * k & mask for k in range(size.outputs)]
            scores = np.array(words, dtype=np.uint16).astype(np.int16)
            found.append((cycle, scores, int(dut.best.value)))
    return found


@cocotb.test()
async def equals_golden_model(dut) -> None:
    parameters = bench_parameters()
    size = SpatialSize(**{**parameters["size"], "nodes": tuple(parameters["size"]["nodes"])})
    rng = np.random.default_rng(parameters["seed"])
    await start(dut)
    for _ in range(parameters["networks"]):
        image = random_image(size, rng)
        await load(dut, size, image, rng)
        n_samples = parameters["samples"]
        levels = rng.integers(0, 256, (n_samples, size.inputs), dtype=np.uint8)
        # As many as there are cycles, and then with pauses.
        samples: list = []
        for index, sample in enumerate(levels):
            if index > n_samples // 2:
                samples += [None] * int(rng.integers(0, 3))
            samples.append(sample)
        found = await run(dut, size, samples)
        expected = GoldenSpatial.of_image(size, image).run(levels)
        starts = [cycle for cycle, sample in enumerate(samples) if sample is not None]
        assert [cycle - latency(size) for cycle, *_ in found] == starts
        assert np.array_equal([scores for _, scores, _ in found], expected.scores)
        assert [best for *_, best in found] == expected.classes.tolist()
        assert dut.exponent.value.to_unsigned() == expected.exponents[0]
