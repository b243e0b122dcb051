"""The annealer's golden model against a plain Metropolis machine and against Boltzmann."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.annealer.size import (
    MIN_REPLICAS,
    RING,
    START,
    STEP_ROUNDS,
    AnnealerSize,
    Moving,
)
from tensorspin.contract.annealer.steps import schedule
from tensorspin.contract.annealer.thresholds import (
    GENERATOR_BITS,
    SEED_BYTES,
    WORD_BITS,
    WORDS,
    expand_seed,
    generator_taps,
)
from tensorspin.contract.annealer.transverse import transverse_schedule
from tensorspin.golden.annealer.generators import BLOCK, GoldenGenerator
from tensorspin.golden.annealer.metropolis import GoldenAnnealer, anneal
from tests.support.statistics import LEVEL, boltzmann, chi_square, random_terms, total_variation

SMALL = AnnealerSize(8, 3, 8, 256, (1,) * 7, 64, 16)
"""The samples of a turn are gone by the next turn of the same replica."""

SPREAD = AnnealerSize(8 * MIN_REPLICAS, 3, 10, MIN_REPLICAS, (1,) * 7, 256, 16)
"""Samples pass the variables of `spread_problem` one after the other, turn by turn."""


def spread_problem(size, couplings, linear):
    """The variables one group of replicas apart; those in between cannot flip."""
    places = np.arange(len(linear)) * size.replicas
    every = np.zeros((size.spins, size.spins), dtype=int)
    every[np.ix_(places, places)] = couplings
    # Positive spins with this term would need a threshold that does not exist.
    pinned = np.full(size.spins, -(1 << size.threshold_bits))
    pinned[places] = linear
    return IsingProblem(size, every, pinned), places


def counts(problem, places, temperature, samples, refresh, sweeps=5):
    """How often each state was seen, `sweeps` sweeps apart."""
    size = problem.size
    (step,) = steps = schedule([temperature], sweeps, size)
    annealer = GoldenAnnealer(AnnealJob(problem, steps, 1, refresh))
    annealer.fill()
    for _ in range(20):
        annealer.run(step)
    seen = np.zeros(2 ** len(places), dtype=np.int64)
    for _ in range(-(-samples // size.replicas)):
        annealer.run(step)
        numbers = (annealer.states[:, places] < 0) @ (1 << np.arange(len(places)))
        seen += np.bincount(numbers, minlength=len(seen))
    return seen


@pytest.mark.parametrize(
    "variables, temperature", [(3, 2.0), (8, 3.0), pytest.param(8, 8.0, marks=pytest.mark.slow)]
)
def test_samples_boltzmann(variables, temperature):
    couplings, linear = random_terms(variables, variables)
    expected = boltzmann(couplings, linear, temperature)
    problem = IsingProblem(SMALL, couplings, linear)
    seen = counts(problem, np.arange(variables), temperature, 200_000, refresh=0)
    assert total_variation(seen, expected) < 0.03
    assert chi_square(seen, expected) > LEVEL


def test_a_wrong_temperature_is_noticed():
    couplings, linear = random_terms(8)
    problem = IsingProblem(SMALL, couplings, linear)
    seen = counts(problem, np.arange(8), 3.0 * 1.05, 200_000, refresh=0)
    assert chi_square(seen, boltzmann(couplings, linear, 3.0)) < LEVEL


@pytest.mark.parametrize("exact", [False, True])
def test_samples_that_come_back_are_noticed(exact):
    couplings, linear = random_terms(0)
    problem, places = spread_problem(SPREAD, couplings, linear)
    refresh = SPREAD.exact_refresh(problem.variables) if exact else 0
    seen = counts(problem, places, 3.0, 8_000, refresh)
    assert (chi_square(seen, boltzmann(couplings, linear, 3.0)) > LEVEL) == exact


def plain_states(index, seed, cycles):
    """A generator, one bit at a time."""
    taps = generator_taps(index)
    state = [0] * GENERATOR_BITS

    def following(state):
        return [sum(state[tap] for tap in row) % 2 for row in taps]

    for byte in seed:
        state = following(state)
        for bit in range(8):
            state[bit] ^= int(byte) >> bit & 1
    for _ in range(cycles):
        yield state
        state = following(state)


def plain_anneal(problem, steps, seeds, refresh, initial_states):
    """One replica, one spin, one number at a time: sequential sweeps with nothing skipped.

    Returns the states, and the rounds that the slowest replicas took.
    """
    size = problem.size
    replicas, n = size.replicas, problem.variables
    fill = max(size.passage, problem.offset_rows + n * (initial_states is not None) + 1)
    generators = [plain_states(i, seed, 1 << 16) for i, seed in enumerate(seeds)]
    drawn = [[0] * (size.spins - stride) for stride in size.sequences]
    step_of_round = [steps[0]] * fill

    def draw(cycle):
        while len(drawn[0]) < size.spins + size.strides[0] * cycle:
            step = step_of_round[
                (len(drawn[0]) - size.spins + size.strides[0]) // size.strides[0] // replicas
            ]
            limits = [*step.probabilities, step.ring << WORD_BITS - RING.f_bits]
            words = []
            for generator in generators:
                state = next(generator)
                for word in range(WORDS):
                    bits = state[word * WORD_BITS : (word + 1) * WORD_BITS]
                    words.append(sum(bit << place for place, bit in enumerate(bits)))
            words = iter(words)
            for sequence, stride, limit in zip(drawn, size.sequences, limits):
                sequence += [int(next(words) < limit) for _ in range(stride)]

    def threshold(cycle, spin):
        draw(cycle)
        return sum(
            drawn[digit][spin + stride * cycle] << digit
            for digit, stride in enumerate(size.strides)
        )

    def held(cycle, spin, replica, i):
        neighbours = states[replica - 1][i], states[(replica + 1) % replicas][i]
        equal = neighbours == (states[replica][i],) * 2
        return equal and drawn[-1][spin + size.sequences[-1] * cycle]

    states = [[1] * n for _ in range(replicas)]
    if initial_states is not None:
        states = initial_states.tolist()
    work = [None] * replicas  # a sweep under way, as a coroutine that yields at each turn's end
    begin = fill
    ready = [fill] * replicas

    def sweep(state, replica, turn, step):
        for i in range(n):
            field = int(problem.linear[i]) + sum(
                int(problem.couplings[i, j]) * state[j] for j in range(n)
            )
            energy_change = -2 * state[i] * field
            cycle = turn * replicas + replica
            if energy_change <= 2 * threshold(cycle, problem.first + i) and not (
                step.ring and held(cycle, problem.first + i, replica, i)
            ):
                state[i] = -state[i]
                yield
                turn += 1

    for step in steps:
        moves = {Moving.ALL: (0, 1), Moving.EVEN: (0,), Moving.ODD: (1,)}[step.moving]
        left = [step.sweeps * (r % 2 in moves) for r in range(replicas)]
        if step.moving is Moving.ALL:
            draw(begin * replicas - 1)
            drawn[-1] = [0] * len(drawn[-1])
        turn = begin
        while any(left):
            step_of_round.append(step)
            for r in range(replicas):
                if turn < ready[r] or (not left[r] and work[r] is None):
                    continue
                if work[r] is None:
                    work[r] = sweep(states[r], r, turn, step)
                try:
                    next(work[r])
                except StopIteration:
                    work[r] = None
                    left[r] -= 1
                    ready[r] = turn + 1 + refresh
            turn += 1
        begin = turn + STEP_ROUNDS - 1
        step_of_round += [step] * (STEP_ROUNDS - 1)
    return states, begin


@pytest.mark.parametrize(
    "strides, refresh, initial",
    [((1,) * 5, 0, False), ((3, 1, 2, 2, 1), 0, True), ((2, 1, 1, 3, 4), 3, True)],
)
def test_equals_a_plain_machine(strides, refresh, initial):
    size = AnnealerSize(20, 3, 7, 10, strides, 32, 8)
    couplings, linear = random_terms(7, 6)
    problem = IsingProblem(size, couplings, linear)
    steps = schedule([5.0, 3.0], 3, size)
    steps += transverse_schedule([9.0, 2.0], 0.2, 2, size)
    # A ring's sequence of bits is cut off where all replicas move.
    steps[4:4] = schedule([1.0, 0.1], 1, size)
    start = np.random.default_rng(0).choice([-1, 1], (size.replicas, 6)) if initial else None
    run = anneal(AnnealJob(problem, steps, 5, refresh, start))
    states, rounds = plain_anneal(problem, steps, expand_seed(5, size), refresh, start)
    assert run.states.tolist() == states
    assert run.cycles == START + rounds * size.replicas
    assert run.energies.tolist() == problem.energy(run.states).tolist()
    assert run.best_energies.tolist() == problem.energy(run.best_states).tolist()
    assert np.all(run.best_energies <= run.energies)


def test_generator_equals_a_plain_one():
    seed = bytes(range(SEED_BYTES))
    generator = GoldenGenerator(1, seed)
    words = np.concatenate([generator.words(), generator.words()])[: BLOCK + 50]
    for expected, state in zip(words, plain_states(1, seed, len(words))):
        for word in range(WORDS):
            bits = state[word * WORD_BITS : (word + 1) * WORD_BITS]
            assert sum(bit << place for place, bit in enumerate(bits)) == expected[word]


def test_finds_planted_ground_states():
    size = AnnealerSize(48, 2, 8, 16, (1,) * 6, 32, 64)
    rng = np.random.default_rng(3)
    planted = rng.choice([-1, 1], 48)
    couplings = -np.outer(planted, planted) * (rng.random((48, 48)) < 0.3)
    couplings = np.triu(couplings, 1)
    problem = IsingProblem(size, couplings + couplings.T, -planted)
    run = anneal(AnnealJob(problem, schedule(np.geomspace(8, 0.5, 40), 2, size)))
    # Domains of both signs meet at high cost; most replicas leave them.
    found = run.best_energies == problem.energy(planted)
    assert found.mean() > 0.5
    assert np.array_equal(run.best_states[found][0], planted)
