"""Several runs that are computed at once give what each of them gives alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tensorspin.contract.annealer.image import AnnealerSpace, stride_bits
from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.annealer.steps import schedule
from tensorspin.contract.annealer.tempering import ladder, tempering_schedule
from tensorspin.contract.annealer.thresholds import SEED_BYTES
from tensorspin.contract.annealer.transverse import transverse_schedule
from tensorspin.golden.annealer.device import DeviceAnnealer
from tensorspin.golden.annealer.generators import GoldenGenerator
from tensorspin.golden.annealer.metropolis import GoldenAnnealer, anneal, anneal_all

PARALLEL = AnnealerSize(20, 3, 8, 10, (3, 1, 2, 2, 1), 32, 32)
TEMPERING = dataclasses.replace(PARALLEL, tempering=1)
WINDOWED = AnnealerSize(64, 4, 10, 8, (1,) * 7, 128, 16, ring=0, window=8)


def problem(size):
    rng = np.random.default_rng(3)
    couplings = np.triu(rng.integers(-2, 3, (12, 12)), 1)
    return IsingProblem(size, couplings + couplings.T, rng.integers(-3, 4, 12))


def steps(size):
    found = schedule([5.0, 3.0, 1.0], 5, size)
    if size.ring:
        found += transverse_schedule([9.0, 2.0], 0.2, 2, size)
    if size.tempering:
        found += tempering_schedule(4, 3, size)
    return found + schedule([0.5], 4, size)


@pytest.mark.parametrize("initial", [False, True])
@pytest.mark.parametrize("refresh", [0, 2])
@pytest.mark.parametrize("size", [PARALLEL, TEMPERING, WINDOWED])
def test_runs_do_not_influence_each_other(size, refresh, initial):
    rng = np.random.default_rng(1)
    ranks = ladder(np.geomspace(4, 1, size.replicas), size) if size.tempering else None
    jobs = [
        AnnealJob(
            problem(size),
            steps(size),
            seed,
            refresh,
            rng.choice([-1, 1], (size.replicas, 12)) if initial else None,
            ranks,
        )
        for seed in range(4)
    ]
    together = anneal_all(jobs)
    assert len({found.cycles for found in together}) > 1  # runs of one length would show little
    for job, found in zip(jobs, together, strict=True):
        alone = anneal(job)
        for name, value in vars(alone).items():
            np.testing.assert_array_equal(getattr(found, name), value, name)


@pytest.mark.parametrize("index", [0, 3])
def test_generators_with_several_seeds(index):
    seeds = np.random.default_rng(0).integers(0, 256, (2, 3, SEED_BYTES), dtype=np.uint8)
    together = GoldenGenerator(index, seeds)
    words = np.concatenate([together.words(), together.words()], axis=-2)
    for place in np.ndindex(2, 3):
        alone = GoldenGenerator(index, seeds[place])
        for half in np.split(words[place], 2):
            assert np.array_equal(half, alone.words())


def device(size, jobs):
    """A golden device's annealer whose memories hold what all jobs have in common."""
    engine = DeviceAnnealer(size)
    for space, words in jobs[0].images().items():
        stride = 1 << stride_bits(len(words[0]))
        for place, word in enumerate(words):
            engine.write(space, place * stride, word)
    return engine


def test_a_device_computes_what_it_expects_together(monkeypatch):
    batches = []

    def counted(*jobs):
        batches.append(len(jobs))
        return GoldenAnnealer(*jobs)

    monkeypatch.setattr("tensorspin.golden.annealer.device.GoldenAnnealer", counted)
    jobs = [AnnealJob(problem(PARALLEL), schedule([2.0], 3, PARALLEL), seed) for seed in range(3)]
    other = dataclasses.replace(jobs[0], refresh=1)
    engine = device(PARALLEL, jobs)
    engine.expect([*jobs, other, "a job of another engine"])
    for job in (*jobs, other):
        expected = anneal(job)
        engine.start(job.run_image(), 0)
        assert engine.step(expected.cycles - 1) is not None and engine.step(expected.cycles) is None
        blocks = expected.blocks(job.problem)
        stride = 1 << stride_bits(len(blocks[0]))
        memory = engine.memories[AnnealerSpace.RESULTS]
        for replica, block in enumerate(blocks):
            assert memory[replica * stride :][: len(block)] == block
    assert batches == [3, 1]


def test_a_device_that_expects_something_else_computes_what_it_is_asked(monkeypatch):
    jobs = [AnnealJob(problem(PARALLEL), schedule([2.0], 3, PARALLEL), seed) for seed in range(2)]
    engine = device(PARALLEL, jobs)
    engine.expect([dataclasses.replace(jobs[0], problem=problem(TEMPERING)), jobs[1]])
    engine.start(jobs[0].run_image(), 0)
    assert engine.step(anneal(jobs[0]).cycles) is None
    monkeypatch.setattr("tensorspin.golden.annealer.device.MOST_TOGETHER", 1)
    engine.start(jobs[1].run_image(), 0)
    assert engine.step(anneal(jobs[1]).cycles) is None
