"""Streams of samples through the core with AXI-stream-like ports, with pauses on either side."""

from __future__ import annotations

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, ReadOnly, RisingEdge

from tensorspin.contract.spatial.latency import latency
from tensorspin.contract.spatial.size import SpatialSize
from tensorspin.golden.spatial import GoldenSpatial
from tests.gateware.bench import bench_parameters
from tests.support.spatial import random_image


async def send(dut, port: str, items, last: str = "", pauses=None) -> None:
    """Send items to a port, each until it is taken."""
    data, valid, ready = (getattr(dut, f"{port}_{name}") for name in ("tdata", "tvalid", "tready"))
    for index, item in enumerate(items):
        if pauses is not None and pauses.random() < 0.3:
            valid.value = 0
            await ClockCycles(dut.clk, int(pauses.integers(1, 30)))
        data.value, valid.value = item, 1
        if last:
            getattr(dut, last).value = index == len(items) - 1
        while True:
            await ReadOnly()
            taken = bool(ready.value)
            await RisingEdge(dut.clk)
            if taken:
                break
    valid.value = 0


async def first_latency(dut) -> int:
    """Count the cycles from the first sample that is taken to the first result."""
    while True:
        await ReadOnly()
        if dut.s_axis_tvalid.value and dut.s_axis_tready.value:
            break
        await RisingEdge(dut.clk)
    cycles = 0
    while True:
        await RisingEdge(dut.clk)
        cycles += 1
        await ReadOnly()
        if dut.m_axis_tvalid.value:
            return cycles


async def receive(dut, size: SpatialSize, count: int, pauses) -> list:
    """Take results, with pauses; none may change while it waits."""
    found, waiting = [], None
    while len(found) < count:
        dut.m_axis_tready.value = pauses is None or int(pauses.random() < 0.4)
        await ReadOnly()
        result = None
        if dut.m_axis_tvalid.value:
            result = int(dut.m_axis_tdata.value), int(dut.m_axis_tuser.value)
        assert waiting is None or result == waiting
        taken = result is not None and bool(dut.m_axis_tready.value)
        await RisingEdge(dut.clk)
        waiting = None if taken else result
        if taken:
            words = [result[0] >> 16 * k & 0xFFFF for k in range(size.outputs)]
            found.append((np.array(words, dtype=np.uint16).astype(np.int16), result[1]))
    dut.m_axis_tready.value = 0
    return found


@cocotb.test()
async def streams_equal_the_golden_model(dut) -> None:
    parameters = bench_parameters()
    size = SpatialSize(**{**parameters["size"], "nodes": tuple(parameters["size"]["nodes"])})
    rng = np.random.default_rng(parameters["seed"])
    for name in ("s_axis_tvalid", "m_axis_tready", "load_tvalid", "load_tlast"):
        getattr(dut, name).value = 0
    dut.rst.value = 1
    Clock(dut.clk, 10, unit="ns").start()
    await ClockCycles(dut.clk, 3)
    dut.rst.value = 0
    dut.s_axis_tvalid.value = 1
    await ClockCycles(dut.clk, 20)
    assert not dut.s_axis_tready.value, "a sample is taken before a network is loaded"
    for patient in (False, True):
        image = random_image(size, rng)
        await send(dut, "load", list(image), "load_tlast")
        levels = rng.integers(0, 256, (parameters["samples"], size.inputs), dtype=np.uint8)
        items = [int.from_bytes(sample.tobytes(), "little") for sample in levels]
        counting = cocotb.start_soon(first_latency(dut))
        taking = cocotb.start_soon(receive(dut, size, len(items), rng if patient else None))
        await send(dut, "s_axis", items, pauses=rng if patient else None)
        found = await taking
        assert await counting == latency(size) + 2
        expected = GoldenSpatial.of_image(size, image).run(levels)
        assert np.array_equal([scores for scores, _ in found], expected.scores)
        assert [best for _, best in found] == expected.classes.tolist()
        assert int(dut.exponent.value) == expected.exponents[0]
