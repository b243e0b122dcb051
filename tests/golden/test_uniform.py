"""Numbers that are compared bit by bit, 64 cycles at a time, give what single numbers give."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tensorspin.contract.annealer.size import AnnealerSize, Moving
from tensorspin.contract.annealer.steps import Step
from tensorspin.contract.annealer.thresholds import SEED_BYTES, WORD_BITS, WORDS, generators
from tensorspin.golden.annealer.generators import BLOCK, GoldenGenerator
from tensorspin.golden.annealer.thresholds import GoldenThresholds
from tensorspin.golden.annealer.uniform import Digit, UniformNumbers, below, cut

SIZE = AnnealerSize(20, 3, 8, 10, (3, 1, 2, 2, 1), 32, 32)
MANY_DIGITS = AnnealerSize(20, 3, 14, 12, (1,) * 10, 32, 32)
"""More digits than a byte has bits."""


def seeds_of(size, runs):
    rng = np.random.default_rng(2)
    return rng.integers(0, 256, (runs, generators(size), SEED_BYTES), dtype=np.uint8)


def plain_numbers(size, seeds, blocks):
    """All uniform numbers of one run, an array of shape (cycles, numbers)."""
    sources = [GoldenGenerator(index, seed) for index, seed in enumerate(seeds)]
    words = [np.concatenate([source.words() for _ in range(blocks)]) for source in sources]
    return np.concatenate(words, axis=1)[:, : size.samples]


@pytest.mark.parametrize("limit", [0, 1, 2, 77_777, 1 << 16, (1 << WORD_BITS) - 1, 1 << WORD_BITS])
def test_below_compares_numbers(limit):
    numbers = np.random.default_rng(0).integers(0, 1 << WORD_BITS, 128)
    numbers[:6] = 0, 1, (1 << WORD_BITS) - 1, limit % (1 << WORD_BITS), max(limit - 1, 0), 1 << 16
    numbers[3:5] %= 1 << WORD_BITS
    ones = (numbers >> np.arange(WORD_BITS)[:, None] & 1).astype(np.uint8)
    less = below(np.packbits(ones, axis=1).view(np.uint64), limit)
    assert np.array_equal(np.unpackbits(less.view(np.uint8)), numbers < limit)


def test_runs_that_take_different_numbers_of_cycles():
    seeds = seeds_of(SIZE, 3)
    plain = [plain_numbers(SIZE, each, 4) for each in seeds]
    numbers = UniformNumbers(SIZE, seeds)
    rng = np.random.default_rng(1)
    places = np.zeros(3, dtype=int)
    crossed = 0
    for draw in range(30):
        cycles = rng.integers(0, (200, 50, 400))
        if draw == 15:
            cycles[:] = 0
        # The limits change now and then, in the middle of a block.
        limits = np.random.default_rng(draw // 4).integers(0, 1 << WORD_BITS, 2).tolist()
        digits = [Digit(3, 5, limits[0]), Digit(0, 1, limits[1])]
        begins, most = numbers.advance(cycles), int(cycles.max())
        words, samples = numbers.words(begins, most), numbers.samples(2, digits, begins, most)
        for run, (begin, count) in enumerate(zip(places, cycles, strict=True)):
            own = plain[run][begin : begin + count]
            assert np.array_equal(words[run, :count], own)
            expected = 8 * (own[:, 5:7] < limits[0]) + (own[:, 1:3] < limits[1])
            assert np.array_equal(samples[run, :count], expected)
        crossed += np.any(places // BLOCK != (places + cycles) // BLOCK)
        places += cycles
    assert crossed > 1 and SIZE.samples > WORDS


@pytest.mark.parametrize("size", [SIZE, dataclasses.replace(SIZE, tempering=1), MANY_DIGITS])
def test_common_limits_equal_those_of_each_replica(size):
    together, apart = (GoldenThresholds(size, 4, seeds_of(size, 2)) for _ in range(2))
    turns = np.full(2, size.replicas)
    present = np.ones((2, size.replicas), dtype=bool)
    rng = np.random.default_rng(5)
    for moving in (Moving.ALL, Moving.EVEN, Moving.ODD, Moving.ALL):
        probabilities = rng.integers(0, 1 << 16, size.threshold_bits)
        ring = 0 if moving is Moving.ALL else 1 << 15
        step = Step(tuple(probabilities.tolist()), 1, ring, moving)
        shape = (2, size.replicas, size.threshold_bits)
        for _ in range(3):
            together.draw(step, probabilities, turns)
            apart.draw(step, np.broadcast_to(probabilities, shape), turns)
            for one, other in zip(
                together.look(step, present), apart.look(step, present), strict=True
            ):
                assert np.array_equal(one, other)


def test_cut_copies():
    values = np.arange(6)
    part = cut(values, np.array([2]), 2)
    part[:] = 0
    assert values.tolist() == list(range(6))
