"""The spatial engine at the router's ports: loading, samples close behind each other, results."""

from __future__ import annotations

import numpy as np
import pytest
from amaranth.sim import Simulator

from tensorspin.contract.contractor.latency import MEMORY_READ
from tensorspin.contract.spatial.latency import latency
from tensorspin.contract.spatial.size import SpatialSize
from tensorspin.golden.spatial import GoldenSpatial
from tensorspin_gateware.primitives import Family
from tensorspin_gateware.spatial import Spatial
from tensorspin_gateware.spatial.interface import IN_FLIGHT
from tests.support.spatial import random_image

SIZE = SpatialSize.of_tree(3, [(0, 1, 3), (3, 2, 2)], components=1, value_bits=8, weight_bits=4)


def test_standby():
    with pytest.raises(ValueError, match="cannot stand by"):
        Spatial(SIZE, Family.BEHAVIOURAL, standby=True)


@pytest.mark.parametrize("patience", [1.0, 0.5])
def test_results_by_words(patience):
    rng = np.random.default_rng(0)
    image = random_image(SIZE, rng)
    levels = rng.integers(0, 256, (3 * IN_FLIGHT, SIZE.inputs), dtype=np.uint8)
    engine = Spatial(SIZE, Family.BEHAVIOURAL)
    found: list[list[int]] = []

    async def load(ctx):
        memory = engine.memory
        ctx.set(memory.write_enable, 1)
        for address, byte in enumerate(image):
            ctx.set(memory.address, address)
            ctx.set(memory.write_data, byte)
            await ctx.tick()
        ctx.set(memory.write_enable, 0)
        ctx.set(memory.address, 77)
        await ctx.tick().repeat(MEMORY_READ)
        assert ctx.get(memory.read_data) == image[77]
        ctx.set(engine.load, 1)
        await ctx.tick()
        ctx.set(engine.load, 0)
        await ctx.tick()
        assert not ctx.get(engine.idle) and not ctx.get(engine.fill_ready)
        while not ctx.get(engine.idle):
            await ctx.tick()

    async def start(ctx, sample):
        ctx.set(engine.fill.enable, 1)
        for feature, level in enumerate(sample):
            ctx.set(engine.fill.address, feature)
            ctx.set(engine.fill.level, int(level))
            await ctx.tick()
        ctx.set(engine.fill.enable, 0)
        ctx.set(engine.start, 1)
        await ctx.tick()
        ctx.set(engine.start, 0)

    async def router(ctx):
        await load(ctx)
        words: list[int] = []
        for first in range(0, len(levels), IN_FLIGHT):
            for sample in levels[first : first + IN_FLIGHT]:
                await start(ctx, sample)
            for _ in range(IN_FLIGHT * latency(SIZE) + 60):
                ready = rng.random() < patience
                ctx.set(engine.results.ready, ready)
                if ready and ctx.get(engine.results.valid):
                    words.append(ctx.get(engine.results.payload.word))
                    if ctx.get(engine.results.payload.last):
                        found.append(words)
                        words = []
                await ctx.tick()
            ctx.set(engine.results.ready, 0)
            assert not ctx.get(engine.busy)

    simulator = Simulator(engine)
    simulator.add_clock(1e-8)
    simulator.add_testbench(router)
    simulator.run()
    expected = GoldenSpatial.of_image(SIZE, image).run(levels)
    assert found == [
        [SIZE.outputs, *scores.astype(np.uint16).tolist(), exponent, best, latency(SIZE), 0]
        for scores, exponent, best in zip(
            expected.scores, expected.exponents.tolist(), expected.classes.tolist()
        )
    ]
